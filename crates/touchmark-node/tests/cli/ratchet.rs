//! `touchmark verify --ratchet`.

use super::bundle::{self, NONCE};
use super::desk::Desk;
use serde_json::{Value, json};
use touchmark_keys::disk;
use touchmark_node::cli::Exit;
use touchmark_wire::ids::Height;
use touchmark_wire::ratchet::Ratchet;

/// Proofs of the same log as of three batches, and of another third one.
fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.write("1.tmb", bundle::bundle_at(1, 0));
    desk.write("3.tmb", bundle::bundle_at(3, 20));
    desk.write("7.tmb", bundle::bundle_at(7, 30));
    desk.write("other-3.tmb", bundle::bundle_at(3, 21));
    desk.write("early-9.tmb", bundle::bundle_at(9, 10));
    desk.set("TOUCHMARK__CONTEXT__NETWORK", &bundle::genesis().network_id().to_string());
    desk
}

/// How a verdict ends, and its last check.
fn verify(desk: &mut Desk, file: &str) -> (Exit, Value) {
    let ended = desk.run(&format!("verify {file} --ratchet seen --json"));
    let verdict = ended.document();
    let check = verdict["checks"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(check["name"], "ratchet", "{verdict}");
    assert_eq!(verdict["valid"], ended.exit == Exit::Fine, "{verdict}");
    (ended.exit, check)
}

fn refused(desk: &mut Desk, file: &str) -> String {
    let (exit, check) = verify(desk, file);
    assert_eq!((exit, &check["result"]), (Exit::Refused, &json!("fail")), "{check}");
    check["code"].as_str().unwrap().to_owned()
}

fn kept(desk: &Desk) -> Ratchet {
    Ratchet::decode(&std::fs::read(desk.path("seen")).unwrap()).unwrap()
}

#[test]
fn what_is_older_is_refused_and_changes_nothing() {
    let mut desk = desk();
    for (file, height) in [("1.tmb", 1), ("3.tmb", 3), ("3.tmb", 3), ("7.tmb", 7)] {
        assert_eq!(verify(&mut desk, file).0, Exit::Fine, "{file}");
        assert_eq!(kept(&desk).position.height, Height(height));
    }
    let before = kept(&desk);
    for file in ["3.tmb", "1.tmb"] {
        assert_eq!(refused(&mut desk, file), "TM-LOG-ROLLED-BACK");
        assert_eq!(kept(&desk), before);
    }
    assert!(!desk.path("seen.shown.tmb").exists(), "an old proof contradicts nothing");
    assert_eq!(desk.run("verify 1.tmb").exit, Exit::Fine, "without the ratchet it counts");
}

#[test]
fn several_files_are_taken_in_their_order() {
    let mut desk = desk();
    assert_eq!(desk.run("verify 1.tmb 3.tmb 7.tmb --ratchet seen").exit, Exit::Fine);
    assert_eq!(kept(&desk).position.height, Height(7));
    let ended = desk.run("verify 7.tmb 3.tmb --ratchet another");
    assert_eq!(ended.exit, Exit::Refused, "{ended:?}");
}

#[test]
fn two_certified_histories_are_kept_as_evidence() {
    let mut desk = desk();
    verify(&mut desk, "3.tmb");
    let before = kept(&desk);
    for file in ["other-3.tmb", "early-9.tmb"] {
        assert_eq!(refused(&mut desk, file), "TM-LOG-SPLIT");
        assert_eq!(kept(&desk), before);
        for (name, original) in [("seen.seen.tmb", "3.tmb"), ("seen.shown.tmb", file)] {
            let [evidence, original] =
                [name, original].map(|it| std::fs::read(desk.path(it)).unwrap());
            assert_eq!(evidence, original, "{name}");
            assert_eq!(desk.run(&format!("verify {name}")).exit, Exit::Fine);
        }
    }
}

#[test]
fn what_is_not_valid_moves_no_ratchet() {
    let mut desk = desk();
    desk.write("fresh.tmb", bundle::bundle(true));
    let ended = desk.run("verify fresh.tmb --nonce another-nonce-of-mine --ratchet seen");
    assert_eq!(ended.exit, Exit::Refused);
    assert!(!desk.path("seen").exists());
    let line = ["verify", "fresh.tmb", "--ratchet", "seen", "--nonce", NONCE];
    assert_eq!(desk.run_all(&line).exit, Exit::Fine);
    assert!(desk.path("seen").exists());
    // Certified, and wrong in what is claimed only.
    let fresh = desk.run("verify 3.tmb --nonce another-nonce-of-mine --ratchet seen");
    assert_eq!((fresh.exit, kept(&desk).position.height), (Exit::Refused, Height(1)));
    desk.write("broken.tmb", &bundle::bundle(false)[1..]);
    assert_eq!(desk.run("verify broken.tmb --ratchet seen").exit, Exit::Refused);
    let mut bytes = bundle::bundle_at(7, 30);
    let certificate = bytes.windows(3).position(|it| it == [0, 9, 8]).unwrap_or(bytes.len() / 2);
    bytes[certificate + 60] ^= 1;
    desk.write("uncertified.tmb", bytes);
    let (exit, check) = verify(&mut desk, "uncertified.tmb");
    assert_eq!((exit, &check["code"]), (Exit::Refused, &json!("TM-NOT-RUN")));
}

#[test]
fn receipts_and_checkpoints_have_no_height() {
    let mut desk = desk();
    desk.write("genesis", bundle::genesis().encode_to_vec());
    desk.write("receipt", bundle::receipt());
    desk.write("leaf", bundle::batch_leaf());
    desk.write("checkpoint", bundle::checkpoint());
    for file in ["receipt --leaf leaf", "checkpoint"] {
        let line = format!("{file} --trust genesis");
        assert_eq!(desk.run(&format!("verify {line}")).exit, Exit::Fine);
        let (exit, check) = verify(&mut desk, &line);
        assert_eq!((exit, &check["code"]), (Exit::Refused, &json!("TM-NO-HEIGHT")));
    }
    assert!(!desk.path("seen").exists());
}

#[test]
fn a_ratchet_that_cannot_be_used_is_refused_with_a_hint() {
    let mut desk = desk();
    verify(&mut desk, "3.tmb");
    let line = "verify 7.tmb --ratchet seen";
    {
        let _held = disk::lock_by(&desk.path("seen.lock")).unwrap().unwrap();
        let (exit, error) = desk.error(line);
        assert_eq!((exit, &error["code"]), (Exit::Unavailable, &json!("TM-BUSY")));
    }
    let other = "0".repeat(64);
    let (exit, error) = desk.error(&format!("{line} --trust {other}"));
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-WRONG-NETWORK")));
    let good = std::fs::read(desk.path("seen")).unwrap();
    desk.write("seen", &good[..good.len() - 1]);
    let (exit, error) = desk.error(line);
    assert_eq!((exit, &error["code"]), (Exit::Internal, &json!("TM-CORRUPT")));
    assert!(error["hint"].is_string());
    desk.write("seen", &good);
    assert_eq!(desk.run(line).exit, Exit::Fine);
    let told = desk.json("inspect seen");
    assert_eq!(
        (&told["recognised"], &told["content"]["height"]),
        (&json!("ratchet"), &json!(7)),
        "{told}"
    );
}
