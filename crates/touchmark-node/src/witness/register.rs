//! This node as a witness of other logs: its key, the logs, and what it cosigned of each last.
//!
//! Key and state are one file, replaced as a whole and synced before a cosignature leaves: a key
//! without its state is nowhere, so nothing that is lost or put back by halves lets it sign a second
//! view. Backups have neither. Commands and the running node take turns by a lock.

use crate::disk::{self, Secrecy};
use crate::verifier::FastVerifier;
use minicbor::{Decode, Encode};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{Algorithm, PublicKey, Signer as _};
use touchmark_wire::certificate::{
    CertificateError, Cosignature, CosignatureTime, Cosigner, NoteKey, NoteKeyKind,
};
use touchmark_wire::checkpoint::{Checkpoint, NoteError, SignedCheckpoint};
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Timestamp, TreeSize};
use touchmark_wire::witness::{Refusal, Submission, Tree, Witnessed};

/// Most logs that are witnessed.
pub const LOGS: usize = 256;
/// Most keys that are trusted for one log.
const KEYS: usize = 4;
/// Longest file, bytes: so many logs with the longest notes that are kept.
const LIMIT: usize = 1 << 20;
/// How long whoever else changes the file is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How far the time of the last cosignature may be ahead of the clock, seconds: beyond that one of
/// the two is wrong, and a time that is once signed can only be waited for.
const AHEAD: u64 = 24 * 3_600;
/// Name of the file in the data folder.
pub(crate) const FILE: &str = "witness.cbor";

/// Why a witness does not cosign, or cannot be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// The node is no witness.
    #[error("this node is no witness")]
    None,
    /// It is one already.
    #[error("this node is a witness already, called {0}")]
    Exists(String),
    /// The request's: it is no submission.
    #[error("{0}")]
    Malformed(#[from] NoteError),
    /// The log's: the checkpoint must not be cosigned.
    #[error("{0}")]
    Refused(Refusal),
    /// The operator's: not a key that notes can have.
    #[error("{0}")]
    Key(#[from] CertificateError),
    /// The operator's: a key that signs no checkpoints as a log.
    #[error("{0} is a witness's key; a log has one of type 0x01")]
    NotLog(String),
    /// The operator's: no log of this origin.
    #[error("no log called {0} is witnessed here")]
    NoLog(String),
    /// The operator's: more logs, or keys of one.
    #[error("a witness has at most {LOGS} logs, each with {KEYS} keys")]
    TooMany,
    /// No new key can be made, or this one does not sign.
    #[error("the key does not work: {0}")]
    Signing(String),
    /// The machine's clock says nothing that a cosignature may say.
    #[error(
        "the clock of this machine is not set, or the last cosignature is more than a day ahead"
    )]
    Clock,
    /// What is to be kept is more than could be read again.
    #[error("a witness cannot keep more than {LIMIT} bytes")]
    Full,
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not what its name says.
    #[error("{path} is damaged: what was cosigned is not known any more")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
}

/// What is kept.
#[derive(Encode, Decode)]
#[cbor(array)]
struct State {
    /// Name of the witness's key.
    #[n(0)]
    name: String,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    seed: [u8; 32],
    #[n(2)]
    logs: Vec<Entry>,
}

/// What is kept of a log. It stays when the log is not witnessed any more: if it ever is again, it
/// goes on from there.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Entry {
    #[n(0)]
    origin: String,
    /// The keys that are trusted for it, as vkeys; none if it is not witnessed.
    #[n(1)]
    keys: Vec<String>,
    #[n(2)]
    size: TreeSize,
    #[n(3)]
    root: Digest,
    /// When it was cosigned last, seconds since 1970-01-01T00:00:00Z; 0 if never.
    #[n(4)]
    time: u64,
    /// What was cosigned last, with the log's lines and ours; empty if nothing was.
    #[n(5)]
    note: String,
}

/// A witness, for whoever looks at it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Its key, as logs and readers are to have it.
    pub vkey: String,
    /// The logs.
    pub logs: Vec<Log>,
}

/// A log that a witness knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// Its unique name.
    pub origin: String,
    /// The keys that are trusted for it; none if it is not witnessed any more.
    pub keys: Vec<String>,
    /// Size of the newest checkpoint that was cosigned, and when, in seconds since
    /// 1970-01-01T00:00:00Z; none if none was.
    pub cosigned: Option<(TreeSize, u64)>,
}

/// The witness in a data folder.
#[derive(Clone, Debug)]
pub struct Register {
    path: PathBuf,
}

impl Register {
    /// The witness in this data folder, if there is one.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// Makes a witness with a new key under this name; returns the vkey.
    pub fn begin(&self, name: &str) -> Result<String, WitnessError> {
        self.make(|_| name.into())
    }

