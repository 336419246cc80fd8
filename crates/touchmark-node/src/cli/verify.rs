//! `touchmark verify`: a verdict without a network, with every step that led to it.

mod beside;
mod checkpoint;
mod office;
mod ratchet;
mod receipt;
mod verdict;
mod witnesses;

use super::answer::Answer;
use super::failure::{Exit, Failure, Fault};
use super::inspect::{self, Recognised};
use super::session::{Session, network_id};
use super::{input, proof};
use beside::Beside;
use office::Office;
use ratchet::Kept;
use receipt::Shown;
use std::path::{Path, PathBuf};
use std::time::Duration;
use touchmark_core::verdict::{Accepted, CertificateKind, Trust, judge};
use touchmark_wire::algorithm::PublicKey;
use touchmark_wire::bundle::Bundle;
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::NetworkId;
use verdict::{Verdict, failed};
use witnesses::Witnesses;

/// Check a bundle, receipt or checkpoint without a network
///
/// The verdict is positive when every check passed or does not apply. Exit code 1 otherwise.
#[derive(clap::Args, Debug)]
pub(super) struct Verify {
    /// Bundles, receipts or checkpoints; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Network to trust: its id in hexadecimal, or its genesis document; otherwise the context's.
    /// Receipts and checkpoints need the document, or --committee
    #[arg(long, value_name = "ID|FILE")]
    trust: Option<String>,
    /// The nonce that you asked a fresh bundle with
    #[arg(long, value_name = "TEXT")]
    nonce: Option<String>,
    /// Log key that signed a receipt, or key that cosigned a checkpoint: COSE_Key. May be repeated
    #[arg(long, value_name = "COSE_KEY")]
    key: Vec<String>,
    /// The leaf that a receipt is about
    #[arg(long, value_name = "FILE")]
    leaf: Option<PathBuf>,
    /// Kinds of certificate to accept of bundles. Keys of cosignatures outlive their committee
    #[arg(long, value_enum, value_name = "KIND", default_value_t)]
    certificate: Kinds,
    /// How many different validators' receipts make a leaf believable; otherwise f+1 of 3f+1, so
    /// that one of them is honest. All receipts that are given count together
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    receipts: Option<u16>,
    /// Key of an outside witness that you trust, as C2SP signed-note writes it; repeatable. Bundles and
    /// checkpoints must then be cosigned by them, besides what the network says
    #[arg(long, value_name = "VKEY")]
    witness: Vec<String>,
    /// How many of these witnesses must have cosigned; otherwise all
    #[arg(long, value_name = "N", requires = "witness", value_parser = clap::value_parser!(u16).range(1..))]
    witnesses: Option<u16>,
    /// A bundle of the network that leads to the committee whose receipts and checkpoints are given;
    /// otherwise they must be of the first one
    #[arg(long, value_name = "BUNDLE")]
    committee: Option<PathBuf>,
    /// Another network in which the log must be anchored, and, unless it does not matter, the thing
    /// that records checkpoints there
    #[arg(long, value_name = "NETWORK[:THING]")]
    anchor: Option<String>,
    /// How much older than the log's own state the other network's may be
    #[arg(long, value_name = "TIME", default_value = "1d", requires = "anchor",
        value_parser = crate::config::duration)]
    anchor_age: Duration,
    /// A checkpoint or bundle of the log that you kept: bundles must continue that log, which
    /// `proof fetch --continues` has nodes prove
    #[arg(long, value_name = "FILE")]
    continues: Option<PathBuf>,
    /// File in which the newest state of the log that you saw is kept: what is older is refused
    #[arg(long, value_name = "FILE")]
    ratchet: Option<PathBuf>,
}

/// Kinds of certificate.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Kinds {
    /// The engine's (BLS12-381)
    #[default]
    Engine,
    /// Cosignatures of a quorum of validators (Ed25519)
    Cosigned,
    /// Either; of a bundle that has both, the engine's counts
    Any,
}

impl From<Kinds> for Accepted {
    fn from(kinds: Kinds) -> Self {
        match kinds {
            Kinds::Any => Self::Either,
            Kinds::Engine => Self::Only(CertificateKind::Engine),
            Kinds::Cosigned => Self::Only(CertificateKind::Cosigned),
        }
    }
}

/// What the reader trusts and brings.
struct Root<'v> {
    network: Option<NetworkId>,
    genesis: Option<Genesis>,
    /// Whose receipts and checkpoints count, where that is known.
    office: Option<Office>,
    keys: Vec<PublicKey>,
    nonce: Option<String>,
    leaf: Option<Vec<u8>>,
    certificates: Accepted,
    /// How many receipts it wants, if it says so.
    receipts: Option<usize>,
    /// Outside witnesses that it trusts.
    witnesses: Option<Witnesses<'v>>,
    /// What it asks beside the network's own word.
    beside: Beside,
}

/// What a file is.
enum Judged {
    Verdict(Box<Verdict>),
    /// They are judged with those of other files.
    Receipts(Vec<Vec<u8>>),
}

