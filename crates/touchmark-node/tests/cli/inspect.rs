//! `touchmark inspect`.

use super::bundle;
use super::desk::Desk;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use touchmark_api::Base64;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::entry::Purposes;
use touchmark_core::evidence::CardPayload;
use touchmark_core::group::{Group, GroupAction};
use touchmark_keys::file::{KeyFile, Protection};
use touchmark_keys::software::SoftwareKey;
use touchmark_node::cli::Exit;
use touchmark_testkit::committee::Panel;
use touchmark_wire::algorithm::{Algorithm, SignedBytes, Signer};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, NetworkId, Sequence, ThingId};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::limits;
use touchmark_wire::registry::{
    ContentFormat, EvidenceFormat, RefusalCode, StatementKind, Status, ThingKind,
};
use touchmark_wire::statement::{Content, Draft, Kid, Link};

fn key() -> SoftwareKey {
    SoftwareKey::from_seed(Algorithm::Es256, &[7; 32]).unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(digit).collect()
}

fn cose() -> Vec<u8> {
    codec::encode(key().public_key().cose())
}

fn inception() -> Vec<u8> {
    Inception {
        kind: ThingKind::READER,
        keys: vec![NewKey::new(*key().public_key().cose(), Purposes::GENERAL)],
        threshold: 1,
        next: None,
        nonce: vec![0; 16],
        controller: None,
        owners: None,
        attributes: Some(BTreeMap::from([("serial".to_owned(), "4711".to_owned())])),
    }
    .encode_to_vec()
}

fn issuer() -> ThingId {
    Inception::id_of(&inception())
}

fn draft(kind: StatementKind, format: ContentFormat, payload: &[u8]) -> Draft<'_> {
    let link = Link { kind, sequence: Sequence(1), previous: Digest([1; 32]), channel: None };
    let content = Content::Inline(format);
    Draft { issuer: issuer(), link, content, claims: None, payload }
}

fn statement(kind: StatementKind, payload: &[u8]) -> Vec<u8> {
    draft(kind, ContentFormat::CBOR, payload).sign(KeyNumber(0), &key()).unwrap()
}

fn card_url() -> String {
    let signed = format!("https://example.org/p?i={}&c=00000a&s=", issuer());
    let signature = key().sign(&SignedBytes::new([signed.as_bytes()])).unwrap();
    signed + &hexadecimal(&signature).to_uppercase()
}

fn card_payload() -> Vec<u8> {
    let (thing, counter, format) = (issuer(), 11, ContentFormat::JSON);
    let message = CardPayload::message(thing, counter, format, Digest::of(&[b"{}"]), None);
    let signature = key().sign(&SignedBytes::new([&message[..]])).unwrap();
    codec::encode(&CardPayload {
        thing,
        counter,
        format,
        payload: b"{}",
        card_data: None,
        signature: &signature,
    })
}

/// What a file is recognised as.
fn inspect(bytes: impl AsRef<[u8]>, options: &str) -> (Exit, Value) {
    let mut desk = Desk::new();
    desk.write("thing", bytes);
    desk.write("key", cose());
    let ended = desk.run(&format!("inspect thing --json {options}"));
    (ended.exit, ended.document())
}

