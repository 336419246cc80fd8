//! The file `anchors.json`: bundles that continue an earlier log, and bundles with what another
//! network has of their log.

use super::FIRST;
use super::writer::hex;
use crate::log::View;
use crate::one_leaf;
use serde_json::{Value, json};
use touchmark_core::entry::{Chain, Head, KeyState, Purposes, Thing};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::bundle::{Anchor, Bundle, Bytes, Claim, Handovers, Hashes, ProvedLeaf};
use touchmark_wire::codec;
use touchmark_wire::genesis::Genesis;
use touchmark_wire::hash::Digest;
use touchmark_wire::header::BatchHeader;
use touchmark_wire::ids::{
    Epoch, Height, KeyNumber, LeafIndex, NetworkId, Sequence, ThingId, Timestamp, TreeSize,
};
use touchmark_wire::leaf::{BatchLeaf, Leaf};
use touchmark_wire::merkle;
use touchmark_wire::registry::{ContentFormat, EntryKind, StatementKind, ThingKind};
use touchmark_wire::state::StateKey;
use touchmark_wire::statement::{Content, Draft, Link, Statement};
use touchmark_wire::trie::{ProofWriter, TrieProof};

/// The log, and the network in which it is recorded.
const LOG: &str = "log.example/1";
const OTHER: &str = "other.example/1";
const TIME: Timestamp = Timestamp(1_735_689_599_999);
/// Milliseconds.
const DAY: u64 = 86_400_000;
/// Leaves of the log before its batch leaf.
const LEAVES: u64 = 12;
/// Who records.
const RECORDER: ThingId = ThingId([5; 20]);
const STRANGER: ThingId = ThingId([6; 20]);

/// The file.
pub fn anchors() -> Value {
    let cases = [continued(), anchored()].concat();
    json!({
        "generator": "crates/touchmark-testkit/src/vectors/anchors.rs",
        "title": "Bundles of a log of 13 leaves for readers that saw it before (`seen`: size and root), or that want another network's word on it (`anchor`: network, unless anybody's counts thing, and unless any age does how many milliseconds older its state may be); each with the check that fails",
        "network": hex(&genesis(LOG).network_id().0.0),
        "cases": cases,
    })
}

/// Whose word a reader wants.
#[derive(Clone, Copy)]
struct Wanted {
    network: NetworkId,
    by: Option<ThingId>,
    age: Option<u64>,
}

/// What a reader asks, and what it is shown.
struct Case {
    seen: Option<(u64, Digest)>,
    anchor: Option<Wanted>,
    bundle: Vec<u8>,
}

impl Case {
    fn described(&self, name: &str, fails: Option<(&str, &str)>) -> Value {
        let mut case =
            json!({ "name": name, "bytes": hex(&self.bundle), "valid": fails.is_none() });
        if let Some((size, root)) = self.seen {
            case["seen"] = json!({ "size": size, "root": hex(&root.0) });
        }
        if let Some(Wanted { network, by, age }) = self.anchor {
            case["anchor"] = json!({ "network": hex(&network.0.0) });
            if let Some(by) = by {
                case["anchor"]["thing"] = hex(&by.0).into();
            }
            if let Some(age) = age {
                case["anchor"]["age"] = age.into();
            }
        }
        if let Some((check, code)) = fails {
            case["check"] = check.into();
            case["code"] = code.into();
        }
        case
    }
}

fn genesis(origin: &str) -> Genesis {
    Genesis { rules: 1, origin: origin.into(), committee: FIRST.committee(), time: TIME }
}

/// The log's leaves, the batch leaf last.
fn log() -> View {
    View::new(LEAVES).and(&merkle::leaf_hash(&one_leaf::batch_leaf(TIME)))
}

/// A log as it was when it had `size` leaves.
fn earlier(size: u64) -> (u64, Digest) {
    (size, log().beginning(size).tree().root)
}

fn claim((size, root): (u64, Digest), path: &[Digest]) -> Claim {
    Claim::Continues(TreeSize(size), root, path.to_vec())
}

