//! What stands for a committee's word: the engine's certificate, a quorum's cosignatures, and a
//! quorum's answers to a nonce.

use super::{Accepted, CertificateKind, Finding};
use alloc::vec::Vec;
use touchmark_wire::algorithm::{PureVerifier, SignatureVerifier, SignedBytes};
use touchmark_wire::bundle::{Bundle, Freshness};
use touchmark_wire::certificate::{CommitteeKey, Namespace, ThresholdCertificate, verify_quorum};
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::handover::Tenure;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{NetworkId, TreeSize};
use touchmark_wire::ratchet::Position;

/// A state of the log on the word of a committee.
pub(super) struct Certified {
    pub(super) kind: CertificateKind,
    pub(super) size: TreeSize,
    pub(super) root: Digest,
    /// Where the engine certified it.
    pub(super) position: Option<Position>,
    /// Whose word it is.
    pub(super) committee: Committee,
}

/// On which kind of certificate a verdict on this bundle rests.
pub(super) const fn kind(bundle: &Bundle<'_>, accepted: Accepted) -> CertificateKind {
    match accepted {
        Accepted::Only(kind) => kind,
        Accepted::Either if bundle.certificate.is_some() => CertificateKind::Engine,
        Accepted::Either => CertificateKind::Cosigned,
    }
}

/// Checks the certificate of this kind.
pub(super) fn certified(
    bundle: &Bundle<'_>,
    genesis: &Genesis,
    kind: CertificateKind,
) -> Result<(Certified, &'static str), Finding> {
    let network = genesis.network_id();
    let tenure = follow(bundle, network, genesis.committee.clone())?;
    match kind {
        CertificateKind::Engine => by_engine(bundle, network, tenure),
        CertificateKind::Cosigned => by_validators(bundle, &genesis.origin, tenure),
    }
}

/// From genesis' committee over the bundle's hand-overs to the one that certifies.
fn follow(bundle: &Bundle<'_>, network: NetworkId, genesis: Committee) -> Result<Tenure, Finding> {
    let mut tenure = Tenure::first(genesis);
    for (handover, number) in bundle.handovers.0.iter().zip(1u64..) {
        tenure = tenure.follow(network, handover).map_err(|error| {
            let reason = alloc::format!("hand-over {number} does not hold: {error}");
            Finding::fail("TM-HANDOVER", reason)
        })?;
    }
    Ok(tenure)
}

fn by_engine(
    bundle: &Bundle<'_>,
    network: NetworkId,
    tenure: Tenure,
) -> Result<(Certified, &'static str), Finding> {
    let fail = |reason| Finding::fail("TM-CERTIFICATE", reason);
    let bytes = bundle.certificate.ok_or_else(|| other_kind(CertificateKind::Engine))?;
    let (first, last) = chain(bundle, &tenure)?;
    let certificate =
        ThresholdCertificate::parse(bytes).map_err(|_| fail("the certificate is malformed"))?;
    let committee = &tenure.committee;
    let key = CommitteeKey::parse(&committee.certificate_key.0)
        .map_err(|_| fail("the committee's key is not a valid point"))?;
    certificate
        .verify(last, &Namespace::of(&network), &key)
        .map_err(|error| Finding::fail("TM-CERTIFICATE", alloc::format!("{error}")))?;
    let position = Position {
        height: first.height,
        time: first.time,
        size: first.size,
        root: first.root,
        header: BatchHeader::digest(bundle.headers[0].0),
        epoch: committee.epoch,
        committee: committee.digest(),
    };
    let certified = Certified {
        kind: CertificateKind::Engine,
        size: position.size,
        root: position.root,
        position: Some(position),
        committee: tenure.committee,
    };
    Ok((certified, "the network's committee has certified this state of the log"))
}

/// The first of the bundle's headers, and the last as bytes; each leads to the next, and all are of
/// the committee.
fn chain<'a>(
    bundle: &Bundle<'a>,
    Tenure { committee, since }: &Tenure,
) -> Result<(BatchHeader<'a>, &'a [u8]), Finding> {
    let fail = |reason| Finding::fail("TM-CERTIFICATE", reason);
    let (mut first, mut last) = (None, None);
    for encoded in &bundle.headers {
        let header =
            BatchHeader::decode(encoded.0).map_err(|_| fail("a batch header is malformed"))?;
        if last.is_some_and(|last| header.parent != BatchHeader::digest(last)) {
            return Err(fail("the headers are not a chain"));
        }
        if header.epoch != committee.epoch || header.height < *since {
            return Err(other_committee());
        }
        // The last header of a term may name a successor, to whom no step leads from here.
        if header.next != committee.digest() && !header.height.ends_term() {
            return Err(other_committee());
        }
        last = Some(encoded.0);
        first = first.or(Some(header));
    }
    first.zip(last).ok_or_else(|| fail("there is no header"))
}

