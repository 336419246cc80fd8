//! Members who are all present make the key of their committee together: nobody ever knows it
//! whole, and nobody deals alone.
//!
//! A Feldman–Desmedt key generation in which every member is a dealer and a player. The library
//! would finish without those who are slow, by revealing what was dealt to them; but then all must
//! agree on who was. Forming a committee waits for everyone instead: each dealer's account must
//! hold the acknowledgement of every member, so there is only one set of accounts, and in the end
//! all compare what they made of it ([`Generation::run`]'s `conclude`). If one is missing or
//! misbehaves there is no key, the error names that member, and the next attempt begins anew.

mod exchange;
mod message;
mod session;
#[cfg(test)]
mod tests;

use crate::ceremony::{Committee, PeerKey, Seat, peer_key};
use crate::error::Error;
use crate::keys::{self, PublicKey};
use crate::network::{self, Peers};
use crate::succession::Peering as _;
use commonware_codec::{Decode as _, Encode as _};
use commonware_cryptography::Signer as _;
use commonware_p2p::authenticated::peer_set_limit;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Clock, Quota, Runner as _, Spawner as _, Supervisor as _, tokio};
use commonware_utils::NZU32;
use commonware_utils::ordered::Set;
pub use exchange::{EXCHANGE, Exchange, Fault, Nothing};
use futures::future::{Either, select};
use message::Message;
use rand_core::CryptoRng;
use session::Session;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;
use touchmark_wire::hash::{Digest, domain};

/// Why no key was made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerationError {
    /// Operator: this node is not one of the members, or nobody is.
    #[error("this node is not one of the members")]
    Stranger,
    /// Operator: keys, addresses or the machine's network cannot be used.
    #[error(transparent)]
    Engine(#[from] Error),
    /// Members did not answer in time.
    #[error("{} of the members did not answer in time", .0.len())]
    Missing(Vec<PeerKey>),
    /// A member broke the protocol.
    #[error("the member {member} broke the protocol: {how}")]
    Misbehaved {
        /// Which one.
        member: PeerKey,
        /// How, in one sentence.
        how: &'static str,
    },
    /// A member came to another conclusion: it was shown other members or another network.
    #[error("the member {0} formed another network")]
    Disagreement(PeerKey),
    /// What was made cannot be used; nobody keeps it.
    #[error("what was made cannot be used: {0}")]
    Failed(String),
}

/// One attempt to make a key.
#[derive(Clone, Debug)]
pub struct Generation {
    /// What the members agreed on beforehand, of this attempt alone: who was told something else
    /// cannot even connect.
    pub agreement: Digest,
    /// Seed of this node's peer key.
    pub identity: [u8; 32],
    /// All members.
    pub members: Vec<PeerKey>,
    /// Where to accept the other members.
    pub listen: SocketAddr,
    /// `host:port` of every other member.
    pub addresses: BTreeMap<PeerKey, String>,
    /// How long to wait for the others.
    pub patience: Duration,
    /// A folder for what the runtime may want to write; nothing is kept in it.
    pub scratch: PathBuf,
}

/// How often what others lack is said again.
const REPETITION: Duration = Duration::from_millis(250);
/// How long a member that needs nothing more stays for others.
const LINGER: Duration = Duration::from_secs(10);
/// Messages per second and member.
const MESSAGES: Quota = Quota::per_second(NZU32!(64));
/// The only one.
const CHANNEL: u64 = 0;

impl Generation {
    /// Makes a key with the others, and what `exchange` makes beside it. `conclude` is called once
    /// with what this node has of both, before anyone relies on it: it keeps that durably and answers
    /// with what all must agree on (the id of the network to come). Returns when all have.
    pub fn run<X: Exchange>(
        self,
        exchange: X,
        conclude: impl FnOnce(&Committee, &Seat, &X) -> Result<Digest, String> + Send + 'static,
    ) -> Result<(Committee, Seat), GenerationError> {
        network::probe(self.listen)?;
        let runtime = tokio::Config::new().with_storage_directory(self.scratch.clone());
        tokio::Runner::new(runtime).start(|context| async move {
            let made = self.connected(&context, exchange, conclude).await;
            // The network's tasks have nothing to finish.
            let _ = context.stop(0, Some(Duration::from_secs(1))).await;
            made
        })
    }

