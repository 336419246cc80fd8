//! Accreditation: anyone vouches for anyone, and takes it back.

use crate::ledger::*;
use touchmark_core::directory::accreditation::Accredit;
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
    assert_eq!((entry.roles, entry.since, entry.withdrawn), (roles, LeafIndex(2), None));
    assert_eq!(ledger.accreditation(thing, by), Ok(None), "not the other way round");

    let withdraw = accredit(thing, &[]);
    assert_eq!(ledger.state((by, 0), ACCREDIT, &withdraw), Seen::Accepted);
    assert_eq!(ledger.last_events(), [Event::AccreditationWithdrawn { by, thing }]);
    let entry = ledger.accreditation(by, thing).unwrap().unwrap();
    assert_eq!((entry.since, entry.withdrawn), (LeafIndex(2), Some(LeafIndex(3))));

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