fn continued() -> Vec<Value> {
    let fork = View::forked(LEAVES, 3).beginning(5).tree().root;
    let case = |name: &str, seen, claims: Vec<Claim>, fails| {
        Case { seen, anchor: None, bundle: outer(claims, None) }.described(name, fails)
    };
    let mut cases = Vec::new();
    for size in [1, 4, 5, 8, 12, 13] {
        let name = format!("it continues the first {size} leaves");
        let claims = vec![claim(earlier(size), &log().proof(size))];
        cases.push(case(&name, Some(earlier(size)), claims, None));
    }
    let status = || vec![Claim::Status(one_leaf::THING)];
    let five = claim(earlier(5), &log().proof(5));
    // It is no log that leads here.
    let lie = claim((5, fork), &log().proof(5));
    let path = log().proof(5);
    let mut other = path.clone();
    other[1].0[0] ^= 1;
    let longer = [&path[..], &path[..1]].concat();
    let inconsistent = Some(("continues 5", "TM-INCONSISTENT"));
    let seen = |code| Some(("seen before", code));
    cases.extend([
        case("the log that was seen is the whole one", Some(earlier(13)), status(), None),
        case("nobody asks", None, vec![five.clone()], None),
        case("nothing is said of it", Some(earlier(5)), status(), seen("TM-NOT-COVERED")),
        case("another size is", Some(earlier(4)), vec![five.clone()], seen("TM-NOT-COVERED")),
        case("another root was seen", Some((5, fork)), vec![five], seen("TM-LOG-SPLIT")),
        case("another root is only said", Some(earlier(5)), vec![lie], seen("TM-INCONSISTENT")),
        case("another root of this size", Some((13, fork)), status(), seen("TM-LOG-SPLIT")),
        case("more was seen", Some((14, fork)), status(), seen("TM-LOG-ROLLED-BACK")),
        case("a root that is not its own", None, vec![claim((5, fork), &path)], inconsistent),
        case("a hash is another", None, vec![claim(earlier(5), &other)], inconsistent),
        case("a hash is missing", None, vec![claim(earlier(5), &path[1..])], inconsistent),
        case("a hash too many", None, vec![claim(earlier(5), &longer)], inconsistent),
        case(
            "the empty log",
            None,
            vec![claim((0, merkle::empty_root()), &[])],
            Some(("continues 0", "TM-INCONSISTENT")),
        ),
    ]);
    cases
}

/// A record in the other network, and what is claimed of it.
#[derive(Clone)]
struct Record {
    note: String,
    content: Content,
    kind: StatementKind,
    claims: Vec<Claim>,
    /// Whether the recorder has stated something since.
    goes_on: bool,
    /// A bit of the certificate that is turned.
    damage: u8,
    /// When the other network certified it.
    time: Timestamp,
}

/// Place of the record in the other log.
const PLACE: LeafIndex = LeafIndex(1);

impl Record {
    /// The checkpoint of the first `size` leaves.
    fn of((size, root): (u64, Digest), origin: &str) -> Self {
        let body = touchmark_wire::checkpoint::Checkpoint::new(origin, TreeSize(size), root);
        let body = body.expect("an origin").to_string();
        // Nobody looks at who signed it.
        let note = format!("{body}\n— {origin} AAAAAAAA\n");
        let claims = vec![Claim::Record(PLACE), Claim::Latest(PLACE)];
        let (content, kind) = (Content::Inline(ContentFormat::TEXT), StatementKind::RECORD);
        Self { note, content, kind, claims, goes_on: false, damage: 0, time: TIME }
    }

    /// The other network's bundle.
    fn encoded(&self) -> Vec<u8> {
        let key = SoftwareKey::from_seed(Algorithm::Ed25519, &[0x51; 32]).expect("a seed");
        let link = Link {
            kind: self.kind,
            sequence: Sequence(2),
            previous: Digest([2; 32]),
            channel: None,
        };
        let draft = Draft {
            issuer: RECORDER,
            link,
            content: self.content,
            claims: None,
            payload: self.note.as_bytes(),
        };
        let statement = draft.sign(KeyNumber(0), &key).expect("a key in memory signs");
        let id = Statement::parse(&statement).expect("what is made is read").id();
        let record = Leaf::Accepted(&statement).encode_to_vec();
        let last = if self.goes_on { Digest([3; 32]) } else { id.0 };
        let state = recorder(&key, last);
        let state_root = TrieProof::root(&state).expect("a proof has a root");
        let batch = BatchLeaf { height: Height(2), time: self.time, state_root };
        let batch = Leaf::Batch(batch).encode_to_vec();
        let log = View::new(1).and(&merkle::leaf_hash(&record)).and(&merkle::leaf_hash(&batch));
        let paths = [PLACE, LeafIndex(2)].map(|index| concatenated(&log.inclusion(index.0)));
        let proved = |index: LeafIndex, leaf, at: usize| ProvedLeaf {
            index,
            leaf,
            path: Hashes::new(&paths[at]).expect("whole hashes"),
        };
        let genesis = genesis(OTHER);
        let (header, mut certificate) = certified(&genesis, &log, self.time);
        certificate[60] ^= self.damage;
        Bundle {
            version: Bundle::VERSION,
            genesis: &genesis.encode_to_vec(),
            headers: vec![Bytes(&header)],
            certificate: Some(&certificate),
            batch: proved(LeafIndex(2), &batch, 1),
            state: &state,
            leaves: vec![proved(PLACE, &record, 0)],
            claims: self.claims.clone(),
            freshness: None,
            note: None,
            handovers: Handovers::default(),
            anchor: None,
        }
        .encode_to_vec()
    }
}