fn by_validators(
    bundle: &Bundle<'_>,
    origin: &str,
    tenure: Tenure,
) -> Result<(Certified, &'static str), Finding> {
    let fail = |reason| Finding::fail("TM-CERTIFICATE", reason);
    let note = bundle.note.ok_or_else(|| other_kind(CertificateKind::Cosigned))?;
    let note = SignedCheckpoint::parse(note.as_bytes())
        .map_err(|_| fail("the cosigned checkpoint is malformed"))?;
    let log = note.checkpoint();
    if log.origin() != origin {
        return Err(fail("the cosigned checkpoint is of another log"));
    }
    let committee = &tenure.committee;
    verify_quorum(&note, &committee.cosigners(), committee.threshold.into(), &PureVerifier)
        .map_err(|error| Finding::fail("TM-CERTIFICATE", alloc::format!("{error}")))?;
    let (size, root) = (log.size, log.root);
    since(bundle, size, root)?;
    let kind = CertificateKind::Cosigned;
    let certified = Certified { kind, size, root, position: None, committee: tenure.committee };
    let reason = "a quorum of the last committee that the bundle leads to has cosigned this state \
                  of the log; whether that committee is still in office, cosignatures do not say";
    Ok((certified, reason))
}

/// A committee says nothing of what was before its hand-over. Heights do not tell, because batches
/// without leaves have the size of the one before.
fn since(bundle: &Bundle<'_>, size: TreeSize, root: Digest) -> Result<(), Finding> {
    let fail = |reason| Err(Finding::fail("TM-HANDOVER", reason));
    let Some(last) = bundle.handovers.0.last() else { return Ok(()) };
    let Ok(last) = BatchHeader::decode(last.header) else {
        return fail("the header of the last hand-over is malformed");
    };
    if size < last.size || (size == last.size && root != last.root) {
        return fail("the cosigned state is from before the committee that cosigned it");
    }
    Ok(())
}

/// Digests of all committees that a followed bundle leads through.
pub(super) fn committees(genesis: &Genesis, bundle: &Bundle<'_>) -> Vec<Digest> {
    let later = bundle.handovers.0.iter().map(|handover| &handover.committee);
    core::iter::once(&genesis.committee).chain(later).map(Committee::digest).collect()
}

fn other_committee() -> Finding {
    let reason = "the header belongs to a committee that the bundle does not lead to";
    Finding::fail("TM-HANDOVER", reason)
}

fn other_kind(accepted: CertificateKind) -> Finding {
    Finding::fail(
        "TM-OTHER-CERTIFICATE",
        match accepted {
            CertificateKind::Engine => {
                "you accept the engine's certificate only, and the bundle has cosignatures"
            }
            CertificateKind::Cosigned => {
                "you accept cosignatures only, and the bundle has the engine's certificate"
            }
        },
    )
}

/// Checks that a quorum of `committee` answered the reader's nonce.
pub(super) fn quorum(
    fresh: &Freshness<'_>,
    network: NetworkId,
    certified: &Certified,
) -> Result<&'static str, Finding> {
    let fail = |reason| Finding::fail("TM-NOT-FRESH", reason);
    let committee = &certified.committee;
    let answered = answers(fresh, network, committee, certified.size, certified.root);
    if answered.map_err(fail)? < usize::from(committee.threshold) {
        return Err(fail("fewer validators signed than the network asks"));
    }
    Ok("enough validators signed your nonce with this state of the log")
}

/// How many validators of `committee` signed a nonce with this state of the log; an error says what
/// is wrong with a signature.
pub fn answers(
    fresh: &Freshness<'_>,
    network: NetworkId,
    Committee { validators, .. }: &Committee,
    size: TreeSize,
    root: Digest,
) -> Result<usize, &'static str> {
    let message = Freshness::message(network, fresh.nonce, size, root);
    let message = SignedBytes::new([&message[..]]);
    let mut counted = Vec::new();
    for (place, signature) in &fresh.signatures {
        let Some(validator) = validators.get(usize::from(*place)) else {
            return Err("a signature is of no validator");
        };
        let verified = validator
            .log_key
            .check()
            .is_ok_and(|key| PureVerifier.verify(&key, &message, signature.0).is_ok());
        if !verified {
            return Err("a validator's signature does not verify");
        }
        if !counted.contains(&validator.log_key) {
            counted.push(validator.log_key);
        }
    }
    Ok(counted.len())
}
