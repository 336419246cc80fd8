//! The set-up code: how whoever starts a node gets its first API key in a browser.
//!
//! ```text
//! <data>/setup.json    the last code: its hash, its end, and when it was used
//! ```
//! A code is 100 random bits, so its plain SHA-256 says nothing about it. It ends after an hour, and
//! makes one key. The running node reads the file at each use: a code that a command makes beside it
//! counts at once.

use super::{ApiKey, ApiKeyError, ApiKeys, Scope, hash, lock, read, try_lock, write};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use touchmark_wire::ids::Timestamp;

/// For how long a code is good, milliseconds.
pub const CODE_LIFE: u64 = 3_600_000;
/// For how long the key is good that it makes, milliseconds: 90 days.
const KEY_LIFE: u64 = 90 * 86_400_000;
/// What the key is called.
const KEY_NAME: &str = "set-up";
/// What the key is for.
const KEY_SCOPES: [Scope; 2] = [Scope::Read, Scope::Operate];

/// A code that was just made, which nothing keeps.
#[derive(Debug)]
pub struct SetupCode {
    code: Code,
    /// When it ends.
    pub expires: Timestamp,
}

impl SetupCode {
    /// The code as people write it: four groups of five letters and digits.
    pub fn text(&self) -> String {
        self.code.to_string()
    }
}

/// Why a code makes no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// It is not the last one that was made here.
    #[error("this is not the set-up code of this node")]
    Wrong,
    /// Its time is over.
    #[error("the set-up code was good for an hour, and its time is over")]
    Expired,
    /// It has made its key.
    #[error("the set-up code was used, and it makes one key only")]
    Used,
    /// Somebody else changes codes or keys at this moment.
    #[error("codes or keys of this node are being changed now")]
    Busy,
    /// The key cannot be made.
    #[error(transparent)]
    Keys(#[from] ApiKeyError),
}

/// What is kept of a code.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// SHA-256 of the code without its hyphens, hexadecimal.
    hash: String,
    /// When it ends, milliseconds since 1970-01-01T00:00:00Z.
    expires: u64,
    /// When it was used, likewise.
    used: Option<u64>,
}

/// Twenty symbols.
#[derive(Clone, PartialEq, Eq)]
struct Code([u8; Code::LENGTH]);

