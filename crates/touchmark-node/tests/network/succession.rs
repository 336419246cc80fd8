//! Committees that follow each other: one owner grows into a network, and validators are exchanged,
//! each step from the command line.

use super::following::follower;
use super::issuer::Issuer;
use super::member::{Member, Node, end, nodes};
use super::running::{network, same, write};
use super::witnesses::{Watcher, cosigned, eager, log_keys};
use std::time::{Duration, Instant};
use touchmark_api::client::ProofQuery;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::bundle::Claim;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::{LeafIndex, NetworkId};
use touchmark_wire::registry::ThingKind;

/// What a member brings to the formation of a committee.
struct Candidate<'m> {
    /// Its validator, if it is one already.
    of: Option<&'m Member>,
    name: &'m str,
}

/// A member whose node offers its log to witnesses often.
fn eager_member(name: &str) -> Member {
    Member::at(name, eager())
}

/// Makes the next committee of those who are named, in folders of their own.
fn prepare(candidates: &[Candidate<'_>]) -> Vec<Member> {
    let places: Vec<_> = candidates.iter().map(|it| Member::new(it.name)).collect();
    let more: Vec<Vec<String>> = candidates.iter().map(Candidate::options).collect();
    let options = |at: usize| more[at].iter().map(String::as_str).collect::<Vec<_>>();
    let convened = places[0].convene_with(places.len(), &options(0));
    assert_eq!(convened.code, 0, "{convened:?}");
    let mut running = Vec::new();
    for (at, member) in places.iter().enumerate().skip(1) {
        let invitation = places[0].invite(&member.name, "1h");
        running.push(member.join(&invitation, &[&["--accept"][..], &options(at)].concat()));
    }
    running.push(places[0].start(&["network", "form", "--accept"]));
    let ended: Vec<_> = running.into_iter().map(end).collect();
    for ended in &ended {
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let made: Vec<_> = ended.iter().map(|ended| &ended.document["digest"]).collect();
    assert!(made[0].is_string() && made.iter().all(|digest| *digest == made[0]), "{made:?}");
    places
}

impl Candidate<'_> {
    fn options(&self) -> Vec<String> {
        let of = self.of.iter();
        of.flat_map(|of| ["--of".to_owned(), of.data().display().to_string()]).collect()
    }
}

fn next(place: &Member) -> String {
    place.data().join("next.cbor").display().to_string()
}

/// An approval of the committee that `place` is in.
fn approve(member: &Member, place: &Member) -> String {
    let approved = member.run(&["network", "approve", &next(place)]);
    assert_eq!(approved.code, 0, "{approved:?}");
    approved.document["approval"].as_str().unwrap().to_owned()
}

/// Gives the validator of `member`, or a new one, its place.
fn adopt(member: &Member, place: &Member, genesis: Option<&str>) {
    let place = place.data().display().to_string();
    let mut words = vec!["network", "adopt", &place];
    words.extend(genesis.iter().flat_map(|genesis| ["--genesis", genesis]));
    let adopted = member.run(&words);
    assert_eq!(adopted.code, 0, "{adopted:?}");
}

/// Writes the appointment into the log of `node`.
fn appoint(member: &Member, node: &Node, place: &Member, approvals: &[String]) {
    let name = format!("carrier-of-{}", approvals.len());
    let create = ["identity", "create", &name, "--unencrypted", "--node", &node.url];
    let created = member.ask(&create);
    assert_eq!(created.code, 0, "{created:?}");
    let next = next(place);
    let mut words = vec!["network", "appoint", "--as", &name, "--node", &node.url, &next];
    words.extend(approvals.iter().map(String::as_str));
    let appointed = member.ask(&words);
    assert_eq!(
        (appointed.code, &appointed.document["outcome"]),
        (0, &"accepted".into()),
        "{appointed:?}"
    );
}

/// Waits until all nodes say that this committee certifies.
fn in_office(nodes: &[Node], number: u64) {
    let limit = Instant::now() + Duration::from_secs(90);
    loop {
        let views: Vec<_> = nodes.iter().map(|node| node.client().network().unwrap()).collect();
        if views.iter().all(|view| view.committee == number) {
            return;
        }
        assert!(Instant::now() < limit, "committee {number} is not in office: {views:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A proof of the leaf at `position`, as a file.
fn proof(node: &Node, position: u64, folder: &tempfile::TempDir, name: &str) -> String {
    let query =
        ProofQuery { claims: vec![Claim::Record(LeafIndex(position))], ..ProofQuery::default() };
    let bundle = node.client().proof(&query).unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bundle).unwrap();
    path.display().to_string()
}

fn verify(member: &Member, file: &str, trust: &str) {
    let verified = member.ask(&["verify", file, "--trust", trust]);
    assert_eq!((verified.code, &verified.document["valid"]), (0, &true.into()), "{verified:?}");
}

/// Receipts and checkpoints of a later committee are checked with a bundle that leads to it.
fn later(member: &Member, node: &Node, position: u64, kept: &tempfile::TempDir, genesis: &str) {
    let path = |name: &str| kept.path().join(name).display().to_string();
    let (receipts, leaf, note) = (path("receipts"), path("leaf"), path("note"));
    let own = path("own");
    let position = position.to_string();
    for words in [
        &["receipt", "fetch", &position, "--quorum", "--out", &receipts, "--leaf", &leaf][..],
        &["receipt", "fetch", &position, "--out", &own],
        &["proof", "checkpoint", "--out", &note],
    ] {
        let fetched = member.ask(&[words, &["--node", &node.url]].concat());
        assert_eq!(fetched.code, 0, "{fetched:?}");
    }
    let bundle = proof(node, 0, kept, "leads.tmb");
    let check = |words: &[&str], trust: &str, committee: &[&str]| {
        let words = [&["verify"], words, &["--trust", trust], committee].concat();
        let verified = member.ask(&words);
        (verified.code, verified.document)
    };
    let (leads, id) = (["--committee", &bundle], node.client().network().unwrap().network);
    let about = [&receipts[..], "--leaf", &leaf];
    for trust in [genesis, &id] {
        let (code, document) = check(&about, trust, &leads);
        assert_eq!(code, 0, "{document}");
        assert!(document.to_string().contains("committee 1"), "{document}");
    }
    // Of a validator that came later the genesis document has no key.
    let about = [&own[..], "--leaf", &leaf, "--receipts", "1"];
    assert_eq!(check(&about, genesis, &[]).0, 1);
    assert_eq!(check(&about, genesis, &leads).0, 0);
    // One line of a checkpoint is no quorum of four; but it is of that committee.
    let (code, document) = check(&[&note], genesis, &leads);
    assert!(code == 1 && document.to_string().contains("TM-QUORUM-MISSING"), "{document}");
    // What leads there is checked itself.
    let (code, document) = check(&about, &"0".repeat(64), &leads);
    assert_eq!((code, &document["error"]["code"]), (1, &"TM-NOT-PROVED".into()), "{document}");
}

/// Who follows goes through all committees from nothing, and hands the log on.
fn followed(running: &mut Vec<Node>, positions: &[u64], id: NetworkId) {
    let (_near, near) = follower("near", &[&running[3].url], id).node_in_place();
    let (_far, far) = follower("far", &[&near.url], id).node_in_place();
    running.extend([near, far]);
    let position = write(&running[5], id);
    same(running, &[positions, &[position]].concat());
}

/// An empty folder stays empty where the genesis document names rules that this build lacks.
fn refuses_other_rules(member: &Member, place: &Member, genesis: &str) {
    let genesis = Genesis::decode(&std::fs::read(genesis).unwrap()).unwrap();
    let other = Genesis { rules: genesis.rules + 1, ..genesis };
    let file = place.data().join("other.cbor").display().to_string();
    std::fs::write(&file, other.encode_to_vec()).unwrap();
    let place = place.data().display().to_string();
    let refused = member.run(&["network", "adopt", &place, "--genesis", &file]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(!member.data().exists(), "something was written");
}

/// Who left the committee has no receipts to give, so it takes no Signed Statement; who is in office
/// still shows the keys of those who left.
fn registers_nothing(left: &Node, present: &Node, id: NetworkId) {
    let mut device = Issuer::new(id, ThingKind::DEVICE, Algorithm::Ed25519);
    present.client().submit_statement(&device.inception()).unwrap();
    let signed = device.declare("T1/7", b"tested");
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let post = |node: &Node| {
        let request = agent.post(format!("{}/entries", node.url));
        request.content_type("application/cose").send(&signed[..]).unwrap()
    };
    let mut refused = post(left);
    let why = String::from_utf8_lossy(&refused.body_mut().read_to_vec().unwrap()).into_owned();
    assert_eq!(refused.status(), 503, "{why}");
    assert!(why.contains("TM-NOT-READY") && why.contains("not a validator"), "{why}");
    assert_eq!(post(present).status(), 201);
    let keys = agent.get(format!("{}/.well-known/scitt-keys", present.url)).call().unwrap();
    let keys = keys.into_body().read_to_vec().unwrap();
    assert_eq!(keys[0], 0x85, "four that are and one that was, each once");
}

/// A witness is told of the next key of the log before it signs.
fn announced(member: &Member, watcher: &Watcher) -> String {
    let (present, next) = log_keys(member);
    let next = next.unwrap();
    assert_ne!(present.unwrap(), next);
    watcher.trust(&next);
    next
}

/// Those who stay take their places one after the other, while the others go on.
fn stay(members: &[Member], places: &[Member], running: &mut Vec<Node>, id: NetworkId) {
    for (at, place) in [(1, 0), (0, 1), (2, 2)] {
        drop(running.remove(at));
        adopt(&members[at], &places[place], None);
        running.insert(at, members[at].node());
        same(running, &[write(&running[at], id)]);
    }
}

/// Who left fetches the end of its term, and then has no share any more.
fn leaves(delta: &Member, present: &Node, id: NetworkId) {
    let places = || std::fs::read_dir(delta.data().join("offices")).unwrap().count();
    assert_eq!(places(), 1);
    in_office(&[delta.node()], 2);
    let left = delta.node();
    registers_nothing(&left, present, id);
    drop(left);
    assert_eq!(places(), 0, "who left kept its share");
}

#[test]
fn one_owner_grows_into_four_and_then_exchanges_one() {
    let kept = tempfile::tempdir().unwrap();
    let alpha = eager_member("alpha");
    let node = alpha.node();
    let id = network(&node);
    let first = write(&node, id);
    let receipt = node.client().receipt(LeafIndex(first)).unwrap();
    let before = proof(&node, first, &kept, "before.tmb");
    let genesis = alpha.data().join("genesis.cbor").display().to_string();

    let newcomers = ["beta", "gamma", "delta"].map(|name| Candidate { of: None, name });
    let founder = Candidate { of: Some(&alpha), name: "alpha" };
    let places = prepare(&[founder].into_iter().chain(newcomers).collect::<Vec<_>>());
    let approval = approve(&alpha, &places[0]);
    drop(node);
    let members: Vec<_> =
        std::iter::once(alpha).chain(["beta", "gamma", "delta"].map(eager_member)).collect();
    refuses_other_rules(&members[1], &places[1], &genesis);
    for (member, place) in members.iter().zip(&places) {
        adopt(member, place, Some(&genesis));
    }
    let watcher = Watcher::new();
    watcher.named_by(&members[2]);
    let present = announced(&members[0], &watcher);
    let mut running = nodes(&members);
    appoint(&members[0], &running[0], &places[0], &[approval]);
    in_office(&running, 1);
    assert_eq!(log_keys(&members[1]), (Some(present.clone()), None));
    assert!(!members[0].data().join("note.cbor").exists(), "the only owner kept its key");
    cosigned(&running[2], write(&running[0], id), &present);
    let each: Vec<_> = running.iter().map(|node| write(node, id)).collect();
    same(&running, &[&each[..], &[first]].concat());

    // What was proved before still is, and what is proved now leads back to the same genesis.
    assert_eq!(running[0].client().receipt(LeafIndex(first)).unwrap(), receipt);
    verify(&members[0], &before, &id.to_string());
    verify(&members[0], &proof(&running[2], each[2], &kept, "after.tmb"), &id.to_string());

    later(&members[0], &running[1], each[1], &kept, &genesis);

    // The share of the only owner is gone once its node starts again.
    let secrets = || std::fs::read(members[0].data().join("secrets.cbor")).unwrap().len();
    let with_share = secrets();
    drop(running.remove(0));
    same(&running, &[write(&running[0], id)]);
    running.insert(0, members[0].node());
    same(&running, &[write(&running[0], id)]);
    assert!(secrets() < with_share, "the only owner kept its share");

    let candidates = [
        Candidate { of: Some(&members[1]), name: "beta" },
        Candidate { of: Some(&members[0]), name: "alpha" },
        Candidate { of: Some(&members[2]), name: "gamma" },
        Candidate { of: None, name: "epsilon" },
    ];
    let second = prepare(&candidates);
    let approvals: Vec<_> = members[..3].iter().map(|member| approve(member, &second[0])).collect();
    stay(&members, &second, &mut running, id);
    let next = announced(&members[2], &watcher);
    cosigned(&running[2], write(&running[0], id), &present);
    // Delta does not see the end of its time in office.
    drop(running.pop());
    let mut members = members;
    let delta = std::mem::replace(&mut members[3], Member::new("epsilon"));
    adopt(&members[3], &second[3], Some(&genesis));
    running.push(members[3].node());
    appoint(&members[0], &running[0], &second[0], &approvals);
    in_office(&running, 2);
    let each: Vec<_> = running.iter().map(|node| write(node, id)).collect();
    same(&running, &each);
    cosigned(&running[2], each[3], &next);
    verify(&members[0], &proof(&running[3], each[3], &kept, "later.tmb"), &id.to_string());
    verify(&members[0], &before, &id.to_string());

    followed(&mut running, &[first, each[0]], id);
    verify(&members[0], &proof(&running[5], first, &kept, "far.tmb"), &id.to_string());

    leaves(&delta, &running[0], id);
}
