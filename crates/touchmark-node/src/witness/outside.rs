//! Having outside witnesses cosign this node's checkpoints, in rounds beside its work. Whatever they
//! do, the log goes on.

use super::kept::{Kept, Line, Note, Standing};
use super::list::{List, Outside};
use crate::node::{Node, now};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use touchmark_api::client::{Client, WitnessAnswer};
use touchmark_api::{WitnessView, WitnessesView};
use touchmark_ledger::StateView as _;
use touchmark_store::Snapshot;
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::TreeSize;
use touchmark_wire::witness::submission;

/// Why a log that several own is offered to no outside witness.
pub(crate) const SEVERAL_OWNERS: &str = "the log has several owners: outside witnesses would have to trust one threshold note key \
     (FROST-Ed25519), which this build cannot make; with the key of one validator, that one alone \
     could have a fork cosigned";

/// How long an exchange with a witness may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a witness is asked in a round: it may say another size than the one it was asked with.
const ATTEMPTS: usize = 3;
/// A log that does not grow is cosigned again after so long, seconds.
const RENEWAL: u64 = 3_600;

/// What this node has of outside witnesses.
pub(crate) struct Witnesses {
    folder: PathBuf,
    /// Held during a round; nothing else waits for it.
    round: Mutex<()>,
    known: Mutex<Known>,
}

struct Known {
    kept: Kept,
    named: Vec<Outside>,
    /// Why nobody is asked, if nobody is.
    reason: Option<String>,
}

/// A checkpoint that is to be cosigned.
struct Offer {
    snapshot: std::sync::Arc<Snapshot>,
    size: TreeSize,
    /// The checkpoint with the lines of the log and its validator.
    note: String,
}

/// A cosignature that was checked.
struct Cosigned {
    line: String,
    time: u64,
}

