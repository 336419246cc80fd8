//! A new organisation, and the keys of its members.

use super::proposal::Quorum;
use crate::cli::answer::Answer;
use crate::cli::attributes::Pair;
use crate::cli::failure::{Failure, Fault};
use crate::cli::identity::creation::{self, NewKeys, nonce};
use crate::cli::identity::signing;
use crate::cli::passphrase::Passphrase;
use crate::cli::registered;
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use std::path::{Path, PathBuf};
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_core::entry::Purposes;
use touchmark_keys::file::KeyFile;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::codec;
use touchmark_wire::registry::ThingKind;

#[derive(clap::Args, Debug)]
pub(crate) struct MakeKey {
    /// Where to put the key file
    file: PathBuf,
    /// Its algorithm
    #[arg(long, default_value = "ES256", ignore_case = true, value_parser = registered::algorithm())]
    algorithm: Algorithm,
    /// Where to put the public key as well
    #[arg(long, value_name = "FILE")]
    public: Option<PathBuf>,
    #[command(flatten)]
    protection: NewKeys,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Create {
    /// Its name on this machine; members with a key each need none
    #[arg(required_unless_present = "member", conflicts_with = "member")]
    name: Option<String>,
    /// Attribute, such as name=Acme; repeatable
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    attributes: Vec<Pair>,
    /// How many members' keys to make here
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16), conflicts_with = "member")]
    members: u16,
    /// How many members must sign
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    threshold: u16,
    /// A member's public key, COSE_Key or key file; repeatable
    #[arg(long, value_name = "COSE_KEY", requires = "member_key", requires = "propose")]
    member: Vec<String>,
    /// Your key file as one of the members
    #[arg(long, value_name = "FILE", requires = "member")]
    member_key: Option<PathBuf>,
    /// Where to put the statement for the other members to sign
    #[arg(long, value_name = "FILE", requires = "member")]
    propose: Option<PathBuf>,
    #[command(flatten)]
    protection: NewKeys,
}

/// Makes a key file.
pub(super) fn make_key(session: &mut Session<'_, '_>, make: &MakeKey) -> Result<Answer, Failure> {
    let path = session.path(&make.file);
    let file = make.protection.make(session, make.algorithm, &make.file.display().to_string())?;
    file.write_new(&path).map_err(|error| {
        Failure::new(Fault::Storage, format!("cannot write {}", make.file.display()))
            .because(error)
            .hint("choose a name that is free; a key file is never overwritten")
    })?;
    let public = codec::encode(file.public());
    if let Some(path) = &make.public {
        session.write(path, &public)?;
    }
    let mut sheet = Sheet::default();
    sheet.add("file", make.file.display().to_string());
    sheet.add("algorithm", file.public().algorithm().name());
    sheet.add("key", touchmark_api::Base64(public).to_string());
    sheet.add("digest", file.public().digest().to_string());
    Ok(Answer::sheet(&sheet))
}

/// Opens a member's key file.
pub(super) fn open_key(
    session: &mut Session<'_, '_>,
    path: &Path,
    passphrase: &Passphrase,
) -> Result<SoftwareKey, Failure> {
    let name = path.display().to_string();
    let file = KeyFile::decode(&session.read(path)?).map_err(|error| {
        Failure::new(Fault::Malformed, format!("{name} is no key file"))
            .because(error)
            .hint("`touchmark center key` makes one")
    })?;
    let passphrase =
        file.is_encrypted().then(|| passphrase.source().known(session, &name)).transpose()?;
    file.open(passphrase.as_ref().map(|bytes| bytes.as_slice())).map_err(|error| {
        Failure::new(Fault::Passphrase, format!("cannot open {name}"))
            .because(error)
            .hint("give the passphrase that the key was made with")
    })
}

pub(super) fn run(session: &mut Session<'_, '_>, create: &Create) -> Result<Answer, Failure> {
    if create.member.is_empty() {
        let name = create.name.clone().unwrap_or_default();
        let organisation = creation::Create::organisation(
            name,
            create.attributes.clone(),
            (create.members, create.threshold),
            create.protection.clone(),
        );
        return creation::run(session, &organisation);
    }
    propose(session, create)
}

/// The first member proposes, the others sign.
fn propose(session: &mut Session<'_, '_>, create: &Create) -> Result<Answer, Failure> {
    let (Some(key), Some(file)) = (&create.member_key, &create.propose) else {
        return Err(Failure::new(Fault::Usage, "a member needs a key and a place to propose")
            .hint("give --member-key and --propose"));
    };
    if usize::from(create.threshold) > create.member.len() {
        return Err(Failure::new(Fault::Usage, "the members never reach the threshold")
            .because(format!("{} members, threshold {}", create.member.len(), create.threshold))
            .hint("name every member with --member, or give a lower --threshold"));
    }
    let client = session.client()?;
    let network = session.network(&client)?;
    let mut keys = Vec::new();
    for member in &create.member {
        keys.push(NewKey::new(session.cose_key(member)?, Purposes::GENERAL));
    }
    let inception = Inception {
        kind: ThingKind::ORGANISATION,
        keys,
        threshold: create.threshold,
        next: None,
        nonce: nonce()?,
        controller: None,
        owners: None,
        attributes: Pair::map(&create.attributes),
    };
    let payload = inception.encode_to_vec();
    let organisation = Inception::id_of(&payload);
    let key = open_key(session, key, create.protection.passphrase())?;
    let draft = signing::inception(organisation, network.0, &payload);
    let collected = Quorum::first(&inception)?.sign(session, &draft, &[], &key)?.at(file);
    session.write(file, &collected.statement)?;
    Ok(Answer::sheet(&collected.sheet(&organisation.to_string())))
}
