//! Proposals: a statement that goes from member to member until enough have signed.
//!
//! The file is the statement itself with the signatures so far. A node refuses it until they
//! suffice, and stores nothing; who carries it can neither change it nor make it count.
//!
//! A member signs each place of the organisation's chain once. What was signed is noted beside the
//! contexts, so two proposals for one place never both get the same member's signature, and where
//! more than half of the members must sign, at most one of them gets through.

use super::creation::open_key;
use crate::cli::answer::Answer;
use crate::cli::explain;
use crate::cli::failure::{Failure, Fault};
use crate::cli::input;
use crate::cli::passphrase::Passphrase;
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use crate::cli::view;
use crate::disk::{self, Secrecy};
use std::fs::File;
use std::path::{Path, PathBuf};
use touchmark_api::ThingView;
use touchmark_core::directory::inception::Inception;
use touchmark_keys::software::SoftwareKey;
use touchmark_wire::algorithm::{
    CoseKey, PublicKey, PureVerifier, SIGNATURE_LENGTH, SignError, SignatureVerifier as _,
    SignedBytes, Signer,
};
use touchmark_wire::codec;
use touchmark_wire::ids::{KeyNumber, Sequence, StatementId, ThingId};
use touchmark_wire::limits;
use touchmark_wire::registry::StatementKind;
use touchmark_wire::statement::{Draft, Kid, Signatures, Statement};

#[derive(clap::Args, Debug)]
pub(crate) struct Sign {
    /// The proposal; your signature is added to it
    file: PathBuf,
    /// Your key file
    #[arg(long, value_name = "FILE")]
    member_key: PathBuf,
    /// Submit it when enough members have signed
    #[arg(long)]
    submit: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// A member as the organisation has it.
struct Place {
    number: KeyNumber,
    key: PublicKey,
    weight: u16,
}

/// Whose signatures count, and how much is needed.
pub(super) struct Quorum {
    places: Vec<Place>,
    threshold: u16,
}

/// A statement with the signatures so far.
pub(super) struct Collected {
    pub(super) statement: Vec<u8>,
    file: PathBuf,
    signatures: usize,
    weight: u32,
    threshold: u16,
}

/// A signature that a member gave before.
pub(super) struct Given<'a> {
    kid: Kid,
    key: PublicKey,
    signature: &'a [u8],
}

impl Signer for Given<'_> {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn sign(&self, _: &SignedBytes<'_>) -> Result<[u8; SIGNATURE_LENGTH], SignError> {
        self.signature.try_into().map_err(|_| SignError::Refused)
    }
}

pub(super) fn run(session: &mut Session<'_, '_>, sign: &Sign) -> Result<Answer, Failure> {
    let read = session.read(&sign.file)?;
    let bytes = input::decodings(&read).into_iter().map(|decoding| decoding.bytes);
    let not_one = || {
        Failure::new(Fault::Malformed, format!("{} is no proposal", sign.file.display()))
            .because("a proposal is a statement for several signers")
            .hint("`touchmark inspect` tells what it is")
    };
    let bytes = bytes.into_iter().find(|bytes| Statement::parse(bytes).is_ok());
    let bytes = bytes.ok_or_else(not_one)?;
    let statement = Statement::parse(&bytes).map_err(|_| not_one())?;
    let Signatures::Many(signers) = statement.signatures() else { return Err(not_one()) };
    let quorum = quorum(session, &statement)?;
    let mut given = Vec::new();
    for entry in signers.iter() {
        let structure = statement.sig_structure_of(&entry);
        let place = quorum.places.iter().find(|place| Some(place.number) == entry.kid().key);
        let place = place.filter(|place| {
            let message = structure.signed_bytes();
            PureVerifier.verify(&place.key, &message, entry.signature()).is_ok()
        });
        let Some(place) = place else {
            return Err(Failure::new(Fault::Malformed, "a signature is not a member's")
                .because("it does not verify under a key that the organisation has now")
                .hint("ask for the proposal anew"));
        };
        given.push(Given {
            kid: entry.kid(),
            key: place.key.clone(),
            signature: entry.signature(),
        });
    }
    let key = open_key(session, &sign.member_key, &sign.passphrase)?;
    let draft = draft(&statement);
    let collected = quorum.sign(session, &draft, &given, &key)?.at(&sign.file);
    session.write(&sign.file, &collected.statement)?;
    let mut sheet = collected.sheet(&draft.issuer.to_string());
    if sign.submit && collected.is_complete() {
        let written = session.client()?.submit_statement(&collected.statement)?;
        view::outcome(&mut sheet, &written);
    }
    sheet.add("statement", explain::statement(&statement));
    Ok(Answer::sheet(&sheet))
}

/// The members: in the statement itself where it creates the organisation, else by the node's
/// word, which can only make a statement that other nodes refuse.
fn quorum(session: &Session<'_, '_>, statement: &Statement<'_>) -> Result<Quorum, Failure> {
    let protected = statement.protected();
    if protected.link.kind == StatementKind::INCEPTION {
        let inception: Result<Inception, _> = codec::decode(statement.payload(), limits::STATEMENT);
        let inception = inception.map_err(|_| {
            Failure::new(Fault::Malformed, "the proposal creates nothing that is known")
        })?;
        return Quorum::first(&inception);
    }
    Quorum::of(&session.client()?.thing(protected.kid.thing)?)
}

