//! An organisation of several members: no single key initialises or revokes.

use super::desk::Desk;
use super::node::Node;
use serde_json::json;
use touchmark_node::cli::Exit;

/// Three members, two of whom must sign; gives the organisation's id.
fn consortium(desk: &mut Desk) -> String {
    for member in ["ana", "ben", "eva"] {
        desk.json(&format!("center key {member} --unencrypted"));
    }
    let line = "center create --member ana --member ben --member eva --threshold 2 \
                --member-key ana --propose found";
    let proposed = desk.json(line);
    assert_eq!(proposed["complete"], false);
    let (exit, error) = desk.error("statement submit found");
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-THRESHOLD")));
    let signed = desk.json("center sign found --member-key eva --submit");
    assert_eq!((&signed["complete"], &signed["outcome"]), (&json!(true), &json!("accepted")));
    proposed["thing"].as_str().unwrap().to_owned()
}

#[test]
fn members_sign_one_after_the_other() {
    let node = Node::start_new();
    let mut desk = Desk::at(&node);
    let id = consortium(&mut desk);
    desk.json("center key card --unencrypted");
    let init = format!(
        "center init card --serial C-1 --key card --center {id} --member-key ben --propose p1"
    );
    let card = desk.json(&init);
    assert_eq!((&card["number"], &card["signatures"]), (&json!("1"), &json!(1)));
    assert_eq!(desk.error("statement submit p1").1["code"], "TM-THRESHOLD");
    // The same member twice is one member.
    assert_eq!(desk.json("center sign p1 --member-key ben")["signatures"], 1);
    assert_eq!(desk.json("center sign p1 --member-key ana --submit")["outcome"], "accepted");
    let list = format!("center list --of {id}");
    assert_eq!(desk.json(&list)["items"][0]["id"], card["thing"]);
    let revoke = format!("center revoke card/1 lost --center {id} --member-key eva --propose p2");
    desk.json(&revoke);
    desk.json("center sign p2 --member-key ben");
    assert_eq!(desk.json("statement submit p2")["outcome"], "accepted");
    assert_eq!(desk.json(&list)["items"][0]["status"]["status"], "lost");
    assert_eq!(desk.json(&format!("{list} --from-log")), desk.json(&list));
}

#[test]
fn a_card_waits_for_the_members_and_is_personalised_then() {
    let node = Node::start_new();
    let mut desk = Desk::at(&node);
    let id = consortium(&mut desk);
    desk.json("card new chip");
    let init = format!(
        "center init card --virtual chip --unencrypted --url https://tap.example/p --center {id} \
         --member-key ben --propose p1"
    );
    let proposed = desk.json(&init);
    assert_eq!((&proposed["signatures"], &proposed["number"]), (&json!(1), &json!("1")));
    assert_eq!(desk.json("card read --virtual chip")["state"], "initialisation");
    assert_eq!(desk.json("center sign p1 --member-key ana --submit")["outcome"], "accepted");
    let made = desk.json(&init);
    assert_eq!((&made["outcome"], &made["thing"]), (&json!("known"), &proposed["thing"]));
    assert_eq!(desk.json("card tap --virtual chip")["outcome"], "accepted");
}

#[test]
fn a_member_signs_each_place_once() {
    let node = Node::start_new();
    let mut desk = Desk::at(&node);
    let id = consortium(&mut desk);
    for card in ["c1", "c2"] {
        desk.json(&format!("center key {card} --unencrypted"));
    }
    let init = |card: &str, by: &str, out: &str| {
        format!(
            "center init card --serial {card} --key {card} --center {id} --member-key {by} --propose {out}"
        )
    };
    desk.json(&init("c1", "ana", "p1"));
    let (exit, error) = desk.error(&init("c2", "ana", "p2"));
    assert_eq!((exit, &error["code"]), (Exit::Refused, &json!("TM-FORK")));
    desk.json(&init("c2", "ben", "p2"));
    assert_eq!(desk.error("center sign p1 --member-key ben").1["code"], "TM-FORK");
    assert_eq!(desk.json("center sign p2 --member-key eva --submit")["outcome"], "accepted");
    // The other proposal is for a place that is taken: refused, not a fork, for it is not complete.
    let (_, error) = desk.error("center sign p1 --member-key eva");
    assert_eq!(error["code"], "TM-FORK");
    // Proposed anew, it gets the next number.
    assert_eq!(desk.json(&init("c1", "ana", "p3"))["number"], "2");
}

#[test]
fn strangers_and_altered_proposals_are_turned_away() {
    let node = Node::start_new();
    let mut desk = Desk::at(&node);
    let id = consortium(&mut desk);
    for name in ["card", "stranger"] {
        desk.json(&format!("center key {name} --unencrypted"));
    }
    let init = format!(
        "center init card --serial C --key card --center {id} --member-key ana --propose p"
    );
    desk.json(&init);
    assert_eq!(desk.error("center sign p --member-key stranger").0, Exit::Misuse);
    let mut bytes = std::fs::read(desk.path("p")).unwrap();
    let serial = bytes.windows(6).position(|window| window == b"serial").unwrap();
    bytes[serial + 7] ^= 1;
    desk.write("altered", bytes);
    assert_eq!(desk.error("center sign altered --member-key ben").1["code"], "TM-MALFORMED");
}