#[test]
fn every_kind_is_recognised_from_a_file() {
    let set = codec::encode(&SetStatus {
        thing: issuer(),
        status: Status::LOST,
        reason: None,
        keys: None,
    });
    let record =
        draft(StatementKind::RECORD, ContentFormat::TEXT, b"warm").sign(KeyNumber(0), &key());
    let several = draft(StatementKind::RECORD, ContentFormat::TEXT, b"warm").sign_many(&[
        (Kid::new(issuer(), KeyNumber(0)), &key()),
        (Kid::new(issuer(), KeyNumber(1)), &key()),
    ]);
    let denied = statement(StatementKind::STATUS, &set);
    let denied = Leaf::Denied { code: RefusalCode::STATUS.0, statement: &denied }.encode_to_vec();
    let url = card_url();
    let bare = BareEvidence { format: EvidenceFormat::CARD_URL, bytes: url.as_bytes(), mark: None };
    let file = KeyFile::seal(&key(), Protection::Plain).unwrap();
    let network: NetworkId = bundle::genesis().network_id();
    let header = bundle::header();
    let cases: [(&str, Vec<u8>); 17] = [
        ("statement", statement(StatementKind::INCEPTION, &inception())),
        ("statement", record.unwrap()),
        ("statement", several.unwrap()),
        ("log leaf", denied),
        ("log leaf", Leaf::Evidence(bare).encode_to_vec()),
        ("log leaf", bundle::batch_leaf()),
        ("bundle", bundle::bundle(true)),
        ("receipt", bundle::receipt()),
        ("checkpoint", bundle::checkpoint().into_bytes()),
        ("genesis document", bundle::genesis().encode_to_vec()),
        ("batch header", header.clone()),
        ("threshold certificate", bundle::certificate(&header)),
        ("COSE_Key", cose()),
        ("key file", codec::encode(&file)),
        ("card URL", format!("{url}\n").into_bytes()),
        ("card payload", card_payload()),
        ("DID", issuer().did(&network).to_string().into_bytes()),
    ];
    for (name, bytes) in cases {
        let (exit, found) = inspect(&bytes, "");
        assert_eq!((exit, &found["recognised"]), (Exit::Fine, &json!(name)), "{found}");
        assert_eq!(found["read_as"], "bytes");
        // Bytes that are not text already are recognised as text too.
        if std::str::from_utf8(&bytes).is_err() {
            let (_, found) = inspect(hexadecimal(&bytes), "");
            assert_eq!(
                (&found["recognised"], &found["read_as"]),
                (&json!(name), &json!("hexadecimal"))
            );
            let (_, found) = inspect(Base64(bytes).to_string(), "");
            assert_eq!(
                (&found["recognised"], &found["read_as"]),
                (&json!(name), &json!("base64url"))
            );
        }
    }
}

#[test]
fn text_is_an_argument_or_standard_input() {
    let mut desk = Desk::new();
    let id = issuer().to_string();
    assert_eq!(desk.json(&format!("inspect {id}"))["recognised"], "thing id");
    let found = desk.json(&format!("inspect {}", "ab".repeat(32)));
    assert_eq!(found["recognised"], "id or hash");
    assert_eq!(found["not_a"][0], json!({ "what": "card URL", "why": "it is no URL" }));
    desk.input(&statement(StatementKind::INCEPTION, &inception()));
    assert_eq!(desk.json("inspect -")["recognised"], "statement");
    let url = card_url();
    let ended = desk.run_all(&["inspect", &url]);
    assert!(ended.stdout.contains("counter      10"), "{}", ended.stdout);
}

