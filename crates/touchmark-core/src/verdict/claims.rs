//! What a bundle claims, on a certified log and state.

mod channel;

use super::foundation::{Foundation, continued, included};
use super::shown::{EvidenceKey, Leaves, Shown, State};
use super::{AsOf, Check, Finding};
use crate::admission::{Check as SignatureCheck, OneByOne, Verifier};
use crate::chain;
use crate::confidence::{self, Confidence};
use crate::entry::{Accreditation, Entry, KeyState, StatusChange, StatusThen, Tally};
use crate::evidence;
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use touchmark_wire::algorithm::{CoseKey, SignedBytes};
use touchmark_wire::bundle::{Bundle, Claim};
use touchmark_wire::ids::{LeafIndex, NetworkId, ThingId};
use touchmark_wire::leaf::Leaf;
use touchmark_wire::registry::{RefusalCode, StatementKind};
use touchmark_wire::state::StateKey;
use touchmark_wire::statement::{Signatures, Statement};
use touchmark_wire::trie::TrieProof;

/// Most things on a way of authority, the lowest included.
pub const LEVELS: usize = 16;

/// A sentence when it holds.
type Judgement = Result<Cow<'static, str>, Finding>;

/// The name of a claim's check.
pub(super) fn name(claim: &Claim) -> Cow<'static, str> {
    match claim {
        Claim::Record(leaf) => format!("record {leaf}").into(),
        Claim::Complete(thing, _) => format!("complete {thing}").into(),
        Claim::Status(thing) => format!("status {thing}").into(),
        Claim::StatusAt(thing, position) => format!("status {thing} at {position}").into(),
        Claim::Absent(thing) => format!("absent {thing}").into(),
        Claim::Latest(leaf) => format!("latest {leaf}").into(),
        Claim::Accredited(by, thing) => format!("accredited {thing} by {by}").into(),
        Claim::Channel(channel) => format!("channel {channel}").into(),
        Claim::CompleteChannel(channel, _) => format!("complete channel {channel}").into(),
        Claim::Writer(channel, thing) => format!("writer {thing} of {channel}").into(),
        Claim::Mentioned(thing, _) => format!("mentioned {thing}").into(),
        Claim::Continues(size, ..) => format!("continues {size}").into(),
    }
}

/// Checks each claim, and the authority over each thing that a claim speaks of; says how far the
/// records can be believed.
pub(super) fn examine(
    bundle: &Bundle<'_>,
    foundation: &Foundation<'_>,
    state: &TrieProof<'_>,
    checks: &mut Vec<Check>,
) -> Vec<(LeafIndex, Confidence)> {
    let mut confidence = Vec::new();
    let (Some(as_of), Some(network)) = (foundation.as_of, foundation.network) else {
        return confidence;
    };
    let (leaves, state) = (Leaves::new(&bundle.leaves), State::new(state));
    let judge = Judge { leaves, network, as_of, state };
    let mut subjects = Vec::new();
    for claim in &bundle.claims {
        let judgement = judge.claim(claim, &mut subjects);
        if let Claim::Record(index) = *claim {
            confidence.extend(judge.confidence(index, &judgement).map(|found| (index, found)));
        }
        checks.push(match judgement {
            Ok(reason) => Check::pass(name(claim), reason),
            Err(finding) => finding.into_check(name(claim)),
        });
    }
    for subject in subjects {
        let name = format!("authority {subject}");
        checks.push(match judge.authority(subject) {
            Ok(reason) => Check::pass(name, reason),
            Err(finding) => finding.into_check(name),
        });
    }
    confidence
}

struct Judge<'a> {
    leaves: Leaves<'a>,
    network: NetworkId,
    as_of: AsOf,
    state: State<'a>,
}

