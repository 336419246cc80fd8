//! The verdict on a bundle: every step from the network's root of trust to each claim, checked
//! without a network, with a reason for each.
//!
//! The same code answers in `touchmark verify`, in a browser and in tests.

mod anchor;
mod certificate;
mod claims;
mod foundation;
mod shown;

use crate::confidence::Confidence;
use alloc::borrow::Cow;
use alloc::vec::Vec;
use foundation::Foundation;
use touchmark_wire::bundle::Bundle;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, LeafIndex, NetworkId, Timestamp, TreeSize};
use touchmark_wire::ratchet::{Position, Shown};

pub use anchor::{Anchored, TrustedAnchor, anchored, recorded_note};
pub use certificate::answers;
pub use claims::LEVELS;

/// What the reader of a bundle trusts and asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trust<'a> {
    /// The network whose word counts; without it the verdict cannot be positive.
    pub network: Option<NetworkId>,
    /// The nonce that the reader chose, if it asked for a fresh answer.
    pub nonce: Option<&'a [u8]>,
    /// On what a verdict may rest.
    pub certificates: Accepted,
    /// Another network in which the log must be anchored.
    pub anchor: Option<TrustedAnchor>,
    /// Size and root of the log when the reader saw it before: the bundle must continue it.
    pub seen: Option<(TreeSize, Digest)>,
}

/// What stands for a committee's word on a state of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CertificateKind {
    /// The order engine's certificate of a batch header (BLS12-381).
    #[default]
    Engine,
    /// Cosignatures of the checkpoint by a quorum of validators (Ed25519).
    Cosigned,
}

impl CertificateKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Engine, Self::Cosigned];

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Cosigned => "cosigned",
        }
    }

    /// Name of the check.
    const fn check(self) -> &'static str {
        match self {
            Self::Engine => "certificate",
            Self::Cosigned => "cosignatures",
        }
    }
}

/// The kinds of certificate that a reader accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// Both; of a bundle that has both, the engine's counts.
    Either,
    /// This one only.
    Only(CertificateKind),
}

impl Default for Accepted {
    /// The engine's: its shares are deleted once a committee has handed over. The keys of
    /// cosignatures are not, and what they sign later looks as before.
    fn default() -> Self {
        Self::Only(CertificateKind::Engine)
    }
}

/// The result of one check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CheckResult {
    /// It holds.
    Pass,
    /// It does not hold.
    Fail,
    /// It could not be decided, or was not run because something before it failed.
    Unknown,
    /// The bundle does not speak of it.
    NotApplicable,
}

impl CheckResult {
    /// Whether a positive verdict can rest on it.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Pass | Self::NotApplicable)
    }

    /// As it stands in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::NotApplicable => "not-applicable",
        }
    }
}

/// One check of a verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// Short name.
    pub name: Cow<'static, str>,
    /// Its result.
    pub result: CheckResult,
    /// One sentence.
    pub reason: Cow<'static, str>,
    /// Stable code of a negative result.
    pub code: Option<&'static str>,
}

impl Check {
    fn pass(name: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), result: CheckResult::Pass, reason: reason.into(), code: None }
    }

    fn not_run(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            result: CheckResult::Unknown,
            reason: "not run, because what it depends on failed".into(),
            code: None,
        }
    }
}

/// Why a check fails or cannot be decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Finding {
    result: CheckResult,
    code: &'static str,
    reason: Cow<'static, str>,
}

impl Finding {
    fn fail(code: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { result: CheckResult::Fail, code, reason: reason.into() }
    }

    fn unknown(code: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { result: CheckResult::Unknown, code, reason: reason.into() }
    }

    fn into_check(self, name: impl Into<Cow<'static, str>>) -> Check {
        Check { name: name.into(), result: self.result, reason: self.reason, code: Some(self.code) }
    }
}

/// A state of the log that a committee has certified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AsOf {
    /// Of the batch that the engine certified; of cosigned states, of the last batch with leaves.
    pub height: Height,
    /// Certified time of that batch.
    pub time: Timestamp,
    /// Size of the log.
    pub size: TreeSize,
    /// Its root.
    pub root: Digest,
}

impl From<Position> for AsOf {
    fn from(Position { height, time, size, root, .. }: Position) -> Self {
        Self { height, time, size, root }
    }
}

/// What a bundle proves, and what not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Every check passed or does not apply.
    pub valid: bool,
    /// The network that the bundle speaks of.
    pub network: Option<NetworkId>,
    /// On what it rests, where that holds.
    pub certificate: Option<CertificateKind>,
    /// The certified state of the log that it speaks of, where the certificate holds.
    pub as_of: Option<AsOf>,
    /// The same as a ratchet compares it, where the engine certified it.
    pub position: Option<Position>,
    /// Digests of the committees from genesis' to the one that certified it; empty without it.
    pub committees: Vec<Digest>,
    /// What another network says of the log, where that was asked for and holds.
    pub anchored: Option<Anchored>,
    /// The checks in order.
    pub checks: Vec<Check>,
    /// How far each record of the bundle can be believed. It does not bear on `valid`: that a
    /// stolen card was read is proved as well as anything.
    pub confidence: Vec<(LeafIndex, Confidence)>,
}

impl Verdict {
    /// The first check that is in the way of a positive verdict, if one is.
    pub fn failure(&self) -> Option<&Check> {
        self.checks.iter().find(|check| !check.result.holds())
    }

    /// What a ratchet compares, where the engine's certificate holds.
    pub fn shown(&self) -> Option<Shown<'_>> {
        let (network, position) = (self.network?, self.position?);
        Some(Shown { network, position, committees: &self.committees })
    }
}

/// Judges an encoded bundle.
pub fn judge(bytes: &[u8], trust: &Trust<'_>) -> Verdict {
    let mut checks = Vec::new();
    let bundle = match Bundle::decode(bytes) {
        Ok(bundle) => {
            checks.push(Check::pass("format", "it is a well-formed bundle"));
            bundle
        }
        Err(malformed) => {
            let reason = alloc::format!("it is not a bundle: {malformed}");
            checks.push(Finding::fail("TM-MALFORMED", reason).into_check("format"));
            return Verdict {
                valid: false,
                network: None,
                certificate: None,
                as_of: None,
                position: None,
                committees: Vec::new(),
                anchored: None,
                checks,
                confidence: Vec::new(),
            };
        }
    };
    let foundation = foundation::examine(&bundle, trust, &mut checks);
    let mut confidence = Vec::new();
    if let Some(state) = &foundation.state {
        confidence = claims::examine(&bundle, &foundation, state, &mut checks);
    } else {
        let not_run = |claim| Check::not_run(claims::name(claim));
        checks.extend(bundle.claims.iter().map(not_run));
    }
    let valid = checks.iter().all(|check| check.result.holds()) && !bundle.claims.is_empty();
    let Foundation { network, certificate, as_of, position, committees, anchored, .. } = foundation;
    Verdict {
        valid,
        network,
        certificate,
        as_of,
        position,
        committees,
        anchored,
        checks,
        confidence,
    }
}