impl Code {
    const LENGTH: usize = 20;
    /// No letter that looks like a digit or another letter: those of Crockford's base 32.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    fn random() -> Result<Self, ApiKeyError> {
        let mut random = [0; Self::LENGTH];
        getrandom::fill(&mut random).map_err(|_| ApiKeyError::Randomness)?;
        Ok(Self(random.map(|byte| Self::ALPHABET[usize::from(byte % 32)])))
    }

    /// What somebody typed: hyphens and spaces do not count, nor does case, and letters that look
    /// like digits are taken for them.
    fn parse(text: &str) -> Option<Self> {
        let symbols = text.bytes().filter(|byte| !matches!(byte, b'-' | b' ' | b'\r' | b'\n'));
        let symbols: Vec<u8> = symbols
            .map(|byte| match byte.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            })
            .collect();
        let code: [u8; Self::LENGTH] = symbols.try_into().ok()?;
        code.iter().all(|byte| Self::ALPHABET.contains(byte)).then_some(Self(code))
    }

    fn hash(&self) -> String {
        hash(&self.0.iter().map(|byte| char::from(*byte)).collect::<String>())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, symbol) in self.0.iter().enumerate() {
            let hyphen = if place > 0 && place % 5 == 0 { "-" } else { "" };
            write!(f, "{hyphen}{}", char::from(*symbol))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

impl ApiKeys {
    /// A code for the first key of this folder; none where a key was ever made.
    pub fn first_code(&self, now: Timestamp) -> Result<Option<SetupCode>, ApiKeyError> {
        if self.path().exists() { Ok(None) } else { self.setup_code(now).map(Some) }
    }

    /// Makes a code; the one before is no longer one.
    pub fn setup_code(&self, now: Timestamp) -> Result<SetupCode, ApiKeyError> {
        let (code, expires) = (Code::random()?, Timestamp(now.0 + CODE_LIFE));
        let kept = Kept { hash: code.hash(), expires: expires.0, used: None };
        let _lock = lock(&self.code_lock_path())?;
        write(&self.code_path(), &kept)?;
        Ok(SetupCode { code, expires })
    }

    /// Makes the key of a code, this once; returns it with what is kept of it. Waits for nobody, and
    /// who does not have the code comes as far as reading what is kept of it.
    pub fn set_up(&self, given: &str, now: Timestamp) -> Result<(ApiKey, String), SetupError> {
        // Comparing hashes tells nothing about the code by the time it takes.
        let given = Code::parse(given).ok_or(SetupError::Wrong)?.hash();
        self.kept(&given)?;
        let _codes = try_lock(&self.code_lock_path())?.ok_or(SetupError::Busy)?;
        let _keys = try_lock(&self.lock_path())?.ok_or(SetupError::Busy)?;
        // What was read before the lock may be over.
        let mut kept = self.kept(&given)?;
        if kept.used.is_some() {
            return Err(SetupError::Used);
        }
        if kept.expires <= now.0 {
            return Err(SetupError::Expired);
        }
        let end = Timestamp(now.0 + KEY_LIFE);
        let (key, secret) = ApiKey::random(KEY_NAME, &KEY_SCOPES, now, end)?;
        let mut keys = self.keys()?;
        keys.push(key.clone());
        // Used before there is a key: whatever happens between, no code makes two.
        kept.used = Some(now.0);
        write(&self.code_path(), &kept)?;
        write(&self.path(), &keys)?;
        Ok((key, secret))
    }

    /// What is kept of the code with this hash.
    fn kept(&self, hash: &str) -> Result<Kept, SetupError> {
        let kept: Option<Kept> = read(&self.code_path())?;
        kept.filter(|kept| kept.hash == hash).ok_or(SetupError::Wrong)
    }

    fn code_path(&self) -> PathBuf {
        self.folder.join("setup.json")
    }

    fn code_lock_path(&self) -> PathBuf {
        self.folder.join("setup.lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::Barrier;
    use std::thread;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn keys() -> (tempfile::TempDir, ApiKeys) {
        let folder = tempfile::tempdir().unwrap();
        let keys = ApiKeys::in_folder(folder.path());
        (folder, keys)
    }

    #[test]
    fn a_code_makes_one_key_within_its_hour() {
        let (_folder, keys) = keys();
        let text = keys.setup_code(NOW).unwrap().text();
        assert_eq!((text.len(), text.matches('-').count()), (23, 3), "{text}");
        let other = if text.starts_with('7') { "8" } else { "7" };
        for wrong in ["", "x", &text[1..], &format!("{other}{}", &text[1..])] {
            assert!(matches!(keys.set_up(wrong, NOW), Err(SetupError::Wrong)), "{wrong}");
        }
        let late = Timestamp(NOW.0 + CODE_LIFE);
        assert!(matches!(keys.set_up(&text, late), Err(SetupError::Expired)));
        let in_time = Timestamp(late.0 - 1);
        // As somebody types it.
        let typed = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        let (key, secret) = keys.set_up(&typed, in_time).unwrap();
        assert_eq!((key.scopes, key.expires), (KEY_SCOPES.to_vec(), in_time.0 + KEY_LIFE));
        keys.authorise(&secret, Scope::Operate, in_time).unwrap();
        for again in [in_time, late] {
            assert!(matches!(keys.set_up(&text, again), Err(SetupError::Used)));
        }
        assert_eq!(keys.list().unwrap().len(), 1);
    }

    #[test]
    fn of_many_at_once_one_gets_the_key() {
        let (folder, keys) = keys();
        for _ in 0..20 {
            let text = keys.setup_code(NOW).unwrap().text();
            let start = Barrier::new(8);
            let one = || {
                start.wait();
                match ApiKeys::in_folder(folder.path()).set_up(&text, NOW) {
                    Ok(_) => true,
                    Err(SetupError::Used | SetupError::Busy) => false,
                    Err(other) => panic!("{other}"),
                }
            };
            let made = thread::scope(|scope| {
                let asked: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
                asked.into_iter().map(|it| it.join().unwrap()).filter(|made| *made).count()
            });
            assert_eq!(made, 1);
        }
    }

    #[test]
    fn a_lock_that_somebody_has_holds_nobody_up() {
        let (_folder, keys) = keys();
        assert!(matches!(keys.set_up("x", NOW), Err(SetupError::Wrong)), "there is no code yet");
        let text = keys.setup_code(NOW).unwrap().text();
        for path in [keys.code_lock_path(), keys.lock_path()] {
            let held = lock(&path).unwrap();
            assert!(matches!(keys.set_up(&text, NOW), Err(SetupError::Busy)), "{}", path.display());
            let other = text.replace(|symbol| symbol != '-', "7");
            assert!(matches!(keys.set_up(&other, NOW), Err(SetupError::Wrong)));
            drop(held);
        }
        keys.set_up(&text, NOW).unwrap();
    }

    #[test]
    fn a_code_whose_key_cannot_be_made_is_still_one() {
        let (_folder, keys) = keys();
        let text = keys.setup_code(NOW).unwrap().text();
        fs::write(keys.path(), "damaged").unwrap();
        let damaged = keys.set_up(&text, NOW).unwrap_err();
        assert!(matches!(damaged, SetupError::Keys(ApiKeyError::Damaged { .. })), "{damaged}");
        fs::remove_file(keys.path()).unwrap();
        keys.set_up(&text, NOW).unwrap();
    }

    #[test]
    fn ending_a_key_that_is_none_is_no_first_key() {
        let (_folder, keys) = keys();
        assert!(matches!(keys.revoke("00000000"), Err(ApiKeyError::Unknown)));
        assert!(keys.first_code(NOW).unwrap().is_some());
    }

    #[test]
    fn the_first_start_has_a_code_and_so_has_each_one_until_there_was_a_key() {
        let (_folder, keys) = keys();
        let codes = [1, 2].map(|_| keys.first_code(NOW).unwrap().unwrap().text());
        assert!(matches!(keys.set_up(&codes[0], NOW), Err(SetupError::Wrong)), "it was replaced");
        let (key, _) = keys.set_up(&codes[1], NOW).unwrap();
        assert!(keys.first_code(NOW).unwrap().is_none());
        keys.revoke(&key.id).unwrap();
        assert!(keys.first_code(NOW).unwrap().is_none(), "also when no key is left");
        // But whoever has the folder can ask for one.
        let text = keys.setup_code(NOW).unwrap().text();
        keys.set_up(&text, NOW).unwrap();
    }

    #[test]
    fn what_is_kept_is_no_code_and_the_owners_alone() {
        let (_folder, keys) = keys();
        let code = keys.setup_code(NOW).unwrap();
        assert!(!format!("{code:?}").contains(&code.text()));
        let path = keys.code_path();
        let plain = code.text().replace('-', "");
        let kept = fs::read_to_string(&path).unwrap();
        assert!(!kept.contains(&plain) && !kept.contains(&code.text()), "{kept}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            for path in [path, keys.code_lock_path()] {
                let mode = fs::metadata(&path).unwrap().permissions().mode();
                assert_eq!(mode & 0o077, 0, "{}", path.display());
            }
        }
    }
}
