//! The data folder: the network's genesis, this node's secrets, and where ledger and engine keep
//! theirs.
//!
//! ```text
//! LOCK              locked by the process that works here; its process id
//! genesis.cbor      the network's root of trust: give it to whoever verifies
//! committee.cbor    public polynomial of the engine's threshold key
//! secrets.cbor      this node's private keys, readable by its owner only
//! note.cbor         key by which outside witnesses know the log of one owner; owner only
//! witness.cbor      key of the node as a witness, and what it cosigned last: never set it back
//! witnesses.toml    outside witnesses of the node's log; what they cosigned is in witnessed.cbor
//! offices/          places in later committees, with their shares; owner only
//! peers.toml        where the engine listens, and where those of other validators are
//! sources.toml      of a node without a vote: the nodes that it follows, and none of the keys
//! formation.cbor    while a network is being formed: keys, record and invitations, owner only
//! candidate.cbor    what this node has of a network that others may not have; owner only
//! office.cbor       in the folder of a formation: a place in the next committee; owner only
//! next.cbor         beside it: the next committee, for those who are to approve of it
//! ledger/           log, state and indexes; state and indexes can be made anew from the log
//! consensus/        what this node has voted for: never delete it, never set it back
//! backups/          what a running node copied when it was asked for a backup
//! ```

mod note;
mod office;
mod peers;
mod secrets;
mod sources;

pub(crate) use note::{forget_note_key, note_key, require_note_key};
pub use office::{Held, Promise, committee, next_number};
pub(crate) use office::{LogOwner, owner};
pub use peers::{Kept, Peers};
pub use secrets::Secrets;
pub(crate) use sources::follow;

use crate::rules::{self, UnknownRules};
use crate::witness::FILE as WITNESS;
use minicbor::{Decode, Encode};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use touchmark_batch::Batch;
use touchmark_engine::{Committee as EngineCommittee, PeerKey, ceremony, genesis_context};
use touchmark_keys::disk::{self, Secrecy};
use touchmark_ledger::genesis_batch;
use touchmark_store::Lock;
use touchmark_wire::algorithm::Signer as _;
use touchmark_wire::codec;
use touchmark_wire::genesis::{CertificateKey, Committee, Genesis, RULES_VERSION, Validator};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, NetworkId, Timestamp};
use touchmark_wire::limits;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what its name says.
    #[error("{path} is damaged; restore it from a backup")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// Some files are there and others are missing.
    #[error("{path} is missing, though other files of a node are here; restore it from a backup")]
    Incomplete {
        /// Which file.
        path: PathBuf,
    },
    /// There is a network, but no key to work in it with.
    #[error("{path} has no keys: it was made from a backup, which holds none")]
    Keyless {
        /// The folder.
        path: PathBuf,
    },
    /// There is no node in the folder.
    #[error("there is no node in {path}")]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// There is a network in the folder.
    #[error("{path} has a network already")]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// There is another network in the folder.
    #[error("{path} has the network {network}")]
    Other {
        /// The folder.
        path: PathBuf,
        /// Which one.
        network: NetworkId,
    },
    /// A network is being formed in the folder.
    #[error("a network is being formed in {path}")]
    Forming {
        /// The folder.
        path: PathBuf,
    },
    /// The node in the folder has no vote.
    #[error("the node in {path} follows others and has no keys of a validator")]
    Follows {
        /// The folder.
        path: PathBuf,
    },
    /// A place is of another network or another validator than the folder.
    #[error("this place in a committee of {network} is not for {path}")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The network of the place.
        network: NetworkId,
    },
    /// The addresses of other nodes cannot be used.
    #[error("{path} cannot be used: {reason}")]
    Peers {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// This build does not have the network's rules.
    #[error(transparent)]
    Rules(#[from] UnknownRules),
    /// Another process works in the folder.
    #[error(transparent)]
    Lock(#[from] touchmark_store::Error),
    /// Keys cannot be made.
    #[error("no keys can be made: {0}")]
    Keys(String),
}

/// A data folder that this process alone works in, with keys or, as a backup leaves it, without.
pub struct Premises {
    /// Where it is.
    pub path: PathBuf,
    /// The network.
    pub genesis: Genesis,
    _lock: Lock,
}

impl Premises {
    /// Opens a folder that has a node.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        if !path.join(GENESIS).exists() {
            return Err(FolderError::Empty { path: path.into() });
        }
        Self::locked(path, Lock::take(path)?)
    }

    fn locked(path: &Path, lock: Lock) -> Result<Self, FolderError> {
        Ok(Self { path: path.into(), genesis: genesis(path)?, _lock: lock })
    }

    /// Where the store keeps the ledger.
    pub fn ledger(&self) -> PathBuf {
        self.path.join(LEDGER)
    }

    /// The batch that the log begins with.
    pub fn first_batch(&self) -> Arc<Batch> {
        first_batch(&self.genesis)
    }
}

