//! A blank card becomes the card of a thing.

use super::look;
use super::outfit::Outfit;
use super::place::{Place, Unencrypted};
use crate::cli::answer::Answer;
use crate::cli::attributes::Pair;
use crate::cli::failure::{Failure, Fault};
use crate::cli::identity::creation::usual_purposes;
use crate::cli::identity::signing::{Proposal, Signing};
use crate::cli::input;
use crate::cli::session::Session;
use touchmark_api::client::ClientError;
use touchmark_card::client::{CardClient, CardInfo};
use touchmark_card::lifecycle::LifeCycle;
use touchmark_card::message::UrlBase;
use touchmark_card::transport::Transport;
use touchmark_core::directory::NewKey;
use touchmark_core::directory::inception::Inception;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::{RefusalCode, StatementKind, ThingKind};

#[derive(clap::Args, Debug)]
pub(crate) struct Issue {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    signing: Signing,
    #[command(flatten)]
    unencrypted: Unencrypted,
    /// What the card's URL begins with, such as https://tap.example/p
    #[arg(long, value_name = "URL")]
    url: UrlBase,
    /// Attribute of the card, such as number=1; repeatable
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    attributes: Vec<Pair>,
    #[command(flatten)]
    outfit: Outfit,
}

pub(super) fn run(session: &mut Session<'_, '_>, issue: &Issue) -> Result<Answer, Failure> {
    let outfit = issue.outfit.read(session)?;
    let controller = issue.signing.open(session)?.thing()?;
    let mut card = issue.place.blank_card(session, issue.unencrypted)?;
    let prepared = prepare(&mut card, controller, &issue.attributes)?;
    let position = issue.register(session, &prepared)?;
    outfit.put_on(&mut card, prepared.thing, &issue.url)?;
    let mut sheet = look::sheet(&card.info()?);
    sheet.add("controller", controller.to_string());
    sheet.add("position", position);
    Ok(Answer::sheet(&sheet))
}

/// A card that has made its key, and the thing that it is going to be.
struct Prepared {
    /// The thing's id.
    thing: ThingId,
    /// Payload of the statement that registers it.
    payload: Vec<u8>,
}

/// Has a blank card make its key; one that made it before tells it again.
pub(crate) fn own_key<T: Transport>(
    card: &mut CardClient<T>,
) -> Result<(CardInfo, CoseKey), Failure> {
    let info = card.info()?;
    if info.lifecycle != LifeCycle::Initialisation {
        return Err(Failure::new(Fault::Exists, "the card is issued already")
            .because(format!("its state is {}", info.lifecycle))
            .hint("use a blank card; `touchmark card read` shows this one"));
    }
    let key = card.generate_key()?;
    Ok((info, key))
}

/// Has a blank card make its key. The thing depends on nothing but the card and the arguments, so
/// whoever was interrupted issues the same one again.
fn prepare<T: Transport>(
    card: &mut CardClient<T>,
    controller: ThingId,
    attributes: &[Pair],
) -> Result<Prepared, Failure> {
    let (info, key) = own_key(card)?;
    let mut attributes = Pair::map(attributes).unwrap_or_default();
    attributes.entry("serial".into()).or_insert_with(|| input::to_hexadecimal(&info.serial));
    let payload = Inception {
        kind: ThingKind::CARD,
        keys: vec![NewKey::new(key, usual_purposes(ThingKind::CARD))],
        threshold: 1,
        next: None,
        nonce: nonce(&key),
        controller: Some(controller),
        owners: None,
        attributes: Some(attributes),
    }
    .encode_to_vec();
    Ok(Prepared { thing: Inception::id_of(&payload), payload })
}

/// What makes the id unique: the key, which no other card has.
fn nonce(key: &CoseKey) -> Vec<u8> {
    key.digest().as_bytes()[..16].to_vec()
}

/// The thing that an issued card is.
pub(super) fn identity_of(info: &CardInfo) -> Result<ThingId, Failure> {
    info.id.ok_or_else(|| {
        Failure::new(Fault::CardRefused, "the card is blank: it stands for no thing")
            .hint("`touchmark card issue` makes it the card of a thing")
    })
}

impl Issue {
    /// Registers the thing, unless an earlier attempt did; gives the leaf that did.
    fn register(&self, session: &mut Session<'_, '_>, prepared: &Prepared) -> Result<u64, Failure> {
        match session.client()?.thing(prepared.thing) {
            Ok(view) => return Ok(view.created),
            Err(ClientError::Refused(problem))
                if problem.code() == Some(RefusalCode::NOT_FOUND) => {}
            Err(error) => return Err(error.into()),
        }
        let proposal = Proposal::new(StatementKind::REGISTER, &prepared.payload);
        let written = self.signing.state(session, &proposal)?;
        let answer = || Failure::new(Fault::Answer, "the node did not say where the card stands");
        written.position.ok_or_else(answer)
    }
}
