//! An identity on the disk: its keys, where its chain stands, and what waits to be delivered.
//!
//! ```text
//! identities/NAME/identity.json           the state; the identity exists once this does
//! identities/NAME/keys/DIGEST.key         a key file for each key, present and next
//! identities/NAME/outbox/                 signed statements that may not have arrived
//! identities/NAME/lock                    held while a command uses the identity
//! ```
//!
//! A statement is on the disk before it is sent, and the state moves on after the answer: however
//! a command ends, the next one sends the same bytes again and never signs a place twice.

use super::chains::{Place, Standing};
use super::commitment;
use crate::cli::failure::{Failure, Fault};
use crate::disk::{self, Secrecy};
use crate::outbox::{Outbox, OutboxError};
use crate::suggestion;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use touchmark_api::Base64;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::rotation::Rotation;
use touchmark_keys::file::KeyFile;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, KeyNumber, Sequence, StatementId, ThingId};
use touchmark_wire::limits;
use touchmark_wire::registry::StatementKind;
use touchmark_wire::statement::Statement;

/// Version of the state's form.
const VERSION: u8 = 1;

/// What is known of an identity between commands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    version: u8,
    /// Thing id.
    pub(crate) thing: String,
    /// Network id, hexadecimal.
    pub(crate) network: String,
    /// Kind of thing.
    pub(crate) kind: String,
    /// Sum of weights that a statement needs.
    pub(crate) threshold: u16,
    /// The valid keys.
    pub(crate) keys: Vec<Held>,
    /// The next key's number.
    pub(crate) next_number: u32,
    /// Commitments to the keys that come next (pre-rotation), hexadecimal.
    pub(crate) next_keys: Vec<String>,
    /// Place of the last statement that arrived; 0 before the first.
    pub(crate) sequence: u32,
    /// Its id, or the network id before the first, hexadecimal.
    pub(crate) last: String,
    /// Its chains in channels, by channel id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) channels: BTreeMap<String, Standing>,
}

/// A key of an identity.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Held {
    /// Its number.
    pub(crate) number: u32,
    /// The COSE_Key.
    pub(crate) key: Base64,
    /// What it may be used for.
    pub(crate) purposes: u8,
    /// What its signature counts.
    pub(crate) weight: u16,
}

impl State {
    /// Of a thing that nobody knows yet.
    pub(crate) fn new(thing: ThingId, network: Digest, kind: String, threshold: u16) -> Self {
        Self {
            version: VERSION,
            thing: thing.to_string(),
            network: network.to_string(),
            kind,
            threshold,
            keys: Vec::new(),
            next_number: 0,
            next_keys: Vec::new(),
            sequence: 0,
            last: network.to_string(),
            channels: BTreeMap::new(),
        }
    }

    /// Gives it keys, numbered on.
    pub(crate) fn add_keys(&mut self, keys: &[NewKey]) {
        for new in keys {
            self.keys.push(Held {
                number: self.next_number,
                key: Base64(codec::encode(&new.key)),
                purposes: new.purposes.0,
                weight: new.weight,
            });
            self.next_number += 1;
        }
    }

    /// Takes a statement into the chain; `accepted` says whether it has its effect.
    fn advance(&mut self, statement: &Statement<'_>, accepted: bool) {
        let link = statement.protected().link;
        self.reach(link.channel, link.sequence.0, &statement.id().to_string());
        if !accepted || link.kind != StatementKind::ROTATE {
            return;
        }
        let rotation: Result<Rotation, _> = codec::decode(statement.payload(), limits::STATEMENT);
        let Some(rotation) = rotation.ok().filter(|it| it.thing.to_string() == self.thing) else {
            return;
        };
        self.keys.retain(|held| !rotation.close.contains(&KeyNumber(held.number)));
        self.add_keys(&rotation.add);
        self.next_keys = commitment::remembered(rotation.next.as_ref());
        self.threshold = rotation.threshold.unwrap_or(self.threshold);
    }
}

/// An identity that this command alone uses.
#[derive(Debug)]
pub(crate) struct Identity {
    folder: PathBuf,
    /// Its name here.
    pub(crate) name: String,
    /// What is known of it.
    pub(crate) state: State,
    outbox: Outbox,
    _lock: File,
}

