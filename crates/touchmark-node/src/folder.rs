//! The data folder: the network's genesis, this node's secrets, and where ledger and engine keep
//! theirs.
//!
//! ```text
//! LOCK              locked by the process that works here; its process id
//! genesis.cbor      the network's root of trust: give it to whoever verifies
//! committee.cbor    public polynomial of the engine's threshold key
//! secrets.cbor      this node's private keys, readable by its owner only
//! ledger/           log, state and indexes; state and indexes can be made anew from the log
//! consensus/        what this node has voted for: never delete it, never set it back
//! backups/          what a running node copied when it was asked for a backup
//! ```

use minicbor::{Decode, Encode};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use touchmark_batch::Batch;
use touchmark_engine::{Committee as EngineCommittee, PeerKey, Seat, ceremony, genesis_context};
use touchmark_keys::disk::{self, Secrecy};
use touchmark_keys::software::{SoftwareKey, SoftwareKeyError};
use touchmark_ledger::genesis_batch;
use touchmark_store::Lock;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::codec;
use touchmark_wire::genesis::{CertificateKey, Committee, Genesis, RULES_VERSION, Validator};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{Epoch, Timestamp};
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
        Arc::new(genesis_batch(&self.genesis, genesis_context()))
    }
}

/// A data folder that is complete.
pub struct Folder {
    /// The folder itself.
    pub premises: Premises,
    /// The engine's committee.
    pub committee: EngineCommittee,
    /// This node's secrets.
    pub secrets: Secrets,
}

/// A node's private keys. Each has one purpose.
#[derive(Encode, Decode)]
#[cbor(array)]
pub struct Secrets {
    /// Seed of the engine's peer identity.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    identity: [u8; 32],
    /// Share of the engine's threshold key.
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    share: Vec<u8>,
    /// Seed of the log key: receipts and fresh answers.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    log: [u8; 32],
    /// Seed of the cosigner key: checkpoints.
    #[n(3)]
    #[cbor(with = "minicbor::bytes")]
    cosigner: [u8; 32],
}

impl Secrets {
    /// This node's place in the committee.
    pub fn seat(&self) -> Seat {
        Seat { identity: self.identity, share: self.share.clone() }
    }

    /// Signs receipts and fresh answers.
    pub fn log_key(&self) -> Result<SoftwareKey, SoftwareKeyError> {
        SoftwareKey::from_seed(Algorithm::Es256, &self.log)
    }

    /// Cosigns checkpoints.
    pub fn cosigner_key(&self) -> Result<SoftwareKey, SoftwareKeyError> {
        SoftwareKey::from_seed(Algorithm::Ed25519, &self.cosigner)
    }
}

/// Public polynomial and members, as a file.
#[derive(Encode, Decode)]
#[cbor(array)]
struct CommitteeFile {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    polynomial: Vec<u8>,
    #[n(1)]
    members: Vec<Digest>,
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
/// What the node has voted for.
const CONSENSUS: &str = "consensus";
/// Where the store keeps the ledger, below the data folder.
pub(crate) const LEDGER: &str = "ledger";

impl Folder {
    /// Opens the folder at `path`; a folder without a node becomes that of a new network.
    pub fn open_or_create(path: &Path, new: &NewNetwork) -> Result<Self, FolderError> {
        let lock = Lock::take(path)?;
        let files = [SECRETS, COMMITTEE, GENESIS].map(|name| path.join(name));
        let missing = files.iter().find(|file| !file.exists());
        let Some(missing) = missing else {
            return Self::locked(path, lock);
        };
        if path.join(GENESIS).exists() && path.join(COMMITTEE).exists() {
            return Err(FolderError::Keyless { path: path.into() });
        }
        // The genesis is written last: without it, creation was cut short and nothing depends
        // on the keys yet.
        if path.join(GENESIS).exists() || path.join(LEDGER).exists() {
            return Err(FolderError::Incomplete { path: missing.clone() });
        }
        create(path, new)?;
        Self::locked(path, lock)
    }

