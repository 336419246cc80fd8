//! Registration as a program that knows only SCITT sees it: the RFCs, the draft, plain HTTP, CBOR
//! read by hand, and another implementation of the signatures.

use crate::issuer::Issuer;
use crate::site::{Answered, Site};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use minicbor::Decoder;
use minicbor::data::{Tag, Type};
use serde_json::{Map, Value, json};
use touchmark_api::Base64;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::ThingKind;

const COSE: &str = "application/cose";
const TRANSPARENT: &str = "application/scitt-statement+cose";

/// A site, and a device that is known there.
fn site() -> (Site, Issuer) {
    let site = Site::start();
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    site.submit(&[device.inception()]);
    (site, device)
}

/// Concise problem details (RFC 9290) as the problem that they are.
pub(crate) fn concise(bytes: &[u8]) -> Value {
    let mut d = Decoder::new(bytes);
    let mut problem = Map::new();
    for _ in 0..d.map().unwrap().unwrap() {
        if d.datatype().unwrap() == Type::String {
            assert!(d.str().unwrap().starts_with("https://"), "a custom entry has a URI");
            problem.extend(members(&mut d));
        } else {
            let name = match d.i8().unwrap() {
                -1 => "title",
                -2 => "detail",
                other => panic!("{other} has no place here"),
            };
            problem.insert(name.into(), d.str().unwrap().into());
        }
    }
    assert_eq!(d.position(), bytes.len());
    problem.into()
}

fn members(d: &mut Decoder<'_>) -> Map<String, Value> {
    let count = d.map().unwrap().unwrap();
    let mut found = Map::new();
    for _ in 0..count {
        let name = d.str().unwrap().to_owned();
        let value = match d.datatype().unwrap() {
            Type::String => d.str().unwrap().into(),
            Type::Bytes => hex(d.bytes().unwrap()).into(),
            Type::Map => members(d).into(),
            _ => d.u64().unwrap().into(),
        };
        found.insert(name, value);
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The members of a COSE_Sign1; nothing for a payload that is elsewhere.
struct Message<'a> {
    protected: &'a [u8],
    unprotected: &'a [u8],
    payload: Option<&'a [u8]>,
    signature: &'a [u8],
}

fn message(bytes: &[u8]) -> Message<'_> {
    let mut d = Decoder::new(bytes);
    assert_eq!((d.tag().unwrap(), d.array().unwrap()), (Tag::new(18), Some(4)));
    let protected = d.bytes().unwrap();
    let start = d.position();
    d.skip().unwrap();
    let unprotected = &bytes[start..d.position()];
    let payload = match d.datatype().unwrap() {
        Type::Null => d.null().map(|()| None).unwrap(),
        _ => Some(d.bytes().unwrap()),
    };
    let signature = d.bytes().unwrap();
    assert_eq!(d.position(), bytes.len());
    Message { protected, unprotected, payload, signature }
}

/// The byte strings and texts of a map with integers for labels.
fn labelled(map: &[u8], wanted: i64) -> Option<&[u8]> {
    let mut d = Decoder::new(map);
    for _ in 0..d.map().unwrap().unwrap() {
        let label = d.i64().unwrap();
        let start = d.position();
        d.skip().unwrap();
        if label == wanted {
            return Some(&map[start..d.position()]);
        }
    }
    None
}

fn bytes_of(item: &[u8]) -> &[u8] {
    Decoder::new(item).bytes().unwrap()
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    digest(&SHA256, &parts.concat()).as_ref().try_into().unwrap()
}

/// The root that an inclusion proof of RFC 9162 §2.1.3.2 leads to.
fn root(leaf: &[u8], proof: &[u8]) -> [u8; 32] {
    let mut d = Decoder::new(proof);
    assert_eq!(d.array().unwrap(), Some(3));
    let (size, index) = (d.u64().unwrap(), d.u64().unwrap());
    let (mut inner, mut last) = (index, size - 1);
    let mut hash = sha256(&[&[0], leaf]);
    for _ in 0..d.array().unwrap().unwrap() {
        let beside = d.bytes().unwrap();
        assert!(last > 0, "the path is longer than the tree is high");
        if inner & 1 == 1 || inner == last {
            hash = sha256(&[&[1], beside, &hash]);
            while inner & 1 == 0 && inner > 0 {
                (inner, last) = (inner >> 1, last >> 1);
            }
        } else {
            hash = sha256(&[&[1], &hash, beside]);
        }
        (inner, last) = (inner >> 1, last >> 1);
    }
    assert_eq!(last, 0, "the path ends below the root");
    hash
}

