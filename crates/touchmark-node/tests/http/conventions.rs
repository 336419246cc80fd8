//! What every route keeps, so that programs can rely on it: a walk over the table of routes.

use crate::events::Listener;
use crate::scitt::concise;
use crate::site::Answered;
use crate::walk::{Row, World, problem_media, rows};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use touchmark_api::Base64;
use touchmark_core::verdict::{Trust, judge};
use touchmark_node::apikey::Scope;
use touchmark_node::http::{self, Limits};
use touchmark_node::node::now;
use touchmark_wire::ids::Timestamp;
use touchmark_wire::witness::SUBMISSION_LIMIT;

/// Longest body, bytes.
const BODY: usize = 8 << 20;
/// Longest body that is nothing to the ledger, bytes.
const SHORT_BODY: usize = 1_024;

fn world() -> World {
    World::new(Limits::default())
}

/// Holds an answer against RFC 9457, the document and what every answer has; returns its code.
fn refused(what: &str, row: Option<&Row>, answer: &Answered, status: u16) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, status, "{what}: {text}");
    let media = answer.header("content-type").unwrap_or_default();
    assert!(row.is_none_or(|row| problem_media(&row.path) == media), "{what}: {media}");
    assert!(answer.header("x-request-id").is_some(), "{what}");
    let problem = if media.ends_with("json") { answer.json() } else { concise(&answer.body) };
    for member in ["type", "title", "detail", "code", "hint"] {
        assert!(problem[member].as_str().is_some_and(|it| !it.is_empty()), "{what}: {problem}");
    }
    let code = problem["code"].as_str().unwrap();
    assert_eq!(problem["type"], format!("/problems#{code}"), "{what}");
    assert_eq!(problem["status"], status, "{what}");
    let documented = row.is_none_or(|row| row.documents(status, Some(code)));
    assert!(documented, "{what}: {status} {code} is not in the document");
    code.to_owned()
}

#[test]
fn what_is_no_route_or_method_is_refused() {
    let world = world();
    for path in ["/nothing", "/v1/nothing", "/v1//things", "/v1/things/", "/v1/network/"] {
        let code = refused(path, None, &world.site.exchange("GET", path, &[], b""), 404);
        assert_eq!(code, "TM-NOT-FOUND");
    }
    let rows = rows();
    for row in &rows {
        let same = rows.iter().filter(|other| other.path == row.path);
        let mut taken: BTreeSet<&str> = same.map(|other| other.method.as_str()).collect();
        if taken.contains("GET") {
            taken.insert("HEAD");
        }
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if taken.contains(method) {
                continue;
            }
            let what = format!("{method} {}", row.path);
            let answer = world.site.exchange(method, &world.target(row), &[], b"");
            assert_eq!(refused(&what, None, &answer, 405), "TM-METHOD");
            let allowed = answer.header("allow").unwrap();
            assert_eq!(allowed.split(',').collect::<BTreeSet<_>>(), taken, "{what}");
        }
    }
}

#[test]
fn what_is_misspelt_is_refused_everywhere() {
    /// What any text may stand for.
    const FREE: [&str; 5] = ["q", "value", "prefix", "number", "serial"];
    let world = world();
    for row in rows() {
        let what = row.name();
        let unknown = world.ask(&row, &world.with(&row, "no_such_parameter=1"), &[]);
        assert_eq!(refused(&what, Some(&row), &unknown, 400), "TM-MALFORMED");
        for name in row.parameters("query") {
            if FREE.contains(&name) {
                continue;
            }
            let what = format!("{what} {name}");
            let answer = world.ask(&row, &world.with(&row, &format!("{name}=!")), &[]);
            assert_eq!(refused(&what, Some(&row), &answer, 400), "TM-MALFORMED");
        }
        for name in row.parameters("header") {
            let answer = world.ask(&row, &world.target(&row), &[(name, "!")]);
            assert_eq!(refused(&what, Some(&row), &answer, 400), "TM-MALFORMED");
        }
        for name in row.parameters("path") {
            for wrong in ["!", "%ff", "%00"] {
                let named = format!("{{{name}}}");
                let path = row.path.replace(&named, wrong);
                // Others of the path are what they should be.
                let others = world.target(&row);
                let path = path
                    .split('/')
                    .zip(others.split('/'))
                    .map(|(part, other)| if part.starts_with('{') { other } else { part })
                    .collect::<Vec<_>>()
                    .join("/");
                let answer = world.ask(&row, &path, &[]);
                let status = if answer.status == 404 { 404 } else { 400 };
                refused(&format!("{what} {name}={wrong}"), Some(&row), &answer, status);
            }
        }
    }
}

