//! `touchmark verify`.

use super::bundle::{self, NONCE, ORIGIN};
use super::desk::Desk;
use serde_json::{Value, json};
use touchmark_keys::software::SoftwareKey;
use touchmark_node::cli::Exit;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::codec;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("a.tmb", bundle::bundle(false));
    desk.write("fresh.tmb", bundle::bundle(true));
    desk.write("genesis", bundle::genesis().encode_to_vec());
    desk.write("receipt", bundle::receipt());
    desk.write("leaf", bundle::batch_leaf());
    desk.write("checkpoint", bundle::checkpoint());
    desk
}

fn network() -> String {
    bundle::genesis().network_id().to_string()
}

fn verdict(desk: &mut Desk, line: &str) -> (Exit, Value) {
    let ended = desk.run(&format!("verify {line} --json"));
    assert_eq!(ended.stderr, "");
    (ended.exit, ended.document())
}

/// Result and code of a check.
fn check(verdict: &Value, name: &str) -> (String, Value) {
    let checks = verdict["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == name).unwrap();
    (check["result"].as_str().unwrap().to_owned(), check["code"].clone())
}

#[test]
fn a_bundle_of_the_trusted_network_is_valid() {
    let mut desk = desk();
    for trust in [network(), "genesis".to_owned()] {
        let (exit, verdict) = verdict(&mut desk, &format!("a.tmb --trust {trust}"));
        assert_eq!((exit, &verdict["valid"]), (Exit::Fine, &json!(true)), "{verdict}");
        assert_eq!(
            (&verdict["assurance"], &verdict["as_of"]["size"]),
            (&json!("certificate"), &json!(1))
        );
        assert_eq!(verdict["file"], "a.tmb");
        let results = ["format", "network", "certificate", "log", "state"];
        for name in results {
            assert_eq!(check(&verdict, name), ("pass".to_owned(), Value::Null), "{name}");
        }
        assert_eq!(check(&verdict, "freshness").0, "not-applicable");
        let keys: Vec<_> = verdict["checks"][0].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["code", "name", "reason", "result"]);
    }
    let ended = desk.run(&format!("verify a.tmb --trust {}", network()));
    assert!(ended.stdout.starts_with("a.tmb: valid\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("batch 1, 2024-12-31T23:59:59.999Z"), "{}", ended.stdout);
}

#[test]
fn the_contexts_network_is_trusted_without_an_option() {
    let mut desk = desk();
    desk.set("TOUCHMARK__CONTEXT__NETWORK", &network());
    assert_eq!(verdict(&mut desk, "a.tmb").0, Exit::Fine);
}

#[test]
fn without_trust_or_with_another_networks_nothing_is_valid() {
    let mut desk = desk();
    let (exit, without) = verdict(&mut desk, "a.tmb");
    assert_eq!((exit, &without["valid"]), (Exit::Refused, &json!(false)));
    assert_eq!(without["assurance"], "none");
    assert_eq!(check(&without, "network"), ("unknown".into(), json!("TM-NO-TRUST")));
    assert_eq!(check(&without, "certificate").0, "unknown");
    let other = "0".repeat(64);
    let (exit, foreign) = verdict(&mut desk, &format!("a.tmb --trust {other}"));
    assert_eq!(exit, Exit::Refused);
    assert_eq!(check(&foreign, "network"), ("fail".into(), json!("TM-WRONG-NETWORK")));
}

#[test]
fn one_changed_byte_of_a_certificate_fails_it() {
    let mut desk = desk();
    let certificate = bundle::certificate(&bundle::header());
    let mut bytes = bundle::bundle(false);
    let at = bytes.windows(certificate.len()).position(|window| window == certificate).unwrap();
    bytes[at + 1] ^= 1;
    desk.write("changed", &bytes);
    let (exit, verdict) = verdict(&mut desk, &format!("changed --trust {}", network()));
    assert_eq!(exit, Exit::Refused);
    assert_eq!(check(&verdict, "certificate"), ("fail".into(), json!("TM-CERTIFICATE")));
    assert_eq!(check(&verdict, "log").0, "unknown");
}

#[test]
fn a_nonce_is_answered_by_its_own_bundle_only() {
    let mut desk = desk();
    desk.set("TOUCHMARK__CONTEXT__NETWORK", &network());
    let quoted = ["verify", "fresh.tmb", "--json", "--nonce", NONCE];
    let ended = desk.run_all(&quoted);
    assert_eq!(ended.exit, Exit::Fine, "{ended:?}");
    assert_eq!(check(&ended.document(), "freshness").0, "pass");
    let (exit, other) = verdict(&mut desk, "fresh.tmb --nonce another-nonce-of-mine");
    assert_eq!((exit, check(&other, "freshness").1), (Exit::Refused, json!("TM-NOT-FRESH")));
    let (exit, _) = verdict(&mut desk, "a.tmb --nonce another-nonce-of-mine");
    assert_eq!(exit, Exit::Refused);
    let (exit, error) = desk.error("verify fresh.tmb --nonce short");
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-USAGE")));
}

#[test]
fn a_receipt_is_checked_with_its_leaf_and_the_validators_keys() {
    let mut desk = desk();
    let (exit, valid) = verdict(&mut desk, "receipt --trust genesis --leaf leaf");
    assert_eq!(exit, Exit::Fine, "{valid}");
    assert_eq!(valid["as_of"], Value::Null, "size and place are not signed");
    assert_eq!(valid["assurance"], "receipts");
    let (_, without) = verdict(&mut desk, "receipt --trust genesis");
    assert_eq!(check(&without, "inclusion"), ("unknown".into(), json!("TM-NO-LEAF")));
    let (_, untrusted) = verdict(&mut desk, "receipt --leaf leaf");
    assert_eq!(check(&untrusted, "network").1, "TM-NO-TRUST");
    desk.write("other", [0xd2, 0x84]);
    let (exit, other) = verdict(&mut desk, "receipt --trust genesis --leaf other");
    assert_eq!((exit, check(&other, "inclusion").1), (Exit::Refused, json!("TM-SIGNATURE")));
    desk.write("key", codec::encode(bundle::log_key().public_key().cose()));
    let (exit, few) = verdict(&mut desk, "receipt --key key --leaf leaf");
    assert_eq!((exit, check(&few, "receipts").1), (Exit::Refused, json!("TM-NO-TRUST")));
    assert_eq!(verdict(&mut desk, "receipt --key key --leaf leaf --receipts 1").0, Exit::Fine);
    let id = format!("receipt --key key --leaf leaf --trust {}", network());
    let (exit, few) = verdict(&mut desk, &id);
    assert_eq!((exit, check(&few, "receipts").1), (Exit::Refused, json!("TM-NO-TRUST")));
    let foreign = SoftwareKey::generate(Algorithm::Es256).unwrap();
    desk.write("other.key", codec::encode(foreign.public_key().cose()));
    let (exit, stranger) = verdict(&mut desk, "receipt --key other.key --leaf leaf --receipts 1");
    assert_eq!((exit, check(&stranger, "inclusion").1), (Exit::Refused, json!("TM-SIGNATURE")));
    // Beside one that counts, a stranger's neither counts nor spoils anything.
    desk.write("theirs", bundle::receipt_by(&foreign, ORIGIN));
    let (exit, two) = verdict(&mut desk, "receipt theirs --trust genesis --leaf leaf");
    assert_eq!(exit, Exit::Fine, "{two}");
    let all = "receipt theirs --trust genesis --leaf leaf --receipts 2";
    let (exit, few) = verdict(&mut desk, all);
    assert_eq!((exit, check(&few, "receipts").1), (Exit::Refused, json!("TM-FEW-RECEIPTS")));
    // The same key in another log.
    desk.write("elsewhere", bundle::receipt_by(&bundle::log_key(), "another.example/log"));
    let (exit, other) = verdict(&mut desk, "elsewhere --trust genesis --leaf leaf");
    assert_eq!((exit, check(&other, "inclusion").1), (Exit::Refused, json!("TM-WRONG-NETWORK")));
}

#[test]
fn a_checkpoint_needs_the_committees_cosignatures() {
    let mut desk = desk();
    let (exit, valid) = verdict(&mut desk, "checkpoint --trust genesis");
    assert_eq!((exit, &valid["as_of"]["size"]), (Exit::Fine, &json!(1)), "{valid}");
    assert_eq!(verdict(&mut desk, "checkpoint").0, Exit::Refused);
    desk.write("checkpoint", bundle::checkpoint().replacen("\n1\n", "\n2\n", 1));
    let (exit, changed) = verdict(&mut desk, "checkpoint --trust genesis");
    assert_eq!((exit, check(&changed, "cosignatures").1), (Exit::Refused, json!("TM-SIGNATURE")));
    assert_eq!(changed["as_of"], Value::Null);
}

#[test]
fn several_files_are_a_list_and_one_bad_one_fails_all() {
    let mut desk = desk();
    desk.write("junk", "nothing of ours");
    let (exit, verdicts) = verdict(&mut desk, &format!("a.tmb junk genesis --trust {}", network()));
    assert_eq!(exit, Exit::Refused);
    assert_eq!(verdicts[0]["valid"], true);
    assert_eq!(check(&verdicts[1], "format"), ("fail".into(), json!("TM-MALFORMED")));
    let reason = verdicts[2]["checks"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("genesis document"), "{reason}");
    let (exit, error) = desk.error("verify missing");
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-FILE")));
}
