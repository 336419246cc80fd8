//! A light client's view of a certificate, with another implementation of the curve.

use super::ledger::{LIMITS, Ledger, genesis};
use super::node::{NETWORK, config, keys, start, wait_until};
use crate::{Error, Finality};
use bls12_381::hash_to_curve::{ExpandMsgXmd, HashToCurve};
use bls12_381::{G1Affine, G1Projective, G2Affine, pairing};
use futures::executor::block_on;
use touchmark_batch::Application as _;
use touchmark_wire::hash::{Digest, domain};
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::Height;

const SUITE: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";

/// The certified digest, if the certificate holds under `key`.
fn certified(certificate: &[u8], key: &[u8; 96]) -> Option<Digest> {
    let (proposal, signature) = certificate.split_at_checked(certificate.len().checked_sub(48)?)?;
    let namespace = [domain::ENGINE, NETWORK.0.as_bytes(), b"_FINALIZE"].concat();
    let length = u8::try_from(namespace.len()).ok().filter(|length| *length < 128)?;
    let message = [&[length], &namespace[..], proposal].concat();
    let hashed = <G1Projective as HashToCurve<ExpandMsgXmd<sha2_09::Sha256>>>::hash_to_curve(
        &message, SUITE,
    );
    let signature =
        Option::<G1Affine>::from(G1Affine::from_compressed(signature.try_into().ok()?))?;
    let key = Option::<G2Affine>::from(G2Affine::from_compressed(key))?;
    let holds = pairing(&hashed.into(), &key) == pairing(&signature, &G2Affine::generator());
    holds.then(|| Digest(proposal[proposal.len() - 32..].try_into().unwrap()))
}

fn proves(finality: &Finality, key: &[u8; 96], height: Height, digest: Digest) -> bool {
    let mut parent = None;
    for (header, expected) in finality.headers.iter().zip(height.0..) {
        let decoded = BatchHeader::decode(header).unwrap();
        assert_eq!(decoded.height.0, expected);
        assert!(parent.is_none_or(|parent| parent == decoded.parent));
        parent = Some(BatchHeader::digest(header));
    }
    let certified = certified(&finality.certificate, key);
    BatchHeader::digest(&finality.headers[0]) == digest
        && certified.is_some()
        && certified == parent
}

#[test]
fn a_certificate_verifies_with_another_implementation() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::new(&keys().0);
    let engine = start(config(directory.path()), ledger.clone()).unwrap();
    ledger.submit(b"item");
    engine.wake();
    wait_until("there is a history", || ledger.finalized() >= Height(3));

    let key = keys().0.certificate_key().unwrap();
    let digests = ledger.digests();
    for height in 1..=3 {
        let finality = block_on(engine.finality(Height(height))).unwrap();
        let digest = digests[usize::try_from(height).unwrap()];
        assert!(proves(&finality, &key, Height(height), digest));
        assert!(finality.certificate.len() <= 90, "{} bytes", finality.certificate.len());
    }
    let of_genesis = block_on(engine.finality(Height(0))).unwrap();
    assert_eq!(of_genesis.headers.len(), 2, "the genesis is covered by its child's certificate");
    assert!(proves(&of_genesis, &key, Height(0), genesis().digest()));

    for position in 0..of_genesis.certificate.len() {
        let mut forged = of_genesis.clone();
        forged.certificate[position] ^= 1;
        // One pairing takes long in a test build: a few positions of each field do.
        if position < 4 || position % 16 == 0 {
            assert!(!proves(&forged, &key, Height(0), genesis().digest()), "byte {position}");
        }
    }
    assert_eq!(block_on(engine.finality(Height(1_000_000))), None);
    engine.stop();
    assert_eq!(block_on(engine.finality(Height(1))), None);
}

#[test]
fn a_stopped_engine_leaves_its_certificates() {
    let directory = tempfile::tempdir().unwrap();
    let archived = |height| Finality::archived(directory.path(), LIMITS, Height(height));
    assert_eq!(archived(0), Ok(None), "no engine ever ran here");
    assert!(!directory.path().join("consensus").exists());

    let ledger = Ledger::new(&keys().0);
    let engine = start(config(directory.path()), ledger.clone()).unwrap();
    wait_until("there is a history", || ledger.finalized() >= Height(3));
    assert_eq!(archived(1), Err(Error::Locked(directory.path().join("consensus"))));
    engine.stop();

    let key = keys().0.certificate_key().unwrap();
    let last = ledger.finalized().0;
    for height in [0, 1, last] {
        let finality = archived(height).unwrap().unwrap();
        let digest = ledger.digests()[usize::try_from(height).unwrap()];
        assert!(proves(&finality, &key, Height(height), digest), "height {height}");
    }
    assert_eq!(archived(0).unwrap().unwrap().headers.len(), 2, "the child's covers the genesis");
    assert_eq!(archived(1_000_000), Ok(None));

    // To read is not to change.
    let engine = start(config(directory.path()), ledger.clone()).unwrap();
    wait_until("it goes on", || ledger.finalized() > Height(last));
    engine.stop();
}