/// The statement as it was before anybody signed.
fn draft<'a>(statement: &'a Statement<'a>) -> Draft<'a> {
    let protected = statement.protected();
    Draft {
        issuer: protected.kid.thing,
        link: protected.link,
        content: protected.content,
        claims: protected.claims,
        payload: statement.payload(),
    }
}

impl Quorum {
    /// The members of an organisation that is registered.
    pub(super) fn of(view: &ThingView) -> Result<Self, Failure> {
        let places = view.keys.iter().map(|key| {
            let cose = CoseKey::decode(&key.key.0).map_err(|_| unusable())?;
            Place::new(KeyNumber(key.number), &cose, key.weight)
        });
        Ok(Self { places: places.collect::<Result<_, _>>()?, threshold: view.threshold })
    }

    /// The members of one that is being created.
    pub(super) fn first(inception: &Inception) -> Result<Self, Failure> {
        let keys = (0..).map(KeyNumber).zip(&inception.keys);
        let places = keys.map(|(number, new)| Place::new(number, &new.key, new.weight));
        Ok(Self { places: places.collect::<Result<_, _>>()?, threshold: inception.threshold })
    }

    /// Adds the signature of `key` to those that were given before.
    pub(super) fn sign(
        &self,
        session: &Session<'_, '_>,
        draft: &Draft<'_>,
        given: &[Given<'_>],
        key: &SoftwareKey,
    ) -> Result<Collected, Failure> {
        let place = self.places.iter().find(|place| place.key.cose() == key.public_key().cose());
        let Some(place) = place else {
            return Err(Failure::new(Fault::Usage, "this key is no member's")
                .because("the organisation does not have it, or no longer")
                .hint(format!("`touchmark thing show {}` shows its keys", draft.issuer)));
        };
        let own = Kid::new(draft.issuer, place.number);
        let others = given.iter().filter(|given| given.kid != own);
        let mut signers: Vec<(Kid, &dyn Signer)> =
            others.map(|given| (given.kid, given as &dyn Signer)).collect();
        signers.push((own, key));
        let statement = draft.sign_many(&signers).map_err(|error| {
            Failure::new(Fault::Internal, "the proposal was not signed").because(error)
        })?;
        let id = Statement::parse(&statement).map(|statement| statement.id()).map_err(|error| {
            Failure::new(Fault::Malformed, "the statement is too long").because(error)
        })?;
        claim(&session.home()?, key, draft.issuer, draft.link.sequence, id)?;
        let weight = |kid: &Kid| {
            let place = self.places.iter().find(|place| Some(place.number) == kid.key);
            place.map_or(0, |place| u32::from(place.weight))
        };
        Ok(Collected {
            weight: signers.iter().map(|(kid, _)| weight(kid)).sum(),
            signatures: signers.len(),
            statement,
            file: PathBuf::new(),
            threshold: self.threshold,
        })
    }
}

impl Place {
    fn new(number: KeyNumber, key: &CoseKey, weight: u16) -> Result<Self, Failure> {
        let key = key.check().map_err(|_| unusable())?;
        Ok(Self { number, key, weight })
    }
}

fn unusable() -> Failure {
    Failure::new(Fault::Answer, "a member's public key is not usable")
}

impl Collected {
    pub(super) fn at(mut self, file: &Path) -> Self {
        self.file = file.to_path_buf();
        self
    }

    fn is_complete(&self) -> bool {
        self.weight >= u32::from(self.threshold)
    }

    pub(super) fn sheet(&self, thing: &str) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.add("thing", thing).add("proposal", self.file.display().to_string());
        sheet.add("signatures", self.signatures).add("threshold", self.threshold);
        sheet.add("complete", self.is_complete());
        let file = self.file.display();
        sheet.add(
            "next",
            if self.is_complete() {
                format!("touchmark statement submit {file}")
            } else {
                format!("another member: touchmark center sign {file} --member-key FILE")
            },
        );
        sheet
    }
}

/// Notes that `key` signs this statement at this place, unless it signed another one there.
fn claim(
    home: &Path,
    key: &SoftwareKey,
    thing: ThingId,
    sequence: Sequence,
    id: StatementId,
) -> Result<(), Failure> {
    let folder = home.join("signed").join(key.public_key().digest().to_string());
    let path = folder.join(format!("{thing}-{sequence}"));
    let failed = |error: std::io::Error| Failure::storage(&path, &error);
    disk::make_folder(&folder).map_err(failed)?;
    let lock = File::create(folder.join("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    match std::fs::read_to_string(&path) {
        Ok(known) if known == id.to_string() => Ok(()),
        Ok(known) => {
            let what = "this key has signed another statement for the same place of the chain";
            let mut failure = Failure::new(Fault::Exists, what);
            failure.code = touchmark_wire::registry::RefusalCode::FORK.to_string();
            Err(failure.because(format!("place {sequence}, statement {known}")).hint(
                "let the members agree on that one, or propose anew when the chain has gone on",
            ))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            disk::replace(&path, id.to_string().as_bytes(), Secrecy::Owner).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}