#[test]
fn payloads_of_each_kind_are_readable() {
    let (_, found) = inspect(statement(StatementKind::INCEPTION, &inception()), "");
    let payload = &found["content"]["payload"];
    assert_eq!(payload["thing"], issuer().to_string());
    assert_eq!(payload["thing_kind"], "reader");
    assert_eq!(payload["attributes"]["serial"], "4711");
    assert_eq!(payload["keys"][0]["purposes"], "record control authenticate");
    let set = SetStatus {
        thing: issuer(),
        status: Status::STOLEN,
        reason: Some("van".into()),
        keys: None,
    };
    let action =
        GroupAction { actor: issuer(), kind: StatementKind::STATUS, payload: codec::encode(&set) };
    let group = codec::encode(&Group(vec![action]));
    let (_, found) = inspect(statement(StatementKind::GROUP, &group), "");
    let action = &found["content"]["payload"][0];
    assert_eq!(
        (&action["kind"], &action["payload"]["status"]),
        (&json!("status"), &json!("stolen"))
    );
    assert_eq!(action["payload"]["reason"], "van");
    let four = Panel { number: 1, validators: &[1, 2, 3, 4] }.committee();
    let owner = Panel { number: 0, validators: &[1] };
    let appointment = owner.appoint(NetworkId(Digest([1; 32])), &four, &[0]);
    let (_, found) = inspect(statement(StatementKind::APPOINT, &appointment), "");
    let payload = &found["content"]["payload"];
    assert_eq!(payload["committee"], four.digest().to_string());
    assert_eq!((&payload["epoch"], &payload["threshold"]), (&json!(1), &json!(3)));
    assert_eq!(payload["validators"][3]["name"], four.validators[3].name);
    assert_eq!(payload["approvals"], json!([0]));
    let (_, found) = inspect(statement(StatementKind::UPDATE, &[0x01]), "");
    let malformed = found["content"]["payload"]["malformed"].as_str().unwrap();
    assert!(malformed.starts_with("not the payload of update"), "{malformed}");
}

#[test]
fn signatures_are_checked_with_the_keys_at_hand() {
    let result = |found: &Value| found["signatures"][0]["result"].as_str().unwrap().to_owned();
    let (exit, own) = inspect(statement(StatementKind::INCEPTION, &inception()), "");
    assert_eq!(
        (exit, result(&own)),
        (Exit::Fine, "verifies".into()),
        "an inception brings its keys"
    );
    let record = statement(StatementKind::RECORD, b"\x01");
    let (exit, unchecked) = inspect(&record, "");
    assert_eq!(exit, Exit::Fine);
    assert!(result(&unchecked).starts_with("not checked"));
    for genuine in [record.clone(), card_url().into_bytes(), card_payload()] {
        let (exit, checked) = inspect(genuine, "--key key");
        assert_eq!((exit, result(&checked)), (Exit::Fine, "verifies".into()));
    }
    let mut forged = record;
    *forged.last_mut().unwrap() ^= 1;
    let (exit, forged) = inspect(forged, "--key key");
    assert_eq!(exit, Exit::Refused);
    assert!(result(&forged).contains("NOT"));
}

#[test]
fn what_is_nothing_says_why_not() {
    let mut desk = Desk::new();
    let (exit, error) = desk.error("inspect gibberish!");
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-UNRECOGNISED")));
    let why = error["why"].as_str().unwrap();
    assert!(why.contains("no thing id: it does not have 32 characters of base32"), "{why}");
    assert!(why.contains("no statement: not the expected CBOR structure"), "{why}");
    let mut cut = statement(StatementKind::INCEPTION, &inception());
    cut.pop();
    desk.write("cut", cut);
    assert_eq!(desk.error("inspect cut").0, Exit::Refused);
}

/// Whoever nests as deep as a leaf is long takes no more stack than a page's thread has.
#[test]
fn what_is_nested_without_end_is_explained_with_one() {
    let room = limits::STATEMENT - 1_024;
    let mut group = Vec::new();
    loop {
        let action =
            GroupAction { actor: issuer(), kind: StatementKind::GROUP, payload: group.clone() };
        let around = codec::encode(&Group(vec![action]));
        if around.len() > room {
            break;
        }
        group = around;
    }
    let mut arrays = vec![0x81; room];
    arrays.push(0);
    for nested in
        [statement(StatementKind::GROUP, &group), statement(StatementKind::RECORD, &arrays)]
    {
        assert_eq!(inspect(nested, "").0, Exit::Fine);
    }
    let mut sighting = statement(StatementKind::RECORD, &[0]);
    while sighting.len() + 16 < limits::LEAF {
        sighting = Leaf::Sighting { code: 201, leaf: &sighting }.encode_to_vec();
    }
    let mut desk = Desk::new();
    desk.write("sighting", sighting);
    assert_eq!(desk.error("inspect sighting").0, Exit::Refused);
}
