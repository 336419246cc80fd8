//! Initialising cards, readers and sensors.

use super::authority::{Authority, Stated};
use super::reference::next_number;
use crate::cli::answer::Answer;
use crate::cli::attributes::Pair;
use crate::cli::card::outfit::Outfit;
use crate::cli::card::place::{Place, Unencrypted};
use crate::cli::card::{issue, look};
use crate::cli::failure::{Failure, Fault};
use crate::cli::identity::creation::{NewKeys, nonce, usual_purposes};
use crate::cli::identity::folder::{Identity, State};
use crate::cli::input;
use crate::cli::session::Session;
use std::collections::BTreeMap;
use touchmark_api::client::{Client, ThingsQuery};
use touchmark_card::message::UrlBase;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::accreditation::Accredit;
use touchmark_core::directory::inception::Inception;
use touchmark_core::group::{Group, GroupAction};
use touchmark_core::roster::{NUMBER, SERIAL};
use touchmark_keys::file::KeyFile;
use touchmark_wire::algorithm::{Algorithm, CoseKey};
use touchmark_wire::codec;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::{StatementKind, ThingKind};

/// What is initialised.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    /// A smart card or tag.
    Card,
    /// A device that reads cards.
    Reader,
    /// A device that measures.
    Sensor,
}

impl What {
    pub(super) const fn kind(self) -> ThingKind {
        match self {
            Self::Card => ThingKind::CARD,
            Self::Reader => ThingKind::READER,
            Self::Sensor => ThingKind::DEVICE,
        }
    }

    /// As what the organisation vouches for it.
    const fn role(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Reader => "reader",
            Self::Sensor => "sensor",
        }
    }
}

#[derive(clap::Args, Debug)]
pub(crate) struct Init {
    /// What it is
    what: What,
    /// Serial number of its chip; a card that makes its key tells its own
    #[arg(long, required_unless_present = "url", conflicts_with = "url")]
    serial: Option<String>,
    /// Specification, such as model=T1; repeatable
    #[arg(long = "spec", value_name = "NAME=VALUE")]
    specification: Vec<Pair>,
    /// Its public key, which it made itself: COSE_Key, key file, or text
    #[arg(long, value_name = "COSE_KEY", required_unless_present = "making")]
    key: Option<String>,
    /// Make its key here, as an identity of this name
    #[arg(
        long = "identity",
        value_name = "NAME",
        conflicts_with = "key",
        id = "new_identity",
        group = "making"
    )]
    name: Option<String>,
    /// Have the blank card make its key in itself, and personalise it: what its URL begins with
    #[arg(long, value_name = "URL", conflicts_with = "key", group = "making")]
    url: Option<UrlBase>,
    /// Keep the key of an identity or of a virtual card as it is, readable by you alone
    #[arg(long, requires = "making", conflicts_with = "card_passphrase_file")]
    unencrypted: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    outfit: Outfit,
    #[command(flatten)]
    authority: Authority,
}

/// A thing to be initialised.
pub(super) struct Candidate {
    pub(super) what: What,
    pub(super) serial: String,
    pub(super) specification: BTreeMap<String, String>,
    pub(super) key: CoseKey,
}

pub(super) fn run(session: &mut Session<'_, '_>, init: &Init) -> Result<Answer, Failure> {
    let specification = Pair::map(&init.specification).unwrap_or_default();
    if let Some(name) = [NUMBER, SERIAL].into_iter().find(|name| specification.contains_key(*name))
    {
        return Err(Failure::new(
            Fault::Usage,
            format!("`{name}` is no part of the specification"),
        )
        .hint("the number is allotted; the serial number is the chip's"));
    }
    match (&init.url, &init.serial) {
        (Some(url), _) => in_card(session, init, specification, url),
        (None, _) if init.place.is_named() || init.outfit.is_given() => {
            Err(Failure::new(Fault::Usage, "no card is personalised without --url")
                .hint("give --url, and the card makes its key in itself"))
        }
        (None, Some(serial)) => with_key(session, init, specification, serial),
        (None, None) => Err(Failure::new(Fault::Usage, "no serial number is given")),
    }
}

/// A thing whose key is known or made here.
fn with_key(
    session: &mut Session<'_, '_>,
    init: &Init,
    specification: BTreeMap<String, String>,
    serial: &str,
) -> Result<Answer, Failure> {
    let mut office = init.authority.open(session)?;
    require_new(&office.client, office.organisation, init.what, serial)?;
    let made = match &init.name {
        Some(name) => {
            Identity::reserve(&session.home()?, name)?;
            let keys = NewKeys::of(init.unencrypted, init.authority.passphrase());
            Some(keys.make(session, Algorithm::Es256, name)?)
        }
        None => None,
    };
    let key = match (&made, &init.key) {
        (Some(file), _) => *file.public(),
        (None, Some(key)) => session.cose_key(key)?,
        (None, None) => {
            return Err(Failure::new(Fault::Usage, "no key is given").hint("give --key"));
        }
    };
    let candidate = Candidate { what: init.what, serial: serial.to_owned(), specification, key };
    let number = next_number(&office.client, office.organisation, init.what.kind())?;
    let (thing, kind, payload) = candidate.payload(office.organisation, number)?;
    if let (Some(name), Some(file)) = (&init.name, made) {
        let network = session.network(&office.client)?;
        enrol(session, name, (thing, network.0), init.what.kind(), &file)?;
    }
    let stated = office.state(session, kind, &payload)?;
    Ok(stated.answer(thing, &[("number", number.to_string()), ("serial", candidate.serial)]))
}