/// The batch that a network's log begins with.
pub(crate) fn first_batch(genesis: &Genesis) -> Arc<Batch> {
    Arc::new(genesis_batch(genesis, genesis_context()))
}

/// A data folder that is complete.
pub struct Folder {
    /// The folder itself.
    pub premises: Premises,
    /// What the node does for its network.
    pub part: Part,
}

/// What a node does for its network.
pub enum Part {
    /// It votes.
    Validator(Equipment),
    /// It follows these nodes.
    Follower(Vec<String>),
}

/// What a validator needs: places, keys and addresses.
pub struct Equipment {
    /// Its places in committees, the oldest first.
    pub offices: Vec<Held>,
    /// Its secrets.
    pub secrets: Secrets,
    /// Where the engines are.
    pub peers: Peers,
}

/// Public polynomial and members, as a file.
#[derive(Clone, Encode, Decode)]
#[cbor(array)]
struct CommitteeFile {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    polynomial: Vec<u8>,
    #[n(1)]
    members: Vec<Digest>,
}

impl From<&EngineCommittee> for CommitteeFile {
    fn from(committee: &EngineCommittee) -> Self {
        let members = committee.members.iter().map(|member| Digest(member.0)).collect();
        Self { polynomial: committee.polynomial.clone(), members }
    }
}

impl From<CommitteeFile> for EngineCommittee {
    fn from(file: CommitteeFile) -> Self {
        let members = file.members.iter().map(|member| PeerKey(member.0)).collect();
        Self { polynomial: file.polynomial, members }
    }
}

/// What makes a folder that of a validator.
#[derive(Encode, Decode)]
#[cbor(array)]
pub(crate) struct Founding {
    /// The network.
    #[n(0)]
    pub(crate) genesis: Genesis,
    #[n(1)]
    committee: CommitteeFile,
    #[n(2)]
    secrets: Secrets,
    /// None for a network of one.
    #[n(3)]
    peers: Option<String>,
}

impl Founding {
    pub(crate) fn new(
        genesis: Genesis,
        committee: &EngineCommittee,
        secrets: Secrets,
        peers: Option<String>,
    ) -> Self {
        Self { genesis, committee: committee.into(), secrets, peers }
    }

    /// Writes all files. The genesis comes last: a folder without it has no network, whatever
    /// else of one is there.
    pub(crate) fn write(&self, path: &Path) -> Result<(), FolderError> {
        write(&path.join(SECRETS), &codec::encode(&self.secrets), Secrecy::Owner)?;
        write(&path.join(COMMITTEE), &codec::encode(&self.committee), Secrecy::Public)?;
        if let Some(peers) = &self.peers {
            write(&path.join(Peers::FILE), peers.as_bytes(), Secrecy::Public)?;
        }
        write(&path.join(GENESIS), &self.genesis.encode_to_vec(), Secrecy::Public)
    }
}

/// How a new network presents itself.
#[derive(Clone, Debug)]
pub struct NewNetwork {
    /// C2SP origin of its log; none makes one from the network's own key.
    pub origin: Option<String>,
    /// Name of its first validator.
    pub validator: String,
    /// When it begins.
    pub time: Timestamp,
}

const GENESIS: &str = "genesis.cbor";
const COMMITTEE: &str = "committee.cbor";
const SECRETS: &str = "secrets.cbor";
/// What is kept while a network is being formed.
const DRAFT: &str = "formation.cbor";
/// What this node has of a network that is about to be.
const CANDIDATE: &str = "candidate.cbor";
/// Longest of the files that are kept while a network is being formed, bytes.
const DRAFT_LIMIT: usize = 1 << 20;
/// What the node has voted for.
const CONSENSUS: &str = "consensus";
/// Where the store keeps the ledger, below the data folder.
pub(crate) const LEDGER: &str = "ledger";

