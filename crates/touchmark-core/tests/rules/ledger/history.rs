//! The histories of all things, computed again from nothing but the leaves.

use super::Ledger;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_core::channel::access::Access;
use touchmark_core::channel::opening::Opening;
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::directory::inception::Inception;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::directory::status::SetStatus;
use touchmark_core::directory::update::Update;
use touchmark_core::evidence::{CardPayload, CardUrl, WrappedEvidence};
use touchmark_core::group::Group;
use touchmark_core::view::Read as _;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, ThingId};
use touchmark_wire::leaf::{BareEvidence, Leaf};
use touchmark_wire::merkle;
use touchmark_wire::registry::{EvidenceFormat, StatementKind, Writers};
use touchmark_wire::statement::Statement;

/// What the leaves so far say of things.
#[derive(Default)]
struct Log {
    histories: BTreeMap<ThingId, (u64, Digest)>,
    mentions: BTreeMap<ThingId, (u64, Digest)>,
    controllers: BTreeMap<ThingId, Option<ThingId>>,
    /// Who vouches for whom now.
    words: BTreeSet<(ThingId, ThingId)>,
    /// Evidence that was there before.
    evidence: BTreeSet<Digest>,
    channels: BTreeMap<ChannelId, Channel>,
}

/// What the leaves so far say of a channel.
struct Channel {
    author: ThingId,
    anyone: bool,
    granted: BTreeSet<ThingId>,
    closed: bool,
    history: (u64, Digest),
    mentions: (u64, Digest),
}

impl Channel {
    fn lets_write(&self, thing: ThingId) -> bool {
        !self.closed && (self.anyone || thing == self.author || self.granted.contains(&thing))
    }
}

fn step((count, history): &mut (u64, Digest), index: usize, leaf: &[u8]) {
    *count += 1;
    let (index, leaf_hash) = ((index as u64).to_be_bytes(), merkle::leaf_hash(leaf));
    *history = Digest::of(&[b"touchmark/wire/tally/v1", &history.0, &index, &leaf_hash.0]);
}

impl Ledger {
    /// Count and running hash of every thing are those of the leaves by and about it, and of those
    /// that others made about it.
    pub(crate) fn check_histories(&self) {
        let mut log = Log::default();
        for (index, leaf) in self.leaves.iter().enumerate() {
            let [concerned, mentioned] = log.take(leaf);
            log.take_channel(index, leaf);
            let step = |history: &mut _| step(history, index, leaf);
            for thing in mentioned.difference(&concerned) {
                step(log.mentions.entry(*thing).or_default());
            }
            for thing in concerned {
                step(log.histories.entry(thing).or_default());
            }
        }
        for thing in log.histories.keys().chain(log.mentions.keys()) {
            let head = self.head_of(*thing);
            let of = |all: &BTreeMap<_, _>| all.get(thing).copied().unwrap_or_default();
            assert_eq!(
                (head.history.count, head.history.hash),
                of(&log.histories),
                "history of {thing}"
            );
            assert_eq!(
                (head.mentions.count, head.mentions.hash),
                of(&log.mentions),
                "mentions of {thing}"
            );
        }
        for (id, known) in &log.channels {
            let channel = self.channel(*id).unwrap().unwrap();
            assert_eq!(
                (channel.history.count, channel.history.hash),
                known.history,
                "history of {id}"
            );
            assert_eq!(
                (channel.mentions.count, channel.mentions.hash),
                known.mentions,
                "mentions in {id}"
            );
        }
    }
}

impl Log {
    /// Which channel a leaf is in or about, and how it counts there.
    fn take_channel(&mut self, index: usize, leaf: &[u8]) {
        let leaf_type = Leaf::decode(leaf).unwrap();
        let Some(bytes) = leaf_type.statement() else { return };
        let statement = Statement::parse(bytes).unwrap();
        let (issuer, link) = (statement.protected().kid.thing, statement.protected().link);
        if let Some(id) = link.channel {
            let channel = self.channels.get_mut(&id).unwrap();
            let writes = channel.lets_write(issuer);
            let to = if writes { &mut channel.history } else { &mut channel.mentions };
            return step(to, index, leaf);
        }
        if !matches!(leaf_type, Leaf::Accepted(_)) {
            return;
        }
        let id = match link.kind {
            StatementKind::CHANNEL => {
                let opening: Opening = read(statement.payload());
                let whole = [b"touchmark/wire/channel/v1", &issuer.0[..], statement.payload()];
                let id = ChannelId(*Digest::of(&whole).0.first_chunk().unwrap());
                let channel = Channel {
                    author: issuer,
                    anyone: opening.writers == Writers::ANYONE,
                    granted: BTreeSet::new(),
                    closed: false,
                    history: Default::default(),
                    mentions: Default::default(),
                };
                self.channels.insert(id, channel);
                id
            }
            StatementKind::ACCESS => {
                let Access { channel: id, thing, rights } = read(statement.payload());
                let channel = self.channels.get_mut(&id).unwrap();
                match thing {
                    None => channel.closed = true,
                    Some(thing) if rights.0 == 0 => assert!(channel.granted.remove(&thing)),
                    Some(thing) => assert!(channel.granted.insert(thing)),
                }
                id
            }
            _ => return,
        };
        step(&mut self.channels.get_mut(&id).unwrap().history, index, leaf);
    }

