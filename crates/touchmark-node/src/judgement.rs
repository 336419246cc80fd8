//! What would become of a submission now; nothing is stored.

use crate::keyring::Keyring;
use crate::node::now;
use touchmark_core::admission::{self, Input};
use touchmark_core::refusal::Outcome;
use touchmark_core::rules;
use touchmark_core::view::Position;
use touchmark_store::Snapshot;
use touchmark_wire::ids::{Height, LeafIndex};

/// Decides on a leaf as if it were the next of the log.
pub(crate) fn judge(reader: &Snapshot, verifier: &Keyring, leaf: Input) -> Outcome {
    let admitted = admission::admit(vec![leaf], reader, verifier);
    let height = Height(reader.height().0 + 1);
    let position = Position { leaf: LeafIndex(reader.size().0), height, time: now() };
    let mut admitted = admitted.into_iter();
    match admitted.next().expect("one answer for one input") {
        Err(refusal) => Outcome::Refused(refusal),
        Ok(submission) => match rules::decide(reader, &submission, position) {
            Ok(decision) => decision.into_outcome(),
            Err(unreadable) => Outcome::Refused(unreadable.into()),
        },
    }
}