    fn locked(path: &Path, lock: Lock) -> Result<Self, FolderError> {
        let premises = Premises::locked(path, lock)?;
        let committee: CommitteeFile = read_cbor(&path.join(COMMITTEE))?;
        let members = committee.members.iter().map(|member| PeerKey(member.0)).collect();
        Ok(Self {
            premises,
            committee: EngineCommittee { polynomial: committee.polynomial, members },
            secrets: read_cbor(&path.join(SECRETS))?,
        })
    }
}

/// The root of trust of the network whose files are in `folder`.
pub(crate) fn genesis(folder: &Path) -> Result<Genesis, FolderError> {
    let path = folder.join(GENESIS);
    if !path.exists() {
        return Err(FolderError::Empty { path: folder.into() });
    }
    Genesis::decode(&read(&path)?).map_err(|_| FolderError::Damaged { path })
}

/// Whether a node can run in the folder: its keys are there, and what it has voted for.
pub(crate) fn has_keys(folder: &Path) -> bool {
    folder.join(SECRETS).exists() && folder.join(CONSENSUS).exists()
}

/// Copies what everyone may have of a data folder: committee and genesis.
pub(crate) fn copy_public(from: &Path, to: &Path) -> Result<(), FolderError> {
    for name in [COMMITTEE, GENESIS] {
        write(&to.join(name), &read(&from.join(name))?, Secrecy::Public)?;
    }
    Ok(())
}

/// Makes keys and genesis of a network with one validator.
fn create(path: &Path, new: &NewNetwork) -> Result<(), FolderError> {
    let keys = |error: &dyn std::fmt::Display| FolderError::Keys(error.to_string());
    let mut rng = rand::rngs::SysRng;
    let (committee, seat) = ceremony::solo(&mut rand_core::UnwrapErr(&mut rng));
    let log = SoftwareKey::generate(Algorithm::Es256).map_err(|error| keys(&error))?;
    let cosigner = SoftwareKey::generate(Algorithm::Ed25519).map_err(|error| keys(&error))?;
    let certificate_key = committee.certificate_key().map_err(|error| keys(&error))?;
    let origin = new.origin.clone().unwrap_or_else(|| {
        format!("touchmark.local/{}", &Digest::of(&[&certificate_key]).to_string()[..16])
    });
    let validator = Validator {
        name: format!("{origin}/{}", new.validator),
        peer: Digest(committee.members[0].0),
        log_key: *log.public_key().cose(),
        cosigner_key: *cosigner.public_key().cose(),
    };
    let genesis = Genesis {
        rules: RULES_VERSION,
        origin,
        committee: Committee {
            epoch: Epoch(0),
            certificate_key: CertificateKey(certificate_key),
            validators: vec![validator],
            threshold: 1,
        },
        time: new.time,
    };
    let secrets = Secrets {
        identity: seat.identity,
        share: seat.share,
        log: *log.seed(),
        cosigner: *cosigner.seed(),
    };
    let members = committee.members.iter().map(|member| Digest(member.0)).collect();
    let committee = CommitteeFile { polynomial: committee.polynomial, members };
    write(&path.join(SECRETS), &codec::encode(&secrets), Secrecy::Owner)?;
    write(&path.join(COMMITTEE), &codec::encode(&committee), Secrecy::Public)?;
    write(&path.join(GENESIS), &genesis.encode_to_vec(), Secrecy::Public)
}

/// Writes a file whole and durably.
pub(crate) fn write(path: &Path, bytes: &[u8], secrecy: Secrecy) -> Result<(), FolderError> {
    disk::replace(path, bytes, secrecy)
        .map_err(|source| FolderError::File { path: path.into(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    fs::read(path).map_err(|source| FolderError::File { path: path.into(), source })
}

fn read_cbor<T>(path: &Path) -> Result<T, FolderError>
where
    T: for<'b> Decode<'b, ()> + Encode<()>,
{
    let bytes = read(path)?;
    codec::decode(&bytes, limits::GENESIS).map_err(|_| FolderError::Damaged { path: path.into() })
}