/// A bundle of the log with what the other network has of it.
fn case(
    name: &str,
    anchor: Option<Wanted>,
    record: Option<&Record>,
    path: &[Digest],
    fails: Option<(&str, &str)>,
) -> Value {
    let record = record.map(Record::encoded);
    let path = concatenated(path);
    let anchor_of = |bundle| Anchor { path: Hashes::new(&path).expect("whole hashes"), bundle };
    let bundle = outer(vec![Claim::Status(one_leaf::THING)], record.as_deref().map(anchor_of));
    Case { seen: None, anchor, bundle }.described(name, fails)
}

fn anchored() -> Vec<Value> {
    let other = genesis(OTHER).network_id();
    let stranger = genesis("third.example/1").network_id();
    let wanted = Wanted { network: other, by: Some(RECORDER), age: None };
    let mut cases = Vec::new();
    for size in [1, 4, 5, 8, 12, 13] {
        let name = format!("its first {size} leaves are recorded");
        let record = Record::of(earlier(size), LOG);
        cases.push(case(&name, Some(wanted), Some(&record), &log().proof(size), None));
    }
    let (five, path) = (Record::of(earlier(5), LOG), log().proof(5));
    let forked = View::forked(LEAVES, 3).beginning(5).tree().root;
    let missing = Some(("anchor", "TM-NOT-ANCHORED"));
    let inconsistent = Some(("anchor", "TM-INCONSISTENT"));
    cases.extend([
        case("whoever recorded it", Some(Wanted { by: None, ..wanted }), Some(&five), &path, None),
        case("nobody asks", None, Some(&five), &path, None),
        case("there is none", Some(wanted), None, &[], missing),
        case(
            "another network is wanted",
            Some(Wanted { network: stranger, by: None, age: None }),
            Some(&five),
            &path,
            missing,
        ),
        case(
            "somebody else is",
            Some(Wanted { by: Some(STRANGER), ..wanted }),
            Some(&five),
            &path,
            missing,
        ),
        case("a hash is missing", Some(wanted), Some(&five), &path[1..], inconsistent),
    ]);
    let wrong: [(&str, Record, _); 10] = [
        ("another history is recorded", Record::of((5, forked), LOG), inconsistent),
        ("more leaves are recorded", Record::of((14, forked), LOG), inconsistent),
        ("another log is recorded", Record::of(earlier(5), OTHER), missing),
        (
            "it is not said to be the last word",
            Record { claims: vec![Claim::Record(PLACE)], ..five.clone() },
            missing,
        ),
        (
            "it is not said to be a record",
            Record { claims: vec![Claim::Latest(PLACE)], ..five.clone() },
            missing,
        ),
        ("it is not the last word", Record { goes_on: true, ..five.clone() }, missing),
        (
            "it is not text",
            Record { content: Content::Inline(ContentFormat::OCTETS), ..five.clone() },
            missing,
        ),
        ("it is no record", Record { kind: StatementKind::UPDATE, ..five.clone() }, missing),
        ("it is no checkpoint", Record { note: "five leaves\n".into(), ..five.clone() }, missing),
        ("the other network did not certify it", Record { damage: 1, ..five.clone() }, missing),
    ];
    for (name, record, fails) in wrong {
        cases.push(case(name, Some(wanted), Some(&record), &path, fails));
    }
    cases.extend(bounded(&five, wanted, &path));
    // Whoever does not ask need not mind.
    let bad = Record { damage: 1, ..five };
    cases.push(case("nobody asks for a wrong one", None, Some(&bad), &path, None));
    cases
}