impl Identity {
    /// Opens and locks an identity.
    pub(crate) fn open(home: &Path, name: &str) -> Result<Self, Failure> {
        let folder = identities(home).join(name);
        if !is_name(name) || !folder.join("identity.json").is_file() {
            return Err(unknown(home, name));
        }
        let lock = lock(&folder, name)?;
        let state = read_state(&folder)?;
        let outbox = Outbox::open(&folder.join(OUTBOX), Outbox::LIMIT)?;
        let mut identity = Self { folder, name: name.into(), state, outbox, _lock: lock };
        identity.drop_arrived()?;
        Ok(identity)
    }

    /// Opens an identity and forgets what waits. An outbox that is damaged is put aside whole; says
    /// where.
    pub(crate) fn open_discarding(
        home: &Path,
        name: &str,
    ) -> Result<(Self, Option<PathBuf>), Failure> {
        let folder = identities(home).join(name);
        let is_damaged = is_name(name)
            && matches!(Outbox::peek(&folder.join(OUTBOX)), Err(OutboxError::Damaged { .. }));
        let aside = if is_damaged {
            let _lock = lock(&folder, name)?;
            Some(Outbox::put_aside(&folder.join(OUTBOX))?)
        } else {
            None
        };
        let mut identity = Self::open(home, name)?;
        identity.discard()?;
        Ok((identity, aside))
    }

    /// Makes an identity: its first statement is put into the outbox, then it exists.
    ///
    /// `keys` are written before; what an interrupted attempt left behind is cleared away.
    pub(crate) fn create(
        home: &Path,
        name: &str,
        keys: &[KeyFile],
        state: State,
        inception: &[u8],
    ) -> Result<Self, Failure> {
        let mut identity = Self::begin(home, name, keys, state)?;
        identity.keep(inception)?;
        identity.save()?;
        Ok(identity)
    }

    /// Makes an identity that its controller presents; its own chain is empty.
    pub(crate) fn enrol(
        home: &Path,
        name: &str,
        keys: &[KeyFile],
        state: State,
    ) -> Result<Self, Failure> {
        let identity = Self::begin(home, name, keys, state)?;
        identity.save()?;
        Ok(identity)
    }

    /// Folder, lock, outbox and keys of an identity that is not there before its state is saved.
    fn begin(home: &Path, name: &str, keys: &[KeyFile], state: State) -> Result<Self, Failure> {
        let folder = Self::reserve(home, name)?;
        let lock = lock(&folder, name)?;
        let stored = |path: &Path| {
            let path = path.to_path_buf();
            move |error| Failure::storage(&path, &error)
        };
        for sub in [OUTBOX, "keys"] {
            let sub = folder.join(sub);
            if sub.exists() {
                std::fs::remove_dir_all(&sub).map_err(stored(&sub))?;
            }
            disk::make_folder(&sub).map_err(stored(&sub))?;
        }
        let outbox = Outbox::open(&folder.join(OUTBOX), Outbox::LIMIT)?;
        let identity = Self { folder, name: name.into(), state, outbox, _lock: lock };
        keys.iter().try_for_each(|key| identity.add_key_file(key))?;
        Ok(identity)
    }

    /// Makes the folder of a new identity, unless the name is taken.
    pub(crate) fn reserve(home: &Path, name: &str) -> Result<PathBuf, Failure> {
        if !is_name(name) {
            return Err(Failure::new(Fault::Usage, format!("`{name}` cannot be an identity's name"))
                .because("a name has 1 to 64 letters, digits, dots, hyphens and underscores, a letter or digit first")
                .hint("choose another name"));
        }
        let folder = identities(home).join(name);
        if folder.join("identity.json").exists() {
            return Err(Failure::new(
                Fault::Exists,
                format!("there is an identity `{name}` already"),
            )
            .hint(format!(
                "choose another name; `touchmark identity show {name}` shows this one"
            )));
        }
        disk::make_folder(&folder).map_err(|error| Failure::storage(&folder, &error))?;
        Ok(folder)
    }

    /// Where it is kept.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The thing it is.
    pub(crate) fn thing(&self) -> Result<ThingId, Failure> {
        self.state.thing.parse().map_err(|_| damaged(&self.folder))
    }

