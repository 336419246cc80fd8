//! The roster of an organisation against the directory of the rules: whatever statements come, it
//! takes every leaf that the rules accept, and has what the state has.
//!
//! An input is statements and bare evidence one after the other, each behind its length in two
//! bytes, for a ledger that is empty at first. Signatures are taken as valid.

use crate::admission::{Credulous, Ledger, VECTORS, hex};
use serde_json::Value;
use std::sync::LazyLock;
use touchmark_core::admission::admit;
use touchmark_core::entry::{Accreditation, Attributes};
use touchmark_core::event::Event;
use touchmark_core::roster::Roster;
use touchmark_core::rules::Decision;
use touchmark_core::view::{Read as _, View as _};
use touchmark_wire::ids::{LeafIndex, ThingId};
use touchmark_wire::statement::Statement;

/// The organisation of the vectors: who states the first of them.
static ORGANISATION: LazyLock<ThingId> = LazyLock::new(|| {
    let vectors: Value = serde_json::from_str(VECTORS).expect("vectors are JSON");
    let first = hex(&vectors["accepted"][0]["bytes"]);
    Statement::parse(&first).expect("vectors are statements").protected().kid.thing
});

/// Compares the two after every leaf.
pub fn target(data: &[u8]) {
    let mut ledger = Ledger::empty();
    let network = ledger.network();
    let mut roster = Roster::new(network, *ORGANISATION);
    let mut registered = Vec::new();
    // It must also bear a log that no rules ever saw.
    let mut unchecked = Roster::new(network, *ORGANISATION);
    for (at, bytes) in (0..).zip(frames(data)) {
        let _ = unchecked.take(LeafIndex(at), bytes);
        let Ok(submission) = admit(vec![bytes.to_vec()], &ledger, &Credulous).remove(0) else {
            continue;
        };
        let Decision::Append(effect) = ledger.decide(&submission) else { continue };
        let taken = roster.take(ledger.size, &effect.leaf);
        assert!(taken.is_ok(), "{taken:?}");
        for event in &effect.events {
            if let Event::ThingRegistered { thing, controller: Some(by), .. } = event
                && by == &*ORGANISATION
            {
                registered.push(*thing);
            }
        }
        ledger.append(*effect);
        compare(&roster, &ledger, &registered);
    }
}

fn compare(roster: &Roster, ledger: &Ledger, registered: &[ThingId]) {
    let thing = |id| ledger.thing(id).expect("memory is readable").map(|held| held.copied());
    // What presented itself and merely names the organisation is not the organisation's word.
    let is_its = |id: &&ThingId| thing(**id).is_some_and(|thing| thing.is_registered());
    let expected: Vec<_> = registered.iter().filter(is_its).copied().collect();
    let members: Vec<_> = roster.members().map(|member| member.id).collect();
    assert_eq!(members, expected);
    assert_eq!(roster.head().cloned(), thing(*ORGANISATION));
    for member in roster.members() {
        assert_eq!(Some(member.thing), thing(member.id).as_ref());
        let attributes = ledger.attributes(member.id).expect("memory is readable");
        assert_eq!(member.attributes.unwrap_or(&Attributes::default()), &attributes);
        let word = ledger.accreditation(*ORGANISATION, member.id).expect("memory is readable");
        let word = word.unwrap_or_default();
        assert_eq!(member.accreditation.unwrap_or(&Accreditation::default()), &word);
    }
}

fn frames(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
        let (frame, behind) = behind.split_at(length);
        rest = behind;
        Some(frame)
    })
}