impl Folder {
    /// Opens the folder at `path`; a folder without a node becomes that of a new network.
    pub fn open_or_create(path: &Path, new: &NewNetwork) -> Result<Self, FolderError> {
        let lock = Lock::take(path)?;
        if path.join(sources::FILE).exists() && !path.join(SECRETS).exists() {
            let premises = Premises::locked(path, lock)?;
            return Ok(Self { premises, part: Part::Follower(sources::of(path)?) });
        }
        let files = [SECRETS, GENESIS].map(|name| path.join(name));
        let missing = files.iter().find(|file| !file.exists());
        let Some(missing) = missing else {
            return Self::locked(path, lock);
        };
        if path.join(GENESIS).exists() && path.join(COMMITTEE).exists() {
            return Err(FolderError::Keyless { path: path.into() });
        }
        // The genesis is written last: without it, creation was cut short and nothing depends
        // on the keys yet.
        if [GENESIS, LEDGER, office::OFFICES].iter().any(|name| path.join(name).exists()) {
            return Err(FolderError::Incomplete { path: missing.clone() });
        }
        if is_forming(path) {
            return Err(FolderError::Forming { path: path.into() });
        }
        create(path, new)?;
        Self::locked(path, lock)
    }

    fn locked(path: &Path, lock: Lock) -> Result<Self, FolderError> {
        let premises = Premises::locked(path, lock)?;
        let equipment = Equipment::read(path, &premises.genesis)?;
        Ok(Self { premises, part: Part::Validator(equipment) })
    }
}

impl Equipment {
    /// Reads it, which needs no lock: all of it is replaced file by file.
    pub(crate) fn read(path: &Path, genesis: &Genesis) -> Result<Self, FolderError> {
        if !path.join(SECRETS).exists() {
            return Err(FolderError::Keyless { path: path.into() });
        }
        let secrets: Secrets = read_cbor(&path.join(SECRETS), limits::GENESIS)?;
        let mut offices = Vec::new();
        if !secrets.share.is_empty() {
            offices.push(Held::first(path, genesis, &secrets)?);
        }
        offices.extend(Held::all(path, secrets.identity)?);
        let alone = offices.iter().all(|held| held.committee.validators.len() == 1);
        let nowhere = alone && !path.join(Peers::FILE).exists();
        let peers = if nowhere { Peers::default() } else { Peers::read(path)? };
        Ok(Self { offices, secrets, peers })
    }
}

/// The files of the folder that only its owner is to read, as far as they are there.
pub(crate) fn secret_files(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let names = [SECRETS, note::FILE, WITNESS, DRAFT, CANDIDATE, office::PROMISE];
    let mut files: Vec<_> = names.iter().map(|name| folder.join(name)).collect();
    files.retain(|file| file.exists());
    files.extend(office::files(folder)?);
    Ok(files)
}

/// Whether the folder has a ledger, and what the node has voted for.
pub(crate) fn has_ledger_and_votes(folder: &Path) -> (bool, bool) {
    (folder.join(LEDGER).exists(), folder.join(CONSENSUS).exists())
}

/// The root of trust of the network whose files are in `folder`.
pub(crate) fn genesis(folder: &Path) -> Result<Genesis, FolderError> {
    let path = folder.join(GENESIS);
    if !path.exists() {
        return Err(FolderError::Empty { path: folder.into() });
    }
    let genesis = Genesis::decode(&read(&path)?).map_err(|_| FolderError::Damaged { path })?;
    rules::require(&genesis)?;
    Ok(genesis)
}

/// The private keys in a folder that has a network.
pub(crate) fn secrets(folder: &Path) -> Result<Secrets, FolderError> {
    genesis(folder)?;
    read_cbor(&folder.join(SECRETS), limits::GENESIS)
}

/// Whether a node can run in the folder: its keys are there, and what it has voted for.
pub(crate) fn has_keys(folder: &Path) -> bool {
    folder.join(SECRETS).exists() && folder.join(CONSENSUS).exists()
}

/// Copies what everyone may have of a data folder: committee and genesis.
pub(crate) fn copy_public(from: &Path, to: &Path) -> Result<(), FolderError> {
    for name in [COMMITTEE, GENESIS] {
        // Who joined later has none of the first committee's.
        if name == COMMITTEE && !from.join(name).exists() {
            continue;
        }
        write(&to.join(name), &read(&from.join(name))?, Secrecy::Public)?;
    }
    Ok(())
}

/// A folder that this process alone works in, to form a network in it.
pub(crate) struct Site {
    path: PathBuf,
    _lock: Lock,
}