#[test]
fn media_types_and_lengths_that_are_not_taken_are_refused() {
    let world = world();
    for row in rows() {
        let (what, target) = (row.name(), world.target(&row));
        if !row.is_probe() && !row.offers().is_empty() {
            let answer = world.ask(&row, &target, &[("accept", "text/x-none, */*;q=0")]);
            assert_eq!(refused(&what, Some(&row), &answer, 406), "TM-NOT-ACCEPTABLE");
        }
        if row.reads() && !row.is_stream() {
            for media in row.offers() {
                let answer = world.ask(&row, &target, &[("accept", &media)]);
                assert_eq!(answer.status, 200, "{what}");
                let kind = answer.header("content-type").unwrap();
                assert_eq!(kind.split(';').next(), Some(&*media), "{what}");
                let varies = answer.header("vary").is_some_and(|it| it.contains("accept"));
                assert_eq!(varies, row.offers().len() > 1, "{what}");
            }
        }
        if !row.takes_body() {
            continue;
        }
        let (kind, body) = world.body(&row);
        for headers in [&[("content-type", "text/x-none")][..], &[]] {
            let answer = world.site.exchange(&row.method, &target, headers, &body);
            if row.takes_any_media() {
                assert_eq!(answer.status, 200, "{what}");
            } else {
                assert_eq!(refused(&what, Some(&row), &answer, 415), "TM-MEDIA-TYPE");
            }
        }
        let limit = match row.path.as_str() {
            "/v1/setup" => SHORT_BODY,
            "/witness/add-checkpoint" => SUBMISSION_LIMIT,
            _ => BODY,
        };
        let length = (limit + 1).to_string();
        let headers = [("content-type", kind), ("content-length", &length)];
        let answer = world.site.exchange(&row.method, &target, &headers, b"");
        assert_eq!(refused(&what, Some(&row), &answer, 413), "TM-TOO-LONG");
        let described = row.operation["description"].as_str().unwrap();
        assert!(
            described.contains(&format!("at most {limit} bytes")),
            "{what}: the limit is in no document"
        );
    }
}

#[test]
fn only_administration_needs_a_key_and_says_what_is_wrong_with_one() {
    let world = world();
    let later = Timestamp(now().0 + 60_000);
    let only = |scope| world.site.keys.create("one", &[scope], now(), later).unwrap().1;
    let (reads, operates) = (only(Scope::Read), only(Scope::Operate));
    for row in rows() {
        let (what, target) = (row.name(), world.target(&row));
        assert_eq!(row.scope().is_some(), row.path.starts_with("/v1/admin/"), "{what}");
        let Some(scope) = row.scope() else {
            let answer = world.ask(&row, &target, &[]);
            assert!(answer.status < 300, "{what}: {}", String::from_utf8_lossy(&answer.body));
            assert!(row.documents(answer.status, None), "{what}: {}", answer.status);
            continue;
        };
        let given = |key: &str| world.ask(&row, &target, &[("authorization", key)]);
        let none = world.site.exchange(&row.method, &target, &[], b"");
        assert_eq!(refused(&what, Some(&row), &none, 401), "TM-API-KEY-MISSING");
        assert!(none.header("www-authenticate").unwrap().starts_with("Bearer"), "{what}");
        let guess = given("Bearer tmk_00000000_guess");
        assert_eq!(refused(&what, Some(&row), &guess, 401), "TM-API-KEY-UNKNOWN");
        let other = if scope == "read" { &operates } else { &reads };
        let other = given(&format!("Bearer {other}"));
        assert_eq!(refused(&what, Some(&row), &other, 403), "TM-API-KEY-SCOPE");
        assert_eq!(other.header("access-control-allow-origin"), None, "{what}");
        assert_eq!(other.header("cache-control"), Some("no-store"), "{what}");
    }
}

/// What changes with every answer: it has the time in it.
const VOLATILE: [&str; 2] = ["/checkpoint", "/v1/proofs"];