impl Judge<'_> {
    fn claim(&self, claim: &Claim, subjects: &mut Vec<ThingId>) -> Judgement {
        let mut about = |thing: ThingId| {
            if !subjects.contains(&thing) {
                subjects.push(thing);
            }
        };
        match *claim {
            Claim::Record(index) => self.record(index, &mut about),
            Claim::Complete(thing, ref leaves) => {
                about(thing);
                self.complete(thing, leaves)
            }
            Claim::Mentioned(thing, ref leaves) => {
                about(thing);
                self.mentioned(thing, leaves)
            }
            Claim::Status(thing) => {
                about(thing);
                self.status(thing)
            }
            Claim::StatusAt(thing, position) => {
                about(thing);
                self.status_at(thing, position)
            }
            Claim::Absent(thing) => match self.state.thing(thing)? {
                None => Ok(format!("no thing with the id {thing} is registered").into()),
                Some(_) => Err(Finding::fail("TM-EXISTS", format!("{thing} is registered"))),
            },
            Claim::Latest(index) => self.latest(index),
            Claim::Accredited(by, thing) => self.accredited(by, thing),
            Claim::Channel(channel) => self.channel(channel, &mut about),
            Claim::CompleteChannel(channel, ref leaves) => {
                self.complete_channel(channel, leaves, &mut about)
            }
            Claim::Writer(channel, thing) => self.writer(channel, thing, &mut about),
            Claim::Continues(size, root, ref path) => {
                let log = (self.as_of.size, &self.as_of.root);
                continued((size, &root), log, path.iter().copied())?;
                let reason = format!("the log begins with the {size} leaves whose root is {root}");
                Ok(reason.into())
            }
        }
    }

    /// A leaf that is in the log at the place that the bundle says.
    fn included(&self, index: LeafIndex) -> Result<Shown<'_>, Finding> {
        let shown = self.leaves.at(index)?;
        included(shown.proved, &shown.hash, self.as_of.size, &self.as_of.root)?;
        Ok(shown)
    }

    /// How far a record can be believed; nothing where it is not proved to be in the log with its
    /// signatures, or the bundle does not show what the reasons need.
    fn confidence(&self, index: LeafIndex, judgement: &Judgement) -> Option<Confidence> {
        let in_log = match judgement {
            Ok(_) => true,
            Err(finding) => matches!(finding.code, "TM-NO-EFFECT" | "TM-FORK"),
        };
        let shown = self.leaves.at(index).ok().filter(|_| in_log)?;
        confidence::of_leaf(index, shown.proved.leaf, &self.state).ok().flatten()
    }

    fn record(&self, index: LeafIndex, about: &mut dyn FnMut(ThingId)) -> Judgement {
        let proved = self.included(index)?.proved;
        let malformed = |_| Finding::fail("TM-MALFORMED", format!("leaf {index} is malformed"));
        match Leaf::decode(proved.leaf).map_err(malformed)? {
            Leaf::Accepted(bytes) => self.statement(index, bytes, about),
            Leaf::Evidence(bare) => {
                let inner = evidence::parse(bare.format, bare.bytes)
                    .map_err(|refusal| Finding::fail("TM-MALFORMED", refusal.cause))?;
                let card = inner.thing;
                if !self.evidence(&inner, index)?.is_valid_at(index) {
                    let reason = format!("{card} had no key for evidence at leaf {index}");
                    return Err(Finding::fail("TM-KEY-NOT-VALID", reason));
                }
                about(card);
                Ok(format!("leaf {index} is evidence signed by {card}").into())
            }
            Leaf::Denied { code, .. } | Leaf::Sighting { code, .. } => {
                let code = RefusalCode(code);
                let reason = format!("leaf {index} is in the log without effect ({code})");
                Err(Finding::fail("TM-NO-EFFECT", reason))
            }
            Leaf::Fork { first, .. } => {
                let reason = format!("leaf {index} proves that a chain forked at leaf {first}");
                Err(Finding::fail("TM-FORK", reason))
            }
            Leaf::Batch(_) => Ok(format!("leaf {index} is a batch leaf").into()),
        }
    }

    fn statement(
        &self,
        index: LeafIndex,
        bytes: &[u8],
        about: &mut dyn FnMut(ThingId),
    ) -> Judgement {
        let statement = Statement::parse(bytes)
            .map_err(|error| Finding::fail("TM-MALFORMED", format!("leaf {index}: {error}")))?;
        let protected = statement.protected();
        let issuer = protected.kid.thing;
        if protected.claims.is_some_and(|claims| !chain::is_of(&claims, &self.network)) {
            let reason = format!("the claims of leaf {index} name a thing of another network");
            return Err(Finding::fail("TM-WRONG-NETWORK", reason));
        }
        match statement.signatures() {
            Signatures::One(signature) => {
                let number = protected.kid.key.unwrap_or_default();
                let key = self.state.key_at(issuer, number, index)?;
                verify(&key.key, statement.sig_structure().signed_bytes(), signature)?;
            }
            Signatures::Many(many) => {
                for signer in many.iter() {
                    let (thing, number) =
                        (signer.kid().thing, signer.kid().key.unwrap_or_default());
                    let key = self.state.key_at(thing, number, index)?;
                    let structure = statement.sig_structure_of(&signer);
                    verify(&key.key, structure.signed_bytes(), signer.signature())?;
                }
            }
        }
        about(issuer);
        // Without the chain's head nothing would be said of a fork.
        let channel = protected.link.channel;
        if let Some(fork) = self.state.fork_of(issuer, channel)? {
            let reason = format!("the chain of {issuer} was forked (leaf {})", fork.leaf);
            return Err(Finding::unknown("TM-FORK", reason));
        }
        if protected.link.kind == StatementKind::EVIDENCE {
            return self.wrapped(index, statement.payload(), issuer, about);
        }
        let (kind, place) = (protected.link.kind, protected.link.sequence);
        let there = channel.map(|channel| format!(" in channel {channel}")).unwrap_or_default();
        let signed = "signed by a key valid there";
        Ok(format!("leaf {index} is {kind} {place} of {issuer}{there}, {signed}").into())
    }

    fn wrapped(
        &self,
        index: LeafIndex,
        payload: &[u8],
        reader: ThingId,
        about: &mut dyn FnMut(ThingId),
    ) -> Judgement {
        let malformed = || Finding::fail("TM-MALFORMED", "the wrapped evidence is malformed");
        let limit = touchmark_wire::limits::STATEMENT;
        let wrapped: evidence::WrappedEvidence<'_> =
            touchmark_wire::codec::decode(payload, limit).map_err(|_| malformed())?;
        let inner = evidence::parse(wrapped.format, wrapped.bytes).map_err(|_| malformed())?;
        let card = inner.thing;
        let key = self.evidence(&inner, index)?;
        about(card);
        let ended = if key.is_valid_at(index) { "" } else { "; its key had ended, so it is older" };
        Ok(format!("leaf {index} is evidence signed by {card}, read by {reader}{ended}").into())
    }

    /// Verifies evidence; returns the key that signed it. Under a key that may not be the right one
    /// nothing is called forged.
    fn evidence(&self, inner: &evidence::Inner, index: LeafIndex) -> Result<KeyState, Finding> {
        let EvidenceKey { key, is_sure } = self.state.evidence_key(inner.thing, index)?;
        match verify(&key.key, SignedBytes::new([&inner.message[..]]), &inner.signature) {
            Ok(()) => Ok(key),
            Err(forged) if is_sure => Err(forged),
            Err(_) => Err(EvidenceKey::not_shown(inner.thing, index)),
        }
    }

    fn complete(&self, id: ThingId, leaves: &[LeafIndex]) -> Judgement {
        let head = self.state.head(id)?;
        let count = leaves.len();
        if self.is_list(leaves, &head.history)? {
            let all = format!("these {count} leaves are the whole history of {id}");
            let apart = match head.mentions.count {
                0 => String::new(),
                mentions => format!("; {mentions} more, of others, mention it"),
            };
            Ok((all + &apart).into())
        } else {
            let all = head.history.count;
            let reason =
                format!("of {all} leaves in the history of {id}, {count} are shown, or altered");
            Err(Finding::fail("TM-INCOMPLETE", reason))
        }
    }

    fn mentioned(&self, id: ThingId, leaves: &[LeafIndex]) -> Judgement {
        let head = self.state.head(id)?;
        let count = leaves.len();
        if self.is_list(leaves, &head.mentions)? {
            Ok(format!("these {count} leaves are all in which others mention {id}").into())
        } else {
            let all = head.mentions.count;
            let reason = format!("of {all} mentions of {id}, {count} are shown, or altered");
            Err(Finding::fail("TM-INCOMPLETE", reason))
        }
    }

    /// Whether the leaves have this tally: the validators certified it when they ran the rules, and
    /// no other list of leaves has it.
    fn is_list(&self, leaves: &[LeafIndex], certified: &Tally) -> Result<bool, Finding> {
        if leaves.len() as u64 != certified.count {
            return Ok(false);
        }
        let mut shown = Tally::default();
        for index in leaves {
            shown.extend(*index, &self.leaves.at(*index)?.hash);
        }
        Ok(shown == *certified)
    }

    fn status(&self, id: ThingId) -> Judgement {
        let thing = self.state.registered(id)?;
        let status = thing.status();
        let keys = thing.keys.len();
        let since = thing.statuses.last().map_or(thing.created, |change| change.at);
        Ok(format!("{id} is {status} since leaf {since}, valid keys: {keys}").into())
    }

    fn status_at(&self, id: ThingId, position: LeafIndex) -> Judgement {
        let thing = self.state.registered(id)?;
        let size = self.as_of.size;
        if position.0 >= size.0 {
            let reason = format!("the certified log ends before leaf {position}, at size {size}");
            return Err(Finding::unknown("TM-NOT-COVERED", reason));
        }
        match thing.status_at(position) {
            StatusThen::Known(StatusChange { status, at, .. }) => {
                Ok(format!("{id} was {status} at leaf {position}, since leaf {at}").into())
            }
            StatusThen::NotRegistered => {
                Err(Finding::fail("TM-UNKNOWN-THING", format!("{id} did not exist there")))
            }
            StatusThen::Forgotten => {
                let reason = format!(
                    "the state no longer remembers the status of {id} at leaf {position}; its \
                     complete history tells"
                );
                Err(Finding::unknown("TM-STATUS-FORGOTTEN", reason))
            }
        }
    }

    fn latest(&self, index: LeafIndex) -> Judgement {
        let proved = self.included(index)?.proved;
        let statement = Leaf::decode(proved.leaf).ok().and_then(|leaf| leaf.statement());
        let statement =
            statement.and_then(|bytes| Statement::parse(bytes).ok()).ok_or_else(|| {
                Finding::fail("TM-MALFORMED", format!("leaf {index} is no statement"))
            })?;
        let (issuer, channel) =
            (statement.protected().kid.thing, statement.protected().link.channel);
        if self.state.last_of(issuer, channel)? == statement.id().0 {
            let there = channel.map(|channel| format!(" in channel {channel}")).unwrap_or_default();
            Ok(format!("leaf {index} is the last statement of {issuer}{there}").into())
        } else {
            let reason = format!("{issuer} has made later statements than leaf {index}");
            Err(Finding::fail("TM-NOT-LATEST", reason))
        }
    }

    fn accredited(&self, by: ThingId, thing: ThingId) -> Judgement {
        let entry = match self.state.entry(&StateKey::accreditation(by, thing))?.as_deref() {
            Some(Entry::Accreditation(entry)) => entry.clone(),
            _ => Accreditation::default(),
        };
        let Some(word) = entry.present() else {
            let never = entry == Accreditation::default();
            let no = if never { "does not vouch" } else { "no longer vouches" };
            return Err(Finding::fail("TM-NOT-ACCREDITED", format!("{by} {no} for {thing}")));
        };
        let (roles, from) = (word.roles.join(", "), word.from);
        Ok(format!("{by} vouches for {thing} as {roles}, since leaf {from}").into())
    }

    /// Walks from a thing to the one that nobody controls, or whose controller is its own word only.
    fn authority(&self, id: ThingId) -> Judgement {
        let mut above = id;
        let mut names = Vec::new();
        loop {
            let thing = self.state.registered(above)?;
            names.push(format!("{above} ({})", thing.kind));
            match thing.controller {
                Some(controller) if thing.confirmed.is_none() => {
                    let names = names.join(" under ");
                    let claim = "as its controller, which has not confirmed that";
                    return Ok(format!("{names}; {above} names {controller} {claim}").into());
                }
                Some(controller) if names.len() < LEVELS => above = controller,
                Some(_) => {
                    let reason = format!("{id} has more than {LEVELS} controllers above it");
                    return Err(Finding::fail("TM-NOT-AUTHORISED", reason));
                }
                None => return Ok(names.join(" under ").into()),
            }
        }
    }
}

fn verify(key: &CoseKey, message: SignedBytes<'_>, signature: &[u8]) -> Result<(), Finding> {
    let check = SignatureCheck { key, message, signature };
    if OneByOne.verify(&[check]) == [true] {
        Ok(())
    } else {
        Err(Finding::fail("TM-SIGNATURE", "a signature does not verify"))
    }
}

#[cfg(test)]
mod tests;