    /// As [`Self::begin`], under a name that says the origin of its own log and the new key, so that
    /// no two nodes of a network have the same.
    pub fn begin_at(&self, origin: &str) -> Result<String, WitnessError> {
        self.make(|key| format!("{origin}/witness-{:.8}", key.digest().to_string()))
    }

    fn make(&self, name: impl FnOnce(&PublicKey) -> String) -> Result<String, WitnessError> {
        let _turn = self.turn()?;
        if let Some(state) = self.read()? {
            return Err(WitnessError::Exists(state.name));
        }
        let key = SoftwareKey::generate(Algorithm::Ed25519).map_err(unusable)?;
        let name = name(key.public_key());
        let vkey = Cosigner::new(&name, key.public_key().clone())?.note_key().to_string();
        self.write(&codec::encode(&State { name, seed: *key.seed(), logs: Vec::new() }))?;
        Ok(vkey)
    }

    /// What there is.
    pub fn witness(&self) -> Result<Witness, WitnessError> {
        let state = self.read()?.ok_or(WitnessError::None)?;
        let vkey = state.cosigner(&state.key()?)?.note_key().to_string();
        let logs = state.logs.into_iter().map(|entry| Log {
            cosigned: (!entry.note.is_empty()).then_some((entry.size, entry.time)),
            origin: entry.origin,
            keys: entry.keys,
        });
        Ok(Witness { vkey, logs: logs.collect() })
    }

    /// Trusts this key for the log of this origin, besides those that are trusted for it.
    pub fn add_log(&self, origin: &str, vkey: &str) -> Result<(), WitnessError> {
        let Tree { size, root } = Tree::empty();
        Checkpoint::new(origin, size, root)?;
        let key = NoteKey::parse(vkey)?;
        if key.kind() != NoteKeyKind::Log {
            return Err(WitnessError::NotLog(key.name().into()));
        }
        let vkey = key.to_string();
        self.change(|state| {
            if let Some(entry) = state.logs.iter_mut().find(|entry| entry.origin == origin) {
                if entry.keys.contains(&vkey) {
                    return Ok(());
                }
                if entry.keys.len() >= KEYS {
                    return Err(WitnessError::TooMany);
                }
                entry.keys.push(vkey);
                return Ok(());
            }
            if state.logs.len() >= LOGS {
                return Err(WitnessError::TooMany);
            }
            let (origin, keys, note) = (origin.into(), vec![vkey], String::new());
            state.logs.push(Entry { origin, keys, size, root, time: 0, note });
            Ok(())
        })
    }

    /// Trusts no key for this log any more. What was cosigned of it stays known, if anything was.
    pub fn remove_log(&self, origin: &str) -> Result<(), WitnessError> {
        self.change(|state| {
            let is_it = |entry: &Entry| entry.origin == origin && !entry.keys.is_empty();
            let place = state.logs.iter().position(is_it);
            let place = place.ok_or_else(|| WitnessError::NoLog(origin.into()))?;
            if state.logs[place].note.is_empty() {
                state.logs.remove(place);
            } else {
                state.logs[place].keys.clear();
            }
            Ok(())
        })
    }

    /// Answers the body of `add-checkpoint`: the lines of the witness. What they cosign is on the
    /// disk when this returns.
    pub fn cosign(&self, body: &[u8], now: Timestamp) -> Result<String, WitnessError> {
        let submission = Submission::parse(body)?;
        self.change(|state| state.cosign(&submission, now))
    }

    /// The newest cosigned checkpoint of the log whose origin has this SHA-256, hexadecimal.
    pub fn checkpoint(&self, origin: &str) -> Result<Option<String>, WitnessError> {
        let logs = self.read()?.map(|state| state.logs).unwrap_or_default();
        let is_it = |entry: &Entry| Digest::of(&[entry.origin.as_bytes()]).to_string() == origin;
        let found = logs.into_iter().find(|entry| is_it(entry) && !entry.note.is_empty());
        Ok(found.map(|entry| entry.note))
    }