#[test]
fn a_read_has_a_head_and_is_not_sent_again_until_it_changes() {
    let world = world();
    for row in rows().iter().filter(|row| row.reads() && row.scope().is_none()) {
        let (what, target) = (row.name(), world.target(row));
        let first = world.ask(row, &target, &[]);
        let head = world.site.exchange("HEAD", &target, &[], b"");
        assert_eq!((head.status, head.body.len()), (200, 0), "{what}");
        for name in ["content-type", "cache-control", "vary"] {
            assert_eq!(head.header(name), first.header(name), "{what}: {name}");
        }
        let kept = first.header("cache-control").expect("what caches may do");
        let Some(tag) = first.header("etag") else {
            assert!(kept == "no-store" || row.is_probe(), "{what} has no tag");
            assert!(!row.documents(304, None), "{what}");
            continue;
        };
        assert!(row.documents(304, None), "{what}");
        if world.ask(row, &target, &[]).header("etag") != Some(tag) {
            assert!(VOLATILE.contains(&row.path.as_str()), "{what} changes without a reason");
            continue;
        }
        assert_eq!(head.header("etag"), Some(tag), "{what}");
        let again = |tag: &str| world.ask(row, &target, &[("if-none-match", tag)]);
        let known = again(tag);
        assert_eq!((known.status, known.body.len()), (304, 0), "{what}");
        assert_eq!(known.header("etag"), Some(tag), "{what}");
        assert_eq!(known.header("cache-control"), Some(kept), "{what}");
        assert_eq!(again("\"other\"").status, 200, "{what}");
        // One tag stands for one representation.
        let tags: BTreeSet<_> = row
            .offers()
            .iter()
            .map(|media| world.ask(row, &target, &[("accept", media)]))
            .map(|answer| answer.header("etag").unwrap().to_owned())
            .collect();
        assert_eq!(tags.len(), row.offers().len(), "{what}");
    }
}

#[test]
fn bytes_that_never_change_are_kept_and_all_else_is_asked_for_again() {
    let world = world();
    for row in rows().iter().filter(|row| row.reads()) {
        for media in row.offers() {
            let answer = world.ask(row, &world.target(row), &[("accept", &media)]);
            let kept = answer.header("cache-control").unwrap();
            let is_leaf = row.path != "/v1/leaves/{index}/payload"
                && ["/v1/leaves/", "/v1/statements/", "/v1/evidence/"]
                    .iter()
                    .any(|path| row.path.starts_with(path));
            let never_changes =
                row.path == "/tile/{path}" || (is_leaf && media == "application/cbor");
            assert_eq!(kept.contains("immutable"), never_changes, "{} {media}", row.name());
            assert!(never_changes || ["no-cache", "no-store"].contains(&kept), "{}", row.name());
        }
    }
}

/// What says nothing of how long the log is.
const TIMELESS: [&str; 6] = [
    "/v1/genesis",
    "/v1/node",
    "/v1/batches",
    "/witness/{origin}/checkpoint",
    "/openapi.json",
    "/metrics",
];

#[test]
fn every_read_waits_for_what_was_just_written() {
    let answer_time = Duration::from_secs(5);
    let mut world = World::new(Limits { answer_time, ..Limits::default() });
    let rows: Vec<Row> = rows()
        .into_iter()
        .filter(|row| row.reads() && row.scope().is_none() && !row.is_probe())
        .filter(|row| {
            let waits = row.has("at_least");
            assert_eq!(waits, !TIMELESS.contains(&row.path.as_str()), "{}", row.name());
            waits
        })
        .collect();
    let ask = |world: &World, size: u64| {
        let query = &format!("at_least={size}");
        thread::scope(|scope| {
            let one = |row| scope.spawn(move || world.ask(row, &world.with(row, query), &[]));
            let asked: Vec<_> = rows.iter().map(one).collect();
            asked.into_iter().map(|it| it.join().unwrap()).collect::<Vec<_>>()
        })
    };
    let size = world.size();
    for (row, answer) in rows.iter().zip(ask(&world, size)) {
        assert_eq!(answer.status, 200, "{}", row.name());
    }
    for (row, answer) in rows.iter().zip(ask(&world, size + 1_000)) {
        assert_eq!(refused(&row.name(), Some(row), &answer, 503), "TM-BEHIND");
        assert!(answer.header("retry-after").is_some(), "{}", row.name());
        assert!(answer.header("ratelimit").is_some(), "{}", row.name());
    }
    let record = world.sensor.record(b"later");
    let answers = thread::scope(|scope| {
        let asked = scope.spawn(|| ask(&world, size + 1));
        thread::sleep(Duration::from_millis(200));
        assert!(!asked.is_finished(), "nothing waits");
        world.site.submit(&[record]);
        asked.join().unwrap()
    });
    for (row, answer) in rows.iter().zip(answers) {
        assert_eq!(answer.status, 200, "{}", row.name());
    }
}