    /// Where the next statement of a chain stands: behind what waits, or behind what arrived last.
    pub(crate) fn tip(&self, channel: Option<ChannelId>) -> Result<Tip, Failure> {
        for bytes in self.outbox.waiting().rev() {
            let place = Place::of(bytes).ok_or_else(|| damaged(&self.folder))?;
            if place.channel == channel {
                let sequence = Sequence(place.sequence.0 + 1);
                return Ok(Tip { sequence, previous: place.id.0 });
            }
        }
        let (sequence, last) = self.state.reached(channel);
        let last: StatementId = last.parse().map_err(|_| damaged(&self.folder))?;
        Ok(Tip { sequence: Sequence(sequence + 1), previous: last.0 })
    }

    /// The key file of a public key.
    pub(crate) fn key_file(&self, digest: &str) -> Result<KeyFile, Failure> {
        read_key(&self.folder.join("keys").join(format!("{digest}.key")))
    }

    /// All key files, in the order of their names.
    pub(crate) fn key_files(&self) -> Result<Vec<KeyFile>, Failure> {
        let folder = self.folder.join("keys");
        let stored = |error| Failure::storage(&folder, &error);
        let mut paths = std::fs::read_dir(&folder)
            .map_err(stored)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(stored)?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "key"));
        paths.sort();
        paths.iter().map(|path| read_key(path)).collect()
    }

    /// Keeps a key file before its key is used.
    pub(crate) fn add_key_file(&self, file: &KeyFile) -> Result<(), Failure> {
        let path = self.folder.join("keys").join(format!("{}.key", file.public().digest()));
        file.write_new(&path).map_err(|error| {
            Failure::new(Fault::Storage, format!("cannot write {}", path.display())).because(error)
        })
    }

    /// Keeps a signed statement before it is sent.
    pub(crate) fn keep(&mut self, statement: &[u8]) -> Result<(), Failure> {
        Ok(self.outbox.push(statement)?)
    }

    /// The newest statement that was signed and may not have arrived.
    pub(crate) fn newest(&self) -> Option<&[u8]> {
        self.outbox.last()
    }

    /// How many statements wait.
    pub(crate) fn waiting(&self) -> usize {
        self.outbox.len()
    }

    /// The oldest statement that was signed and may not have arrived.
    pub(crate) fn pending(&self) -> Option<&[u8]> {
        self.outbox.first()
    }

    /// The oldest pending statement, `bytes`, stands in the log: the chain moves on.
    pub(crate) fn settle(&mut self, bytes: &[u8], accepted: bool) -> Result<(), Failure> {
        let statement = Statement::parse(bytes).map_err(|_| damaged(&self.folder))?;
        self.state.advance(&statement, accepted);
        self.save()?;
        self.drop_arrived()
    }

    /// Forgets what is pending.
    pub(crate) fn discard(&mut self) -> Result<(), Failure> {
        Ok(self.outbox.discard()?)
    }

    /// Forgets what is pending in one chain.
    pub(crate) fn discard_chain(&mut self, channel: Option<ChannelId>) -> Result<(), Failure> {
        let other = |bytes: &[u8]| Place::of(bytes).is_some_and(|place| place.channel != channel);
        Ok(self.outbox.retain(other)?)
    }

    /// Takes out of the outbox what the state has behind it: a crash may have come between.
    fn drop_arrived(&mut self) -> Result<(), Failure> {
        while let Some(bytes) = self.outbox.first() {
            let place = Place::of(bytes).ok_or_else(|| damaged(&self.folder))?;
            if !place.has_arrived(&self.state) {
                break;
            }
            self.outbox.acknowledge()?;
        }
        Ok(())
    }

    /// Forgets the keys that somebody else has ended; their files stay.
    pub(crate) fn keep_keys(&mut self, is_valid: impl Fn(u32) -> bool) -> Result<(), Failure> {
        self.state.keys.retain(|held| is_valid(held.number));
        self.save()
    }

    /// Writes the state down.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let path = self.folder.join("identity.json");
        let text = serde_json::to_vec_pretty(&self.state).map_err(|error| {
            Failure::new(Fault::Internal, "cannot write the state").because(error)
        })?;
        disk::replace(&path, &text, Secrecy::Owner).map_err(|error| Failure::storage(&path, &error))
    }
}