    async fn connected<X: Exchange>(
        self,
        context: &tokio::Context,
        exchange: X,
        conclude: impl FnOnce(&Committee, &Seat, &X) -> Result<Digest, String>,
    ) -> Result<(Committee, Seat), GenerationError> {
        let signer = keys::identity(&self.identity)?;
        let members = keys::members(&self.members)?;
        let count = u32::try_from(members.len()).ok().and_then(NonZeroU32::new);
        let count = count.ok_or(GenerationError::Stranger)?;
        let namespace = [domain::GENERATION, self.agreement.as_bytes()].concat();
        let session = Session::begin(
            &mut context.child("session"),
            &namespace,
            signer.clone(),
            members.clone(),
            exchange,
        )?;
        let limit = u32::try_from(Message::limit(count))
            .map_err(|_| Error::Configuration("a committee this large is not supported"))?;
        let peers = Peers {
            signer: &signer,
            listen: self.listen,
            addresses: &self.addresses,
            limit: peer_set_limit(&members, &signer.public_key()),
        };
        // The network ends with the last who knows its peers.
        let (mut network, mut known) =
            network::open(context.child("network"), &namespace, &peers, limit)?;
        known.track(0, members, Set::default());
        let channel = network.register(CHANNEL, MESSAGES);
        network.start();
        drive(context.child("session"), session, count, channel, self.patience, conclude).await
    }
}

/// Drives a session over any network until it is over.
async fn drive<E, S, R, X>(
    mut context: E,
    mut session: Session<X>,
    members: NonZeroU32,
    (mut sender, mut receiver): (S, R),
    patience: Duration,
    conclude: impl FnOnce(&Committee, &Seat, &X) -> Result<Digest, String>,
) -> Result<(Committee, Seat), GenerationError>
where
    E: Clock + CryptoRng,
    S: Sender<PublicKey = PublicKey>,
    R: Receiver<PublicKey = PublicKey>,
    X: Exchange,
{
    let deadline = context.current() + patience;
    let (mut conclude, mut made, mut leave) = (Some(conclude), None, None);
    loop {
        if let Some(key) = session.key(&mut context)?
            && let Some(conclude) = conclude.take()
        {
            let conclusion =
                conclude(&key.0, &key.1, session.exchange()).map_err(GenerationError::Failed)?;
            made = Some(key);
            session.conclude(conclusion.0)?;
        }
        let over = session.over();
        let others: Vec<_> = session.others().cloned().collect();
        for member in others {
            for message in session.say(&member) {
                sender.send(Recipients::One(member.clone()), message.encode(), true);
            }
        }
        let again = context.current() + REPETITION;
        if over {
            // What was said last gets time to leave.
            context.sleep_until(again).await;
            break;
        }
        while let Some((from, message)) = arrival(&context, &mut receiver, again).await? {
            let message = Message::decode_cfg(message, &members).map_err(|_| {
                let how = "its message is malformed";
                GenerationError::Misbehaved { member: peer_key(&from), how }
            })?;
            session.take(&from, message)?;
        }
        let now = context.current();
        if session.agreed() {
            // The last farewells may be lost, and nobody waits for them for long.
            if now >= *leave.get_or_insert(now + LINGER) {
                break;
            }
        } else if now >= deadline {
            return Err(GenerationError::Missing(session.missing()));
        }
    }
    made.ok_or(GenerationError::Failed("there is no key".to_owned()))
}

/// What arrives before `until`.
async fn arrival<E: Clock, R: Receiver<PublicKey = PublicKey>>(
    context: &E,
    receiver: &mut R,
    until: std::time::SystemTime,
) -> Result<Option<commonware_p2p::Message<PublicKey>>, GenerationError> {
    let received = pin!(receiver.recv());
    let end = pin!(context.sleep_until(until));
    match select(received, end).await {
        Either::Left((received, _)) => received.map(Some).map_err(|_| {
            Error::Internal("the network between the members ended".to_owned()).into()
        }),
        Either::Right(_) => Ok(None),
    }
}
