//! What issuers say, and what they are told.

use super::{Answer, Run};
use crate::lie::Lie;
use crate::parts::Acknowledged;
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use std::collections::BTreeSet;
use std::sync::PoisonError;
use touchmark_batch::Member;
use touchmark_wire::ids::Timestamp;
use touchmark_wire::merkle;

impl Run<'_> {
    /// Takes what members have answered.
    pub(super) fn listen(&mut self) {
        let answers =
            std::mem::take(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner));
        for Answer { member, issuer, statement, outcome } in answers {
            if self.plan.lies.contains_key(&member) {
                continue;
            }
            let leaf = outcome.leaf();
            if leaf.is_some() {
                self.record.acknowledge(&statement, leaf);
            }
            let issuer = &mut self.issuers[issuer];
            let Some(pending) = &mut issuer.pending else { continue };
            if pending.bytes != statement {
                continue;
            }
            if leaf.is_some() {
                issuer.logged(self.now);
            } else {
                // The member may not know yet what the statement rests on.
                pending.asked.remove(&member);
                pending.since = Timestamp(self.now.0 + 300);
            }
        }
    }

    /// Lets the issuers speak; returns who was given something.
    pub(super) fn speak(&mut self) -> BTreeSet<Member> {
        let mut woken = BTreeSet::new();
        let running: Vec<_> =
            self.plan.everyone().filter(|member| self.node(*member).ledger.is_some()).collect();
        let over = self.healing.is_some();
        let may_appoint = self.plan.change.as_ref().is_some_and(|it| it.at <= self.elapsed());
        for place in 0..self.issuers.len() {
            let other = self.issuers[(place + 1) % self.issuers.len()].id();
            let issuer = &mut self.issuers[place];
            if issuer.pending.is_none() && !over && issuer.due <= self.now {
                match self.appointment.take_if(|_| may_appoint && issuer.is_known()) {
                    Some(appointment) => issuer.appoint(appointment, self.now),
                    None => issuer.speak(other, self.now),
                }
            }
            let now = self.now;
            let Some(pending) = issuer.pending.as_ref().filter(|it| it.is_to_be_given(now)) else {
                continue;
            };
            let statement = pending.bytes.clone();
            // Mostly to one member, now and then to two.
            let count = if self.rng.random_ratio(1, 5) { 2 } else { 1 };
            for member in running.sample(&mut self.rng, count).copied() {
                self.submit(place, &statement, member);
                woken.insert(member);
                if let Some(pending) = &mut self.issuers[place].pending {
                    pending.asked.insert(member);
                    pending.since = self.now;
                }
            }
            if self.parts.acknowledged() == Acknowledged::Taken {
                self.issuers[place].logged(self.now);
            }
        }
        woken.extend(self.forge());
        woken
    }

    fn submit(&mut self, issuer: usize, statement: &[u8], member: Member) {
        let Some(ledger) = self.node(member).ledger.clone() else { return };
        let honest = !self.plan.lies.contains_key(&member);
        if honest && self.parts.acknowledged() == Acknowledged::Taken {
            self.record.acknowledge(statement, None);
        }
        let answers = self.answers.clone();
        ledger.submit(vec![statement.to_vec()], |_| {
            let (answers, statement) = (answers.clone(), statement.to_vec());
            Box::new(move |outcome| {
                let answer = Answer { member, issuer, statement, outcome };
                answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
            })
        });
    }

    /// Now and then whoever takes forged statements is given one.
    fn forge(&mut self) -> Vec<Member> {
        let takers = self.plan.lies.iter().filter(|(_, lie)| **lie == Lie::Forged);
        let takers: Vec<_> = takers.map(|(member, _)| *member).collect();
        let mut woken = Vec::new();
        for taker in takers {
            let Some(ledger) = self.node(taker).ledger.clone() else { continue };
            if !self.rng.random_ratio(1, 8) {
                continue;
            }
            let place = self.rng.random_range(0..self.issuers.len());
            let forged = self.issuers[place].forged();
            self.forged.insert(merkle::leaf_hash(&forged));
            ledger.submit(vec![forged], |_| Box::new(|_| {}));
            woken.push(taker);
        }
        woken
    }
}
