//! `touchmark verify` with witnesses that a reader trusts.

use crate::Party;
use serde_json::Value;
use touchmark_node::cli::Exit;
use touchmark_wire::bundle::Bundle;

/// How the command ends, and the result and code of the check of witnesses.
fn verify(party: &mut Party, line: &str) -> (Exit, String, Value) {
    let ended = party.desk.run(&format!("verify {line} --json"));
    let document = ended.document();
    let checks = document["checks"].as_array().unwrap_or_else(|| panic!("{document}"));
    let check = checks.iter().find(|check| check["name"] == "witnesses");
    let check = check.unwrap_or_else(|| panic!("{document}"));
    (ended.exit, check["result"].as_str().unwrap().to_owned(), check["code"].clone())
}

fn passed() -> (Exit, String, Value) {
    (Exit::Fine, "pass".into(), Value::Null)
}

fn failed(code: &str) -> (Exit, String, Value) {
    (Exit::Refused, "fail".into(), code.into())
}

#[test]
fn checkpoints_and_bundles_are_checked_with_named_witnesses() {
    let (mut log, mut one, mut two, mut three) =
        (Party::new(), Party::new(), Party::new(), Party::new());
    let (first, second) = (log.ask(&mut one), log.ask(&mut two));
    let own = log.log_key();
    let (_, third) = three.witness(&own);
    log.desk.json("network show --genesis genesis");
    log.desk.json("proof checkpoint --witnesses 2 --out note");
    let both = format!("--witness {first} --witness {second}");
    let all = format!("{both} --witness {third}");
    let trusted = "note --trust genesis";
    assert_eq!(verify(&mut log, &format!("{trusted} {both}")), passed());
    assert_eq!(verify(&mut log, &format!("{trusted} {all} --witnesses 2")), passed());
    let few = failed("TM-FEW-WITNESSES");
    assert_eq!(verify(&mut log, &format!("{trusted} {all}")), few);
    assert_eq!(verify(&mut log, &format!("{trusted} --witness {third}")), few);
    // One witness named twice is one.
    let twice = format!("{trusted} --witness {first} --witness {first} --witnesses 2");
    assert_eq!(verify(&mut log, &twice), few);
    // What the network itself says is still wanted: its genesis, or there is no trust.
    let ended = log.desk.run(&format!("verify note {both} --json"));
    assert_eq!(ended.exit, Exit::Refused);
    // A changed line of a witness.
    let note = std::fs::read_to_string(log.desk.path("note")).unwrap();
    let line = note.lines().last().unwrap();
    let at = line.len() - 9;
    let other = if line.as_bytes()[at] == b'A' { "B" } else { "A" };
    let changed = format!("{}{other}{}", &line[..at], &line[at + 1..]);
    log.desk.write("changed", note.replace(line, &changed));
    let signature = failed("TM-SIGNATURE");
    assert_eq!(verify(&mut log, &format!("changed --trust genesis {both}")), signature);
    // Bundles on the certificate of cosignatures have the same lines; those on the engine's none.
    let last = log.site.node.store.snapshot().size().0 - 1;
    let fetch = format!("proof fetch --record {last} --out");
    log.desk.json(&format!("{fetch} bundle --certificate cosigned"));
    log.desk.json(&format!("{fetch} engine"));
    let accepted = "--trust genesis --certificate any";
    assert_eq!(verify(&mut log, &format!("bundle {accepted} {both}")), passed());
    assert_eq!(verify(&mut log, &format!("bundle {accepted} {all}")), few);
    assert_eq!(verify(&mut log, &format!("engine {accepted} {both}")), few);
    // A bundle on the engine's certificate may have the note of another log, or of another size.
    let last = log.grow() - 1;
    log.desk.json(&format!("proof fetch --record {last} --out newer"));
    let newer = std::fs::read(log.desk.path("newer")).unwrap();
    let newer = Bundle::decode(&newer).unwrap();
    log.desk.write("false", Bundle { note: Some(&note), ..newer }.encode_to_vec());
    assert_eq!(verify(&mut log, &format!("false {accepted} {both}")), few);
    log.desk.json(&format!("receipt fetch {last} --out receipt"));
    let receipt = log.desk.run(&format!("verify receipt --trust genesis {both} --json"));
    assert!(receipt.stdout.contains("TM-FEW-WITNESSES"), "{receipt:?}");
}

#[test]
fn a_policy_that_nothing_can_meet_is_misuse() {
    let (mut log, mut one) = (Party::new(), Party::new());
    let key = log.ask(&mut one);
    log.desk.json("proof checkpoint --out note");
    let (own, network) = (log.log_key(), log.site.network());
    for (line, code) in [
        (format!("--witness {key} --witnesses 2"), "TM-USAGE"),
        ("--witness nothing".into(), "TM-MALFORMED"),
        // A log's own key is no witness's.
        (format!("--witness {own}"), "TM-MALFORMED"),
    ] {
        let (_, error) = log.desk.error(&format!("verify note --trust {network} {line}"));
        assert_eq!(error["code"], code, "{line}");
    }
    assert_eq!(log.desk.run("verify note --witnesses 1").exit, Exit::Misuse);
}