#[test]
fn every_list_has_pages_that_stay_while_it_grows() {
    let mut world = world();
    let mut lists = 0;
    for row in rows().into_iter().filter(Row::reads) {
        let what = row.name();
        let page = |world: &World, query: &str| {
            let answer = world.ask(&row, &world.with(&row, query), &[]);
            assert_eq!(answer.status, 200, "{what}?{query}");
            answer.json()
        };
        let is_list =
            row.operation["responses"]["200"]["content"]["application/json"]["example"]["items"]
                .is_array();
        assert_eq!((row.has("cursor"), row.has("limit")), (is_list, is_list), "{what}");
        if !is_list {
            continue;
        }
        lists += 1;
        let whole = page(&world, "limit=1000");
        let whole: Vec<Value> = whole["items"].as_array().unwrap().iter().map(identity).collect();
        assert!(whole.len() > 1, "{what} has too little for two pages");
        let (mut found, mut query) = (Vec::new(), "limit=1".to_owned());
        loop {
            let one = page(&world, &query);
            found.extend(one["items"].as_array().unwrap().iter().map(identity));
            if found.len() == 1 {
                world.grow(100 + u8::try_from(lists).unwrap());
            }
            let Some(next) = one["next"].as_str() else { break };
            query = format!("limit=1&cursor={next}");
            assert!(found.len() < 500, "{what} has no end");
        }
        let told: BTreeSet<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), found.len(), "{what} tells something twice");
        let mut kept = found.iter();
        let in_order = whole.iter().all(|item| kept.any(|it| it == item));
        assert!(in_order, "{what} loses something: {whole:?} {found:?}");
    }
    assert!(lists >= 8, "{lists}");
}

/// What tells an item from others: what it is, not what became of it.
fn identity(item: &Value) -> Value {
    let names = ["index", "id", "channel", "thing"];
    json!(names.map(|name| item.get(name).cloned().unwrap_or_default()))
}

/// Single answers that are no facts of the ledger, or are their own proof.
const UNPROVED: [&str; 4] =
    ["/v1/network", "/v1/node", "/v1/leaves/{index}/payload", "/openapi.json"];

#[test]
fn every_fact_comes_with_its_proof() {
    let world = world();
    let trust = Trust { network: Some(world.site.network()), ..Trust::default() };
    for row in rows().iter().filter(|row| row.reads() && row.scope().is_none()) {
        let what = row.name();
        let is_json = row.offers().contains(&"application/json".to_owned());
        let states = is_json && !row.has("cursor") && !row.is_probe();
        assert_eq!(row.has("proof"), states && !UNPROVED.contains(&row.path.as_str()), "{what}");
        if row.has("proof") {
            let answer = world.ask(row, &world.with(row, "proof=1"), &[]).json();
            let proof = Base64::parse(answer["proof"].as_str().unwrap()).unwrap();
            let verdict = judge(&proof.0, &trust);
            assert!(verdict.valid, "{what}: {:#?}", verdict.checks);
        }
    }
}

#[test]
fn the_same_bytes_again_are_safe_whatever_key_comes_with_them() {
    let world = world();
    for row in rows().iter().filter(|row| row.takes_body()) {
        let (what, target) = (row.name(), world.target(row));
        let send = |key: &str| world.ask(row, &target, &[("idempotency-key", key)]);
        let (first, again) =
            (send("\"the first of two keys\""), send("\"the second of two keys\""));
        assert!(
            first.status < 300 && again.status < 300,
            "{what}: {} {}",
            first.status,
            again.status
        );
        if row.path == "/v1/setup" {
            // These were not the same bytes: a code is good once.
            assert_ne!(first.json()["key"], again.json()["key"], "{what}");
        } else if row.path == "/entries" {
            // Also the receipt: its signature has no chance in it (RFC 6979).
            assert_eq!((first.status, again.status), (201, 201), "{what}");
            assert_eq!(first.body, again.body, "{what}");
            assert_eq!(first.header("location"), again.header("location"), "{what}");
        } else if row.path == "/witness/add-checkpoint" {
            // Only the time of the cosignature may be another.
            let key = |answer: &Answered| {
                let line = String::from_utf8_lossy(&answer.body).into_owned();
                // Before the time, which is eight bytes after the key's id.
                let (name, signed) = line.rsplit_once(' ').expect("a line of a note");
                format!("{name} {}", &signed[..5])
            };
            assert_eq!((first.status, key(&first)), (200, key(&again)), "{what}");
        } else if first.status != 204 {
            assert!(first.json()["position"].is_u64(), "{what}: {}", first.json());
            assert_eq!(first.json()["position"], again.json()["position"], "{what}");
        }
    }
}

