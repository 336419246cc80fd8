//! The plan's events take place.

use super::{Links, Run, SETTLED};
use crate::deviation::Deviating;
use crate::disk::Unsure;
use crate::healing::Healing;
use crate::lie::{Credulous, Liar, Lie};
use crate::plan::{Event, Store};
use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use touchmark_batch::{Application, Member};
use touchmark_core::admission::OneByOne;
use touchmark_engine::Office;
use touchmark_engine::simulation::{Action, Conduct};
use touchmark_wire::ids::{Height, Timestamp};

impl Run<'_> {
    /// Gives what comes with a height its time.
    fn approach(&mut self) {
        let height = Height(self.record.longest().saturating_sub(1) as u64);
        while self.around.front().is_some_and(|(at, ..)| *at <= height) {
            let Some((_, after, event)) = self.around.pop_front() else { break };
            let at = self.elapsed() + after;
            let place = self.events.partition_point(|(other, _)| *other <= at);
            self.events.insert(place, (at, event));
        }
    }

    /// Whether everything is to be mended now.
    fn is_to_heal(&self) -> bool {
        let elapsed = self.elapsed();
        let settled = self.plan.change.is_none() || self.record.longest() as u64 > SETTLED.0;
        let quiet = self.events.is_empty() && self.around.is_empty() && settled;
        self.healing.is_none()
            && elapsed >= self.plan.healing
            && (quiet || elapsed >= self.plan.patience)
    }

    /// The plan's events that are due.
    pub(super) fn happen(&mut self) -> (Vec<Action>, bool) {
        let mut actions = Vec::new();
        let mut cut = false;
        self.approach();
        let elapsed = self.elapsed();
        while let Some((at, _)) = self.events.front()
            && *at <= elapsed
            && !cut
        {
            let Some((_, event)) = self.events.pop_front() else { break };
            cut = event == Event::PowerCut;
            self.take_place(event, &mut actions);
        }
        if !cut && self.is_to_heal() {
            self.heal(&mut actions);
        }
        (actions, cut)
    }

    fn take_place(&mut self, event: Event, actions: &mut Vec<Action>) {
        match event {
            Event::Partition(groups) => {
                self.links = Links { quality: self.plan.quality, groups, set: false };
            }
            Event::Weather(quality) => {
                self.links = Links { quality, groups: Vec::new(), set: false };
            }
            Event::Mended => self.mend(),
            Event::Crash(member) => self.crash(member, actions),
            Event::Restart(member) => {
                self.crash(member, actions);
                self.returning.insert(member, self.now);
            }
            Event::Fault(member, store, fault) => {
                self.failing.insert(member);
                match store {
                    Store::Ledger => self.node(member).disk.fail(fault),
                    Store::Engine => self.node(member).drive.fail(fault),
                }
            }
            Event::PowerCut => {
                for member in self.plan.everyone() {
                    // The engine does it to all at once.
                    self.crash(member, &mut Vec::new());
                    let pause = self.rng.random_range(100..1_500);
                    self.returning.insert(member, Timestamp(self.now.0 + pause));
                }
                self.links.set = false;
            }
        }
    }

    fn mend(&mut self) {
        self.links = Links { quality: self.plan.quality, groups: Vec::new(), set: false };
    }

    fn crash(&mut self, member: Member, actions: &mut Vec<Action>) {
        self.returning.remove(&member);
        let node = &mut self.nodes[usize::from(member.0)];
        if node.ledger.take().is_none() {
            return;
        }
        let unsure = *[Unsure::Kept, Unsure::Lost].choose(&mut self.rng).expect("two");
        node.disk.crash(unsure);
        node.drive.repair();
        self.failing.remove(&member);
        self.told.remove(&member);
        self.parts.crash(&node.disk);
        actions.push(Action::Crash(member));
        // Whoever waits for its answer waits in vain.
        for pending in self.issuers.iter_mut().filter_map(|issuer| issuer.pending.as_mut()) {
            pending.asked.remove(&member);
        }
    }

    fn heal(&mut self, actions: &mut Vec<Action>) {
        self.mend();
        for member in self.plan.everyone() {
            if self.failing.contains(&member) {
                self.crash(member, actions);
            }
            if self.node(member).ledger.is_none() {
                self.returning.insert(member, self.now);
            }
        }
        self.healing = Some(Healing::begun(self.now));
    }

    pub(super) fn link(&mut self, actions: &mut Vec<Action>) {
        if std::mem::replace(&mut self.links.set, true) {
            return;
        }
        let groups = &self.links.groups;
        let apart = |from: &Member, to: &Member| {
            let together = |group: &BTreeSet<_>| group.contains(from) && group.contains(to);
            !groups.is_empty() && !groups.iter().any(together)
        };
        for from in self.plan.everyone() {
            for to in self.plan.everyone().filter(|to| *to != from) {
                let quality = (!apart(&from, &to)).then_some(self.links.quality);
                actions.push(Action::Link { from, to, quality });
            }
        }
    }

    /// Starts who is to come back.
    pub(super) fn revive(&mut self, actions: &mut Vec<Action>) {
        let due: Vec<_> =
            self.returning.iter().filter(|(_, at)| **at <= self.now).map(|(m, _)| *m).collect();
        for member in due {
            self.returning.remove(&member);
            let (application, conduct) = self.role(member);
            let offices = self.offices(member);
            actions.push(Action::Start { member, offices, application, conduct });
        }
    }

    /// The places of a member that starts. Nodes delete their shares of a committee that has handed
    /// over.
    fn offices(&self, member: Member) -> Vec<Office> {
        let offices = self.site.offices[usize::from(member.0)].clone();
        let mut offices = self.parts.offices(member, offices);
        if self.plan.change.is_some() && self.record.shown(member) as u64 > SETTLED.0 {
            offices.retain(|office| office.committee == self.site.last);
        }
        offices
    }

    fn role(&mut self, member: Member) -> (Arc<dyn Application>, Conduct) {
        let (disk, other_disk) =
            (self.node(member).disk.clone(), self.node(member).other_disk.clone());
        let Some(lie) = self.plan.lies.get(&member).cloned() else {
            let ledger = self.site.ledger(disk, self.parts.verifier());
            self.nodes[usize::from(member.0)].ledger = Some(ledger.clone());
            return (self.parts.application(member, ledger), Conduct::Honest);
        };
        let ledger = match lie {
            Lie::Forged => self.site.ledger(disk, Arc::new(Credulous)),
            _ => self.site.ledger(disk, Arc::new(OneByOne)),
        };
        self.nodes[usize::from(member.0)].ledger = Some(ledger.clone());
        let conduct = match &lie {
            Lie::Withholding => Conduct::Withholding,
            Lie::Partial(heard) => Conduct::Partial(heard.clone()),
            Lie::Repeating => Conduct::Repeating,
            Lie::Noisy => Conduct::Noisy,
            Lie::Contradicting => Conduct::Contradicting,
            Lie::Oversized => Conduct::Unbounded(Lie::WIDE),
            Lie::Twins(apart) => {
                let second = self.site.ledger(other_disk, Arc::new(OneByOne));
                let twins = self.plan.lies.iter().filter(|(_, lie)| matches!(lie, Lie::Twins(_)));
                let accomplices = twins.map(|(member, _)| *member).collect();
                let second = Arc::new(Deviating(Liar::new(second, lie.clone())));
                return (ledger, Conduct::Twins { second, apart: apart.clone(), accomplices });
            }
            _ => Conduct::Honest,
        };
        (Arc::new(Deviating(Liar::new(ledger, lie))), conduct)
    }
}
