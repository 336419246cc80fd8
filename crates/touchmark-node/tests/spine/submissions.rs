//! What becomes of submissions, and that it is still there after a restart.

use crate::issuer::{Card, Issuer};
use crate::network::Network;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::refusal::Outcome;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::NetworkId;
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::registry::{EvidenceFormat, RefusalCode, StatementKind, Status, ThingKind};

fn bare(bytes: &[u8]) -> Vec<u8> {
    Leaf::Evidence(BareEvidence { format: EvidenceFormat::CARD_URL, bytes, mark: None })
        .encode_to_vec()
}

fn code(outcome: &Outcome) -> Option<RefusalCode> {
    outcome.refusal().map(|refusal| refusal.code)
}

#[test]
fn statements_of_every_algorithm_are_accepted_once_and_survive_a_restart() {
    let network = Network::start();
    let mut leaves = Vec::new();
    for algorithm in Algorithm::ALL {
        let mut device = Issuer::new(network.id(), ThingKind::DEVICE, algorithm);
        leaves.push(device.inception());
        leaves.extend((0..3).map(|n| device.record(&[n; 256])));
    }
    let outcomes = network.submit(leaves.clone());
    let positions: Vec<_> = outcomes.iter().map(Outcome::leaf).collect();
    for outcome in &outcomes {
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    let network = network.restart();
    let again = network.submit(leaves);
    let known: Vec<_> = again.iter().map(Outcome::leaf).collect();
    assert_eq!(known, positions);
    assert!(again.iter().all(|outcome| matches!(outcome, Outcome::Known(_))), "{again:?}");
}

#[test]
fn bad_input_is_refused_with_its_code_and_stores_nothing() {
    let network = Network::start();
    let mut device = Issuer::new(network.id(), ThingKind::DEVICE, Algorithm::Ed25519);
    network.submit(vec![device.inception()]);
    let size = network.node.store.snapshot().size();

    let mut signature = device.record(b"x");
    let last = signature.len() - 1;
    signature[last] ^= 1;
    let mut stranger = Issuer::new(network.id(), ThingKind::DEVICE, Algorithm::Es256);
    let _unsent = stranger.inception();
    let other = NetworkId(touchmark_wire::hash::Digest::of(&[b"another network"]));
    let mut foreign = Issuer::new(other, ThingKind::DEVICE, Algorithm::Es256);
    let cases = [
        (vec![0x00], RefusalCode::MALFORMED),
        (vec![0xd2, 0x84], RefusalCode::MALFORMED),
        (vec![0xd2; 70_000], RefusalCode::TOO_LONG),
        (signature, RefusalCode::SIGNATURE),
        (stranger.record(b"x"), RefusalCode::UNKNOWN_THING),
        (foreign.inception(), RefusalCode::WRONG_NETWORK),
        (device.record(b"the second, without the first"), RefusalCode::OUT_OF_ORDER),
        (bare(b"https://t.example/?i=x"), RefusalCode::MALFORMED),
    ];
    for (leaf, expected) in cases {
        let outcome = network.submit(vec![leaf]).remove(0);
        assert!(matches!(outcome, Outcome::Refused(_)), "{expected}: {outcome:?}");
        assert_eq!(code(&outcome), Some(expected));
    }
    assert_eq!(network.node.store.snapshot().size(), size);
}

#[test]
fn a_card_is_tapped_replayed_forged_stolen_and_sighted() {
    let network = Network::start();
    let mut maker = Issuer::new(network.id(), ThingKind::ORGANISATION, Algorithm::Es256);
    let card = Card::new(maker.id);
    let register = (maker.inception(), maker.act(StatementKind::REGISTER, &card.inception));
    for outcome in network.submit(vec![register.0, register.1]) {
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
    }
    let first = network.submit(vec![bare(&card.url(5))]).remove(0);
    assert!(matches!(first, Outcome::Accepted(_)), "{first:?}");
    let again = network.submit(vec![bare(&card.url(5))]).remove(0);
    assert_eq!(again, Outcome::Known(first.leaf().unwrap()));
    let older = network.submit(vec![bare(&card.url(4))]).remove(0);
    assert_eq!(code(&older), Some(RefusalCode::REPLAYED));
    let forged = String::from_utf8(card.url(5)).unwrap().replace("c=000005", "c=000006");
    let forged = network.submit(vec![bare(forged.as_bytes())]).remove(0);
    assert_eq!(code(&forged), Some(RefusalCode::FORGED));

    let thing = card.id();
    let stolen = SetStatus { thing, status: Status::STOLEN, reason: None, keys: None };
    let stolen = network.submit(vec![maker.act(StatementKind::STATUS, &stolen)]).remove(0);
    assert!(matches!(stolen, Outcome::Accepted(_)), "{stolen:?}");
    let sighted = network.submit(vec![bare(&card.url(6))]).remove(0);
    assert!(matches!(sighted, Outcome::Sighted(..)), "{sighted:?}");
    assert_eq!(code(&sighted), Some(RefusalCode::REVOKED));
}