pub(super) fn run(session: &mut Session<'_, '_>, verify: &Verify) -> Result<Answer, Failure> {
    let root = root(session, verify)?;
    let kept = verify.ratchet.as_ref().map(|path| Kept::open(session.path(path), root.network));
    let mut kept = kept.transpose()?;
    let mut verdicts = Vec::new();
    let mut receipts = Shown::default();
    for file in &verify.files {
        let bytes = session.read(file)?;
        let what = format!("checking {}", file.display());
        match session.wait(&what, || judged(file, &bytes, &root, kept.as_mut()))? {
            Judged::Verdict(verdict) => verdicts.push(*verdict),
            Judged::Receipts(found) => receipts.add(file.display().to_string(), found),
        }
    }
    let uncompared = kept.is_some().then(ratchet::not_compared);
    let missing = root.beside.of_receipts();
    let unwitnessed = root.witnesses.as_ref().map(|_| Witnesses::nothing());
    let receipts = receipts.verdict(&root);
    verdicts.extend(receipts.map(|it| it.and(unwitnessed).and(uncompared).and(missing)));
    let text: Vec<String> = verdicts.iter().map(ToString::to_string).collect();
    let valid = verdicts.iter().all(|verdict| verdict.valid);
    let answer = match &verdicts[..] {
        [only] => Answer::new(only, text.concat()),
        all => Answer::new(&all, text.join("\n")),
    };
    Ok(answer.ending(if valid { Exit::Fine } else { Exit::Refused }))
}

/// A network that somebody trusts, by its id or its genesis document.
pub(super) fn root_of_trust(
    session: &mut Session<'_, '_>,
    text: &str,
) -> Result<(NetworkId, Option<Genesis>), Failure> {
    let path = Path::new(text);
    if !session.path(path).is_file() {
        return Ok((network_id(text)?, None));
    }
    let bytes = session.read(path)?;
    let genesis = input::decodings(&bytes).iter().find_map(|it| Genesis::decode(&it.bytes).ok());
    let genesis = genesis.ok_or_else(|| {
        Failure::new(Fault::Malformed, format!("{text} is no genesis document"))
            .hint("`touchmark network show --genesis FILE` writes a node's")
    })?;
    Ok((genesis.network_id(), Some(genesis)))
}

fn root<'v>(session: &mut Session<'_, '_>, verify: &'v Verify) -> Result<Root<'v>, Failure> {
    let (network, genesis) = match &verify.trust {
        None => (session.trusted()?, None),
        Some(text) => {
            let (network, genesis) = root_of_trust(session, text)?;
            (Some(network), genesis)
        }
    };
    let (genesis, office) = match &verify.committee {
        None => {
            let first = genesis.as_ref().map(|genesis| Office::first(&genesis.committee));
            (genesis, first)
        }
        Some(path) => {
            let nonce = verify.nonce.as_ref().map(String::as_bytes);
            let (genesis, office) = Office::of(session, path, network, nonce)?;
            (Some(genesis), Some(office))
        }
    };
    let mut keys = Vec::new();
    for argument in &verify.key {
        keys.push(session.cose_key(argument)?.check().map_err(|error| {
            Failure::new(Fault::Malformed, format!("`{argument}` is no usable public key"))
                .because(error)
        })?);
    }
    if let Some(nonce) = &verify.nonce {
        proof::nonce(nonce)?;
    }
    let leaf = verify.leaf.as_ref().map(|path| session.read(path)).transpose()?;
    Ok(Root {
        network,
        genesis,
        office,
        keys,
        nonce: verify.nonce.clone(),
        leaf,
        certificates: verify.certificate.into(),
        receipts: verify.receipts.map(usize::from),
        witnesses: Witnesses::of(&verify.witness, verify.witnesses)?,
        beside: Beside::of(session, verify)?,
    })
}

fn judged(
    file: &Path,
    bytes: &[u8],
    root: &Root<'_>,
    kept: Option<&mut Kept>,
) -> Result<Judged, Failure> {
    let name = file.display().to_string();
    let decodings = input::decodings(bytes);
    // What is no bundle moves no ratchet, and is not positive where one was asked for.
    let uncompared = || kept.is_some().then(ratchet::not_compared);
    for decoding in &decodings {
        let bytes = &decoding.bytes;
        if Bundle::decode(bytes).is_ok() {
            let nonce = root.nonce.as_ref().map(String::as_bytes);
            let certificates = root.certificates;
            let (network, anchor) = (root.network, root.beside.anchor);
            let (seen, other) = root.beside.of_bundle(bytes);
            let trust = Trust { network, nonce, certificates, anchor, seen };
            let mut verdict = judge(bytes, &trust);
            if let Some(kept) = kept {
                kept.check(bytes, &mut verdict)?;
            }
            let witnesses = root.witnesses.as_ref().map(|it| it.of_bundle(bytes, &verdict));
            let verdict = Verdict::of_bundle(name, verdict).and(witnesses).and(other);
            return Ok(Judged::Verdict(verdict.into()));
        }
        if let Some(receipts) = receipt::within(bytes) {
            return Ok(Judged::Receipts(receipts));
        }
        if let Ok(note) = SignedCheckpoint::parse(bytes) {
            let witnesses = root.witnesses.as_ref().map(|it| it.of_note(&note));
            let verdict = checkpoint::verdict(name, &note, root).and(witnesses).and(uncompared());
            return Ok(Judged::Verdict(verdict.and(root.beside.of_note(&note)).into()));
        }
    }
    let reason = match inspect::recognise(bytes, &[]) {
        Ok(found) => {
            let next = match found.recognised() {
                Recognised::Statement | Recognised::Leaf => {
                    "; `touchmark proof fetch` gets a proof of it"
                }
                Recognised::Genesis => "; give it with --trust",
                _ => "",
            };
            format!("it is a {}, not a bundle, receipt or checkpoint{next}", found.name())
        }
        Err(_) => "it is neither bundle, nor receipt, nor checkpoint".to_owned(),
    };
    let verdict = Verdict::new(name, vec![failed("format", "TM-MALFORMED", reason)]);
    Ok(Judged::Verdict(verdict.into()))
}
