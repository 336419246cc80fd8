//! Key files: one private key, encrypted under a passphrase or, where its owner says so, plain.
//!
//! ```text
//! file       = [ "touchmark-key/1", COSE_Key, protection ]            deterministic CBOR
//! protection = [ 0, seed ]
//!            / [ 1, memory KiB, passes, lanes, salt (16), nonce (24), encrypted seed (48) ]
//! ```
//!
//! The seed is encrypted with XChaCha20-Poly1305 under Argon2id (RFC 9106) of the passphrase; the
//! associated data are the encoded `["touchmark/keys/file/v1", COSE_Key]`, so that nobody can
//! present a seed as that of another key. The public key is readable without the passphrase.

use crate::software::{SoftwareKey, SoftwareKeyError};
use argon2::{Argon2, Params};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use core::fmt;
use minicbor::{Decode, Encode};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use touchmark_wire::algorithm::{CoseKey, Signer as _};
use touchmark_wire::codec::{self, Malformed};
use zeroize::Zeroizing;

/// First element of a key file.
const MAGIC: &str = "touchmark-key/1";
/// First element of the associated data.
const DOMAIN: &str = "touchmark/keys/file/v1";
/// Lengths, bytes.
const SALT: usize = 16;
const NONCE: usize = 24;
const TAG: usize = 16;
/// Longest key file, bytes.
const LIMIT: usize = 512;

/// How the private key stands in the file.
#[derive(Clone, Copy)]
pub enum Protection<'a> {
    /// Encrypted under this passphrase.
    Passphrase(&'a [u8]),
    /// As it is: whoever reads the file has the key.
    Plain,
}

/// A key file, read but not opened.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct KeyFile {
    #[n(0)]
    magic: String,
    #[n(1)]
    public: CoseKey,
    #[n(2)]
    sealed: Sealed,
}

#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
enum Sealed {
    #[n(0)]
    Plain(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    #[n(1)]
    Encrypted(
        #[n(0)] Cost,
        #[cbor(n(1), with = "minicbor::bytes")] Vec<u8>,
        #[cbor(n(2), with = "minicbor::bytes")] Vec<u8>,
        #[cbor(n(3), with = "minicbor::bytes")] Vec<u8>,
    ),
}

/// What a guess costs (RFC 9106 §3.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
struct Cost {
    /// Memory, KiB.
    #[n(0)]
    memory: u32,
    #[n(1)]
    passes: u32,
    #[n(2)]
    lanes: u32,
}

impl Cost {
    /// RFC 9106 §4, second recommended option with one lane.
    const STANDARD: Self = Self { memory: 64 << 10, passes: 3, lanes: 1 };
    /// What a file may ask of its reader.
    const MOST: Self = Self { memory: 1 << 20, passes: 16, lanes: 4 };

    fn is_bearable(self) -> bool {
        self.memory <= Self::MOST.memory
            && self.passes <= Self::MOST.passes
            && self.lanes <= Self::MOST.lanes
    }

    fn cipher(self, passphrase: &[u8], salt: &[u8]) -> Result<XChaCha20Poly1305, KeyFileError> {
        let malformed = |_| KeyFileError::Malformed(Malformed::Shape);
        let params =
            Params::new(self.memory, self.passes, self.lanes, Some(32)).map_err(malformed)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .hash_password_into(passphrase, salt, key.as_mut_slice())
            .map_err(malformed)?;
        XChaCha20Poly1305::new_from_slice(key.as_slice())
            .map_err(|_| KeyFileError::Malformed(Malformed::Shape))
    }
}

impl KeyFile {
    /// Puts a key into a file's form.
    pub fn seal(key: &SoftwareKey, protection: Protection<'_>) -> Result<Self, KeyFileError> {
        let public = *key.public_key().cose();
        let seed = key.seed();
        let sealed = match protection {
            Protection::Plain => Sealed::Plain(seed.to_vec()),
            Protection::Passphrase(passphrase) => {
                let (salt, nonce) = (random::<SALT>()?, random::<NONCE>()?);
                let cost = Cost::STANDARD;
                let text = cost
                    .cipher(passphrase, &salt)?
                    .encrypt(
                        &XNonce::from(nonce),
                        Payload { msg: seed.as_slice(), aad: &associated(&public) },
                    )
                    .map_err(|_| KeyFileError::Passphrase)?;
                Sealed::Encrypted(cost, salt.to_vec(), nonce.to_vec(), text)
            }
        };
        Ok(Self { magic: MAGIC.into(), public, sealed })
    }

