//! Places in committees after a network's first.
//!
//! A formation for a network that exists leaves a [`Promise`] in its own folder. Whoever adopts it
//! has the place in the data folder, below `offices`, and votes when the committee takes office.

use super::peers::Merged;
use super::{
    COMMITTEE, CommitteeFile, FolderError, GENESIS, Kept, Lock, Peers, SECRETS, Secrecy, Secrets,
    disk, genesis, has_network, read_cbor, write,
};
use crate::rules;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use std::fs;
use std::path::{Path, PathBuf};
use touchmark_engine::{Committee as EngineCommittee, Office, Seat};
use touchmark_keys::threshold::Share;
use touchmark_wire::codec;
use touchmark_wire::genesis::{Committee, Genesis};
use touchmark_wire::ids::{Epoch, NetworkId};
use touchmark_wire::limits;

/// The promise in a formation's folder; owner only.
pub(super) const PROMISE: &str = "office.cbor";
/// The committee itself, for everyone who is to approve of it.
const NEXT: &str = "next.cbor";
/// Adopted places in a data folder.
pub(super) const OFFICES: &str = "offices";
/// Longest of these files, bytes.
const LIMIT: usize = 4 * limits::GENESIS;

/// A place in a committee that was made and not adopted yet.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
pub struct Promise {
    /// The network.
    #[n(0)]
    pub network: NetworkId,
    /// The committee.
    #[n(1)]
    pub committee: Committee,
    #[n(2)]
    public: CommitteeFile,
    #[n(3)]
    secrets: Secrets,
    #[n(4)]
    peers: String,
}

/// A place in a data folder.
#[derive(Encode, Decode)]
#[cbor(array)]
struct Place {
    #[n(0)]
    committee: Committee,
    #[n(1)]
    public: CommitteeFile,
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    share: Vec<u8>,
    /// Share of the committee's note key, if it made one.
    #[n(3)]
    note: Option<ByteVec>,
}

impl Promise {
    pub(crate) fn new(
        network: NetworkId,
        committee: Committee,
        public: &EngineCommittee,
        secrets: Secrets,
        peers: String,
    ) -> Self {
        Self { network, committee, public: public.into(), secrets, peers }
    }

    /// Writes it into the folder of its formation.
    pub(crate) fn write(&self, path: &Path) -> Result<(), FolderError> {
        write(&path.join(NEXT), &codec::encode(&self.committee), Secrecy::Public)?;
        write(&path.join(PROMISE), &codec::encode(self), Secrecy::Owner)
    }

    /// Reads it from the folder of its formation.
    pub fn read(path: &Path) -> Result<Self, FolderError> {
        let file = path.join(PROMISE);
        if !file.exists() {
            return Err(FolderError::Incomplete { path: file });
        }
        read_cbor(&file, LIMIT)
    }

    /// Gives the validator in the folder `data` the place. An empty folder becomes that of a new
    /// validator of the network whose genesis is given. Returns whose address stays what it was.
    pub fn adopt(&self, data: &Path, new: Option<&Genesis>) -> Result<Vec<Kept>, FolderError> {
        new.map_or(Ok(()), rules::require)?;
        let _lock = Lock::take(data)?;
        let foreign = || FolderError::Foreign { path: data.into(), network: self.network };
        let newcomer = if has_network(data) {
            if !data.join(SECRETS).exists() && data.join(super::sources::FILE).exists() {
                return Err(FolderError::Follows { path: data.into() });
            }
            let secrets: Secrets = read_cbor(&data.join(SECRETS), limits::GENESIS)?;
            if genesis(data)?.network_id() != self.network
                || secrets.identity != self.secrets.identity
            {
                return Err(foreign());
            }
            None
        } else {
            let genesis = new.filter(|genesis| genesis.network_id() == self.network);
            Some(genesis.ok_or_else(foreign)?)
        };
        let Merged { text: peers, kept } = Peers::merged(data, &self.peers)?;
        let place = Place {
            committee: self.committee.clone(),
            public: self.public.clone(),
            share: self.secrets.share.clone(),
            note: self.secrets.note.clone(),
        };
        disk::make_folder(&data.join(OFFICES))
            .map_err(|source| FolderError::File { path: data.join(OFFICES), source })?;
        write(&file(data, &self.committee), &codec::encode(&place), Secrecy::Owner)?;
        write(&data.join(Peers::FILE), peers.as_bytes(), Secrecy::Public)?;
        if let Some(genesis) = newcomer {
            let secrets = self.secrets.clone().unseated();
            write(&data.join(SECRETS), &codec::encode(&secrets), Secrecy::Owner)?;
            write(&data.join(GENESIS), &genesis.encode_to_vec(), Secrecy::Public)?;
        }
        Ok(kept)
    }
}