/// A card that makes its key in itself. It is personalised once it is registered; whoever was
/// interrupted, or had to wait for other members, gives the same command again.
fn in_card(
    session: &mut Session<'_, '_>,
    init: &Init,
    specification: BTreeMap<String, String>,
    url: &UrlBase,
) -> Result<Answer, Failure> {
    if init.what != What::Card {
        return Err(Failure::new(Fault::Usage, "only a card makes its key in a card")
            .hint("give --key or --identity"));
    }
    let outfit = init.outfit.read(session)?;
    let mut office = init.authority.open(session)?;
    let kept = Unencrypted { unencrypted: init.unencrypted };
    let mut card = init.place.blank_card(session, kept)?;
    let (info, key) = issue::own_key(&mut card)?;
    let serial = input::to_hexadecimal(&info.serial);
    if let Some(thing) = with_serial(&office.client, office.organisation, init.what, &serial)? {
        let view = office.client.thing(thing)?;
        let own = codec::encode(&key);
        if !view.keys.iter().any(|known| known.key.0 == own) {
            return Err(known_already(&serial, thing));
        }
        outfit.put_on(&mut card, thing, url)?;
        let mut sheet = look::sheet(&card.info()?);
        sheet.add("outcome", "known");
        return Ok(Answer::sheet(&sheet));
    }
    let candidate = Candidate { what: init.what, serial, specification, key };
    let number = next_number(&office.client, office.organisation, init.what.kind())?;
    let (thing, kind, payload) = candidate.payload(office.organisation, number)?;
    let stated = office.state(session, kind, &payload)?;
    let mut more = vec![("number", number.to_string()), ("serial", candidate.serial)];
    if matches!(stated, Stated::Written(_)) {
        outfit.put_on(&mut card, thing, url)?;
        more.push(("state", card.info()?.lifecycle.to_string()));
    } else {
        session.say(
            "when enough members have signed, give this command again: it personalises the card",
        );
    }
    Ok(stated.answer(thing, &more))
}

/// A chip is initialised once.
pub(super) fn require_new(
    client: &Client,
    organisation: ThingId,
    what: What,
    serial: &str,
) -> Result<(), Failure> {
    let Some(known) = with_serial(client, organisation, what, serial)? else { return Ok(()) };
    Err(known_already(serial, known))
}

fn known_already(serial: &str, known: ThingId) -> Failure {
    let what = format!("serial number {serial} is initialised already");
    Failure::new(Fault::Exists, what)
        .because(format!("it is {known}"))
        .hint("`touchmark center reinstate` gives it a new key")
}

/// The thing with a serial number.
pub(super) fn with_serial(
    client: &Client,
    organisation: ThingId,
    what: What,
    serial: &str,
) -> Result<Option<ThingId>, Failure> {
    let query = ThingsQuery {
        controller: Some(organisation),
        kind: Some(what.kind()),
        serial: Some(serial.to_owned()),
        ..ThingsQuery::default()
    };
    client.things(&query)?.items.first().map(super::reference::id).transpose()
}

impl Candidate {
    /// The statement that initialises it, and the thing that it makes: the organisation registers
    /// it and vouches for it at once, for the state shows who vouches, not who registered.
    pub(super) fn payload(
        &self,
        organisation: ThingId,
        number: u64,
    ) -> Result<(ThingId, StatementKind, Vec<u8>), Failure> {
        let mut attributes = self.specification.clone();
        attributes.insert(NUMBER.into(), number.to_string());
        attributes.insert(SERIAL.into(), self.serial.clone());
        let kind = self.what.kind();
        let inception = Inception {
            kind,
            keys: vec![NewKey::new(self.key, usual_purposes(kind))],
            threshold: 1,
            next: None,
            nonce: nonce()?,
            controller: Some(organisation),
            owners: None,
            attributes: Some(attributes),
        };
        let payload = inception.encode_to_vec();
        let thing = Inception::id_of(&payload);
        let vouching = codec::encode(&Accredit { thing, roles: vec![self.what.role().into()] });
        let action = |kind, payload| GroupAction { actor: organisation, kind, payload };
        let group = Group(vec![
            action(StatementKind::REGISTER, payload),
            action(StatementKind::ACCREDIT, vouching),
        ]);
        Ok((thing, StatementKind::GROUP, codec::encode(&group)))
    }
}

/// Keeps a key that was made here before the network hears of it.
fn enrol(
    session: &Session<'_, '_>,
    name: &str,
    (thing, network): (ThingId, touchmark_wire::hash::Digest),
    kind: ThingKind,
    file: &KeyFile,
) -> Result<(), Failure> {
    let mut state = State::new(thing, network, kind.to_string(), 1);
    state.add_keys(&[NewKey::new(*file.public(), usual_purposes(kind))]);
    Identity::enrol(&session.home()?, name, std::slice::from_ref(file), state).map(drop)
}
