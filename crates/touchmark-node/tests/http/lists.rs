//! Lists, pages, filters, tags and proofs of single facts.

use crate::issuer::{Card, Issuer};
use crate::site::Site;
use serde_json::Value;
use touchmark_core::verdict::{Trust, judge};
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::registry::{EvidenceFormat, StatementKind, ThingKind};

struct Story {
    site: Site,
    maker: String,
    sensor: String,
    card: String,
    records: Vec<u64>,
    taps: Vec<u64>,
}

fn story() -> Story {
    let site = Site::start();
    let mut maker = Issuer::new(site.network(), ThingKind::ORGANISATION, Algorithm::Ed25519);
    let mut sensor = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let card = Card::new(maker.id);
    site.submit(&[
        maker.inception(),
        sensor.inception(),
        maker.act(StatementKind::REGISTER, &card.inception),
    ]);
    let records = site.submit(&(0..5).map(|n| sensor.record(&[n])).collect::<Vec<_>>());
    let bare = |url: Vec<u8>| {
        let bare = BareEvidence { format: EvidenceFormat::CARD_URL, bytes: &url, mark: None };
        Leaf::Evidence(bare).encode_to_vec()
    };
    let taps = site.submit(&[bare(card.url(1)), bare(card.url(2))]);
    Story {
        maker: maker.id.to_string(),
        sensor: sensor.id.to_string(),
        card: card.id().to_string(),
        records,
        taps,
        site,
    }
}

fn positions(page: &Value) -> Vec<u64> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["index"].as_u64().unwrap()).collect()
}

impl Story {
    /// All pages of a list.
    fn all(&self, path: &str, limit: usize) -> Vec<u64> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        for _ in 0..100 {
            let page = self.site.get(&format!("{path}limit={limit}{cursor}")).json();
            let items = positions(&page);
            assert!(items.len() <= limit, "{page}");
            found.extend(items);
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
        panic!("the list has no end")
    }
}

#[test]
fn lists_are_the_same_in_pages_of_every_size_and_from_both_ends() {
    let story = story();
    for limit in [1, 2, 3, 1_000] {
        assert_eq!(story.all("/v1/records?", limit), story.records, "pages of {limit}");
        let newest: Vec<u64> = story.records.iter().rev().copied().collect();
        assert_eq!(story.all("/v1/records?order=newest&", limit), newest, "pages of {limit}");
        let by_issuer = format!("/v1/records?issuer={}&", story.sensor.to_uppercase());
        assert_eq!(story.all(&by_issuer, limit), story.records);
        assert_eq!(story.all(&format!("/v1/taps?card={}&", story.card), limit), story.taps);
        assert_eq!(story.all("/v1/taps?", limit), story.taps);
        let chain = format!("/v1/things/{}/chain?", story.sensor);
        assert_eq!(story.all(&chain, limit).split_off(1), story.records);
        let history = format!("/v1/things/{}/history?kind=record&", story.sensor);
        assert_eq!(story.all(&history, limit), story.records);
        let reversed = format!("/v1/things/{}/history?kind=record&order=newest&", story.sensor);
        assert_eq!(story.all(&reversed, limit), newest);
    }
    let size = story.site.node.store.snapshot().size().0;
    assert_eq!(story.all("/v1/leaves?", 4), (0..size).collect::<Vec<_>>());
    assert_eq!(story.all(&format!("/v1/records?issuer={}&", story.maker), 10), [0; 0]);
}

#[test]
fn a_window_has_its_first_position_and_not_its_last() {
    let story = story();
    let [_, second, third, fourth, _] = story.records[..] else { panic!() };
    for order in ["oldest", "newest"] {
        for limit in [1, 10] {
            let window = format!("since={second}&until={fourth}&order={order}&");
            let mut found = story.all(&format!("/v1/records?{window}"), limit);
            found.sort_unstable();
            assert_eq!(found, [second, third], "{order} {limit}");
            let history = format!("/v1/things/{}/history?{window}", story.sensor);
            let mut found = story.all(&history, limit);
            found.sort_unstable();
            assert_eq!(found, [second, third], "{order} {limit}");
        }
    }
}

