//! Accreditation: anyone vouches for anyone, and takes it back.

use crate::ledger::*;
use proptest::prelude::*;
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::entry::{Accreditation, Period, WordThen};
use touchmark_core::event::Event;
use touchmark_core::view::Read as _;
use touchmark_wire::ids::{LeafIndex, ThingId};
use touchmark_wire::registry::{RefusalCode, StatementKind};

const ACCREDIT: StatementKind = StatementKind::ACCREDIT;

fn pair() -> (Ledger, ThingId, ThingId) {
    let mut ledger = Ledger::new();
    let by = ledger.with(&device(0), 0);
    let thing = ledger.with(&device(1), 1);
    (ledger, by, thing)
}

#[test]
fn a_thing_vouches_and_withdraws() {
    let (mut ledger, by, thing) = pair();
    let roles = vec!["reader".to_string(), "laboratory".to_string()];
    let change = accredit(thing, &["reader", "laboratory"]);
    assert_eq!(ledger.state((by, 0), ACCREDIT, &change), Seen::Accepted);
    assert_eq!(ledger.last_events(), [Event::ThingAccredited { by, thing, roles: roles.clone() }]);
    let entry = ledger.accreditation(by, thing).unwrap().unwrap();
    let period = |to| Period { roles: roles.clone(), from: LeafIndex(2), to };
    assert_eq!(entry.periods, [period(None)]);
    assert_eq!(ledger.accreditation(thing, by), Ok(None), "not the other way round");

    let withdraw = accredit(thing, &[]);
    assert_eq!(ledger.state((by, 0), ACCREDIT, &withdraw), Seen::Accepted);
    assert_eq!(ledger.last_events(), [Event::AccreditationWithdrawn { by, thing }]);
    let entry = ledger.accreditation(by, thing).unwrap().unwrap();
    assert_eq!(entry.periods, [period(Some(LeafIndex(3)))]);

    let twice = ledger.state((by, 0), ACCREDIT, &withdraw);
    assert_eq!(twice, Seen::Denied(RefusalCode::STATUS));
    assert_eq!(ledger.state((by, 0), ACCREDIT, &change), Seen::Accepted);
}

#[test]
fn accreditations_are_denied() {
    let (mut ledger, by, thing) = pair();
    let roles =
        |count: usize, length: usize| Accredit { thing, roles: vec!["r".repeat(length); count] };
    let nobody = ThingId([1; 20]);
    for (name, change, expected) in [
        ("nobody", accredit(nobody, &["reader"]), Seen::Denied(RefusalCode::UNKNOWN_THING)),
        ("what was never said", accredit(thing, &[]), Seen::Denied(RefusalCode::STATUS)),
        ("17 roles", roles(17, 1), Seen::Denied(RefusalCode::LIMIT)),
        ("a long role", roles(1, 65), Seen::Denied(RefusalCode::LIMIT)),
        ("16 long roles", roles(16, 64), Seen::Accepted),
    ] {
        assert_eq!(ledger.state((by, 0), ACCREDIT, &change), expected, "{name}");
    }
    let broken = ledger.next(by, ACCREDIT, vec![0xa0]).signed(0, 0);
    assert_eq!(ledger.see(&broken), Seen::Denied(RefusalCode::PAYLOAD));
}

/// In a group a word can be given and taken back at one leaf: then it held for none.
#[test]
fn a_word_of_one_leaf_leaves_nothing() {
    let (mut ledger, by, thing) = pair();
    let word = |roles: &[&str]| (by, ACCREDIT, encoded(&accredit(thing, roles)));
    let actions = [word(&["reader"]), word(&["laboratory"]), word(&[]), word(&["center"])];
    for (count, roles) in [(3, None), (4, Some("center"))] {
        let mut ledger = ledger.clone();
        let seen = ledger.state((by, 0), StatementKind::GROUP, &group(&actions[..count]));
        assert_eq!(seen, Seen::Accepted);
        let entry = ledger.accreditation(by, thing).unwrap().unwrap();
        assert_eq!(entry.present().map(|word| &word.roles[0][..]), roles);
        assert_eq!(entry.periods.len(), usize::from(roles.is_some()));
        assert_eq!(entry.at(LeafIndex(2)), WordThen::Never);
    }
    let again = ledger.state((by, 0), StatementKind::GROUP, &group(&actions[2..3]));
    assert_eq!(again, Seen::Denied(RefusalCode::STATUS));
}

/// Roles so long that fewer than 16 periods fit into an entry.
#[test]
fn long_roles_are_remembered_for_a_shorter_time() {
    let (mut ledger, by, thing) = pair();
    for turn in 0..Accreditation::PERIODS {
        let roles = (0..16).map(|role| format!("{turn:32}{role:32}")).collect();
        assert_eq!(ledger.state((by, 0), ACCREDIT, &Accredit { thing, roles }), Seen::Accepted);
    }
    let entry = ledger.accreditation(by, thing).unwrap().unwrap();
    assert_eq!(entry.periods.len(), 7);
    assert_eq!(entry.forgotten, Some(entry.periods[0].from));
    assert_eq!(entry.at(entry.periods[0].from), WordThen::Forgotten);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Every position has an answer, and it is right or says that the state does not know.
    #[test]
    fn a_word_of_earlier_is_right_or_forgotten(
        words in prop::collection::vec((0..4usize, 0..2usize), 0..40),
    ) {
        const ROLES: [&[&str]; 4] = [&[], &["reader"], &["laboratory"], &["reader", "center"]];
        let (mut ledger, by, thing) = pair();
        // The roles before each leaf, and whether there was a word before.
        let mut held: Vec<(&[&str], bool)> = vec![(&[], false); ledger.leaves.len() + 1];
        let mut changes = 0;
        for (roles, pause) in words {
            let (now, ever) = *held.last().unwrap();
            let seen = ledger.state((by, 0), ACCREDIT, &accredit(thing, ROLES[roles]));
            let nothing = ROLES[roles].is_empty() && now.is_empty();
            let expected =
                if nothing { Seen::Denied(RefusalCode::STATUS) } else { Seen::Accepted };
            prop_assert_eq!(seen, expected);
            changes += usize::from(!ROLES[roles].is_empty() && ROLES[roles] != now);
            held.push((ROLES[roles], ever || !nothing));
            for _ in 0..pause {
                let record = ledger.record(by, "x").signed(0, 0);
                prop_assert_eq!(ledger.see(&record), Seen::Accepted);
                held.push(*held.last().unwrap());
            }
        }
        let entry = ledger.accreditation(by, thing).unwrap().unwrap_or_default();
        let forgets = changes > Accreditation::PERIODS;
        prop_assert_eq!(entry.forgotten.is_some(), forgets);
        for (position, (roles, ever)) in (0..).zip(&held) {
            match entry.at(LeafIndex(position)) {
                WordThen::Given(period) => prop_assert_eq!(&period.roles[..], *roles),
                WordThen::Withdrawn => prop_assert!(roles.is_empty() && *ever),
                WordThen::Never => prop_assert!(roles.is_empty() && !*ever),
                WordThen::Forgotten => prop_assert!(forgets),
            }
        }
    }
}
