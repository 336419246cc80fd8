//! New identities.

use super::commitment;
use super::folder::{Identity, State};
use super::signing;
use crate::cli::answer::Answer;
use crate::cli::attributes::Pair;
use crate::cli::failure::{Failure, Fault};
use crate::cli::passphrase::Passphrase;
use crate::cli::registered;
use crate::cli::session::Session;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::entry::Purposes;
use touchmark_keys::file::{KeyFile, Protection};
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::ids::KeyNumber;
use touchmark_wire::registry::ThingKind;
use zeroize::Zeroizing;

#[derive(clap::Args, Debug)]
pub(crate) struct Create {
    /// Its name on this machine
    name: String,
    /// What it stands for
    #[arg(long, default_value = "device", value_parser = registered::thing_kind())]
    kind: ThingKind,
    /// Algorithm of its keys
    #[arg(long, default_value = "ES256", ignore_case = true, value_parser = registered::algorithm())]
    algorithm: Algorithm,
    /// Thing that may change its status
    #[arg(long, value_name = "ID")]
    controller: Option<String>,
    /// Attribute, such as serial=4711; repeatable
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    attributes: Vec<Pair>,
    /// How many keys to make
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    keys: u16,
    /// How many of them a statement needs
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    threshold: u16,
    /// Declare the keys that come next, so that a thief of the present ones gets no further
    #[arg(long)]
    pre_rotation: bool,
    #[command(flatten)]
    protection: NewKeys,
}

/// How new key files are protected
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct NewKeys {
    #[command(flatten)]
    passphrase: Passphrase,
    /// Keep the private keys as they are, readable by you alone
    #[arg(long, conflicts_with = "passphrase_file")]
    unencrypted: bool,
}

impl Create {
    /// An organisation of `members.0` keys, of which `members.1` must sign.
    pub(crate) const fn organisation(
        name: String,
        attributes: Vec<Pair>,
        members: (u16, u16),
        protection: NewKeys,
    ) -> Self {
        Self {
            name,
            kind: ThingKind::ORGANISATION,
            algorithm: Algorithm::Es256,
            controller: None,
            attributes,
            keys: members.0,
            threshold: members.1,
            pre_rotation: false,
            protection,
        }
    }
}

impl NewKeys {
    /// Protected by a passphrase that comes from there, or not at all.
    pub(crate) fn of(unencrypted: bool, passphrase: &Passphrase) -> Self {
        Self { passphrase: passphrase.clone(), unencrypted }
    }

    /// Makes a key and its file, protected as was asked for.
    pub(crate) fn make(
        &self,
        session: &mut Session<'_, '_>,
        algorithm: Algorithm,
        name: &str,
    ) -> Result<KeyFile, Failure> {
        let passphrase = self.chosen(session, name)?;
        let MadeKeys { mut files, .. } = make_keys(algorithm, 1, passphrase.as_ref())?;
        files.pop().ok_or_else(|| Failure::new(Fault::Internal, "no key was made"))
    }

    /// The passphrase of new key files; none where they stay as they are.
    fn chosen(
        &self,
        session: &mut Session<'_, '_>,
        name: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Failure> {
        (!self.unencrypted).then(|| self.passphrase.source().chosen(session, name)).transpose()
    }

    /// Where a passphrase comes from.
    pub(crate) const fn passphrase(&self) -> &Passphrase {
        &self.passphrase
    }
}

pub(crate) fn run(session: &mut Session<'_, '_>, create: &Create) -> Result<Answer, Failure> {
    if create.threshold > create.keys {
        return Err(Failure::new(Fault::Usage, "the keys never reach the threshold")
            .because(format!("{} keys of weight 1, threshold {}", create.keys, create.threshold))
            .hint("give more --keys or a lower --threshold"));
    }
    let home = session.home()?;
    Identity::reserve(&home, &create.name)?;
    let client = session.client()?;
    let network = session.network(&client)?;
    let passphrase = create.protection.chosen(session, &create.name)?;
    let make = || make_keys(create.algorithm, create.keys, passphrase.as_ref());
    let MadeKeys { keys, mut files } = make()?;
    let next = if create.pre_rotation { make()?.files } else { Vec::new() };
    let new_keys: Vec<NewKey> =
        files.iter().map(|file| NewKey::new(*file.public(), usual_purposes(create.kind))).collect();
    let next_keys: Vec<NewKey> =
        next.iter().map(|file| NewKey::new(*file.public(), usual_purposes(create.kind))).collect();
    let controller = create.controller.as_deref().map(|text| session.thing(text)).transpose()?;
    let inception = Inception {
        kind: create.kind,
        keys: new_keys.clone(),
        threshold: create.threshold,
        next: commitment::next(create.threshold, &next_keys),
        nonce: nonce()?,
        controller,
        owners: None,
        attributes: Pair::map(&create.attributes),
    };
    let payload = inception.encode_to_vec();
    let thing = Inception::id_of(&payload);
    let mut state = State::new(thing, network.0, create.kind.to_string(), create.threshold);
    state.add_keys(&new_keys);
    state.next_keys = commitment::remembered(inception.next.as_ref());
    files.extend(next);
    let draft = signing::inception(thing, network.0, &payload);
    let needed = usize::from(create.threshold);
    let bytes = signing::sign(&draft, &keys[..needed])?;
    let mut identity = Identity::create(&home, &create.name, &files, state, &bytes)?;
    let written = signing::deliver(&client, &mut identity, &bytes)?;
    let mut sheet = super::sheet(&identity.name, &identity.state);
    sheet.add_some("position", written.position);
    Ok(Answer::sheet(&sheet))
}

/// What the keys of a thing are usually for: a card signs evidence, all else speaks for itself.
pub(crate) const fn usual_purposes(kind: ThingKind) -> Purposes {
    match kind {
        ThingKind::CARD => Purposes::CARD,
        _ => Purposes::GENERAL,
    }
}

/// New keys with their files, in the same order.
pub(super) struct MadeKeys {
    pub(super) keys: Vec<(KeyNumber, SoftwareKey)>,
    pub(super) files: Vec<KeyFile>,
}

/// New keys; all files have the one passphrase, or none.
pub(super) fn make_keys(
    algorithm: Algorithm,
    count: u16,
    passphrase: Option<&Zeroizing<Vec<u8>>>,
) -> Result<MadeKeys, Failure> {
    let protection = match passphrase {
        Some(passphrase) => Protection::Passphrase(passphrase),
        None => Protection::Plain,
    };
    let failed = |error: &dyn std::fmt::Display| {
        Failure::new(Fault::Internal, "no key could be made").because(error)
    };
    let (mut keys, mut files) = (Vec::new(), Vec::new());
    for number in 0..u32::from(count) {
        let key = SoftwareKey::generate(algorithm).map_err(|error| failed(&error))?;
        files.push(KeyFile::seal(&key, protection).map_err(|error| failed(&error))?);
        keys.push((KeyNumber(number), key));
    }
    Ok(MadeKeys { keys, files })
}

/// What makes a thing's id unique.
pub(crate) fn nonce() -> Result<Vec<u8>, Failure> {
    let mut nonce = vec![0; 16];
    getrandom::fill(&mut nonce).map_err(|error| {
        Failure::new(Fault::Internal, "the operating system gave no randomness").because(error)
    })?;
    Ok(nonce)
}
