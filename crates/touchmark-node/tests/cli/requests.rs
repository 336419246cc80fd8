//! What commands ask a node for, and how they end when it says no.

use super::desk::Desk;
use super::node::{Mood, Node, problem};
use serde_json::json;
use touchmark_node::cli::Exit;

const ID: &str = "mzxw6ytbojtg633cmfzgm33pmjqxeztp";

#[test]
fn reads_ask_for_what_the_arguments_say() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    let empty = json!({ "items": [], "next": "abc" }).to_string();
    node.answer("GET /v1/things?", 200, empty.clone());
    node.answer(&format!("GET /v1/things/{ID}/history"), 200, empty);
    node.answer("GET /v1/receipts/3", 200, "receipt");
    node.answer("GET /v1/proofs", 200, "bundle");
    desk.json("thing list --kind card --attribute serial --prefix 47 --limit 5");
    let ended = desk.run(&format!("thing history did:touchmark:mzxw6ytbojtg633c:{ID} --cursor x"));
    assert!(ended.stdout.ends_with("more with --cursor abc\n"), "{}", ended.stdout);
    assert_eq!(desk.run("receipt fetch 3").stdout, "receipt");
    desk.json("receipt fetch 3 --out r.cose");
    assert_eq!(std::fs::read(desk.path("r.cose")).unwrap(), b"receipt");
    let fetched = desk.json(&format!(
        "proof fetch --record 1 --complete {ID} --status {ID} --status {ID}@4 --absent {ID} \
         --latest 2 --accredited {ID}:{ID} --nonce sixteen-bytes-or-more --out p.tmb"
    ));
    assert_eq!(
        (&fetched["bytes"], &fetched["nonce"]),
        (&json!(6), &json!("sixteen-bytes-or-more"))
    );
    assert_eq!(std::fs::read(desk.path("p.tmb")).unwrap(), b"bundle");
    let targets = node.targets();
    assert_eq!(targets[0], "GET /v1/things?kind=card&attribute=serial&prefix=47&limit=5");
    assert_eq!(targets[1], format!("GET /v1/things/{ID}/history?cursor=x"));
    assert_eq!(
        targets[4],
        format!(
            "GET /v1/proofs?record=1&complete={ID}&status={ID}&status={ID}@4&absent={ID}&latest=2\
             &accredited={ID}:{ID}&nonce=c2l4dGVlbi1ieXRlcy1vci1tb3Jl"
        )
    );
}

#[test]
fn a_record_is_shown_with_what_is_in_it() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json("identity create acme --unencrypted");
    desk.write("reading.json", "{\"t\": 21.5}");
    desk.json("record write reading.json --as acme");
    let shown = desk.run("record show 1");
    assert!(shown.stdout.contains("application/json"), "{}", shown.stdout);
    assert!(shown.stdout.contains("{\"t\": 21.5}"), "{}", shown.stdout);
    assert_eq!(desk.json("record show 1")["statement"]["sequence"], 2);
}

#[test]
fn evidence_goes_as_it_is_or_in_a_statement() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    let url = format!("https://example.org/?i={ID}&c=000001&s={}", "0".repeat(128));
    node.answer(
        "POST /v1/evidence/card-url",
        201,
        json!({ "outcome": "accepted", "position": 4 }).to_string(),
    );
    let written = desk.json(&format!("evidence submit card-url {url}"));
    assert_eq!((&written["position"], &written["thing"]), (&json!(4), &json!(ID)));
    assert_eq!(node.see(|seen| seen.requests[0].1.clone()), url.as_bytes());
    desk.write("url.txt", format!("{url}\n"));
    desk.json("evidence submit card-url url.txt");
    assert_eq!(
        node.see(|seen| seen.requests[1].1.clone()),
        url.as_bytes(),
        "without the line's end"
    );
    desk.json("identity create reader --unencrypted --kind reader");
    desk.json(&format!("evidence submit card-url {url} --wrap --as reader"));
    assert_eq!(node.log().len(), 2);
    let (exit, _) = desk.error(&format!("evidence submit card-ulr {url}"));
    assert_eq!(exit, Exit::Misuse);
}

