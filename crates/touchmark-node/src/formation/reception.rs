//! The convener's side: takes records in, shows everyone the agreement, and says when all are
//! ready.

use super::draft::{Convening, Draft, Role, random};
use super::seal::Sealer;
use crate::folder::Site;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use touchmark_wire::codec;
use touchmark_wire::formation::{Agreement, Answer, Refusal, Reply, Request, SignedRecord, Token};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::Timestamp;

/// How long a member counts as ready after it last said so, milliseconds; several times the pause
/// between two requests.
const READY: u64 = 15_000;

/// Collects the members' records, and what they are ready for.
pub struct Reception {
    site: Arc<Site>,
    state: Mutex<State>,
}

struct State {
    draft: Draft,
    /// Members who wait for the others to be ready: their run, and when they last said so.
    ready: BTreeMap<Digest, (Token, Timestamp)>,
    /// The runs that make a key now, and the name of their attempt.
    attempt: Option<(BTreeMap<Digest, Token>, Digest)>,
}

impl Reception {
    pub(super) fn new(site: Arc<Site>, draft: Draft) -> Self {
        Self { site, state: Mutex::new(State { draft, ready: BTreeMap::new(), attempt: None }) }
    }

    /// Answers what arrived from outside.
    pub fn answer(&self, bytes: &[u8], now: Timestamp) -> Vec<u8> {
        codec::encode(&self.reply(bytes, now))
    }

    fn reply(&self, bytes: &[u8], now: Timestamp) -> Reply {
        let unsealed = |refusal| Reply { answer: Answer::Refused { refusal }, seal: None };
        let Ok(request) = Request::decode(bytes) else { return unsealed(Refusal::Malformed) };
        let mut state = self.lock();
        let known = state.convening().issued.iter().find(|it| it.number == request.invitation);
        let sealer = known.map(|issued| Sealer::new(&issued.secret));
        let Some(sealer) = sealer.filter(|sealer| sealer.has_sealed(&request)) else {
            return unsealed(Refusal::Unknown);
        };
        let seal = request.seal;
        let answer = match state.take(&request, now, &self.site) {
            Ok(()) => state.hear(request.record.record.peer, request.run, request.accepted, now),
            Err(refusal) => Answer::Refused { refusal },
        };
        sealer.reply(seal, answer)
    }

    /// Answers the convener itself.
    pub(super) fn answer_own(
        &self,
        run: Token,
        accepted: Option<Digest>,
        now: Timestamp,
    ) -> Answer {
        let mut state = self.lock();
        let me = state.draft.record.record.peer;
        state.hear(me, run, accepted, now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A change is made whole or, if the record cannot be kept, not at all.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn convening(&self) -> &Convening {
        match &self.draft.role {
            Role::Convener(convening) => convening,
            Role::Member(_) => unreachable!("a reception is made of a convener's draft"),
        }
    }

    /// Takes a record in; the same one again is fine.
    fn take(&mut self, request: &Request, now: Timestamp, site: &Site) -> Result<(), Refusal> {
        let (own, convening) = (&self.draft.record.record, self.convening());
        let number = request.invitation;
        let place = convening.issued.iter().position(|issued| issued.number == number);
        let place = place.ok_or(Refusal::Unknown)?;
        let issued = &convening.issued[place];
        match &issued.record {
            Some(known) if *known == request.record => return Ok(()),
            Some(_) => return Err(Refusal::Used),
            None if issued.expires < now => return Err(Refusal::Expired),
            None => {}
        }
        request.record.check(convening.formation).map_err(|_| Refusal::Record)?;
        if convening.is_complete() {
            return Err(Refusal::Full);
        }
        let record = &request.record.record;
        let others = convening.issued.iter().filter_map(|issued| issued.record.as_ref());
        for other in others.map(|other| &other.record).chain([own]) {
            if other.name.eq_ignore_ascii_case(&record.name) {
                return Err(Refusal::Name);
            }
            if other.shares_key(record) {
                return Err(Refusal::Key);
            }
            if other.shares(record) {
                return Err(Refusal::Address);
            }
        }
        // An agreement that nobody could accept is not made.
        let with = convening.agreement(vec![self.draft.record.clone(), request.record.clone()]);
        with.check().map_err(|_| Refusal::Name)?;
        self.keep(place, &request.record, site)
    }

    fn keep(&mut self, place: usize, record: &SignedRecord, site: &Site) -> Result<(), Refusal> {
        let mut draft = self.draft.clone();
        if let Role::Convener(convening) = &mut draft.role {
            convening.issued[place].record = Some(record.clone());
        }
        draft.keep(site).map_err(|error| {
            tracing::error!(%error, "a member's record cannot be kept");
            Refusal::Storage
        })?;
        tracing::info!(name = record.record.name, "a member joined");
        self.draft = draft;
        Ok(())
    }

    /// What a member whose record is taken is told.
    fn hear(
        &mut self,
        member: Digest,
        run: Token,
        accepted: Option<Digest>,
        now: Timestamp,
    ) -> Answer {
        let convening = self.convening();
        if !convening.is_complete() {
            let present = u16::try_from(convening.present()).unwrap_or(u16::MAX);
            return Answer::Waiting { present, of: convening.validators };
        }
        let agreement = self.agreement();
        match accepted {
            None => {}
            Some(digest) if digest == agreement.digest() => {
                return self.ready(member, run, agreement, now);
            }
            Some(_) => return Answer::Refused { refusal: Refusal::Agreement },
        }
        Answer::Agreed { absent: self.absent(&agreement, now), agreement: Box::new(agreement) }
    }

    fn ready(
        &mut self,
        member: Digest,
        run: Token,
        agreement: Agreement,
        now: Timestamp,
    ) -> Answer {
        if let Some((runs, attempt)) = &self.attempt {
            if runs.get(&member) == Some(&run) {
                return Answer::Go { attempt: *attempt };
            }
            // It began anew: what the others make now cannot succeed, and all will be back.
            self.attempt = None;
        }
        self.ready.insert(member, (run, now));
        let absent = self.absent(&agreement, now);
        let name = if absent.is_empty() { random().ok() } else { None };
        let Some(name) = name.map(Digest) else {
            return Answer::Agreed { absent, agreement: Box::new(agreement) };
        };
        let runs = std::mem::take(&mut self.ready);
        let runs = runs.into_iter().map(|(member, (run, _))| (member, run)).collect();
        self.attempt = Some((runs, name));
        Answer::Go { attempt: name }
    }

    /// Places of the members who are not ready now.
    fn absent(&self, agreement: &Agreement, now: Timestamp) -> Vec<u16> {
        let is_ready = |member: &SignedRecord| {
            let last = self.ready.get(&member.record.peer);
            last.is_some_and(|(_, last)| now.0.saturating_sub(last.0) < READY)
        };
        let places = (0_u16..).zip(&agreement.members);
        places.filter(|(_, member)| !is_ready(member)).map(|(place, _)| place).collect()
    }

    fn agreement(&self) -> Agreement {
        let convening = self.convening();
        let others = convening.issued.iter().filter_map(|issued| issued.record.clone());
        convening.agreement(others.chain([self.draft.record.clone()]).collect())
    }
}