    /// Changes the file, if the change succeeds and changes anything; whoever else wants to waits.
    /// The same checkpoint in the same second has the same cosignature, which is kept already.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, WitnessError>,
    ) -> Result<T, WitnessError> {
        // A node that is no witness makes no file because of a request.
        if !self.path.exists() {
            return Err(WitnessError::None);
        }
        let _turn = self.turn()?;
        let mut state = self.read()?.ok_or(WitnessError::None)?;
        let before = codec::encode(&state);
        let changed = change(&mut state)?;
        let after = codec::encode(&state);
        if after == before {
            self.settle()?;
        } else {
            self.write(&after)?;
        }
        Ok(changed)
    }

    fn turn(&self) -> Result<File, WitnessError> {
        let path = self.path.with_extension("lock");
        disk::wait_for_lock(&path, PATIENCE).map_err(|source| WitnessError::File { path, source })
    }

    fn read(&self) -> Result<Option<State>, WitnessError> {
        let path = || self.path.clone();
        match fs::read(&self.path) {
            Ok(bytes) => {
                let read = codec::decode(&bytes, LIMIT);
                read.map(Some).map_err(|_| WitnessError::Damaged { path: path() })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(WitnessError::File { path: path(), source }),
        }
    }

    /// Waits until the file that is there is on the disk: whoever put it there may have been killed
    /// before that.
    fn settle(&self) -> Result<(), WitnessError> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|source| WitnessError::File { path: folder.into(), source })
    }

    fn write(&self, state: &[u8]) -> Result<(), WitnessError> {
        if state.len() > LIMIT {
            return Err(WitnessError::Full);
        }
        disk::replace(&self.path, state, Secrecy::Owner)
            .map_err(|source| WitnessError::File { path: self.path.clone(), source })
    }
}

impl State {
    fn key(&self) -> Result<SoftwareKey, WitnessError> {
        SoftwareKey::from_seed(Algorithm::Ed25519, &self.seed).map_err(unusable)
    }

    fn cosigner(&self, key: &SoftwareKey) -> Result<Cosigner<'_>, WitnessError> {
        Ok(Cosigner::new(&self.name, key.public_key().clone())?)
    }

    /// Decides, and has the result in its place; it counts once that is written.
    fn cosign(
        &mut self,
        submission: &Submission<'_>,
        now: Timestamp,
    ) -> Result<String, WitnessError> {
        let key = self.key()?;
        let note = submission.note();
        let origin = note.checkpoint().origin();
        let unknown = || WitnessError::Refused(Refusal::UnknownLog);
        let is_it = |entry: &Entry| entry.origin == origin && !entry.keys.is_empty();
        let place = self.logs.iter().position(is_it).ok_or_else(unknown)?;
        let entry = &self.logs[place];
        let tree = entry.decide(submission)?;
        // Of two cosignatures the later one never says an earlier time.
        let now = now.0 / 1_000;
        let time = CosignatureTime(now.max(entry.time));
        if now == 0 || entry.time.saturating_sub(now) > AHEAD {
            return Err(WitnessError::Clock);
        }
        let cosignature = Cosignature::sign(note.body(), time, &key).map_err(unusable)?;
        let line = self.cosigner(&key)?.line(cosignature).to_string();
        let own = entry.lines(note)?;
        let entry = &mut self.logs[place];
        (entry.size, entry.root, entry.time) = (tree.size, tree.root, time.0);
        entry.note = format!("{}\n{own}{line}", note.body());
        Ok(line)
    }
}

impl Entry {
    fn keys(&self) -> Result<Vec<NoteKey<'_>>, WitnessError> {
        Ok(self.keys.iter().map(|key| NoteKey::parse(key)).collect::<Result<_, _>>()?)
    }

    fn decide(&self, submission: &Submission<'_>) -> Result<Tree, WitnessError> {
        let newest = Tree { size: self.size, root: self.root };
        let witnessed = Witnessed { origin: &self.origin, keys: &self.keys()?, newest };
        let decided = witnessed.decide(submission, &FastVerifier);
        decided.inspect_err(|refusal| self.tell(submission, refusal)).map_err(WitnessError::Refused)
    }

    /// Two trees of one size that a log signed prove that it has two histories. Other proofs may be
    /// wrong by mistake.
    fn tell(&self, submission: &Submission<'_>, refusal: &Refusal) {
        let Refusal::Inconsistent(_) = refusal else { return };
        let checkpoint = submission.note().checkpoint();
        let (origin, size, root) = (&self.origin, checkpoint.size, checkpoint.root);
        if size == self.size && root != self.root && !self.note.is_empty() {
            let lines = self.lines(submission.note()).unwrap_or_default();
            let note = format!("{}\n{lines}", submission.note().body());
            tracing::warn!(origin, %size, note, cosigned = self.note, "a log signed two trees of one size");
        } else {
            tracing::debug!(origin, %size, %root, cosigned = %self.size, %refusal, "not cosigned");
        }
    }

    /// The log's own lines in a note, one for each trusted key; they were checked.
    fn lines(&self, note: &SignedCheckpoint<'_>) -> Result<String, WitnessError> {
        let keys = self.keys()?;
        let lines = keys.iter().filter_map(|key| key.lines(note).next());
        Ok(lines.map(|line| line.to_string()).collect())
    }
}

fn unusable(error: impl std::fmt::Display) -> WitnessError {
    WitnessError::Signing(error.to_string())
}

#[cfg(test)]
mod tests;
