//! Verdicts as documents and as text.

use crate::anchor::view;
use crate::cli::assurance::Assurance;
use crate::cli::moment::Moment;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

use touchmark_api::{AnchorView, ConfidenceView};
use touchmark_core::verdict::{self, CertificateKind, Check, CheckResult};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, NetworkId, Timestamp, TreeSize};

/// A verdict on one file.
#[derive(Serialize)]
pub(super) struct Verdict {
    file: String,
    pub(super) network: Option<String>,
    pub(super) valid: bool,
    /// What a positive verdict rests on.
    assurance: Assurance,
    /// On which kind of certificate a verdict on a bundle rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'static str>,
    pub(super) as_of: Option<AsOf>,
    /// What another network has of the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    anchored: Option<AnchorView>,
    #[serde(serialize_with = "checks")]
    checks: Vec<Check>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    confidence: Vec<Judged>,
}

/// How far a record of a bundle can be believed.
#[derive(Serialize)]
struct Judged {
    leaf: u64,
    #[serde(flatten)]
    confidence: ConfidenceView,
}

/// The state of the log that a verdict speaks of.
#[derive(Serialize)]
pub(super) struct AsOf {
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    size: u64,
    root: String,
}

impl AsOf {
    /// A log of which only size and root are known.
    pub(super) fn log(size: TreeSize, root: &Digest) -> Self {
        Self { height: None, time: None, size: size.0, root: root.to_string() }
    }

    fn batch(height: Height, time: Timestamp, size: TreeSize, root: &Digest) -> Self {
        Self { height: Some(height.0), time: Some(time.0), ..Self::log(size, root) }
    }
}

impl Verdict {
    pub(super) fn new(file: String, checks: Vec<Check>) -> Self {
        let valid = !checks.is_empty() && checks.iter().all(|check| check.result.holds());
        let (network, certificate, as_of) = (None, None, None);
        let (assurance, anchored, confidence) = (Assurance::None, None, Vec::new());
        Self { file, network, valid, assurance, certificate, as_of, anchored, checks, confidence }
    }

    pub(super) fn of_bundle(file: String, verdict: verdict::Verdict) -> Self {
        let as_of = verdict.as_of.map(|it| AsOf::batch(it.height, it.time, it.size, &it.root));
        let network = verdict.network.map(|network| network.to_string());
        let judged = verdict.confidence.iter();
        let judged = judged.map(|(leaf, it)| Judged { leaf: leaf.0, confidence: it.into() });
        let confidence = judged.collect();
        let assurance = match verdict.certificate {
            Some(CertificateKind::Engine) => Assurance::Certificate,
            Some(CertificateKind::Cosigned) => Assurance::Cosigned,
            None => Assurance::None,
        };
        let certificate = verdict.certificate.map(CertificateKind::as_str);
        let anchored = verdict.anchored.as_ref().map(view);
        let verdict::Verdict { valid, checks, .. } = verdict;
        Self { file, network, valid, assurance, certificate, as_of, anchored, checks, confidence }
            .resting_on(assurance)
    }

    /// What it rests on, if it is positive.
    pub(super) fn resting_on(mut self, assurance: Assurance) -> Self {
        self.assurance = if self.valid { assurance } else { Assurance::None };
        self
    }

    /// With more checks, if there are any.
    pub(super) fn and(mut self, checks: impl IntoIterator<Item = Check>) -> Self {
        self.checks.extend(checks);
        self.valid &= self.checks.iter().all(|check| check.result.holds());
        let assurance = self.assurance;
        self.resting_on(assurance)
    }

    pub(super) fn of(mut self, network: Option<NetworkId>, as_of: Option<AsOf>) -> Self {
        self.network = network.map(|network| network.to_string());
        self.as_of = as_of;
        self
    }
}

pub(super) fn passed(name: &'static str, reason: impl Into<Cow<'static, str>>) -> Check {
    Check { name: name.into(), result: CheckResult::Pass, reason: reason.into(), code: None }
}

pub(super) fn failed(
    name: &'static str,
    code: &'static str,
    reason: impl Into<Cow<'static, str>>,
) -> Check {
    let result = CheckResult::Fail;
    Check { name: name.into(), result, reason: reason.into(), code: Some(code) }
}

pub(super) fn undecided(
    name: &'static str,
    code: &'static str,
    reason: impl Into<Cow<'static, str>>,
) -> Check {
    let result = CheckResult::Unknown;
    Check { name: name.into(), result, reason: reason.into(), code: Some(code) }
}

/// Freshness of something that cannot answer a nonce.
pub(super) fn no_freshness(nonce: Option<&String>) -> Check {
    match nonce {
        Some(_) => {
            failed("freshness", "TM-NOT-FRESH", "it does not answer your nonce; only bundles do")
        }
        None => Check {
            name: "freshness".into(),
            result: CheckResult::NotApplicable,
            reason: "it proves what held at its time, not that nothing is newer".into(),
            code: None,
        },
    }
}

fn checks<S: Serializer>(checks: &[Check], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Row<'a> {
        name: &'a str,
        result: &'static str,
        reason: &'a str,
        code: Option<&'static str>,
    }
    serializer.collect_seq(checks.iter().map(|check| Row {
        name: &check.name,
        result: check.result.as_str(),
        reason: &check.reason,
        code: check.code,
    }))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.file, if self.valid { "valid" } else { "NOT valid" })?;
        if let Some(network) = &self.network {
            writeln!(f, "network {network}")?;
        }
        if let Some(as_of) = &self.as_of {
            write!(f, "as of   {} leaves", as_of.size)?;
            if let (Some(height), Some(time)) = (as_of.height, as_of.time) {
                write!(f, ", batch {height}, {}", Moment(Timestamp(time)))?;
            }
            writeln!(f)?;
        }
        if let Some(AnchorView { size: Some(size), time: Some(time), .. }) = self.anchored {
            writeln!(f, "anchor  {size} leaves, {}", Moment(Timestamp(time)))?;
        }
        let width = self.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
        for check in &self.checks {
            let (result, name) = (check.result.as_str(), &check.name);
            write!(f, "  {result:<14}  {name:<width$}  {}", check.reason)?;
            match check.code {
                Some(code) => writeln!(f, " [{code}]")?,
                None => writeln!(f)?,
            }
        }
        for Judged { leaf, confidence } in &self.confidence {
            writeln!(f, "confidence in leaf {leaf}: {}", confidence.level)?;
            for reason in &confidence.reasons {
                writeln!(f, "  {} [{}]", reason.reason, reason.code)?;
            }
        }
        Ok(())
    }
}