impl Site {
    /// Takes a folder that has no network; makes it if it is missing.
    pub(crate) fn take(path: &Path) -> Result<Self, FolderError> {
        let lock = Lock::take(path)?;
        if has_network(path) {
            return Err(FolderError::Taken { path: path.into() });
        }
        Ok(Self { path: path.into(), _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the draft.
    pub(crate) fn keep_draft(&self, draft: &impl Encode<()>) -> Result<(), FolderError> {
        write(&self.path.join(DRAFT), &codec::encode(draft), Secrecy::Owner)
    }

    /// Keeps what this node has of a network that is about to be.
    pub(crate) fn keep_candidate(&self, candidate: &impl Encode<()>) -> Result<(), FolderError> {
        write(&self.path.join(CANDIDATE), &codec::encode(candidate), Secrecy::Owner)
    }

    /// There is a network: nothing of how it was formed is needed any more.
    pub(crate) fn clear(&self) -> Result<(), FolderError> {
        for name in [CANDIDATE, DRAFT] {
            let path = self.path.join(name);
            disk::remove(&path).map_err(|source| FolderError::File { path, source })?;
        }
        Ok(())
    }
}

/// What [`Site::keep_draft`] kept in the folder.
pub(crate) fn draft<T>(folder: &Path) -> Result<Option<T>, FolderError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    read_if_there(&folder.join(DRAFT))
}

/// What [`Site::keep_candidate`] kept in the folder.
pub(crate) fn candidate<T>(folder: &Path) -> Result<Option<T>, FolderError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    read_if_there(&folder.join(CANDIDATE))
}

/// Whether something of a network is in the folder.
pub(crate) fn has_network(folder: &Path) -> bool {
    [GENESIS, LEDGER, CONSENSUS, office::PROMISE].iter().any(|name| folder.join(name).exists())
}

/// Whether something of a formation is kept in the folder.
pub(crate) fn is_forming(folder: &Path) -> bool {
    folder.join(DRAFT).exists() || folder.join(CANDIDATE).exists()
}

/// Makes keys and genesis of a network with one validator.
fn create(path: &Path, new: &NewNetwork) -> Result<(), FolderError> {
    let keys = |error: &dyn std::fmt::Display| FolderError::Keys(error.to_string());
    let mut rng = rand::rngs::SysRng;
    let (committee, seat) = ceremony::solo(&mut rand_core::UnwrapErr(&mut rng));
    let secrets = Secrets::generate()?.seated(seat);
    let log = secrets.log_key().map_err(|error| keys(&error))?;
    let cosigner = secrets.cosigner_key().map_err(|error| keys(&error))?;
    let certificate_key = committee.certificate_key().map_err(|error| keys(&error))?;
    let origin =
        new.origin.clone().unwrap_or_else(|| local_origin(&Digest::of(&[&certificate_key])));
    let validator = Validator {
        name: format!("{origin}/{}", new.validator),
        peer: Digest(committee.members[0].0),
        log_key: *log.public_key().cose(),
        cosigner_key: *cosigner.public_key().cose(),
    };
    let committee_of_one = Committee {
        epoch: Epoch(0),
        certificate_key: CertificateKey(certificate_key),
        validators: vec![validator],
        threshold: 1,
        note_key: None,
    };
    let genesis = genesis_of(origin, new.time, committee_of_one);
    Founding::new(genesis, &committee, secrets, None).write(path)
}

/// Origin of a log that nobody named, from what is its own.
pub(crate) fn local_origin(own: &Digest) -> String {
    format!("touchmark.local/{}", &own.to_string()[..16])
}

/// The genesis of a network with this committee.
pub(crate) fn genesis_of(origin: String, time: Timestamp, committee: Committee) -> Genesis {
    Genesis { rules: RULES_VERSION, origin, committee, time }
}

/// Writes a file whole and durably.
pub(crate) fn write(path: &Path, bytes: &[u8], secrecy: Secrecy) -> Result<(), FolderError> {
    disk::replace(path, bytes, secrecy)
        .map_err(|source| FolderError::File { path: path.into(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    fs::read(path).map_err(|source| FolderError::File { path: path.into(), source })
}

fn read_if_there<T>(path: &Path) -> Result<Option<T>, FolderError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    if path.exists() { read_cbor(path, DRAFT_LIMIT).map(Some) } else { Ok(None) }
}

fn read_cbor<T>(path: &Path, limit: usize) -> Result<T, FolderError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let bytes = read(path)?;
    codec::decode(&bytes, limit).map_err(|_| FolderError::Damaged { path: path.into() })
}