impl Witnesses {
    /// Those of the node with this data folder; nobody is asked yet.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let kept = Kept::read(folder);
        let named = List::in_folder(folder).read().unwrap_or_default();
        let known = Known { kept, named, reason: None };
        Self { folder: folder.into(), round: Mutex::default(), known: Mutex::new(known) }
    }

    /// Asks all that are named, at once, and keeps what they say. May take half a minute.
    pub(crate) fn round(&self, node: &Node) {
        let _turn = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        let named = match List::in_folder(&self.folder).read() {
            Ok(named) => named,
            Err(error) => return self.idle(error.to_string()),
        };
        self.known().named.clone_from(&named);
        let offer = match self.offer(node) {
            Ok(offer) => offer,
            Err(reason) => return self.idle(reason),
        };
        let mut kept = self.known().kept.clone();
        let before = kept.clone();
        kept.retain(|vkey| named.iter().any(|it| it.vkey == vkey));
        let time = now().0 / 1_000;
        let is_due = |standing: &Standing| {
            standing.problem.is_some()
                || standing.size != offer.size
                || time.saturating_sub(standing.time) >= RENEWAL
        };
        let due: Vec<_> = named.iter().map(|it| (it, kept.standing(&it.vkey))).collect();
        let due: Vec<_> = due.into_iter().filter(|(_, standing)| is_due(standing)).collect();
        let answers: Vec<_> = thread::scope(|scope| {
            let ask = |(it, standing): &(&Outside, Standing)| {
                let (it, known, offer) = ((*it).clone(), standing.size, &offer);
                scope.spawn(move || offer.put(&it, known))
            };
            let asked: Vec<_> = due.iter().map(ask).collect();
            asked
                .into_iter()
                .map(|it| it.join().unwrap_or_else(|_| Err("asking it broke off".into())))
                .collect()
        });
        let mut lines = Vec::new();
        for ((outside, standing), answer) in due.into_iter().zip(answers) {
            let standing = noted(outside, standing, &offer, answer, &mut lines);
            kept.standings.retain(|it| it.vkey != standing.vkey);
            kept.standings.push(standing);
        }
        kept.add(Note { size: offer.size, base: offer.note, lines });
        if kept != before
            && let Err(error) = kept.write(&self.folder)
        {
            tracing::warn!(%error, "what outside witnesses say cannot be kept");
        }
        let mut known = self.known();
        known.kept = kept;
        known.reason = None;
    }

    /// What is offered to witnesses now, or why nothing is.
    fn offer(&self, node: &Node) -> Result<Offer, String> {
        let attestor =
            node.attestor().ok_or("this node follows others and signs no checkpoints")?;
        let committee = node.committee().ok_or("the state cannot be read")?;
        if committee.validators.len() > 1 {
            return Err(SEVERAL_OWNERS.into());
        }
        if !attestor.has_note_key() {
            return Err("the log has no note key: start the node anew".into());
        }
        if self.known().named.is_empty() {
            return Err("no outside witness is named".into());
        }
        let tip = node.store.snapshot().tip().batch.clone();
        let note = attestor.checkpoint(&committee, tip.size(), tip.header().root, now());
        let note = note.map_err(|error| error.to_string())?;
        let signed = SignedCheckpoint::parse(note.as_bytes()).map_err(|error| error.to_string())?;
        let (size, root) = (signed.checkpoint().size, signed.checkpoint().root);
        // A later one may have been signed meanwhile; the log as it is then has it.
        let snapshot = node.store.snapshot();
        match snapshot.root(size) {
            Ok(own) if own == root => Ok(Offer { snapshot, size, note }),
            Ok(_) => Err("the log is not what was signed".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Nobody is asked, for this reason.
    fn idle(&self, reason: String) {
        let mut known = self.known();
        if known.reason.as_ref() != Some(&reason) && !known.named.is_empty() {
            tracing::warn!(reason, "no outside witness is asked");
        }
        known.reason = Some(reason);
    }

    /// The newest checkpoint that at least so many witnesses cosigned.
    pub(crate) fn note(&self, witnesses: usize) -> Option<String> {
        self.known().kept.note(witnesses).map(Note::text)
    }

    /// The checkpoint with what outside witnesses have said of it by now.
    pub(crate) fn cosigned(&self, note: String) -> String {
        let lines = SignedCheckpoint::parse(note.as_bytes()).ok().and_then(|signed| {
            let known = self.known();
            let found = known.kept.at(signed.checkpoint().size);
            found.filter(|found| found.base.starts_with(signed.body())).map(Note::witnesses)
        });
        note + &lines.unwrap_or_default()
    }

    /// Why nobody is asked, if nobody is.
    pub(crate) fn reason(&self) -> Option<String> {
        self.known().reason.clone()
    }

    /// How they are doing.
    pub(crate) fn view(&self) -> WitnessesView {
        let known = self.known();
        let items = known.named.iter().map(|it| view(it, known.kept.standing(&it.vkey)));
        WitnessesView { items: items.collect(), reason: known.reason.clone() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // It is replaced as a whole, so also what a panic left is whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A witness for whoever looks at it.
pub(crate) fn view(outside: &Outside, standing: Standing) -> WitnessView {
    let has_cosigned = standing.time > 0;
    WitnessView {
        name: outside.name().into(),
        vkey: outside.vkey.clone(),
        url: outside.url.clone(),
        size: has_cosigned.then_some(standing.size.0),
        time: has_cosigned.then_some(standing.time),
        problem: standing.problem,
    }
}

/// What is known of a witness after it was asked.
fn noted(
    outside: &Outside,
    before: Standing,
    offer: &Offer,
    answer: Result<Cosigned, String>,
    lines: &mut Vec<Line>,
) -> Standing {
    let name = outside.name();
    match answer {
        Ok(Cosigned { line, time }) => {
            if before.problem.is_some() {
                tracing::info!(name, "the outside witness cosigns again");
            }
            lines.push(Line { vkey: outside.vkey.clone(), text: line });
            Standing { size: offer.size, time, problem: None, ..before }
        }
        Err(problem) => {
            if before.problem.as_ref() != Some(&problem) {
                tracing::warn!(name, problem, "an outside witness does not cosign");
            }
            Standing { problem: Some(problem), ..before }
        }
    }
}

impl Offer {
    /// Has a witness cosign it, which is known to have cosigned a log of `known` leaves.
    fn put(&self, outside: &Outside, known: TreeSize) -> Result<Cosigned, String> {
        let client = Client::patient(&outside.url, PATIENCE).map_err(|error| error.to_string())?;
        let mut old = known.min(self.size);
        for _ in 0..ATTEMPTS {
            let proof = self.proof(old).map_err(|error| error.to_string())?;
            match client.add_checkpoint(&submission(old, &proof, &self.note)) {
                Ok(WitnessAnswer::Cosigned(lines)) => return self.checked(outside, &lines),
                Ok(WitnessAnswer::OtherSize(size)) if size > self.size => {
                    return Err(format!(
                        "it has cosigned a log of {size} leaves, and this one has {}: the log was \
                         set back, or there are two",
                        self.size
                    ));
                }
                Ok(WitnessAnswer::OtherSize(size)) => old = size,
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("it names another size each time".into())
    }

    fn proof(&self, old: TreeSize) -> Result<Vec<Digest>, touchmark_store::Error> {
        if old.0 == 0 { Ok(Vec::new()) } else { self.snapshot.consistency_path(old, self.size) }
    }

    /// The witness's own line among those that it answered, if it is right.
    fn checked(&self, outside: &Outside, lines: &str) -> Result<Cosigned, String> {
        let cosigner = outside.cosigner().map_err(|error| error.to_string())?;
        let text = format!("{}{lines}", self.note);
        let note = SignedCheckpoint::parse(text.as_bytes())
            .map_err(|error| format!("its answer is no lines of a note: {error}"))?;
        let time = cosigner
            .verify(&note, &PureVerifier)
            .map_err(|error| format!("its cosignature is none: {error}"))?;
        let line = cosigner.note_key().lines(&note).next();
        match line {
            Some(line) if time.0 > 0 => Ok(Cosigned { line: line.to_string(), time: time.0 }),
            _ => Err("its cosignature has no time".into()),
        }
    }
}