/// Where a chain goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Tip {
    /// Place of the next statement.
    pub(crate) sequence: Sequence,
    /// What it must name.
    pub(crate) previous: Digest,
}

const OUTBOX: &str = "outbox";

fn read_key(path: &Path) -> Result<KeyFile, Failure> {
    KeyFile::read(path).map_err(|error| {
        Failure::new(Fault::Damaged, format!("cannot read the key file {}", path.display()))
            .because(error)
            .hint("restore it from a backup; no other key can stand in")
    })
}

/// The names of the identities held in `home`.
pub(crate) fn names(home: &Path) -> Result<Vec<String>, Failure> {
    let folder = identities(home);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::storage(&folder, &error)),
    };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("identity.json").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

/// What is known of an identity, without locking it.
pub(crate) fn state_of(home: &Path, name: &str) -> Result<State, Failure> {
    let folder = identities(home).join(name);
    if !is_name(name) || !folder.join("identity.json").is_file() {
        return Err(unknown(home, name));
    }
    read_state(&folder)
}

/// How many statements of an identity wait, without locking it.
pub(crate) fn waiting_of(home: &Path, name: &str) -> Result<usize, Failure> {
    let state = state_of(home, name)?;
    let waiting = Outbox::peek(&identities(home).join(name).join(OUTBOX))?;
    let arrived = |bytes: &&Vec<u8>| Place::of(bytes).is_some_and(|it| it.has_arrived(&state));
    Ok(waiting.iter().filter(|bytes| !arrived(bytes)).count())
}

/// The thing that an identity is.
pub(crate) fn thing_of(home: &Path, name: &str) -> Result<ThingId, Failure> {
    state_of(home, name)?.thing.parse().map_err(|_| damaged(&identities(home).join(name)))
}

/// Where an identity is kept.
pub(super) fn folder_of(home: &Path, name: &str) -> PathBuf {
    identities(home).join(name)
}

fn identities(home: &Path) -> PathBuf {
    home.join("identities")
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(allowed)
}

fn read_state(folder: &Path) -> Result<State, Failure> {
    let path = folder.join("identity.json");
    let bytes = std::fs::read(&path).map_err(|error| Failure::storage(&path, &error))?;
    let state: State =
        serde_json::from_slice(&bytes).map_err(|error| damaged(folder).because(error))?;
    if state.version == VERSION { Ok(state) } else { Err(damaged(folder)) }
}

fn lock(folder: &Path, name: &str) -> Result<File, Failure> {
    let locked = disk::lock(folder);
    let locked = locked.map_err(|error| Failure::storage(&folder.join("lock"), &error))?;
    locked.ok_or_else(|| {
        Failure::new(Fault::Busy, format!("identity `{name}` is in use"))
            .because("another command holds it; an identity signs one statement at a time")
            .hint("wait until the other command has ended")
    })
}

fn unknown(home: &Path, name: &str) -> Failure {
    let names = names(home).unwrap_or_default();
    let failure = Failure::new(Fault::Unknown, format!("there is no identity `{name}`"));
    match suggestion::nearest(name, names.iter().map(String::as_str)) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`touchmark identity list` shows them, `identity create` makes one"),
    }
}

fn damaged(folder: &Path) -> Failure {
    Failure::new(Fault::Damaged, format!("{} does not have its shape", folder.display()))
        .hint("restore the folder from a backup")
}

impl From<OutboxError> for Failure {
    fn from(error: OutboxError) -> Self {
        let text = error.to_string();
        match error {
            OutboxError::Full { .. } => Self::new(Fault::OutboxFull, "the outbox is full")
                .because(text)
                .hint("`touchmark identity resume NAME` delivers what waits, once the node answers"),
            OutboxError::TooLong { .. } => Self::new(Fault::Malformed, text),
            OutboxError::InUse { .. } => {
                Self::new(Fault::Busy, text).hint("wait until the other process has ended")
            }
            OutboxError::Damaged { .. } => Self::new(Fault::Damaged, text).hint(
                "restore the folder from a backup, or put it aside with `touchmark identity resume NAME --discard`",
            ),
            OutboxError::File { .. } => Self::new(Fault::Storage, text)
                .hint("check free space and permissions of the folder"),
        }
    }
}
