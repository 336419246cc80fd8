//! Gathering the other validators' words.

use super::next_in_office;
use crate::attestation::{AttestationError, Attestor};
use crate::node::{Node, now};
use crate::proof::{ProofError, signed_receipt};
use crate::shown::receipted;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};
use touchmark_engine::Answer;
use touchmark_ledger::StateView as _;
use touchmark_store::Snapshot;
use touchmark_wire::algorithm::{
    PureVerifier, SIGNATURE_LENGTH, SignatureVerifier as _, SignedBytes,
};
use touchmark_wire::bundle::Freshness;
use touchmark_wire::certificate::{Cosignature, Cosigner};
use touchmark_wire::checkpoint::Checkpoint;
use touchmark_wire::genesis::{Committee, Validator};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, LeafIndex, TreeSize};
use touchmark_wire::word::{Question, Word};

/// How long words are waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a checkpoint is begun anew because the others had cosigned a newer one.
const ATTEMPTS: usize = 4;

/// Checked words, by the validators' places in the committee.
type Words<T> = BTreeMap<u16, T>;

/// What this node gathered, and must not gather twice at a time.
#[derive(Default)]
pub(crate) struct Council {
    /// The newest cosigned checkpoint. Validators never cosign an older one, so those who ask for
    /// one take turns.
    note: Mutex<Option<Note>>,
}

/// A checkpoint that a quorum cosigned.
struct Note {
    epoch: Epoch,
    size: TreeSize,
    text: String,
}

impl Note {
    fn is_of(&self, committee: &Committee, size: TreeSize) -> bool {
        self.epoch == committee.epoch && self.size == size
    }
}

/// A state of the log, and who certified it.
pub(crate) struct State<'a> {
    pub(crate) committee: &'a Committee,
    pub(crate) size: TreeSize,
    pub(crate) root: Digest,
}

impl State<'_> {
    /// Validators' signatures over a client's nonce.
    pub(crate) async fn fresh(
        &self,
        node: &Node,
        attestor: &Attestor,
        nonce: &[u8],
    ) -> Result<Words<Vec<u8>>, ProofError> {
        let (size, root) = (self.size, self.root);
        let (place, signature) = attestor.fresh(self.committee, nonce, size, root)?;
        let message = Freshness::message(node.genesis.network_id(), nonce, size, root);
        let check = |validator: &Validator, signed: &[u8]| {
            let signed: &[u8; SIGNATURE_LENGTH] = signed.try_into().ok()?;
            let key = validator.log_key.check().ok()?;
            PureVerifier.verify(&key, &SignedBytes::new([&message[..]]), signed).ok()?;
            Some(signed.to_vec())
        };
        let gathering = self.gathering(node, check);
        let question = Question::Fresh(nonce, size, root);
        Ok(gathering.run(&question, (place, signature.to_vec()), self.threshold()).await)
    }

    /// Lines of the validators who cosigned the checkpoint with this body.
    async fn cosigned(
        &self,
        node: &Node,
        attestor: &Attestor,
        body: &str,
    ) -> Result<Words<String>, ProofError> {
        let (size, root) = (self.size, self.root);
        let line = |validator: &Validator, cosignature: Cosignature| {
            let key = validator.cosigner_key.check().ok()?;
            cosignature.verify(body, &key, &PureVerifier).ok()?;
            Some(Cosigner::new(&validator.name, key).ok()?.line(cosignature).to_string())
        };
        let check = |validator: &Validator, signed: &[u8]| {
            line(validator, Cosignature::from_bytes(signed.try_into().ok()?).ok()?)
        };
        let (place, cosignature) = attestor.cosign(self.committee, size, root, now())?;
        let own = &self.committee.validators[usize::from(place)];
        let own = line(own, cosignature).ok_or(AttestationError::NotValidator)?;
        let gathering = self.gathering(node, check);
        let question = Question::Cosigned(size, root);
        Ok(gathering.run(&question, (place, own), self.threshold()).await)
    }

    const fn gathering<'g, C>(&'g self, node: &'g Node, check: C) -> Gathering<'g, C> {
        Gathering { node, committee: self.committee, without: BTreeSet::new(), check }
    }

    fn threshold(&self) -> usize {
        self.committee.threshold.into()
    }
}

