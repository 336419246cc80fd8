//! This validator's part in what a committee signs as the log, when another validator asks for it.
//!
//! Nonces are in memory only. Each is of one checkpoint and of the validator that asked for it, and
//! is gone before it is used: after a restart there are none, and none signs twice.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use touchmark_keys::threshold::{Nonces, PART, Share, ThresholdError};
use touchmark_wire::genesis::Committee;
use touchmark_wire::hash::Digest;
use touchmark_wire::word::Commitment;

/// How long the second question may come after the first.
const LIFETIME: Duration = Duration::from_secs(10);
/// Most first questions of one validator that wait for the second.
const WAITING: usize = 4;

/// Shares of note keys, and the nonces that are out.
pub(crate) struct NoteShares {
    shares: Vec<Share>,
    out: Mutex<BTreeMap<Digest, VecDeque<Out>>>,
}

/// Nonces that a validator was told the commitments of.
struct Out {
    since: Instant,
    key: [u8; 32],
    body: String,
    commitment: Commitment,
    nonces: Nonces,
}

impl NoteShares {
    pub(crate) fn new(shares: Vec<Share>) -> Self {
        Self { shares, out: Mutex::default() }
    }

    /// The share of this committee's key, if there is one.
    pub(crate) fn of(&self, committee: &Committee) -> Option<&Share> {
        let key = committee.note_key?.0;
        self.shares.iter().find(|share| share.key() == key)
    }

    /// Commits to new nonces for a checkpoint with this body, for whoever asks.
    pub(super) fn commit(
        &self,
        share: &Share,
        asker: Digest,
        body: &str,
        now: Instant,
    ) -> Result<Commitment, ThresholdError> {
        let (nonces, commitment) = share.commit()?;
        let (body, key) = (body.to_owned(), share.key());
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        forget(&mut out, now);
        let own = out.entry(asker).or_default();
        own.truncate(WAITING - 1);
        own.push_front(Out { since: now, key, body, commitment, nonces });
        Ok(commitment)
    }

    /// The part of the signature of that checkpoint, by those who committed: once.
    pub(super) fn part(
        &self,
        share: &Share,
        asker: Digest,
        (body, by): (&str, &[Commitment]),
        now: Instant,
    ) -> Result<[u8; PART], ThresholdError> {
        let taken = {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            forget(&mut out, now);
            let own = out.get_mut(&asker);
            own.and_then(|own| {
                let at = own.iter().position(|it| by.contains(&it.commitment))?;
                own.remove(at)
            })
        };
        let taken = taken.filter(|it| it.key == share.key() && it.body == body);
        let taken = taken.ok_or(ThresholdError::Commitments)?;
        share.sign(taken.nonces, body.as_bytes(), by)
    }
}

/// Wipes what nobody came back for.
fn forget(out: &mut BTreeMap<Digest, VecDeque<Out>>, now: Instant) {
    out.retain(|_, own| {
        own.retain(|it| now.saturating_duration_since(it.since) < LIFETIME);
        !own.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;
    use touchmark_keys::threshold::Generation;

    const BODY: &str = "log.example/1\n5\nroot\n";
    const ASKER: Digest = Digest([1; 32]);

    fn shares() -> Vec<Share> {
        let begin = |me| Generation::begin(me, 4, 3).unwrap();
        let mut members: Vec<_> = (0..4).map(begin).collect();
        for _ in 0..2 {
            for from in 0..4u16 {
                for to in (0..4).filter(|to| *to != from) {
                    for message in members[usize::from(from)].say(to) {
                        members[usize::from(to)].take(from, &message).unwrap();
                    }
                }
            }
        }
        members.iter().map(|member| member.share().unwrap().clone()).collect()
    }

    /// What one validator has, and what two others committed to.
    fn stage() -> (NoteShares, Share, [Commitment; 2]) {
        let all = shares();
        let others = [&all[1], &all[2]].map(|share| share.commit().unwrap().1);
        (NoteShares::new(vec![all[0].clone()]), all[0].clone(), others)
    }

    #[test]
    fn nonces_sign_once_for_whom_and_what_they_are() {
        let (own, share, others) = stage();
        let now = Instant::now();
        let commit = || own.commit(&share, ASKER, BODY, now).unwrap();
        let part = |asker, body, commitment: Commitment, at| {
            own.part(&share, asker, (body, &[&[commitment][..], &others].concat()), at)
        };
        let refused = Err(ThresholdError::Commitments);
        let first = commit();
        assert!(part(ASKER, BODY, first, now).is_ok());
        assert_eq!(part(ASKER, BODY, first, now), refused, "the same nonces signed twice");
        let second = commit();
        assert_ne!(second, first);
        // Another validator neither uses nor spends them.
        assert_eq!(part(Digest([2; 32]), BODY, second, now), refused);
        assert!(part(ASKER, BODY, second, now).is_ok());
        // Under another checkpoint they are gone.
        let third = commit();
        assert_eq!(part(ASKER, "log.example/1\n6\nroot\n", third, now), refused);
        assert_eq!(part(ASKER, BODY, third, now), refused);
        let old = commit();
        assert_eq!(part(ASKER, BODY, old, now + LIFETIME), refused);
        assert!(own.out.lock().unwrap().is_empty());
        // After a restart there are none.
        let before = commit();
        let again = NoteShares::new(vec![share.clone()]);
        let by = [before, others[0], others[1]];
        assert_eq!(again.part(&share, ASKER, (BODY, &by), now), refused);
    }

    #[test]
    fn nobody_holds_more_than_its_share_of_nonces() {
        let (own, share, others) = stage();
        let now = Instant::now();
        let commit = |asker| own.commit(&share, asker, BODY, now).unwrap();
        let part = |asker, it: Commitment| {
            own.part(&share, asker, (BODY, &[it, others[0], others[1]]), now)
        };
        let patient = commit(Digest([2; 32]));
        let greedy: Vec<_> = (0..=WAITING).map(|_| commit(ASKER)).collect();
        assert!(part(ASKER, greedy[0]).is_err());
        assert!(part(ASKER, greedy[1]).is_ok());
        assert!(part(Digest([2; 32]), patient).is_ok());
    }

    #[test]
    fn of_many_who_use_the_same_nonces_at_once_one_is_answered() {
        let (own, share, others) = stage();
        let own = Arc::new(own);
        let now = Instant::now();
        for _ in 0..20 {
            let commitment = own.commit(&share, ASKER, BODY, now).unwrap();
            let asked = (0..4).map(|_| {
                let (own, share) = (own.clone(), share.clone());
                let by = [commitment, others[0], others[1]];
                thread::spawn(move || own.part(&share, ASKER, (BODY, &by), now).is_ok())
            });
            let asked: Vec<_> = asked.collect();
            let answered = asked.into_iter().map(|it| it.join().unwrap());
            assert_eq!(answered.filter(|is_answered| *is_answered).count(), 1);
        }
    }
}
