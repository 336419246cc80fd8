//! What is submitted again is answered as at first.

use crate::issuer::{Card, Issuer};
use crate::site::{Answered, Site};
use serde_json::json;
use touchmark_core::directory::status::SetStatus;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::{StatementKind, Status, ThingKind};

/// What says that something has no effect: status, code, hint and position.
fn verdict(answer: &Answered) -> (u16, serde_json::Value) {
    let document = answer.json();
    (answer.status, json!([document["code"], document["hint"], document["position"]]))
}

#[test]
fn what_was_denied_is_denied_again() {
    let site = Site::start();
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    site.submit(&[device.inception()]);
    let change = SetStatus { thing: device.id, status: Status::ACTIVE, reason: None, keys: None };
    let statement = device.act(StatementKind::STATUS, &change);
    let first = site.post("/v1/statements", "application/cose", &statement);
    assert!(first.status == 422 || first.status == 403, "{}", first.json());
    assert!(first.json()["position"].is_u64(), "{}", first.json());
    let again = site.post("/v1/statements", "application/cose", &statement);
    assert_eq!(verdict(&again), verdict(&first));
    let record = device.record(b"x");
    site.submit(std::slice::from_ref(&record));
    let both = [statement, record].concat();
    let list = site.post("/v1/statements", "application/cbor-seq", &both).json();
    assert_eq!((&list[0]["outcome"], &list[1]["outcome"]), (&json!("denied"), &json!("known")));
    assert_eq!(list[0]["code"], first.json()["code"]);
    assert_eq!(list[0]["position"], first.json()["position"]);
}

#[test]
fn what_was_sighted_is_sighted_again() {
    let site = Site::start();
    let mut maker = Issuer::new(site.network(), ThingKind::ORGANISATION, Algorithm::Ed25519);
    let card = Card::new(maker.id);
    let stolen = SetStatus { thing: card.id(), status: Status::STOLEN, reason: None, keys: None };
    let register = maker.inception();
    let card_registered = maker.act(StatementKind::REGISTER, &card.inception);
    site.submit(&[register, card_registered, maker.act(StatementKind::STATUS, &stolen)]);
    let tap = || site.post("/v1/evidence/card-url", "text/plain", &card.url(1));
    let first = tap();
    assert_eq!((first.status, &first.json()["code"]), (403, &json!("TM-REVOKED")));
    assert_eq!(verdict(&tap()), verdict(&first));
}