impl Council {
    /// The newest checkpoint with the cosignatures of a quorum, and the log that it is of; with
    /// fewer, if no more are to be had.
    pub(crate) async fn note(
        &self,
        node: &Node,
        attestor: &Attestor,
    ) -> Result<(Arc<Snapshot>, String), ProofError> {
        let limit = Instant::now() + PATIENCE;
        let turn = timeout_at(limit, self.note.lock()).await;
        let mut known = turn.map_err(|_| ProofError::NotCertified)?;
        let mut found = Err(ProofError::NotCertified);
        for _ in 0..ATTEMPTS {
            let snapshot = node.store.snapshot();
            let committee = super::in_office(&snapshot)?;
            let tip = snapshot.tip().batch.clone();
            let (size, root) = (tip.size(), tip.header().root);
            let cosigned = |text: &str| node.witnesses().cosigned(text.to_owned());
            if let Some(known) = known.as_ref().filter(|it| it.is_of(&committee, size)) {
                return Ok((snapshot, cosigned(&known.text)));
            }
            let body = Checkpoint::new(&node.genesis.origin, size, root)
                .map_err(|error| AttestationError::Checkpoint(error.into()))?
                .to_string();
            let state = State { committee: &committee, size, root };
            let lines = match state.cosigned(node, attestor, &body).await {
                // Somebody was shown a newer one meanwhile, which this node has a moment later.
                Err(ProofError::Attestation(AttestationError::Old)) => {
                    newer(node, size, limit).await;
                    continue;
                }
                lines => lines?,
            };
            let text = format!("{body}\n{}", lines.values().cloned().collect::<String>());
            if lines.len() >= state.threshold() {
                let epoch = committee.epoch;
                let note = cosigned(&text);
                *known = Some(Note { epoch, size, text });
                return Ok((snapshot, note));
            }
            found = Ok((snapshot, text));
            newer(node, size, limit).await;
            if Instant::now() >= limit {
                break;
            }
        }
        found
    }
}

/// Waits for a longer log than this, until the limit.
async fn newer(node: &Node, size: TreeSize, limit: Instant) {
    let longer = TreeSize(size.0.saturating_add(1));
    // None came: then the present one is tried again, or given up.
    let _ = timeout_at(limit, node.reach(longer)).await;
}

/// Receipts of a leaf by as many validators as a reader wants; by fewer, if no more are to be had.
pub(crate) async fn receipts(
    node: &Node,
    attestor: &Attestor,
    index: LeafIndex,
) -> Result<Vec<Vec<u8>>, ProofError> {
    let snapshot = node.store.snapshot();
    let committee = next_in_office(&snapshot)?;
    let own = signed_receipt(&snapshot, &committee, attestor, index)?;
    let hash = snapshot.leaf_hash(index)?;
    let check = |validator: &Validator, signed: &[u8]| {
        let included = receipted(signed, &hash, validator)?;
        let is_own = snapshot.root(included.size).is_ok_and(|root| root == included.root);
        (is_own && included.index == index).then(|| signed.to_vec())
    };
    let gathering = Gathering { node, committee: &committee, without: BTreeSet::new(), check };
    let own = (attestor.validator(&committee)?, own);
    let words = gathering.run(&Question::Receipt(index), own, committee.receipts()).await;
    Ok(words.into_values().collect())
}

/// One question to all other validators.
pub(super) struct Gathering<'a, C> {
    pub(super) node: &'a Node,
    pub(super) committee: &'a Committee,
    /// Whose words are passed over, by their places.
    pub(super) without: BTreeSet<u16>,
    /// What a validator's word is worth: nothing, if it is not what it was asked for.
    pub(super) check: C,
}

impl<C> Gathering<'_, C> {
    /// Takes words until there are `enough` with this node's own.
    pub(super) async fn run<T>(
        &self,
        question: &Question<'_>,
        own: (u16, T),
        enough: usize,
    ) -> Words<T>
    where
        C: Fn(&Validator, &[u8]) -> Option<T>,
    {
        let mut words = Words::from([own]);
        let limit = Instant::now() + PATIENCE;
        if words.len() >= enough {
            return words;
        }
        let Some(mut answers) = self.node.ask(question.encode_to_vec()) else { return words };
        while words.len() < enough {
            let Ok(Some(answer)) = timeout_at(limit, answers.next()).await else { break };
            match self.taken(&answer) {
                Some((validator, _)) if self.without.contains(&validator) => {}
                Some((validator, said)) => drop(words.entry(validator).or_insert(said)),
                None => tracing::warn!(by = %answer.by, "its word is not what it was asked for"),
            }
        }
        words
    }

    fn taken<T>(&self, answer: &Answer) -> Option<(u16, T)>
    where
        C: Fn(&Validator, &[u8]) -> Option<T>,
    {
        let (place, validator, signed) = word(self.committee, answer)?;
        Some((place, (self.check)(validator, signed)?))
    }
}

/// Who says what: nobody speaks for another.
fn word<'c, 'a>(
    committee: &'c Committee,
    answer: &'a Answer,
) -> Option<(u16, &'c Validator, &'a [u8])> {
    let Word { validator: place, signed } = Word::decode(&answer.said).ok()?;
    let validator = committee.validators.get(usize::from(place))?;
    (validator.peer.0 == answer.by.0).then_some((place, validator, signed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_engine::PeerKey;
    use touchmark_testkit::committee::Panel;

    #[test]
    fn nobody_speaks_for_another() {
        let committee = Panel { number: 0, validators: &[1, 2, 3, 4] }.committee();
        let answer = |by: usize, validator: u16| Answer {
            by: PeerKey(committee.validators[by].peer.0),
            said: Word { validator, signed: &[7; 64] }.encode_to_vec(),
        };
        let (own, foreign, nobody) = (answer(2, 2), answer(2, 1), answer(2, 4));
        assert_eq!(word(&committee, &own), Some((2, &committee.validators[2], &[7; 64][..])));
        assert_eq!(word(&committee, &foreign), None);
        assert_eq!(word(&committee, &nobody), None);
    }
}