/// The names that a member `type` of a schema may have.
fn constants(schema: &Value) -> BTreeSet<&str> {
    let own = schema["properties"]["type"]["const"].as_str();
    let below: Box<dyn Iterator<Item = &Value>> = match schema {
        Value::Object(members) => Box::new(members.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    };
    own.into_iter().chain(below.flat_map(constants)).collect()
}

#[test]
fn every_stream_goes_on_after_what_was_heard_last() {
    let world = world();
    let document = http::document();
    let schema = &document["components"]["schemas"]["EventView"];
    let types: BTreeSet<&str> = constants(schema);
    assert!(types.len() > 10, "{types:?}");
    for row in rows().iter().filter(|row| row.is_stream()) {
        let what = row.name();
        assert_eq!(row.parameters("header"), ["Last-Event-ID"], "{what}");
        for kind in &types {
            let answer = world.ask(row, &world.with(row, &format!("type={kind}")), &[]);
            assert_eq!(answer.status, 200, "{what}: {kind}");
        }
        let target = world.target(row);
        let told = Listener::at(&world.site, &target, None).collect(2);
        let rest = Listener::at(&world.site, &target, Some(&told[0].id)).collect(1);
        assert_eq!(rest[0], told[1], "{what}");
    }
}

/// What tests of this process log.
#[derive(Clone, Default)]
struct Journal(Arc<Mutex<Vec<u8>>>);

impl Write for Journal {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn every_answer_has_an_id_and_shares_and_no_secret() {
    let journal = Journal::default();
    let writer = journal.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let world = world();
    let guess = "tmk_00000000_0123456789abcdef";
    for row in rows() {
        let (what, target) = (row.name(), world.target(&row));
        let right = format!("Bearer {}", world.key);
        let wrong = format!("Bearer {guess}");
        let in_query = world.with(&row, &format!("key={guess}"));
        for (target, key) in [(&target, &right), (&target, &wrong), (&in_query, &right)] {
            let headers = [("authorization", key.as_str()), ("x-request-id", "mine-1")];
            let answer = world.ask(&row, target, &headers);
            let body = String::from_utf8_lossy(&answer.body);
            for secret in [&*world.key, guess] {
                assert!(
                    !body.contains(secret) && !answer.head().contains(secret),
                    "{what}: {body}"
                );
            }
            assert_eq!(answer.header("x-request-id"), Some("mine-1"), "{what}");
            let counts = !row.is_probe() && target != &in_query;
            for header in ["ratelimit", "ratelimit-policy"] {
                assert_eq!(answer.header(header).is_some(), counts, "{what}: {header}");
            }
        }
        let odd = world.ask(&row, &target, &[("x-request-id", "not mine!")]);
        let made = odd.header("x-request-id").unwrap();
        assert!(made.len() > 16 && !made.contains("mine"), "{what}: {made}");
        let described = row.operation["description"].as_str().unwrap_or_default();
        assert!(row.is_probe() || described.contains("Costs "), "{what}: no limit is stated");
    }
    let told = String::from_utf8(journal.0.lock().unwrap().clone()).unwrap();
    assert!(told.contains("drained"), "what is logged is seen");
    assert!(!told.contains(&world.key) && !told.contains(guess), "a key is in the log");
}

#[test]
fn the_document_shows_everything_with_examples() {
    let document = http::document();
    assert_eq!(document["openapi"], "3.1.1");
    let groups: Vec<_> = document["tags"].as_array().unwrap().iter().collect();
    for row in rows() {
        let (what, operation) = (row.name(), &row.operation);
        assert!(operation["summary"].as_str().is_some_and(|it| it.len() > 5), "{what}");
        assert!(groups.iter().any(|group| group["name"] == operation["tags"][0]), "{what}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(!parameter["example"].is_null(), "{what}: {parameter}");
            assert!(!parameter["description"].as_str().unwrap().is_empty(), "{what}: {parameter}");
        }
        let answers = operation["responses"].as_object().unwrap().values();
        for message in answers.chain([&operation["requestBody"]]) {
            for (media, body) in message["content"].as_object().into_iter().flatten() {
                let named =
                    if media == "application/problem+json" { "examples" } else { "example" };
                // The document itself is an example of the document.
                let needs = media.ends_with("json") && row.path != "/openapi.json";
                assert!(!needs || !body[named].is_null(), "{what}: {media}");
            }
        }
    }
}
