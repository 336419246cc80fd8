//! The keys that an identity has committed to (pre-rotation).

use super::creation::usual_purposes;
use super::folder::Identity;
use super::signing::Signing;
use crate::cli::failure::{Failure, Fault};
use crate::cli::session::Session;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::prerotation::NextKeys;
use touchmark_keys::file::KeyFile;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::ids::KeyNumber;
use touchmark_wire::registry::ThingKind;

/// Committed keys, in the order in which they will be numbered.
pub(crate) struct Committed(Vec<KeyFile>);

impl Committed {
    /// `None` without pre-rotation.
    pub(crate) fn of(identity: &Identity) -> Result<Option<Self>, Failure> {
        if identity.state.next_keys.is_empty() {
            return Ok(None);
        }
        let mut files = Vec::new();
        for file in identity.key_files()? {
            let commitment = new_key(identity, &file).commitment().to_string();
            if identity.state.next_keys.contains(&commitment) {
                files.push(file);
            }
        }
        if files.len() == identity.state.next_keys.len() {
            Ok(Some(Self(files)))
        } else {
            let what = format!("a key that `{}` has committed to is not there", identity.name);
            Err(Failure::new(Fault::Damaged, what)
                .hint("restore its key files from a backup; no other key can stand in"))
        }
    }

    /// The files.
    pub(crate) fn files(&self) -> &[KeyFile] {
        &self.0
    }

    /// The keys as a statement brings them.
    pub(crate) fn keys(&self, identity: &Identity) -> Vec<NewKey> {
        self.0.iter().map(|file| new_key(identity, file)).collect()
    }

    /// Opens as many as the threshold needs, under the numbers that they are going to have.
    pub(crate) fn open(
        self,
        session: &mut Session<'_, '_>,
        signing: &Signing,
        identity: &Identity,
    ) -> Result<Vec<(KeyNumber, SoftwareKey)>, Failure> {
        let needed = usize::from(identity.state.threshold);
        let numbered = (identity.state.next_number..).map(KeyNumber).zip(self.0);
        signing.unlock(session, &identity.name, numbered.take(needed).collect())
    }
}

/// A key of an identity with its usual purposes.
pub(super) fn new_key(identity: &Identity, file: &KeyFile) -> NewKey {
    let kind = ThingKind::from_name(&identity.state.kind).unwrap_or(ThingKind::DEVICE);
    NewKey::new(*file.public(), usual_purposes(kind))
}

/// Commits to `files`; `None` when there are none.
pub(super) fn next(threshold: u16, keys: &[NewKey]) -> Option<NextKeys> {
    (!keys.is_empty()).then(|| NextKeys::new(threshold, keys))
}

/// What the state of an identity remembers of a commitment.
pub(super) fn remembered(next: Option<&NextKeys>) -> Vec<String> {
    next.iter().flat_map(|next| &next.keys).map(ToString::to_string).collect()
}
