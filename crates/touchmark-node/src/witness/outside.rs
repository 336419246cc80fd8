//! Having outside witnesses cosign this node's checkpoints, in rounds beside its work. Whatever they
//! do, the log goes on.

use super::kept::{Kept, Line, Note, Standing};
use super::list::{List, Outside};
use crate::foreign::excerpt;
use crate::node::{Node, now};
use crate::word::{State, in_office};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::runtime::Handle;
use touchmark_api::client::{Client, WitnessAnswer};
use touchmark_api::{WitnessView, WitnessesView};
use touchmark_ledger::StateView as _;
use touchmark_store::Snapshot;
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::checkpoint::{NOTE_LIMIT, SignedCheckpoint};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::TreeSize;
use touchmark_wire::witness::submission;

/// Why a log that several own without a note key is offered to no outside witness.
pub(crate) const SEVERAL_OWNERS: &str = "the log has several owners, whose committee was made without a threshold note key \
     (FROST-Ed25519); with the key of one validator, that one alone could have a fork cosigned";

/// How long an exchange with a witness may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a witness is asked in a round: it may say another size than the one it was asked with.
const ATTEMPTS: usize = 3;
/// Most that is kept of a witness's words, characters.
const EXCERPT: usize = 200;
/// A log that does not grow is cosigned again after so long by this machine's clock, seconds.
const RENEWAL: u64 = 3_600;

/// What this node has of outside witnesses.
pub(crate) struct Witnesses {
    folder: PathBuf,
    /// Held during a round; nothing else waits for it.
    round: Mutex<()>,
    /// What the file has; held while it is written.
    written: Mutex<Kept>,
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
    /// Its root, if several have to sign it as the log, and have not yet.
    joint: Option<Digest>,
}

/// A cosignature that was checked.
struct Cosigned {
    line: String,
    time: u64,
}

impl Witnesses {
    /// Those of the node with this data folder, whose log has this state; nobody is asked yet.
    pub(crate) fn in_folder(folder: &Path, origin: &str, log: &Snapshot) -> Self {
        let mut kept = Kept::read(folder);
        let written = Mutex::new(kept.clone());
        kept.check(origin, |size| log.root(size).ok());
        // What is wrong with the list, the first round says.
        let named = List::in_folder(folder).read().unwrap_or_default();
        kept.retain(|vkey| named.iter().any(|it| it.vkey == vkey));
        let known = Mutex::new(Known { kept, named, reason: None });
        Self { folder: folder.into(), round: Mutex::default(), written, known }
    }

    /// Asks all that are named, at once, and keeps what each says as soon as it says it. May take
    /// half a minute.
    pub(crate) fn round(&self, node: &Node) {
        let _turn = self.round.lock().unwrap_or_else(PoisonError::into_inner);
        let named = match List::in_folder(&self.folder).read() {
            Ok(named) => named,
            Err(error) => return self.idle(error.to_string(), true),
        };
        {
            let mut known = self.known();
            known.kept.retain(|vkey| named.iter().any(|it| it.vkey == vkey));
            known.named.clone_from(&named);
        }
        self.write();
        let offer = match self.offer(node) {
            Ok(offer) => offer,
            Err(reason) => return self.idle(reason, !named.is_empty()),
        };
        let due = offer.due(&self.known().kept, named);
        let offer = match offer.signed(node, !due.is_empty()) {
            Ok(offer) => offer,
            Err(reason) => return self.idle(reason, true),
        };
        self.known().reason = None;
        thread::scope(|scope| {
            for (outside, standing) in due {
                let offer = &offer;
                scope.spawn(move || {
                    let answer = offer.put(&outside, standing.size);
                    self.take(&outside, standing, offer, answer);
                });
            }
        });
    }

    /// Keeps and shows what a witness answered.
    fn take(
        &self,
        outside: &Outside,
        before: Standing,
        offer: &Offer,
        answer: Result<Cosigned, String>,
    ) {
        let mut lines = Vec::new();
        let standing = noted(outside, before, offer, answer, &mut lines);
        {
            let kept = &mut self.known().kept;
            kept.standings.retain(|it| it.vkey != standing.vkey);
            kept.standings.push(standing);
            kept.add(Note { size: offer.size, base: offer.note.clone(), lines });
        }
        self.write();
    }