#[test]
fn statements_signed_elsewhere_are_sent_together() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json("identity create acme --unencrypted");
    let statement = node.log()[0].clone();
    desk.write("a.cose", &statement);
    desk.write("b.cose", &statement);
    assert_eq!(desk.json("statement submit a.cose")["outcome"], "known");
    let asked = node.targets().len();
    assert_eq!(desk.json("statement submit a.cose b.cose --dry-run")["dry_run"], true);
    assert_eq!(node.targets().len(), asked);
    let answers = json!([{ "outcome": "known", "position": 0 },
        { "outcome": "refused", "code": "TM-SIGNATURE", "detail": "no", "hint": "sign" }]);
    node.answer("POST /v1/statements", 200, answers.to_string());
    let ended = desk.run("statement submit a.cose b.cose");
    assert_eq!(ended.exit, Exit::Refused, "one of them was");
    assert!(ended.stdout.contains("TM-SIGNATURE"), "{}", ended.stdout);
    assert_eq!(node.see(|seen| seen.requests.last().unwrap().1.len()), 2 * statement.len());
    desk.write("c.cose", "no statement");
    assert_eq!(desk.error("statement submit a.cose c.cose").1["code"], "TM-MALFORMED");
}

#[test]
fn the_nodes_word_decides_how_a_command_ends() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    let ends = [
        ("TM-UNKNOWN-THING", 404, Exit::Refused),
        ("TM-NOT-READY", 503, Exit::Unavailable),
        ("TM-CORRUPT", 500, Exit::Internal),
        ("TM-OF-THE-FUTURE", 418, Exit::Refused),
    ];
    for (code, status, exit) in ends {
        node.see(|seen| seen.pages.clear());
        node.answer("GET /v1/things", status, problem(code, "because", status));
        let (ended, error) = desk.error(&format!("thing show {ID}"));
        assert_eq!((ended, &error["code"]), (exit, &json!(code)));
        assert_eq!((&error["why"], &error["hint"]), (&json!("because"), &json!("do otherwise")));
    }
    let ended = desk.run(&format!("thing show {ID}"));
    assert!(
        ended.stderr.ends_with("why:  because\n  hint: do otherwise\n  code: TM-OF-THE-FUTURE\n"),
        "{}",
        ended.stderr
    );
    assert_eq!(ended.stdout, "");
    node.is(Mood::Down);
    desk.set("TOUCHMARK__CONTEXT__NODE", "http://127.0.0.1:1");
    assert_eq!(desk.error("network show").0, Exit::Unavailable);
    desk.set("TOUCHMARK__CONTEXT__NODE", "localhost");
    assert_eq!(desk.error("network show").0, Exit::Misuse);
    desk.set("TOUCHMARK__CONTEXT__NODE", "");
    assert_eq!(desk.error("network show").0, Exit::Misuse);
}

#[test]
fn the_network_is_shown_with_its_genesis() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    let network = super::bundle::genesis().network_id().to_string();
    assert_eq!(desk.json("network show --genesis g")["network"], network);
    assert_eq!(desk.json("inspect g")["content"]["network"], network);
    desk.set("TOUCHMARK__CONTEXT__NETWORK", &"1".repeat(64));
    assert_eq!(desk.error("network show").1["code"], "TM-WRONG-NETWORK");
}

#[test]
fn unknown_names_get_a_suggestion() {
    let node = Node::start();
    let mut desk = Desk::at(&node);
    desk.json("identity create workshop --unencrypted");
    let hint = |desk: &mut Desk, line: &str| {
        let (exit, error) = desk.error(line);
        assert_eq!(exit, Exit::Misuse, "{line}");
        error["hint"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(hint(&mut desk, "record write --as wrokshop"), "did you mean `workshop`?");
    assert_eq!(hint(&mut desk, "thing show worksop"), "did you mean the identity `workshop`?");
    for (line, near) in [
        ("thign list", "thing"),
        ("thing lst", "list"),
        ("thing list --knd card", "--kind"),
        ("thing list --kind crad", "card"),
        ("thing status x activ --as workshop", "active"),
        ("record write --format sennml+json", "senml+json"),
    ] {
        let ended = desk.run(line);
        assert_eq!(ended.exit, Exit::Misuse, "{line}");
        assert!(ended.stderr.contains(near), "{line}: {}", ended.stderr);
        assert!(ended.stderr.ends_with("code: TM-USAGE\n"), "{}", ended.stderr);
        assert_eq!(desk.error(line).1["code"], "TM-USAGE");
    }
    assert_eq!(desk.run("thing update workshop --as workshop").exit, Exit::Misuse);
    assert_eq!(desk.run("proof fetch --out x").exit, Exit::Misuse);
}
