//! How many nodes are asked and how many have to say the same, and what that is worth.

use super::AgreementError;

/// How many nodes are asked, and how many of them have to say the same: more than half, so that no
/// two answers are agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    ask: usize,
    equal: usize,
}

impl Policy {
    /// How many are asked where nothing else is said.
    pub const ASK: usize = 12;
    /// How many of them have to say the same where nothing else is said.
    pub const EQUAL: usize = 9;

    /// A policy for a list of `listed` nodes.
    pub fn new(ask: usize, equal: usize, listed: usize) -> Result<Self, AgreementError> {
        let reason = if equal > ask {
            "no more can say the same than are asked".to_owned()
        } else if equal * 2 <= ask {
            "two different answers could both be given so often".to_owned()
        } else if ask > listed {
            format!("the list has {listed} nodes")
        } else {
            return Ok(Self { ask, equal });
        };
        Err(AgreementError::Policy { ask, equal, reason })
    }

    /// All of `listed` nodes, of whom three quarters have to say the same.
    pub const fn whole(listed: usize) -> Self {
        Self { ask: listed, equal: (3 * listed).div_ceil(4) }
    }

    /// How many nodes are asked.
    pub const fn ask(self) -> usize {
        self.ask
    }

    /// How many of them have to say the same.
    pub const fn equal(self) -> usize {
        self.equal
    }

    /// How many of those who are asked may say otherwise, or nothing.
    pub const fn tolerated(self) -> usize {
        self.ask - self.equal
    }

    /// Probability that so many of a list's nodes, which all tell the same lie, are enough among
    /// those who are asked to have it agreed on. They are drawn without being put back, so it is a
    /// hypergeometric tail.
    pub fn deceived(self, listed: usize, lying: usize) -> f64 {
        self.at_least(self.equal, listed, lying)
    }

    /// Probability that so many of a list's nodes are enough among those who are asked to prevent
    /// every agreement but one of their own, if all others answer and say the same.
    pub fn prevented(self, listed: usize, lying: usize) -> f64 {
        self.at_least(self.tolerated() + 1, listed, lying)
    }

    fn at_least(self, count: usize, listed: usize, lying: usize) -> f64 {
        let (lying, asked) = (lying.min(listed), self.ask.min(listed));
        let ways = (count..=asked).map(|n| choose(lying, n) * choose(listed - lying, asked - n));
        ways.sum::<f64>() / choose(listed, asked)
    }
}

/// In how many ways `count` of `all` are chosen.
fn choose(all: usize, count: usize) -> f64 {
    if count > all {
        return 0.0;
    }
    // Lists are short.
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    (0..count).map(|n| number(all - n) / number(n + 1)).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Policy = Policy { ask: Policy::ASK, equal: Policy::EQUAL };

    #[test]
    fn no_two_answers_can_both_be_agreed_on() {
        for (ask, equal, listed, is_fine) in [
            (12, 9, 36, true),
            (12, 9, 12, true),
            (12, 7, 36, true),
            (1, 1, 1, true),
            (12, 6, 36, false),
            (12, 13, 36, false),
            (12, 9, 11, false),
            (0, 0, 36, false),
        ] {
            assert_eq!(Policy::new(ask, equal, listed).is_ok(), is_fine, "{equal} of {ask}");
        }
        assert_eq!(Policy::new(12, 9, 36), Ok(USUAL));
        assert_eq!(USUAL.tolerated(), 3);
    }

    /// The same, counted over all draws of a small list.
    fn counted(policy: Policy, listed: usize, lying: usize, count: usize) -> f64 {
        let draws = (0_u32..1 << listed).filter(|draw| draw.count_ones() as usize == policy.ask);
        let liars = |draw: u32| (draw & ((1 << lying) - 1)).count_ones() as usize;
        let (mut won, mut all) = (0_u32, 0_u32);
        for draw in draws {
            all += 1;
            won += u32::from(liars(draw) >= count);
        }
        f64::from(won) / f64::from(all)
    }

    #[test]
    fn the_chances_are_those_of_all_draws() {
        for (ask, equal) in [(1, 1), (4, 3), (5, 3), (6, 6), (9, 5)] {
            let policy = Policy::new(ask, equal, 12).unwrap();
            for lying in 0..=12 {
                let of = |count| counted(policy, 12, lying, count);
                let (deceived, prevented) = (of(equal), of(policy.tolerated() + 1));
                assert!((policy.deceived(12, lying) - deceived).abs() < 1e-12, "{policy:?}");
                assert!((policy.prevented(12, lying) - prevented).abs() < 1e-12, "{policy:?}");
            }
        }
    }

    #[test]
    fn where_everyone_is_asked_there_is_no_chance() {
        for listed in 1..=64 {
            let policy = Policy::whole(listed);
            assert_eq!(Policy::new(policy.ask(), policy.equal(), listed), Ok(policy));
            for lying in 0..=listed {
                let deceived = f64::from(u8::from(4 * lying >= 3 * listed));
                let prevented = f64::from(u8::from(4 * lying > listed));
                assert!((policy.deceived(listed, lying) - deceived).abs() < 1e-9, "{lying}");
                assert!((policy.prevented(listed, lying) - prevented).abs() < 1e-9, "{lying}");
            }
        }
        assert_eq!((Policy::whole(36).equal(), Policy::whole(36).tolerated()), (27, 9));
    }

    /// As docs/light-clients.md and spec/agreement.md state them.
    #[test]
    fn the_defaults_are_worth_what_the_documents_say() {
        let stated = [
            (6, "0.0e0", "8.0e-2"),
            (9, "2.3e-6", "3.4e-1"),
            (12, "3.7e-4", "6.4e-1"),
            (18, "3.8e-2", "9.6e-1"),
        ];
        for (lying, deceived, prevented) in stated {
            let found = (USUAL.deceived(36, lying), USUAL.prevented(36, lying));
            let found = (format!("{:.1e}", found.0), format!("{:.1e}", found.1));
            assert_eq!(found, (deceived.to_owned(), prevented.to_owned()), "{lying} of 36");
        }
    }
}
