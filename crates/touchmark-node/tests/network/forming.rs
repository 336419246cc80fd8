//! Forming a network: what is refused, and what becomes of attempts that fail.

use super::member::{Ended, Member, end};
use std::process::Child;
use std::time::{Duration, Instant};
use touchmark_node::formation::{from_text, to_text};

/// A process that ends with the test.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until as many have joined.
fn joined(convener: &Member, count: usize) {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let status = convener.run(&["network", "status"]);
        let joined = status.document["joined"].as_array().map_or(0, Vec::len);
        if joined == count {
            return;
        }
        assert!(Instant::now() < limit, "{status:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_invitation_counts_once_in_time_and_in_its_own_formation() {
    let [convener, beta, gamma] = ["alpha", "beta", "gamma"].map(Member::new);
    assert_eq!(convener.convene(3).code, 0);
    let used = convener.invite("beta", "1h");
    let [expired, second] = ["1ms", "1h"].map(|valid| convener.invite("gamma", valid));
    let elsewhere = Member::new("elsewhere");
    assert_eq!(elsewhere.convene(2).code, 0);
    let mut foreign = from_text(&elsewhere.invite("gamma", "1h")).unwrap();
    foreign.convener = from_text(&used).unwrap().convener;

    let _forming = Background(convener.start(&["network", "form", "--accept"]));
    let _joining = Background(beta.join(&used, &["--accept"]));
    joined(&convener, 2);
    for (invitation, code) in [
        (&used, "TM-INVITATION-USED"),
        (&expired, "TM-INVITATION-EXPIRED"),
        (&to_text(&foreign), "TM-INVITATION-UNKNOWN"),
        (&"tmk-invite1".to_owned(), "TM-MALFORMED"),
    ] {
        let refused = end(Member::new("gamma").join(invitation, &["--accept"]));
        assert_eq!((refused.code, refused.error()), (1, code), "{refused:?}");
        assert!(refused.document["error"]["hint"].is_string(), "{refused:?}");
    }
    // A refused record takes no place and leaves the invitation as it was.
    let named = end(Member::new("Beta").join(&second, &["--accept"]));
    assert_eq!((named.code, named.error()), (1, "TM-MEMBER-NAME"));
    let mut there = Member::new("gamma");
    there.engine = beta.engine;
    assert_eq!(end(there.join(&second, &["--accept"])).error(), "TM-MEMBER-ADDRESS");
    assert_eq!(end(gamma.join(&second, &["--accept"])).code, 0);
}

#[test]
fn a_folder_with_a_network_or_a_formation_is_not_used_for_another() {
    let [founded, convener] = ["alpha", "beta"].map(Member::new);
    drop(founded.node());
    for ended in [founded.convene(2), founded.run(&["network", "form", "--accept"])] {
        assert_eq!((ended.code, ended.error()), (1, "TM-EXISTS"), "{ended:?}");
    }
    assert_eq!(convener.convene(2).code, 0);
    let invitation = convener.invite("gamma", "1h");
    let joining = end(founded.join(&invitation, &["--accept"]));
    assert_eq!(joining.error(), "TM-EXISTS", "{joining:?}");
    for ended in [convener.convene(2), convener.run(&["node", "run", "--listen", "127.0.0.1:0"])] {
        assert_eq!((ended.code, ended.error()), (1, "TM-EXISTS"), "{ended:?}");
    }
}

#[test]
fn nobody_goes_along_unseen_or_with_another_agreement() {
    let [convener, beta] = ["alpha", "beta"].map(Member::new);
    assert_eq!(convener.convene(2).code, 0);
    let invitation = convener.invite("beta", "1h");
    let _forming = Background(convener.start(&["network", "form", "--accept"]));
    let unseen = end(beta.join(&invitation, &[]));
    assert_eq!((unseen.code, unseen.error()), (2, "TM-USAGE"), "{unseen:?}");
    assert!(unseen.stderr.contains("alpha") && unseen.stderr.contains("agreement"), "{unseen:?}");

    let zeros = "0".repeat(64);
    let other = end(beta.join(&invitation, &["--expect", &zeros]));
    assert_eq!((other.code, other.error()), (1, "TM-AGREEMENT"), "{other:?}");
    assert_eq!(end(beta.join(&invitation, &["--expect", &agreement(&other)])).code, 0);
}

#[test]
fn who_is_not_there_is_named_and_all_can_try_again() {
    let members = ["alpha", "beta", "gamma", "delta"].map(Member::new);
    let [convener, others @ ..] = &members;
    assert_eq!(convener.convene(4).code, 0);
    let invitations = others.each_ref().map(|other| convener.invite(&other.name, "1h"));
    let all = |patience: &str, last: &[&str]| -> Vec<Ended> {
        let more = ["--accept", "--patience", patience];
        let mut running = vec![convener.start(&[&["network", "form"][..], &more].concat())];
        for (place, (other, invitation)) in others.iter().zip(&invitations).enumerate() {
            running.push(other.join(invitation, if place == 2 { last } else { &more }));
        }
        running.into_iter().map(end).collect()
    };
    // Delta hands in its record, sees the members, and ends because nobody accepts them.
    let ended = all("6s", &["--patience", "6s"]);
    assert_eq!(ended[3].error(), "TM-USAGE", "{ended:?}");
    for ended in &ended[..3] {
        assert_eq!((ended.code, ended.error()), (3, "TM-MEMBERS-MISSING"), "{ended:?}");
        let why = ended.document["error"]["why"].as_str().unwrap();
        assert!(why.contains("delta") && !why.contains("gamma"), "{ended:?}");
    }
    let ended = all("1min", &["--accept"]);
    assert!(ended.iter().all(|ended| ended.code == 0), "{ended:?}");
}

/// The digest that a member was shown.
fn agreement(ended: &Ended) -> String {
    let line = ended.stderr.lines().find_map(|line| line.strip_prefix("agreement"));
    line.unwrap().trim().to_owned()
}