    /// Writes what is known by now, if it is not written.
    fn write(&self) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.known().kept.clone();
        if kept != *written {
            match kept.write(&self.folder) {
                Ok(()) => *written = kept,
                Err(error) => {
                    tracing::warn!(%error, "what outside witnesses say cannot be kept");
                }
            }
        }
    }

    /// What is offered to witnesses now, or why nothing is.
    fn offer(&self, node: &Node) -> Result<Offer, String> {
        let attestor =
            node.attestor().ok_or("this node follows others and signs no checkpoints")?;
        let committee = node.committee().ok_or("the state cannot be read")?;
        let is_one = committee.validators.len() == 1;
        if !is_one && committee.note_key.is_none() {
            return Err(SEVERAL_OWNERS.into());
        }
        if is_one && !attestor.has_note_key() {
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
            Ok(own) if own == root => {
                let joint = (!is_one).then_some(root);
                Ok(Offer { snapshot, size, note, joint })
            }
            Ok(_) => Err("the log is not what was signed".into()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Nobody is asked, for this reason; whoever wanted it otherwise is to be told.
    fn idle(&self, reason: String, is_wrong: bool) {
        let mut known = self.known();
        if is_wrong && known.reason.as_ref() != Some(&reason) {
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
            let seen = seconds();
            Standing { size: offer.size, time, problem: None, seen, ..before }
        }
        Err(problem) => {
            let problem = excerpt(&problem, EXCERPT);
            if before.problem.as_ref() != Some(&problem) {
                tracing::warn!(name, problem, "an outside witness does not cosign");
            }
            Standing { problem: Some(problem), ..before }
        }
    }
}

/// Now, by the clock of this machine, seconds since 1970-01-01T00:00:00Z.
fn seconds() -> u64 {
    now().0 / 1_000
}

impl Offer {
    /// Those who are to be asked, each with what is known of it.
    fn due(&self, kept: &Kept, named: Vec<Outside>) -> Vec<(Outside, Standing)> {
        let (body, time) = (self.body(), seconds());
        let is_due = |(outside, standing): &(Outside, Standing)| {
            standing.problem.is_some()
                || !kept.has(&outside.vkey, self.size, body)
                || time.abs_diff(standing.seen) >= RENEWAL
        };
        let known = named.into_iter().map(|it| {
            let standing = kept.standing(&it.vkey);
            (it, standing)
        });
        known.filter(is_due).collect()
    }

    /// The same, signed as the log, which takes the other owners where there are several and
    /// somebody is to be asked.
    fn signed(self, node: &Node, is_asked: bool) -> Result<Self, String> {
        let Some(root) = self.joint.filter(|_| is_asked) else { return Ok(self) };
        let committee = in_office(&self.snapshot).map_err(|_| "the state cannot be read")?;
        let runtime = Handle::try_current().map_err(|error| error.to_string())?;
        let state = State { committee: &committee, size: self.size, root };
        let line = runtime.block_on(state.signed(node, self.body()));
        let line = line.map_err(|error| error.to_string())?;
        let rest = &self.note[self.body().len() + 1..];
        let note = format!("{}\n{line}{rest}", self.body());
        Ok(Self { note, joint: None, ..self })
    }

    /// What is cosigned.
    fn body(&self) -> &str {
        self.note.find("\n\n").map_or(&self.note, |end| &self.note[..=end])
    }

    /// Has a witness cosign it, which is known to have cosigned a log of `known` leaves.
    fn put(&self, outside: &Outside, known: TreeSize) -> Result<Cosigned, String> {
        let client = Client::patient(&outside.url, PATIENCE).map_err(|error| error.to_string())?;
        let client = client.reading_at_most(NOTE_LIMIT as u64);
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
        // The log's own lines are no witness's.
        let text = format!("{}\n{lines}", self.body());
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
