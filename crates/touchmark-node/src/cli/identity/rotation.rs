//! Exchange of an identity's keys.

use super::commitment::{self, Committed, new_key};
use super::creation::make_keys;
use super::folder::Identity;
use super::signing::{self, Proposal, Signing};
use crate::cli::answer::Answer;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use touchmark_core::directory::rotation::Rotation;
use touchmark_core::entry::Purposes;
use touchmark_keys::file::KeyFile;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::codec;
use touchmark_wire::ids::KeyNumber;
use touchmark_wire::registry::StatementKind;

#[derive(clap::Args, Debug)]
pub(crate) struct Rotate {
    #[command(flatten)]
    signing: Signing,
    /// Algorithm of the new keys; otherwise that of the present ones
    #[arg(long, ignore_case = true, value_parser = crate::cli::registered::algorithm())]
    algorithm: Option<Algorithm>,
    /// Declare the keys that come after these
    #[arg(long)]
    pre_rotation: bool,
}

pub(super) fn run(session: &mut Session<'_, '_>, rotate: &Rotate) -> Result<Answer, Failure> {
    let client = session.client()?;
    let mut identity = rotate.signing.open(session)?;
    signing::deliver_pending(session, &client, &mut identity)?;
    let present = present(&identity)?;
    let committed = Committed::of(&identity)?;
    let files = committed.as_ref().map_or(&[][..], Committed::files);
    let encrypted = present.iter().chain(files).any(KeyFile::is_encrypted);
    let passphrase = encrypted
        .then(|| rotate.signing.passphrase().source().known(session, &identity.name))
        .transpose()?;
    let algorithm = rotate.algorithm.or(present.first().map(|file| file.public().algorithm()));
    let count = u16::try_from(identity.state.keys.len()).unwrap_or(1);
    let make = || {
        let count = count.max(identity.state.threshold);
        make_keys(algorithm.unwrap_or(Algorithm::Es256), count, passphrase.as_ref())
            .map(|made| made.files)
    };
    let made = if committed.is_some() { Vec::new() } else { make()? };
    let after = if committed.is_some() || rotate.pre_rotation { make()? } else { Vec::new() };
    let coming = committed.as_ref().map_or(&made[..], Committed::files);
    let payload = payload(&identity, coming, &after)?;
    // Before they are used, the new keys are on the disk.
    made.iter().chain(&after).try_for_each(|file| identity.add_key_file(file))?;
    let keys = match committed {
        Some(committed) => committed.open(session, &rotate.signing, &identity)?,
        None => rotate.signing.keys(session, &identity, Purposes::CONTROL)?,
    };
    let proposal = Proposal::new(StatementKind::ROTATE, &payload);
    let bytes = signing::keep(&mut identity, &keys, &proposal)?;
    let written = signing::deliver(&client, &mut identity, &bytes)?;
    let mut sheet = super::sheet(&identity.name, &identity.state);
    sheet.add_some("position", written.position);
    Ok(Answer::sheet(&sheet))
}

fn present(identity: &Identity) -> Result<Vec<KeyFile>, Failure> {
    let digest = |held: &super::folder::Held| super::Digest::of(&[&held.key.0]).to_string();
    identity.state.keys.iter().map(|held| identity.key_file(&digest(held))).collect()
}

/// All present keys end, `coming` take their place, `after` is committed to.
fn payload(identity: &Identity, coming: &[KeyFile], after: &[KeyFile]) -> Result<Vec<u8>, Failure> {
    let new_keys =
        |files: &[KeyFile]| files.iter().map(|file| new_key(identity, file)).collect::<Vec<_>>();
    Ok(codec::encode(&Rotation {
        thing: identity.thing()?,
        add: new_keys(coming),
        close: identity.state.keys.iter().map(|held| KeyNumber(held.number)).collect(),
        next: commitment::next(identity.state.threshold, &new_keys(after)),
        threshold: None,
    }))
}