    /// Reads the one accepted encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, KeyFileError> {
        let file: Self = codec::decode(bytes, LIMIT).map_err(KeyFileError::Malformed)?;
        let shaped = match &file.sealed {
            Sealed::Plain(seed) => seed.len() == SoftwareKey::SEED,
            Sealed::Encrypted(cost, salt, nonce, text) => {
                cost.is_bearable()
                    && salt.len() == SALT
                    && nonce.len() == NONCE
                    && text.len() == SoftwareKey::SEED + TAG
            }
        };
        if file.magic != MAGIC || !shaped {
            return Err(KeyFileError::Malformed(Malformed::Shape));
        }
        Ok(file)
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let length = std::fs::metadata(path).map_err(KeyFileError::Io)?.len();
        if length > LIMIT as u64 {
            let actual = usize::try_from(length).unwrap_or(usize::MAX);
            return Err(KeyFileError::Malformed(Malformed::TooLong { limit: LIMIT, actual }));
        }
        Self::decode(&Zeroizing::new(std::fs::read(path).map_err(KeyFileError::Io)?))
    }

    /// Writes it to a new file that only its owner reads, and waits until it is on the disk.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyFileError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(KeyFileError::Io)?;
        file.write_all(&Zeroizing::new(codec::encode(self))).map_err(KeyFileError::Io)?;
        file.sync_all().map_err(KeyFileError::Io)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(KeyFileError::Io)?;
        }
        Ok(())
    }

    /// The public half.
    pub const fn public(&self) -> &CoseKey {
        &self.public
    }

    /// Whether opening it needs a passphrase.
    pub const fn is_encrypted(&self) -> bool {
        matches!(self.sealed, Sealed::Encrypted(..))
    }

    /// The key; the passphrase counts only for an encrypted file.
    pub fn open(&self, passphrase: Option<&[u8]>) -> Result<SoftwareKey, KeyFileError> {
        let seed = match (&self.sealed, passphrase) {
            (Sealed::Plain(seed), _) => Zeroizing::new(seed.clone()),
            (Sealed::Encrypted(..), None) => return Err(KeyFileError::PassphraseNeeded),
            (Sealed::Encrypted(cost, salt, nonce, text), Some(passphrase)) => {
                let nonce = XNonce::try_from(nonce.as_slice())
                    .map_err(|_| KeyFileError::Malformed(Malformed::Shape))?;
                let payload = Payload { msg: text, aad: &associated(&self.public) };
                let seed = cost.cipher(passphrase, salt)?.decrypt(&nonce, payload);
                Zeroizing::new(seed.map_err(|_| KeyFileError::Passphrase)?)
            }
        };
        let seed = Zeroizing::new(
            <[u8; SoftwareKey::SEED]>::try_from(seed.as_slice())
                .map_err(|_| KeyFileError::Malformed(Malformed::Shape))?,
        );
        let key =
            SoftwareKey::from_seed(self.public.algorithm(), &seed).map_err(KeyFileError::Key)?;
        if *key.public_key().cose() != self.public {
            return Err(KeyFileError::OtherKey);
        }
        Ok(key)
    }
}

impl fmt::Debug for KeyFile {
    /// Names the public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyFile").field(&self.public).finish()
    }
}

fn associated(public: &CoseKey) -> Vec<u8> {
    codec::encode(&(DOMAIN, public))
}

