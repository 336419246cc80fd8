//! Is this the card that it says, and what is its status?

use super::issue;
use super::place::Place;
use crate::cli::answer::Answer;
use crate::cli::failure::{Exit, Failure, Fault};
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use touchmark_api::ThingView;
use touchmark_card::message;
use touchmark_wire::algorithm::{
    CoseKey, PureVerifier, SIGNATURE_LENGTH, SignatureVerifier as _, SignedBytes,
};
use touchmark_wire::ids::{NetworkId, ThingId};
use touchmark_wire::registry::Status;

/// Length of a challenge, bytes.
const LENGTH: usize = 32;

#[derive(clap::Args, Debug)]
pub(crate) struct Challenge {
    #[command(flatten)]
    place: Place,
    /// Ask no node: the card's public key, as COSE_Key file or text; needs a context with a network
    #[arg(long, value_name = "COSE_KEY")]
    key: Option<String>,
}

/// A card's answer to a challenge.
struct Answered {
    network: NetworkId,
    thing: ThingId,
    challenge: [u8; LENGTH],
    signature: [u8; SIGNATURE_LENGTH],
}

pub(super) fn run(session: &mut Session<'_, '_>, challenge: &Challenge) -> Result<Answer, Failure> {
    let Some(key) = &challenge.key else {
        let client = session.client()?;
        let network = session.network(&client)?;
        let answered = ask(session, &challenge.place, network)?;
        let view = client.thing(answered.thing)?;
        return Ok(judged(&answered, &keys_of(&view), Some(&view)));
    };
    let key = session.cose_key(key)?;
    let network = session.trusted()?.ok_or_else(|| {
        Failure::new(Fault::Usage, "no network is named")
            .because("a challenge is for one network, and no node is asked")
            .hint("use a context with a network: touchmark context add NAME --network ID")
    })?;
    let answered = ask(session, &challenge.place, network)?;
    Ok(judged(&answered, &[key], None))
}

/// Has the card answer a challenge that nobody knew before.
fn ask(
    session: &mut Session<'_, '_>,
    place: &Place,
    network: NetworkId,
) -> Result<Answered, Failure> {
    let mut card = place.card(session)?;
    let thing = issue::identity_of(&card.info()?)?;
    let mut challenge = [0; LENGTH];
    getrandom::fill(&mut challenge).map_err(|error| {
        Failure::new(Fault::Internal, "the operating system gave no randomness").because(error)
    })?;
    let signature = card.challenge(network, &challenge)?;
    Ok(Answered { network, thing, challenge, signature })
}

/// The keys that the network lets the thing answer challenges with now.
fn keys_of(view: &ThingView) -> Vec<CoseKey> {
    let may = |purposes: &[String]| purposes.iter().any(|purpose| purpose == "authenticate");
    let keys = view.keys.iter().filter(|key| key.to.is_none() && may(&key.purposes));
    keys.filter_map(|key| CoseKey::decode(&key.key.0).ok()).collect()
}

fn judged(answered: &Answered, keys: &[CoseKey], view: Option<&ThingView>) -> Answer {
    let genuine = keys.iter().any(|key| answered.is_by(key));
    let status = view.map(|view| view.status.status.as_str());
    let active = status.is_none_or(|status| status == Status::ACTIVE.to_string());
    let reason = match (genuine, keys.is_empty()) {
        (true, _) if active => "the card has the key of the thing that it says it is",
        (true, _) => "the card is genuine, but the thing is not active",
        (false, true) => "the network knows no key that this thing answers challenges with now",
        (false, false) => "the card does not have the key of the thing that it says it is",
    };
    let mut sheet = Sheet::default();
    sheet.add("thing", answered.thing.to_string()).add("genuine", genuine);
    sheet.add_some("status", status);
    sheet.add_some("because", view.and_then(|view| view.status.reason.as_deref()));
    sheet.add("verdict", reason);
    sheet.add("network", answered.network.to_string());
    sheet.add("challenge", &answered.challenge[..]).add("signature", &answered.signature[..]);
    let exit = if genuine && active { Exit::Fine } else { Exit::Refused };
    Answer::sheet(&sheet).ending(exit)
}

impl Answered {
    fn is_by(&self, key: &CoseKey) -> bool {
        let message = message::challenge(self.network, self.thing, &self.challenge);
        let message = SignedBytes::new([&message[..]]);
        let key = key.check();
        key.is_ok_and(|key| PureVerifier.verify(&key, &message, &self.signature).is_ok())
    }
}
