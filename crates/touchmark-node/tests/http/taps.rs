//! Card information and the action of a tap.

use crate::issuer::{Card, Issuer};
use crate::site::{Answered, Site};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::thread;
use touchmark_core::directory::status::SetStatus;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::{StatementKind, Status, ThingKind};

struct Shop {
    site: Site,
    maker: Issuer,
    card: Card,
}

fn shop() -> Shop {
    let site = Site::start();
    let mut maker = Issuer::new(site.network(), ThingKind::ORGANISATION, Algorithm::Ed25519);
    let mut card = Card::new(maker.id);
    let attributes = [
        ("url", "https://example.org/4711"),
        ("thing", &"a".repeat(32)),
        ("login", "required"),
        ("serial", "4711"),
    ];
    card.inception.attributes =
        Some(BTreeMap::from(attributes.map(|(name, value)| (name.into(), value.into()))));
    site.submit(&[maker.inception(), maker.act(StatementKind::REGISTER, &card.inception)]);
    Shop { site, maker, card }
}

impl Shop {
    /// Uses a tap up, in a request of which `key` knows the repetitions.
    fn repeat(&self, url: &str, key: &str) -> Answered {
        let body = json!({ "url": url, "action": "update" }).to_string();
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        self.site.send("/v1/taps", &headers, body.as_bytes())
    }

    fn tap(&self, url: &str, action: &str) -> Value {
        let body = json!({ "url": url, "action": action }).to_string();
        let answer = self.site.post("/v1/taps", "application/json", body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    }

    fn url(&self, counter: u32) -> String {
        String::from_utf8(self.card.url(counter)).unwrap()
    }

    fn size(&self) -> u64 {
        self.site.node.store.snapshot().size().0
    }
}

fn verdict(answer: &Value) -> (&str, &str) {
    (answer["verdict"].as_str().unwrap(), answer["code"].as_str().unwrap_or_default())
}

#[test]
fn validating_writes_nothing_and_every_verdict_has_its_code() {
    let mut shop = shop();
    let first = shop.url(1);
    let size = shop.size();
    let genuine = shop.tap(&first, "validate");
    assert_eq!(verdict(&genuine), ("genuine", ""));
    assert_eq!((&genuine["position"], &genuine["receipt"]), (&Value::Null, &Value::Null));
    assert_eq!(verdict(&shop.tap(&first, "validate")), ("genuine", ""), "it used nothing up");
    let mut forged = first.clone();
    forged.replace_range(forged.len() - 1.., if forged.ends_with('0') { "1" } else { "0" });
    let stranger = String::from_utf8(Card::new(shop.maker.id).url(1)).unwrap();
    for action in ["validate", "update"] {
        assert_eq!(verdict(&shop.tap(&forged, action)), ("forged", "TM-FORGED"));
        assert_eq!(verdict(&shop.tap(&stranger, action)), ("unknown", "TM-UNKNOWN-THING"));
    }
    assert_eq!(shop.size(), size, "nothing was written");

    let used = shop.tap(&first, "update");
    assert_eq!(verdict(&used), ("genuine", ""));
    assert!(used["receipt"].is_string() && used["position"].is_u64(), "{used}");
    for action in ["validate", "update"] {
        let again = shop.tap(&first, action);
        assert_eq!(verdict(&again), ("replayed", "TM-REPLAYED"));
        assert_eq!(again["position"], used["position"], "where it was used first");
        assert!(again["hint"].is_string() && again["detail"].is_string(), "{again}");
    }
    assert_eq!(verdict(&shop.tap(&shop.url(0), "update")), ("replayed", "TM-REPLAYED"));

    let stolen =
        SetStatus { thing: shop.card.id(), status: Status::STOLEN, reason: None, keys: None };
    let stolen = shop.maker.act(StatementKind::STATUS, &stolen);
    shop.site.submit(&[stolen]);
    let size = shop.size();
    assert_eq!(verdict(&shop.tap(&shop.url(9), "validate")), ("revoked", "TM-REVOKED"));
    assert_eq!(shop.size(), size);
    let sighted = shop.tap(&shop.url(9), "update");
    assert_eq!(verdict(&sighted), ("revoked", "TM-REVOKED"));
    assert!(sighted["position"].is_u64(), "a sighting is in the log: {sighted}");
}

#[test]
fn what_is_no_tap_is_a_problem() {
    let shop = shop();
    for body in [
        "",
        "{}",
        r#"{"url":"https://example.org","action":"validate"}"#,
        r#"{"url":"x","action":"consume"}"#,
        r#"{"url":"x","action":"update","payload":"y"}"#,
    ] {
        let answer = shop.site.post("/v1/taps", "application/json", body.as_bytes());
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (400, &"TM-MALFORMED".into()),
            "{body}"
        );
    }
}