    /// Whose history a leaf is in, and whose mentions: its issuer's history, and with an effect it
    /// is about what it names.
    fn take(&mut self, leaf: &[u8]) -> [BTreeSet<ThingId>; 2] {
        let mut about = [BTreeSet::new(), BTreeSet::new()];
        let (effective, bytes) = match Leaf::decode(leaf).unwrap() {
            Leaf::Accepted(statement) => (true, statement),
            Leaf::Denied { statement, .. } | Leaf::Fork { second: statement, .. } => {
                (false, statement)
            }
            Leaf::Evidence(evidence) => {
                self.evidence.insert(id_of(&evidence));
                about[0].insert(card(&evidence));
                return about;
            }
            Leaf::Sighting { leaf, .. } => match Leaf::decode(leaf).unwrap() {
                Leaf::Evidence(evidence) => {
                    self.evidence.insert(id_of(&evidence));
                    about[1].insert(card(&evidence));
                    return about;
                }
                Leaf::Accepted(statement) => {
                    let statement = Statement::parse(statement).unwrap();
                    let reader = statement.protected().kid.thing;
                    let wrapped: WrappedEvidence<'_> = read(statement.payload());
                    let evidence =
                        BareEvidence { format: wrapped.format, bytes: wrapped.bytes, mark: None };
                    self.evidence.insert(id_of(&evidence));
                    about[0].insert(reader);
                    self.tell(reader, card(&evidence), &mut about);
                    return about;
                }
                other => panic!("{other:?} in a sighting"),
            },
            Leaf::Batch(_) => return about,
        };
        let statement = Statement::parse(bytes).unwrap();
        let issuer = statement.protected().kid.thing;
        about[0].insert(issuer);
        if effective {
            self.about(issuer, statement.protected().link.kind, statement.payload(), &mut about);
        }
        about
    }

    /// Who speaks for a thing: itself, its controller, and whom that vouches for.
    fn tell(&self, by: ThingId, of: ThingId, about: &mut [BTreeSet<ThingId>; 2]) {
        let controller = self.controllers[&of];
        let vouched = controller.is_some_and(|controller| self.words.contains(&(controller, by)));
        let speaks = by == of || controller == Some(by) || vouched;
        about[usize::from(!speaks)].insert(of);
    }

    fn about(
        &mut self,
        actor: ThingId,
        kind: StatementKind,
        payload: &[u8],
        about: &mut [BTreeSet<ThingId>; 2],
    ) {
        match kind {
            StatementKind::INCEPTION | StatementKind::REGISTER => {
                let id = Inception::id_of(payload);
                self.controllers.insert(id, read::<Inception>(payload).controller);
                about[0].insert(id);
            }
            StatementKind::UPDATE => {
                about[0].insert(read::<Update>(payload).thing);
            }
            StatementKind::ROTATE => {
                about[0].insert(read::<Rotation>(payload).thing);
            }
            StatementKind::STATUS => {
                about[0].insert(read::<SetStatus>(payload).thing);
            }
            StatementKind::ACCREDIT => {
                let Accredit { thing, roles } = read(payload);
                self.tell(actor, thing, about);
                if roles.is_empty() {
                    self.words.remove(&(actor, thing));
                } else {
                    self.words.insert((actor, thing));
                }
            }
            StatementKind::ACCESS => {
                if let Access { thing: Some(thing), .. } = read(payload) {
                    self.tell(actor, thing, about);
                }
            }
            StatementKind::EVIDENCE => {
                let wrapped = read::<WrappedEvidence<'_>>(payload);
                let evidence =
                    BareEvidence { format: wrapped.format, bytes: wrapped.bytes, mark: None };
                if self.evidence.insert(id_of(&evidence)) {
                    about[0].insert(card(&evidence));
                } else {
                    self.tell(actor, card(&evidence), about);
                }
            }
            StatementKind::GROUP => {
                for part in read::<Group>(payload).0 {
                    about[0].insert(part.actor);
                    self.about(part.actor, part.kind, &part.payload, about);
                }
            }
            _ => {}
        }
    }
}

fn read<'b, T: minicbor::Decode<'b, ()> + minicbor::Encode<()>>(payload: &'b [u8]) -> T {
    codec::decode(payload, payload.len()).unwrap()
}

fn id_of(evidence: &BareEvidence<'_>) -> Digest {
    touchmark_core::evidence::parse(evidence.format, evidence.bytes).unwrap().id(evidence.format).0
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