/// Whether a receipt (RFC 9942) says of exactly these bytes that they are in the log of `key`.
fn holds(receipt: &[u8], signed: &[u8], key: &[u8]) -> bool {
    let receipt = message(receipt);
    assert_eq!(receipt.payload, None, "the root is what the proof leads to");
    assert_eq!(labelled(receipt.protected, 1).unwrap(), [0x26], "ES256");
    assert_eq!(labelled(receipt.protected, 395).unwrap(), [0x01], "RFC9162_SHA256");
    let claims = labelled(receipt.protected, 15).expect("RFC 9943 wants issuer and subject");
    assert!(labelled(claims, 1).is_some() && labelled(claims, 2).is_some());
    assert_eq!(labelled(receipt.protected, 4), labelled(key, 2), "the kid leads to the key");
    let proofs = labelled(receipt.unprotected, 396).unwrap();
    let proofs = labelled(proofs, -1).unwrap();
    let mut d = Decoder::new(proofs);
    assert_eq!(d.array().unwrap(), Some(1));
    let root = root(signed, d.bytes().unwrap());
    // Sig_structure (RFC 9052 §4.4).
    let mut message = minicbor::Encoder::new(Vec::new());
    message.array(4).unwrap().str("Signature1").unwrap().bytes(receipt.protected).unwrap();
    message.bytes(b"").unwrap().bytes(&root).unwrap();
    let coordinate = |label| bytes_of(labelled(key, label).unwrap());
    let point = [&[4][..], coordinate(-2), coordinate(-3)];
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.concat());
    key.verify(message.writer(), receipt.signature).is_ok()
}

/// The only key of a COSE_KeySet.
fn only(set: &[u8]) -> &[u8] {
    assert_eq!(set[0], 0x81, "an array of one");
    &set[1..]
}

fn key(site: &Site) -> Vec<u8> {
    let set = site.ask("/.well-known/scitt-keys", &[("accept", "application/cbor")]);
    assert_eq!((set.status, set.header("content-type")), (200, Some("application/cbor")));
    only(&set.body).to_vec()
}

fn problem(answer: &Answered) -> Value {
    let media = answer.header("content-type").unwrap();
    assert_eq!(media, "application/concise-problem-details+cbor");
    let problem = concise(&answer.body);
    assert_eq!(problem["status"], answer.status);
    problem
}

#[test]
fn a_foreign_client_registers_and_checks_without_anything_of_ours() {
    let (site, mut device) = site();
    let signed = device.declare("T1/7", b"tested");
    let answer = site.exchange(
        "POST",
        "/entries",
        &[("content-type", COSE), ("accept", "application/cbor, application/cose")],
        &signed,
    );
    assert_eq!((answer.status, answer.header("content-type")), (201, Some(COSE)));
    let key = key(&site);
    assert!(holds(&answer.body, &signed, &key));
    let mut other = signed.clone();
    *other.last_mut().unwrap() ^= 1;
    assert!(!holds(&answer.body, &other, &key), "of no other bytes");
    // The kid of the receipt leads to the same key.
    let kid = labelled(message(&answer.body).protected, 4).unwrap();
    let kid = Base64(bytes_of(kid).to_vec()).to_string();
    let alone = site.get(&format!("/.well-known/scitt-keys/{kid}"));
    assert_eq!((alone.status, &alone.body), (200, &key));
    // The entry has a fresh receipt, and the Transparent Statement.
    let place = answer.header("location").unwrap();
    let fresh = site.ask(place, &[("accept", COSE)]);
    assert_eq!((fresh.status, fresh.header("location")), (200, Some(place)));
    assert!(holds(&fresh.body, &signed, &key));
    let transparent = site.ask(place, &[("accept", TRANSPARENT)]);
    assert_eq!(transparent.header("content-type"), Some(TRANSPARENT));
    let whole = message(&transparent.body);
    let plain = message(&signed);
    assert_eq!((whole.protected, whole.payload), (plain.protected, plain.payload));
    assert_eq!(whole.signature, plain.signature);
    let receipts = labelled(whole.unprotected, 394).unwrap();
    let mut d = Decoder::new(receipts);
    assert_eq!(d.array().unwrap(), Some(1));
    assert!(holds(d.bytes().unwrap(), &signed, &key));
}

