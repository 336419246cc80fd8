//! What a validator says when another one asks.

use super::issuer::Issuer;
use super::network::Network;
use std::thread;
use std::time::Duration;
use touchmark_batch::Unanswered;
use touchmark_wire::algorithm::{Algorithm, PureVerifier, SignatureVerifier as _, SignedBytes};
use touchmark_wire::bundle::Freshness;
use touchmark_wire::certificate::Cosignature;
use touchmark_wire::checkpoint::Checkpoint;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{LeafIndex, TreeSize};
use touchmark_wire::merkle;
use touchmark_wire::receipt::Receipt;
use touchmark_wire::registry::ThingKind;
use touchmark_wire::word::{Question, Word};

const NONCE: &[u8] = b"a nonce of another one";
/// Another validator's peer key.
const ASKER: Digest = Digest([7; 32]);

/// Writes something; size and root of the log after it.
fn write(network: &Network) -> (TreeSize, Digest) {
    let mut issuer = Issuer::new(network.id(), ThingKind::DEVICE, Algorithm::Ed25519);
    let outcomes = network.submit(vec![issuer.inception()]);
    assert!(outcomes[0].leaf().is_some());
    let snapshot = network.node.store.snapshot();
    (snapshot.size(), snapshot.root(snapshot.size()).unwrap())
}

fn ask(network: &Network, question: &Question<'_>) -> Result<Vec<u8>, Unanswered> {
    let reply = network.node.answer(ASKER, question.encode_to_vec()).unwrap();
    let word = network.wait(reply.wait())?;
    let Word { validator, signed } = Word::decode(&word).unwrap();
    assert_eq!(validator, 0);
    Ok(signed.to_vec())
}

#[test]
fn a_validator_signs_what_its_own_log_has() {
    let network = Network::start();
    let (size, root) = write(&network);
    let validator = &network.node.genesis.committee.validators[0];
    let (log, cosigner) =
        (validator.log_key.check().unwrap(), validator.cosigner_key.check().unwrap());

    let signed = ask(&network, &Question::Fresh(NONCE, size, root)).unwrap();
    let message = Freshness::message(network.id(), NONCE, size, root);
    PureVerifier.verify(&log, &SignedBytes::new([&message[..]]), &signed).unwrap();

    let signed = ask(&network, &Question::Cosigned(size, root)).unwrap();
    let cosignature = Cosignature::from_bytes(&signed.try_into().unwrap()).unwrap();
    let body = Checkpoint::new(&network.node.genesis.origin, size, root).unwrap().to_string();
    cosignature.verify(&body, &cosigner, &PureVerifier).unwrap();

    let signed = ask(&network, &Question::Receipt(LeafIndex(0))).unwrap();
    let hash = merkle::leaf_hash(&network.node.store.snapshot().leaf(LeafIndex(0)).unwrap());
    let receipt = Receipt::decode(&signed).unwrap();
    assert_eq!(receipt.verify_inclusion(&hash, &log, &PureVerifier).unwrap().index.0, 0);

    // Another root, and a size that ends no batch.
    let inside = (TreeSize(size.0 - 1), root);
    for (size, root) in [(size, Digest([1; 32])), inside] {
        for question in [Question::Fresh(NONCE, size, root), Question::Cosigned(size, root)] {
            assert_eq!(ask(&network, &question), Err(Unanswered), "{question:?}");
        }
    }
    // Of one owner there is nothing to sign together.
    assert_eq!(ask(&network, &Question::Commitment(size, root)), Err(Unanswered));
    // Another build may ask what this one does not know.
    let unknown = network.node.answer(ASKER, b"what?".to_vec()).unwrap();
    assert_eq!(network.wait(unknown.wait()), Err(Unanswered));
}

#[test]
fn what_was_the_newest_long_ago_is_not_fresh() {
    let network = Network::start();
    let (first, root) = write(&network);
    let (newest, newest_root) = write(&network);
    let fresh = |(size, root)| ask(&network, &Question::Fresh(NONCE, size, root));
    // Others may be a batch behind.
    assert!(fresh((first, root)).is_ok());
    thread::sleep(Duration::from_millis(5_500));
    assert_eq!(fresh((first, root)), Err(Unanswered));
    assert_eq!(ask(&network, &Question::Cosigned(first, root)), Err(Unanswered));
    // An idle network stands still, and its newest state stays fresh.
    assert!(fresh((newest, newest_root)).is_ok());
}

#[test]
fn a_cosigner_never_goes_back() {
    let network = Network::start();
    let (first, root) = write(&network);
    let (second, next) = write(&network);
    let cosigned = |network: &Network, size, root| {
        ask(network, &Question::Cosigned(size, root)).map(|signed| signed[8..].to_vec())
    };
    let again = cosigned(&network, first, root).unwrap();
    assert_eq!(cosigned(&network, first, root), Ok(again));
    cosigned(&network, second, next).unwrap();
    assert_eq!(cosigned(&network, first, root), Err(Unanswered));
    // Nobody remembers what was signed before a start, so nothing older is.
    let network = network.restart();
    assert_eq!(cosigned(&network, first, root), Err(Unanswered));
    assert!(cosigned(&network, second, next).is_ok());
}
