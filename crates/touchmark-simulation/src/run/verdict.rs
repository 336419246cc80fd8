//! What is seen of a run, and what of it must not be.

use super::{MOVES, PATIENCE, Report, Run};
use crate::healing::VIEWS;
use crate::lead::{self, HANDOVER};
use crate::record::Violation;
use crate::replay;
use std::sync::Arc;
use touchmark_batch::{Batch, Member};
use touchmark_engine::{Finality, Phase, Status};
use touchmark_wire::handover::Tenure;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Height, LeafIndex};
use touchmark_wire::merkle;

impl Run<'_> {
    /// Looks at every honest member's log and health.
    pub(super) fn observe(&mut self, statuses: &[Option<Status>]) {
        let honest = self.honest();
        for member in honest.iter().copied() {
            let disk = self.node(member).disk.clone();
            let (count, shown) = (disk.count(), self.record.shown(member));
            self.record.see(member, count, disk.batches(shown));
            let phase = statuses[usize::from(member.0)].as_ref().map(|status| &status.phase);
            let failed = match phase {
                Some(Phase::Failed(error)) => Some(error.to_string()),
                _ => None,
            };
            self.observe_storage(member, failed);
        }
        let known = |member: &Member| statuses[usize::from(member.0)].as_ref();
        let views = honest.iter().filter_map(known).map(|status| self.views.see(status));
        let view = views.max().unwrap_or_default();
        let term = u64::from(self.plan.change.is_some());
        let votes = |member: &Member| {
            known(member).is_some_and(|status| status.votes && status.term >= term)
        };
        self.votes = honest.into_iter().filter(votes).collect();
        self.observe_healing(view);
    }

    /// A member stops, and says so, when what it writes to fails, and for no other reason.
    fn observe_storage(&mut self, member: Member, stopped: Option<String>) {
        let told = self.node(member).drive.has_told();
        match stopped {
            Some(reason) if self.failing.contains(&member) => {
                self.told.remove(&member);
                self.stopped.insert((member, reason));
            }
            Some(reason) => self.record.violate(Violation::Stopped(member, reason)),
            None if told => {
                let since = *self.told.entry(member).or_insert(self.now);
                if self.now.0 > since.0 + MOVES {
                    self.record.violate(Violation::Unmoved(member));
                }
            }
            None => {}
        }
    }

    fn observe_healing(&mut self, view: u64) {
        let (office, longest) = (self.in_office(), self.record.longest());
        let Some(healing) = &mut self.healing else { return };
        let before = healing.see(view, longest);
        let first = self.record.batches(before).find(|batch| batch.time() > healing.since);
        if let Some(first) = first {
            healing.resume(self.views.of(first));
            if !office.iter().any(|member| self.record.shown(*member) <= before) {
                healing.catch_up(view);
            }
        }
        if healing.is_late(view) {
            self.record.violate(Violation::Stalled(VIEWS));
        }
    }

    /// Whether there is nothing more to see.
    pub(super) fn is_over(&mut self) -> bool {
        let Some(healing) = &self.healing else { return false };
        let waiting = self.now.0 < healing.since.0 + PATIENCE;
        let (resumed, caught_up) = (healing.resumed.is_some(), healing.caught_up.is_some());
        let (office, longest) = (self.in_office(), self.record.longest());
        let settled = caught_up
            && self.issuers.iter().all(|issuer| issuer.pending.is_none())
            && office.iter().all(|member| self.record.shown(*member) == longest)
            && self.honest().iter().all(|member| self.is_complete(*member))
            && office.iter().all(|member| self.votes.contains(member));
        if waiting && !settled {
            return false;
        }
        if !resumed {
            self.record.violate(Violation::Stalled(VIEWS));
        }
        self.look_for_the_missing();
        for pending in self.issuers.iter().filter_map(|issuer| issuer.pending.as_ref()) {
            let unlogged = Violation::Unlogged(merkle::leaf_hash(&pending.bytes));
            self.record.violations.push(unlogged);
        }
        true
    }

    /// Whether a member has what it is to have, but for the last batches.
    fn is_complete(&self, member: Member) -> bool {
        let longest = self.record.longest();
        let last = if self.plan.in_office().contains(&member) {
            longest
        } else {
            // Who left has all up to the end of its term.
            longest.min(HANDOVER.0 as usize + 1)
        };
        self.record.shown(member) + 2 >= last
    }

    fn look_for_the_missing(&mut self) {
        for member in self.honest() {
            if !self.is_complete(member) {
                self.record.violate(Violation::LeftBehind(member));
            }
        }
        let last = self.record.batches(0).last().map(|batch| batch.header().epoch);
        if self.site.next.as_ref().is_some_and(|next| last != Some(next.committee.epoch)) {
            self.record.violate(Violation::Kept);
            return;
        }
        for member in self.in_office() {
            if !self.votes.contains(&member) {
                self.record.violate(Violation::Silent(member));
            }
        }
    }

    /// The place in the log up to which a member has all.
    fn end(&self, member: Member, log: &[Arc<Batch>]) -> LeafIndex {
        let longest = self.record.batches(0).last();
        let last = if self.plan.in_office().contains(&member) { longest } else { log.last() };
        LeafIndex(last.map_or(0, |batch| batch.size().0))
    }

    pub(super) fn report(mut self, trace: &str) -> Report {
        let mut tips = trace.as_bytes().to_vec();
        for member in self.honest() {
            let disk = self.node(member).disk.clone();
            let log = disk.batches(0);
            let end = self.end(member, &log);
            self.record.compare(member, &log, end, &self.forged);
            if let Err(reason) = replay::audit(&self.site, &disk) {
                self.record.violate(Violation::Diverged(member, reason));
            }
            tips.extend(disk.tip().batch.digest().0);
        }
        let healing = self.healing.as_ref();
        Report {
            seed: self.plan.seed,
            trace: Digest::of(&[&tips]).to_string(),
            batches: self.record.longest(),
            acknowledged: self.record.acknowledged(),
            resumed: healing.and_then(|healing| healing.resumed),
            caught_up: healing.and_then(|healing| healing.caught_up),
            duration: self.elapsed(),
            stopped: self.stopped,
            violations: self.record.violations,
        }
    }

    /// Leads a reader to the batch of a height with what a member has.
    pub(super) fn lead(
        &mut self,
        member: Member,
        height: Height,
        proof: Option<Finality>,
    ) -> Result<(), String> {
        let proof = proof.ok_or("there is no certificate")?;
        let first = || Tenure::first(self.site.founders().clone());
        let tenure = self.tenures.get(&member).cloned().unwrap_or_else(first);
        let batch = self.record.batches(height.0 as usize).next().ok_or("nobody has it")?;
        lead::verify(&self.site, &tenure, batch, &proof)?;
        if height == HANDOVER {
            self.tenures.insert(member, lead::follow(&self.site, &proof)?);
        }
        Ok(())
    }
}