/// Cases of bounds: how old it may be, and what it must be of.
fn bounded(five: &Record, wanted: Wanted, path: &[Digest]) -> Vec<Value> {
    let missing = Some(("anchor", "TM-NOT-ANCHORED"));
    let mut cases = Vec::new();
    let within = Some(Wanted { age: Some(DAY), ..wanted });
    for (name, before, fails) in
        [("as old as it may be", DAY, None), ("older than it may be", DAY + 1, missing)]
    {
        let record = Record { time: Timestamp(TIME.0 - before), ..five.clone() };
        cases.push(case(name, within, Some(&record), path, fails));
    }
    let record = Record { time: Timestamp(TIME.0 + DAY), ..five.clone() };
    cases.push(case("newer than the log", within, Some(&record), path, None));
    let empty = Record::of((0, merkle::empty_root()), LOG);
    cases.push(case("an empty log is recorded", Some(wanted), Some(&empty), &[], missing));
    let itself = Some(Wanted { network: genesis(LOG).network_id(), ..wanted });
    cases.push(case("the network itself is wanted", itself, Some(five), path, missing));
    // What a reader is shown must be in what was recorded.
    for (name, size, fails) in [
        ("a leaf that is recorded", 13, None),
        ("a leaf that is newer", 12, Some(("anchor", "TM-NOT-COVERED"))),
    ] {
        let record = Record::of(earlier(size), LOG).encoded();
        let path = concatenated(&log().proof(size));
        let anchor = Anchor { path: Hashes::new(&path).expect("whole hashes"), bundle: &record };
        let bundle = outer(vec![Claim::Record(LeafIndex(LEAVES))], Some(anchor));
        cases.push(Case { seen: None, anchor: Some(wanted), bundle }.described(name, fails));
    }
    cases
}

/// The log's own bundle.
fn outer(claims: Vec<Claim>, anchor: Option<Anchor<'_>>) -> Vec<u8> {
    let (genesis, batch, log) = (genesis(LOG), one_leaf::batch_leaf(TIME), log());
    let (header, certificate) = certified(&genesis, &log, TIME);
    let path = concatenated(&log.inclusion(LEAVES));
    let shown = ProvedLeaf {
        index: LeafIndex(LEAVES),
        leaf: &batch,
        path: Hashes::new(&path).expect("whole hashes"),
    };
    let is_claimed = claims.contains(&Claim::Record(LeafIndex(LEAVES)));
    Bundle {
        version: Bundle::VERSION,
        genesis: &genesis.encode_to_vec(),
        headers: vec![Bytes(&header)],
        certificate: Some(&certificate),
        batch: shown,
        state: &one_leaf::state(),
        leaves: is_claimed.then_some(shown).into_iter().collect(),
        claims,
        freshness: None,
        note: None,
        handovers: Handovers::default(),
        anchor,
    }
    .encode_to_vec()
}

/// A header of this log with the engine's certificate.
fn certified(genesis: &Genesis, log: &View, time: Timestamp) -> (Vec<u8>, Vec<u8>) {
    let tree = log.tree();
    let header = codec::encode(&BatchHeader {
        context: &[],
        parent: Digest([5; 32]),
        height: Height(2),
        time,
        epoch: Epoch(0),
        data_root: BatchHeader::data_root(&[]),
        size: tree.size,
        root: tree.root,
        next: FIRST.committee().digest(),
    });
    let certificate = FIRST.certify(genesis.network_id(), &header);
    (header, certificate)
}

/// Trie proof of who records: its key, and its last word.
fn recorder(key: &SoftwareKey, last: Digest) -> Vec<u8> {
    let key = KeyState {
        number: KeyNumber(0),
        key: *key.public_key().cose(),
        purposes: Purposes::ANY,
        weight: 1,
        from: LeafIndex(0),
        to: None,
    };
    let (kind, next_number) = (ThingKind::ORGANISATION, KeyNumber(1));
    let thing = Thing { kind, keys: vec![key], next_number, ..one_leaf::thing() };
    let network = genesis(OTHER).network_id();
    let chain = Chain { sequence: Sequence(2), last, fork: None };
    let head = Head { chain, ..Head::new(network) };
    let entries = [
        (StateKey::thing(RECORDER, EntryKind::THING), codec::encode(&thing)),
        (StateKey::thing(RECORDER, EntryKind::HEAD), codec::encode(&head)),
    ];
    let [(one, _), (two, _)] = &entries;
    let depth = one.first_difference(two).expect("two keys differ");
    let mut state = ProofWriter::default();
    state.branch(depth);
    let (left, right) = if one.bit(depth) { (1, 0) } else { (0, 1) };
    for place in [left, right] {
        let (key, value) = &entries[place];
        state.leaf(key, value);
    }
    state.finish()
}

fn concatenated(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}
