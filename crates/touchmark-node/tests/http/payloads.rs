//! Payloads that the log only commits to, kept and erased.

use crate::issuer::Issuer;
use crate::site::Site;
use serde_json::{Value, json};
use touchmark_api::Base64;
use touchmark_api::client::Client;
use touchmark_node::apikey::Scope;
use touchmark_node::http::{Limits, Rate};
use touchmark_node::node::now;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::{LeafIndex, Timestamp};
use touchmark_wire::limits;
use touchmark_wire::registry::{ContentFormat, ThingKind};
use touchmark_wire::statement::Preimage;

const CBOR: &str = "application/cbor";
const PERSONAL: Preimage<'_> = Preimage { salt: [7; 32], content: b"{\"born\":1980}" };

/// A site whose leaf has a committed record, and a record in clear; their paths.
fn committed(site: &Site) -> (String, String) {
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let record = [device.inception(), device.commit(&PERSONAL, ContentFormat::JSON)];
    let positions = site.submit(&[&record[..], &[device.record(b"clear")]].concat());
    let path = |at: usize| format!("/v1/leaves/{}/payload", positions[at]);
    (path(1), path(2))
}

#[test]
fn a_payload_is_kept_beside_the_log_until_it_is_erased() {
    let site = Site::start();
    let (path, clear) = committed(&site);
    let keep = |path: &str, preimage: Preimage<'_>| {
        let answer = site.post(path, CBOR, &preimage.encode_to_vec());
        let code = || answer.json()["code"].as_str().unwrap().to_owned();
        (answer.status, if answer.status < 300 { String::new() } else { code() })
    };
    assert_eq!(site.get(&path).status, 404);
    for other in [
        Preimage { salt: [8; 32], ..PERSONAL },
        Preimage { content: b"{\"born\":1981}", ..PERSONAL },
    ] {
        assert_eq!(keep(&path, other), (422, "TM-PAYLOAD".into()));
    }
    assert_eq!(site.post(&path, CBOR, b"\x80").json()["code"], "TM-MALFORMED");
    let long = vec![0; limits::PREIMAGE];
    let long = Preimage { content: &long, ..PERSONAL };
    assert_eq!(keep(&path, long).1, "TM-TOO-LONG");
    assert_eq!(keep(&clear, PERSONAL), (404, "TM-NOT-FOUND".into()));
    assert_eq!(keep("/v1/leaves/99/payload", PERSONAL), (404, "TM-NOT-FOUND".into()));
    assert_eq!(site.get(&path).status, 404, "nothing of that was kept");

    for _ in 0..2 {
        assert_eq!(keep(&path, PERSONAL), (204, String::new()));
    }
    let kept = site.get(&path);
    assert_eq!((kept.status, kept.header("cache-control")), (200, Some("no-store")));
    let view = kept.json();
    assert_eq!(view["content_format"], 50);
    let bytes = |name: &str| Base64::parse(view[name].as_str().unwrap()).unwrap().0;
    assert_eq!((bytes("salt"), bytes("content")), (vec![7; 32], PERSONAL.content.to_vec()));
    assert_eq!(site.ask(&path, &[("accept", CBOR)]).body, PERSONAL.encode_to_vec());
    assert!(page(&site, &path).contains("born"));

    let later = Timestamp(now().0 + 60_000);
    let (_, reads) = site.keys.create("reads", &[Scope::Read], now(), later).unwrap();
    let (_, operates) = site.keys.create("ops", &[Scope::Operate], now(), later).unwrap();
    let position = path.split('/').nth(3).unwrap();
    let erase = |key| site.demand("DELETE", &format!("/v1/admin/payloads/{position}"), key).status;
    assert_eq!((erase(None), erase(Some(&reads[..]))), (401, 403));
    assert_eq!(site.get(&path).status, 200);
    assert_eq!((erase(Some(&operates)), erase(Some(&operates))), (204, 404));
    assert_eq!(site.get(&path).status, 404);
    assert!(!page(&site, &path).contains("born"));
    let (status, code) = keep(&path, PERSONAL);
    assert_eq!((status, &code[..]), (403, "TM-NOT-AUTHORISED"), "who has a copy puts none back");
    assert_eq!(site.get(&path).status, 404);
    let proof = site.get(&format!("/v1/leaves/{position}?proof=1"));
    assert_eq!((proof.status, &proof.json()["statement"]["committed"]), (200, &json!(true)));
}

/// The page of the leaf whose payload this is.
fn page(site: &Site, path: &str) -> String {
    let position = path.split('/').nth(3).unwrap();
    let page = site.get(&format!("/r/{position}"));
    assert_eq!(page.status, 200);
    String::from_utf8(page.body).unwrap()
}

#[test]
fn a_payload_is_erased_before_anybody_brings_it() {
    let site = Site::start();
    let (path, _) = committed(&site);
    let later = Timestamp(now().0 + 60_000);
    let (_, key) = site.keys.create("ops", &[Scope::Operate], now(), later).unwrap();
    let position = path.split('/').nth(3).unwrap();
    let erased = site.demand("DELETE", &format!("/v1/admin/payloads/{position}"), Some(&key));
    assert_eq!(erased.status, 404, "nothing was there");
    let kept = site.post(&path, CBOR, &PERSONAL.encode_to_vec());
    assert_eq!((kept.status, &kept.json()["code"]), (403, &json!("TM-NOT-AUTHORISED")));
    assert_eq!(site.get(&path).status, 404);
}

#[test]
fn a_payload_costs_its_source_what_it_takes_of_the_disk() {
    let rate = Rate { burst: 40, per_second: 1 };
    let site = Site::with(Limits { writes: Some(rate), ..Limits::default() });
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let content = vec![1; 15 * limits::LEAF];
    let large = Preimage { salt: [7; 32], content: &content };
    let leaves = [device.inception(), device.commit(&large, ContentFormat::JSON)];
    let path = format!("/v1/leaves/{}/payload", site.submit(&leaves)[1]);
    // 16 each; what is of another type is not received at all.
    for (media, status) in [(CBOR, 204), ("application/cbor-seq", 415), (CBOR, 204)] {
        assert_eq!(site.post(&path, media, &large.encode_to_vec()).status, status);
    }
    let refused = site.post(&path, CBOR, &large.encode_to_vec());
    assert_eq!((refused.status, &refused.json()["code"]), (429, &json!("TM-QUOTA")));
    let small = site.post(&path, CBOR, &PERSONAL.encode_to_vec());
    assert_eq!(small.json()["code"], "TM-PAYLOAD", "a short one costs no more than a statement");
}

#[test]
fn the_client_keeps_and_reads_payloads() {
    let site = Site::start();
    let (path, _) = committed(&site);
    let index = LeafIndex(path.split('/').nth(3).unwrap().parse().unwrap());
    let client = Client::new(&format!("http://{}", site.address)).unwrap();
    assert_eq!(client.payload(index).unwrap(), None);
    client.keep_payload(index, &PERSONAL.encode_to_vec()).unwrap();
    let kept = client.payload(index).unwrap().unwrap();
    assert_eq!((kept.position, &kept.content.0[..]), (index.0, PERSONAL.content));
    let value: Value = serde_json::to_value(&kept).unwrap();
    assert_eq!(value["content_format"], 50);
}