#[test]
fn what_is_misspelt_is_refused_and_not_ignored() {
    let story = story();
    for path in [
        "/v1/records?isuer=x",
        "/v1/records?issuer=x",
        "/v1/leaves?kind=recrod",
        "/v1/leaves?order=random",
        "/v1/leaves?cursor=x",
        "/v1/leaves?limit=many",
        "/v1/leaves/x",
        "/v1/things/x",
        "/v1/leaves/0?proof=maybe",
        "/health/live?x",
    ] {
        let answer = story.site.get(path);
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (400, &"TM-MALFORMED".into()),
            "{path}"
        );
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
    }
    let beyond = story.site.get(&format!("/v1/leaves?cursor={}", u64::MAX)).json();
    assert_eq!(beyond["items"].as_array().map(Vec::len), Some(0), "behind all that there is");
    let answer = story.site.get("/v1/nothing");
    assert_eq!((answer.status, &answer.json()["code"]), (404, &"TM-NOT-FOUND".into()));
}

#[test]
fn an_answer_is_not_sent_again_until_it_changes() {
    let site = Site::start();
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let first = site.submit(&[device.inception()])[0];
    let path = format!("/v1/things/{}", device.id);
    let tag = site.get(&path).header("etag").unwrap().to_owned();
    let known = |path: &str, tag: &str| site.ask(path, &[("if-none-match", tag)]).status;
    assert_eq!(known(&path, &tag), 304);
    assert_eq!(known(&path, &format!("\"other\", {tag}")), 304);
    let position = site.submit(&[device.record(b"x")])[0];
    let path = format!("{path}?at_least={}", position + 1);
    assert_eq!(known(&path, &tag), 200);
    let leaf = format!("/v1/leaves/{first}");
    let tag = site.get(&leaf).header("etag").unwrap().to_owned();
    assert!(!tag.starts_with("W/"), "{tag}: a leaf never changes");
    assert_eq!((known(&leaf, &tag), known(&leaf, "\"x\"")), (304, 200));
}

#[test]
fn a_fact_comes_with_its_proof() {
    let story = story();
    let trust = Trust { network: Some(story.site.network()), ..Trust::default() };
    let leaf = format!("/v1/leaves/{}?proof=1", story.records[0]);
    for path in [leaf, format!("/v1/things/{}?proof=1", story.sensor)] {
        let answer = story.site.get(&path).json();
        let proof = touchmark_api::Base64::parse(answer["proof"].as_str().unwrap()).unwrap();
        let verdict = judge(&proof.0, &trust);
        assert!(verdict.valid, "{path}: {:#?}", verdict.checks);
    }
    let plain = story.site.get(&format!("/v1/things/{}", story.sensor)).json();
    assert_eq!(plain["proof"], Value::Null);
}

#[test]
fn the_document_says_what_is_served() {
    let story = story();
    let document = story.site.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.1");
    let paths = document["paths"].as_object().unwrap();
    let gets = paths.iter().filter_map(|(path, methods)| Some((path, methods.get("get")?)));
    for (path, operation) in gets {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let mut target = path.clone();
        for parameter in parameters.iter().filter(|it| it["in"] == "path") {
            let example = match &parameter["example"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            target =
                target.replace(&format!("{{{}}}", parameter["name"].as_str().unwrap()), &example);
        }
        let status = story.site.status(&target);
        let documented = operation["responses"].get(status.to_string());
        assert!(documented.is_some(), "{target}: {status} is not in the document");
    }
    let answer = story.site.ask("/v1/statements", &[]);
    assert_eq!((answer.status, &answer.json()["code"]), (405, &"TM-METHOD".into()));
}