/// A validator's place in a committee, as its folder has it.
pub struct Held {
    /// The committee.
    pub committee: Committee,
    /// The place.
    pub office: Office,
    /// Its share of the committee's note key, if it made one.
    pub(crate) note: Option<Share>,
    path: PathBuf,
}

/// Who speaks for the log to outside witnesses, as far as these places say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogOwner {
    /// Whoever has the places is in no committee.
    Nobody,
    /// It owns the log alone, in each of them.
    One,
    /// Committees that hold a note key together, or will.
    Several,
    /// Committees of several without such a key.
    Voiceless,
}

/// Who it is.
pub(crate) fn owner(offices: &[Held]) -> LogOwner {
    let is_one = |held: &Held| held.committee.validators.len() == 1;
    if offices.is_empty() {
        LogOwner::Nobody
    } else if offices.iter().all(is_one) {
        LogOwner::One
    } else if offices.iter().any(|held| held.committee.note_key.is_some()) {
        LogOwner::Several
    } else {
        LogOwner::Voiceless
    }
}

impl Held {
    /// The place in the network's first committee.
    pub(super) fn first(
        data: &Path,
        genesis: &Genesis,
        secrets: &Secrets,
    ) -> Result<Self, FolderError> {
        let path = data.join(COMMITTEE);
        let public: CommitteeFile = read_cbor(&path, limits::GENESIS)?;
        let office = Office { committee: public.into(), seat: secrets.seat() };
        let path = data.join(SECRETS);
        let note = share(secrets.note.as_ref(), &path)?;
        Ok(Self { committee: genesis.committee.clone(), office, note, path })
    }

    /// All adopted places, by the committees' numbers.
    pub(super) fn all(data: &Path, identity: [u8; 32]) -> Result<Vec<Self>, FolderError> {
        let places = places(data)?.into_iter();
        let held = places.map(|(path, Place { committee, public, share: seat, note })| {
            let seat = Seat { identity, share: seat };
            let office = Office { committee: public.into(), seat };
            Ok(Self { committee, office, note: share(note.as_ref(), &path)?, path })
        });
        held.collect()
    }

    /// Deletes the shares of a committee that has handed over: nobody is to sign for it again.
    pub fn leave(&self) -> Result<(), FolderError> {
        let path = self.path.clone();
        if path.file_name().is_some_and(|name| name == SECRETS) {
            let secrets: Secrets = read_cbor(&path, limits::GENESIS)?;
            return write(&path, &codec::encode(&secrets.unseated()), Secrecy::Owner);
        }
        disk::remove(&path).map_err(|source| FolderError::File { path, source })
    }
}

fn share(bytes: Option<&ByteVec>, path: &Path) -> Result<Option<Share>, FolderError> {
    let damaged = |_| FolderError::Damaged { path: path.into() };
    bytes.map(|bytes| Share::decode(bytes)).transpose().map_err(damaged)
}

/// The committee with this number, as far as the folder knows it.
pub fn committee(data: &Path, number: Epoch) -> Result<Option<Committee>, FolderError> {
    let genesis = genesis(data)?;
    if genesis.committee.epoch == number {
        return Ok(Some(genesis.committee));
    }
    let mut committees = places(data)?.into_iter().map(|(_, place)| place.committee);
    Ok(committees.find(|committee| committee.epoch == number))
}

/// The number that the next committee has, as far as the folder knows.
pub fn next_number(data: &Path) -> Result<Epoch, FolderError> {
    let places = places(data)?;
    let last = places.last().map_or(Epoch(0), |(_, place)| place.committee.epoch);
    Ok(Epoch(last.0.saturating_add(1)))
}

/// What was adopted, by the committees' numbers, with the files.
fn places(data: &Path) -> Result<Vec<(PathBuf, Place)>, FolderError> {
    let mut places: Vec<(PathBuf, Place)> = Vec::new();
    for path in files(data)? {
        let place = read_cbor(&path, LIMIT)?;
        places.push((path, place));
    }
    places
        .sort_by(|(a, one), (b, other)| (one.committee.epoch, a).cmp(&(other.committee.epoch, b)));
    Ok(places)
}

/// The files of what was adopted.
pub(super) fn files(data: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let folder = data.join(OFFICES);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let failed = |source| FolderError::File { path: folder.clone(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "cbor") {
            files.push(path);
        }
    }
    Ok(files)
}

fn file(data: &Path, committee: &Committee) -> PathBuf {
    let digest = committee.digest().to_string();
    data.join(OFFICES).join(format!("{}-{}.cbor", committee.epoch, &digest[..8]))
}
