//! The histories of all things, computed again from nothing but the leaves.

use super::Ledger;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::directory::update::Update;
use touchmark_core::evidence::{CardPayload, CardUrl, WrappedEvidence};
use touchmark_core::group::Group;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::ThingId;
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::merkle;
use touchmark_wire::registry::{EvidenceFormat, StatementKind};
use touchmark_wire::statement::Statement;

impl Ledger {
    /// Count and running hash of every thing are those of the leaves by and about it.
    pub(crate) fn check_histories(&self) {
        let mut histories = BTreeMap::<ThingId, (u64, Digest)>::new();
        for (index, leaf) in self.leaves.iter().enumerate() {
            for thing in concerned(leaf) {
                let (count, history) = histories.entry(thing).or_default();
                *count += 1;
                let index = (index as u64).to_be_bytes();
                let leaf_hash = merkle::leaf_hash(leaf);
                let domain = b"touchmark/wire/history/v1";
                *history = Digest::of(&[domain, &history.0, &index, &leaf_hash.0]);
            }
        }
        for (thing, (count, history)) in histories {
            let head = self.head_of(thing);
            assert_eq!((head.count, head.history), (count, history), "history of {thing}");
        }
    }
}

/// Whose history a leaf is in: its issuer's, and with an effect that of everything it is about.
fn concerned(leaf: &[u8]) -> BTreeSet<ThingId> {
    let (effective, bytes) = match Leaf::decode(leaf).unwrap() {
        Leaf::Accepted(statement) => (true, statement),
        Leaf::Denied { statement, .. } | Leaf::Fork { second: statement, .. } => (false, statement),
        Leaf::Evidence(evidence) => return BTreeSet::from([card(&evidence)]),
        Leaf::Sighting { leaf, .. } => match Leaf::decode(leaf).unwrap() {
            Leaf::Evidence(evidence) => return BTreeSet::from([card(&evidence)]),
            Leaf::Accepted(statement) => (true, statement),
            other => panic!("{other:?} in a sighting"),
        },
        Leaf::Batch(_) => return BTreeSet::new(),
    };
    let statement = Statement::parse(bytes).unwrap();
    let issuer = statement.protected().kid.thing;
    let mut things = BTreeSet::from([issuer]);
    if effective {
        about(issuer, statement.protected().link.kind, statement.payload(), &mut things);
    }
    things
}

fn about(actor: ThingId, kind: StatementKind, payload: &[u8], things: &mut BTreeSet<ThingId>) {
    fn read<'b, T: minicbor::Decode<'b, ()> + minicbor::Encode<()>>(payload: &'b [u8]) -> T {
        codec::decode(payload, payload.len()).unwrap()
    }
    match kind {
        StatementKind::INCEPTION => {
            things.insert(actor);
        }
        StatementKind::REGISTER => {
            things.insert(Inception::id_of(payload));
        }
        StatementKind::UPDATE => {
            things.insert(read::<Update>(payload).thing);
        }
        StatementKind::ROTATE => {
            things.insert(read::<Rotation>(payload).thing);
        }
        StatementKind::STATUS => {
            things.insert(read::<SetStatus>(payload).thing);
        }
        StatementKind::ACCREDIT => {
            things.insert(read::<Accredit>(payload).thing);
        }
        StatementKind::EVIDENCE => {
            let wrapped = read::<WrappedEvidence<'_>>(payload);
            let evidence = BareEvidence { format: wrapped.format, bytes: wrapped.bytes };
            things.insert(card(&evidence));
        }
        StatementKind::GROUP => {
            for part in read::<Group>(payload).0 {
                things.insert(part.actor);
                about(part.actor, part.kind, &part.payload, things);
            }
        }
        _ => {}
    }
}

fn card(evidence: &BareEvidence<'_>) -> ThingId {
    match evidence.format {
        EvidenceFormat::CARD_URL => {
            CardUrl::parse(std::str::from_utf8(evidence.bytes).unwrap()).unwrap().thing
        }
        EvidenceFormat::CARD_PAYLOAD => CardPayload::decode(evidence.bytes).unwrap().thing,
        other => panic!("evidence format {other}"),
    }
}