#[test]
fn of_many_updates_with_one_counter_at_once_exactly_one_is_genuine() {
    let shop = shop();
    for (counter, urls) in [
        // The same URL sixteen times.
        (1, vec![shop.url(1); 16]),
        // Sixteen URLs of one counter.
        (2, (0..16).map(|n| other_url(&shop.card, n, 2)).collect()),
    ] {
        let verdicts: Vec<Value> = thread::scope(|scope| {
            let taps: Vec<_> =
                urls.iter().map(|url| scope.spawn(|| shop.tap(url, "update"))).collect();
            taps.into_iter().map(|tap| tap.join().unwrap()).collect()
        });
        let genuine = verdicts.iter().filter(|it| it["verdict"] == "genuine").count();
        let replayed = verdicts.iter().filter(|it| it["verdict"] == "replayed").count();
        assert_eq!((genuine, replayed), (1, 15), "counter {counter}: {verdicts:#?}");
    }
}

#[test]
fn an_update_is_repeated_by_whoever_has_its_key_and_by_nobody_else() {
    let mut shop = shop();
    let url = shop.url(1);
    let (key, other) = ("a key of this client", "a key of somebody else");
    let used = shop.repeat(&url, key).json();
    assert_eq!(verdict(&used), ("genuine", ""));
    let size = shop.size();
    let again = shop.repeat(&url, key).json();
    assert_eq!((verdict(&again), &again["position"]), (("genuine", ""), &used["position"]));
    assert!(again["receipt"].is_string(), "{again}");
    assert_eq!(verdict(&shop.repeat(&url, other).json()), ("replayed", "TM-REPLAYED"));
    assert_eq!(verdict(&shop.tap(&url, "update")), ("replayed", "TM-REPLAYED"));
    assert_eq!(verdict(&shop.repeat(&shop.url(0), key).json()), ("replayed", "TM-REPLAYED"));
    assert_eq!(shop.size(), size);
    assert_eq!(shop.repeat(&shop.url(2), "guessable").status, 400);

    let lost = SetStatus { thing: shop.card.id(), status: Status::LOST, reason: None, keys: None };
    let lost = shop.maker.act(StatementKind::STATUS, &lost);
    shop.site.submit(&[lost]);
    for _ in 0..2 {
        let sighted = shop.repeat(&shop.url(3), key).json();
        assert_eq!(verdict(&sighted), ("revoked", "TM-REVOKED"));
    }
}

fn other_url(card: &Card, n: usize, counter: u32) -> String {
    card.sign_url(&format!("https://t.example/{n}?i={}&c={counter:06X}&s=", card.id()))
}

#[test]
fn an_application_learns_what_it_needs_of_a_card() {
    let shop = shop();
    let path = format!("/v1/cards/{}", shop.card.id());
    let card = shop.site.get(&path).json();
    assert_eq!(card["url"], "https://example.org/4711");
    assert_eq!(card["thing"], "a".repeat(32));
    assert_eq!((&card["login_required"], &card["kind"]), (&json!(true), &json!("card")));
    assert_eq!(card["status"]["status"], "active");
    assert!(card["key"]["key"].is_string(), "{card}");
    assert_eq!(card["counters"], json!({}));
    let used = shop.tap(&shop.url(7), "update")["position"].as_u64().unwrap();
    let card = shop.site.get(&format!("{path}?at_least={}&proof=1", used + 1)).json();
    assert_eq!(card["counters"], json!({ "card-url": { "value": 7, "at": used } }));
    assert!(card["proof"].is_string(), "{card}");
    let missing = shop.site.get(&format!("/v1/cards/{}", "b".repeat(32)));
    assert_eq!((missing.status, &missing.json()["code"]), (404, &json!("TM-NOT-FOUND")));
}