fn random<const N: usize>() -> Result<[u8; N], KeyFileError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| KeyFileError::Key(SoftwareKeyError::NoRandomness))?;
    Ok(bytes)
}

/// Why a key file cannot be read, opened or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file's: not the one encoding of a key file.
    Malformed(Malformed),
    /// The file's: its private key is not that of its public key.
    OtherKey,
    /// The caller's: the passphrase is wrong, or the file was altered.
    Passphrase,
    /// The caller's: it is encrypted, and no passphrase was given.
    PassphraseNeeded,
    /// The key itself.
    Key(SoftwareKeyError),
    /// The operating system's.
    Io(io::Error),
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(malformed) => write!(f, "not a key file: {malformed}"),
            Self::OtherKey => f.write_str("the private key in it is not that of its public key"),
            Self::Passphrase => f.write_str("the passphrase is wrong, or the key file was altered"),
            Self::PassphraseNeeded => f.write_str("the key file is encrypted"),
            Self::Key(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for KeyFileError {}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_wire::algorithm::Algorithm;

    fn public(key: &SoftwareKey) -> CoseKey {
        *key.public_key().cose()
    }

    #[test]
    fn a_passphrase_opens_what_it_sealed_and_nothing_else_does() {
        let key = SoftwareKey::generate(Algorithm::Es256).unwrap();
        let file = KeyFile::seal(&key, Protection::Passphrase(b"correct horse")).unwrap();
        let bytes = codec::encode(&file);
        let seed = key.seed();
        assert!(!bytes.windows(32).any(|window| window == seed.as_slice()));
        let file = KeyFile::decode(&bytes).unwrap();
        assert!(file.is_encrypted());
        assert_eq!(*file.public(), public(&key));
        assert_eq!(public(&file.open(Some(b"correct horse")).unwrap()), public(&key));
        assert!(matches!(file.open(Some(b"wrong")), Err(KeyFileError::Passphrase)));
        assert!(matches!(file.open(None), Err(KeyFileError::PassphraseNeeded)));
    }

    #[test]
    fn an_encrypted_seed_belongs_to_its_public_key() {
        let key = SoftwareKey::generate(Algorithm::Ed25519).unwrap();
        let other = SoftwareKey::generate(Algorithm::Ed25519).unwrap();
        let mut file = KeyFile::seal(&key, Protection::Passphrase(b"p")).unwrap();
        file.public = public(&other);
        assert!(matches!(file.open(Some(b"p")), Err(KeyFileError::Passphrase)));
        let mut file = KeyFile::seal(&key, Protection::Plain).unwrap();
        file.public = public(&other);
        assert!(matches!(file.open(None), Err(KeyFileError::OtherKey)));
    }

    #[test]
    fn a_plain_file_is_its_owners_only_and_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let key = SoftwareKey::generate(Algorithm::Es256k).unwrap();
        let file = KeyFile::seal(&key, Protection::Plain).unwrap();
        file.write_new(&path).unwrap();
        assert!(!file.is_encrypted());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(public(&KeyFile::read(&path).unwrap().open(None).unwrap()), public(&key));
        assert!(matches!(file.write_new(&path), Err(KeyFileError::Io(_))));
    }

    #[test]
    fn a_file_that_asks_too_much_or_is_cut_is_refused() {
        let key = SoftwareKey::generate(Algorithm::Es256).unwrap();
        let file = KeyFile::seal(&key, Protection::Plain).unwrap();
        let bytes = codec::encode(&file);
        assert!(KeyFile::decode(&bytes[..bytes.len() - 1]).is_err());
        let greedy = Cost { memory: Cost::MOST.memory + 1, ..Cost::STANDARD };
        let sealed = Sealed::Encrypted(greedy, vec![0; SALT], vec![0; NONCE], vec![0; 48]);
        assert!(KeyFile::decode(&codec::encode(&KeyFile { sealed, ..file })).is_err());
    }
}
