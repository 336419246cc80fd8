//! A log that several own is offered to no outside witness.

use super::member::{form, nodes};
use std::time::{Duration, Instant};
use touchmark_api::client::Client;
use touchmark_wire::checkpoint::SignedCheckpoint;

/// A cosigner's key: signed-note's example, under the type of cosigners.
const WITNESS: &str = "example.com/foo+7c264079+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

#[test]
fn a_log_of_several_owners_is_offered_to_no_outside_witness() {
    let members = form(&["alpha", "beta"]);
    for member in &members {
        for words in
            [&["witness", "add", "http://127.0.0.1:1", WITNESS][..], &["witness", "log-key"]]
        {
            let refused = member.run(words);
            assert_eq!((refused.code, refused.error()), (1, "TM-SEVERAL-OWNERS"), "{refused:?}");
            let why = refused.document["error"]["why"].as_str().unwrap();
            assert!(why.contains("FROST"), "{refused:?}");
        }
        let listed = member.run(&["witness", "list"]);
        assert!(
            listed.document["reason"].as_str().unwrap().contains("several owners"),
            "{listed:?}"
        );
    }
    // Also where the file says otherwise, and no validator signs as the log.
    let file = format!("[[witness]]\nurl = \"http://127.0.0.1:1\"\nvkey = \"{WITNESS}\"\n");
    std::fs::write(members[0].data().join("witnesses.toml"), file).unwrap();
    let nodes = nodes(&members);
    for node in &nodes {
        let client = Client::new(&node.url).unwrap();
        // The first round is soon after the start.
        let limit = Instant::now() + Duration::from_secs(20);
        let reason = loop {
            match client.node().unwrap().witnesses.unwrap().reason {
                Some(reason) => break reason,
                None => assert!(Instant::now() < limit, "no reason is given"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        assert!(reason.contains("several owners"), "{reason}");
        let note = client.checkpoint().unwrap();
        let note = SignedCheckpoint::parse(note.as_bytes()).unwrap();
        let origin = note.checkpoint().origin();
        assert!(note.signatures().all(|line| line.name != origin), "{note:?}");
        assert!(client.witnessed_checkpoint(1).is_err());
    }
    let status = members[0].ask(&["network", "status", "--node", &nodes[0].url]);
    let reason = status.document["no_witness_is_asked"].as_str().unwrap();
    assert!(reason.contains("several owners"), "{status:?}");
    assert!(!members[0].data().join("note.cbor").exists());
}