#[test]
fn a_lost_answer_is_given_again_and_a_taken_place_names_the_head() {
    let (site, mut device) = site();
    let signed = device.declare("T1/7", b"tested");
    let key = key(&site);
    let places = [1, 2].map(|_| {
        let answer = site.post("/entries", COSE, &signed);
        assert!(answer.status == 201 && holds(&answer.body, &signed, &key));
        answer.header("location").unwrap().to_owned()
    });
    assert_eq!(places[0], places[1]);
    // One that was signed and never sent leaves a gap.
    device.declare("T1/7", b"lost");
    let after = device.declare("T1/7", b"after it");
    let answer = site.post("/entries", COSE, &after);
    let problem = problem(&answer);
    assert_eq!((answer.status, &problem["code"]), (409, &json!("TM-OUT-OF-ORDER")));
    assert_eq!(problem["title"], "Rejected");
    let id = places[0].rsplit('/').next().unwrap();
    assert_eq!(problem["head"], json!({ "sequence": 2, "last": id }));
}

#[test]
fn what_is_no_signed_statement_is_refused_in_the_words_of_the_draft() {
    let (site, mut device) = site();
    let compact = device.record(b"1");
    let refused = |bytes: &[u8]| {
        let answer = site.post("/entries", COSE, bytes);
        let problem = problem(&answer);
        let said = |name: &str| problem[name].as_str().unwrap().to_owned();
        (answer.status, said("title"), said("code"))
    };
    let expect = |status, title: &str, code: &str| (status, title.to_owned(), code.to_owned());
    assert_eq!(refused(&compact), expect(400, "Rejected", "TM-NOT-SIGNED-STATEMENT"));
    assert_eq!(refused(b"\xa0"), expect(400, "Malformed request", "TM-MALFORMED"));
    let stranger = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Es256);
    let unknown = { stranger }.declare("T1/8", b"by nobody");
    assert_eq!(refused(&unknown), expect(404, "Rejected", "TM-UNKNOWN-THING"));
    // ES384 in place of Ed25519, in one byte more.
    let signed = device.declare("T1/7", b"x");
    let at = signed.windows(2).position(|it| it == [0x01, 0x32]).unwrap();
    let longer = [&signed[..at], &[0x01, 0x38, 0x22], &signed[at + 2..]].concat();
    let head = signed.windows(2).position(|it| it[0] == 0x58).unwrap() + 1;
    let mut other = longer;
    other[head] += 1;
    assert_eq!(refused(&other), expect(400, "Bad Signature Algorithm", "TM-SIGNATURE-ALGORITHM"));
    // Nothing of it is in the log: the place is free.
    site.submit(&[compact]);
    let answer = site.post("/entries", COSE, &signed);
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
}

#[test]
fn an_entry_is_a_registered_signed_statement_and_nothing_else() {
    let (site, mut device) = site();
    let at = site.submit(&[device.record(b"compact"), device.declare("T1/7", b"declared")]);
    let id = |index: u64| {
        let leaf = site.get(&format!("/v1/leaves/{index}")).json();
        leaf["statement"]["id"].as_str().unwrap().to_owned()
    };
    // Whichever way it came into the log.
    assert_eq!(site.get(&format!("/entries/{}", id(at[1]))).status, 200);
    let none = "0".repeat(64);
    for absent in [&id(at[0]), &none] {
        let answer = site.get(&format!("/entries/{absent}"));
        assert_eq!((answer.status, &problem(&answer)["title"]), (404, &json!("Not Found")));
    }
    let unknown = site.get(&format!("/.well-known/scitt-keys/{}", Base64(vec![7; 32])));
    assert_eq!((unknown.status, &problem(&unknown)["title"]), (404, &json!("No such key")));
    for odd in ["/entries/1", "/.well-known/scitt-keys/abc"] {
        let answer = site.get(odd);
        assert_eq!((answer.status, &problem(&answer)["code"]), (400, &json!("TM-MALFORMED")));
    }
    // Whatever the problem is, and whoever finds it.
    for (method, target) in [("PUT", "/entries"), ("GET", "/entries/a/b"), ("GET", "/entries")] {
        problem(&site.exchange(method, target, &[], b""));
    }
}
