//! Members who make a key, in virtual time.

use super::message::Message;
use super::session::Session;
use super::{CHANNEL, EXCHANGE, Exchange, Fault, GenerationError, Nothing, drive};
use crate::ceremony::{Committee, Office, PeerKey, Seat, peer_key};
use crate::keys::{Keys, PublicKey};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_p2p::Manager as _;
use commonware_p2p::simulated::{self, Link, Network, Oracle};
use commonware_runtime::{
    Clock as _, Quota, Runner as _, Spawner as _, Supervisor as _, deterministic,
};
use commonware_utils::ordered::Set;
use commonware_utils::{NZU32, NZUsize, TryCollect as _, probability};
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::NetworkId;

const NAMESPACE: &[u8] = b"an attempt";
const PATIENCE: Duration = Duration::from_secs(30);

type Made = Result<(Committee, Seat), GenerationError>;

fn signers(count: u64) -> (Vec<ed25519::PrivateKey>, Set<PublicKey>) {
    let signers: Vec<_> = (0..count).map(ed25519::PrivateKey::from_seed).collect();
    let members = signers.iter().map(ed25519::PrivateKey::public_key).try_collect().unwrap();
    (signers, members)
}

fn begin(
    seed: u64,
    namespace: &[u8],
    signer: &ed25519::PrivateKey,
    members: &Set<PublicKey>,
) -> Session<Nothing> {
    begin_with(seed, namespace, signer, members, Nothing)
}

fn begin_with<X: Exchange>(
    seed: u64,
    namespace: &[u8],
    signer: &ed25519::PrivateKey,
    members: &Set<PublicKey>,
    exchange: X,
) -> Session<X> {
    use rand::SeedableRng as _;
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    Session::begin(&mut rng, namespace, signer.clone(), members.clone(), exchange).unwrap()
}

/// Everyone tells everyone a secret, once it has heard everybody's name.
struct Gossip {
    name: u8,
    names: BTreeMap<PeerKey, u8>,
    secrets: BTreeMap<PeerKey, u8>,
    others: usize,
}

impl Gossip {
    fn new(name: usize, others: usize) -> Self {
        let name = u8::try_from(name).unwrap();
        Self { name, names: BTreeMap::new(), secrets: BTreeMap::new(), others }
    }
}

impl Exchange for Gossip {
    fn say(&self, to: PeerKey) -> Vec<Vec<u8>> {
        let mut said = Vec::new();
        if !self.secrets.contains_key(&to) {
            said.push(vec![0, self.name]);
        }
        if self.names.len() == self.others {
            said.push(vec![1, self.name + self.names[&to]]);
        }
        said
    }

    fn take(&mut self, from: PeerKey, message: &[u8]) -> Result<(), Fault> {
        match *message {
            [0, name] => drop(self.names.insert(from, name)),
            [1, secret] => drop(self.secrets.insert(from, secret)),
            _ => return Err(Fault::Misbehaved { member: from, how: "it mumbles" }),
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.secrets.len() == self.others && self.names.len() == self.others
    }

    fn has_all(&self, from: PeerKey) -> bool {
        self.secrets.contains_key(&from)
    }
}

/// What becomes of each member when those of `present` make a key over a network that loses one
/// message of three; `conclusion` is what each makes of its key.
fn run(
    count: u64,
    present: &[usize],
    conclusion: fn(usize, &Committee) -> Digest,
) -> (Vec<Made>, Duration) {
    let runner = deterministic::Runner::new(
        deterministic::Config::new().with_seed(count).with_timeout(Some(Duration::from_secs(300))),
    );
    let present = present.to_vec();
    runner.start(|context| async move {
        let start = context.current();
        let (signers, members) = signers(count);
        let size = NonZeroU32::new(u32::try_from(count).unwrap()).unwrap();
        let (simulation, oracle) = Network::new(
            context.child("network"),
            simulated::Config {
                max_size: u32::try_from(Message::limit(size)).unwrap(),
                max_peers_per_set: NZUsize!(16),
                disconnect_on_block: true,
                tracked_peer_sets: NZUsize!(1),
            },
        );
        simulation.start();
        oracle.manager().track(0, members.clone());
        link(&oracle, &members).await;
        let mut running = Vec::new();
        for number in present {
            let signer = &signers[number];
            let control = oracle.control(signer.public_key());
            let channel = control.register(CHANNEL, Quota::per_second(NZU32!(1024))).await.unwrap();
            let others = usize::try_from(count).unwrap() - 1;
            let gossip = Gossip::new(number, others);
            let session = begin_with(number as u64, NAMESPACE, signer, &members, gossip);
            let context = context.child("member").with_attribute("number", number);
            running.push(context.spawn(move |context| {
                let conclude = move |committee: &Committee, _: &Seat, gossip: &Gossip| {
                    let sums = gossip.names.iter().map(|(from, name)| (*from, *name + gossip.name));
                    assert!(sums.eq(gossip.secrets.clone()), "it was concluded too early");
                    Ok(conclusion(number, committee))
                };
                drive(context, session, size, channel, PATIENCE, conclude)
            }));
        }
        let mut made = Vec::new();
        for member in running {
            made.push(member.await.unwrap());
        }
        (made, context.current().duration_since(start).unwrap())
    })
}

async fn link(oracle: &Oracle<PublicKey, deterministic::Context>, members: &Set<PublicKey>) {
    for from in members {
        for to in members.iter().filter(|to| *to != from) {
            let link = Link {
                latency: Duration::from_millis(30),
                jitter: Duration::from_millis(20),
                success_rate: probability!(0.67),
            };
            oracle.add_link(from.clone(), to.clone(), link).await.unwrap();
        }
    }
}

fn same(_: usize, committee: &Committee) -> Digest {
    Digest::of(&[&committee.polynomial])
}

#[test]
fn one_four_and_seven_members_make_a_key_that_each_can_use() {
    for count in [1u64, 4, 7] {
        let everyone: Vec<_> = (0..usize::try_from(count).unwrap()).collect();
        let (made, took) = run(count, &everyone, same);
        assert!(took < PATIENCE / 2, "nobody is missing, and somebody waited {took:?}");
        let first = made[0].as_ref().unwrap().0.clone();
        assert_eq!(first.members.len() as u64, count);
        let mut shares = Vec::new();
        for made in made {
            let (committee, seat) = made.unwrap();
            assert_eq!(committee, first);
            // Checks that the share is of the polynomial and of this member.
            shares.push(seat.share.clone());
            let identity = seat.identity;
            let office = Office { committee, seat };
            Keys::new(NetworkId(Digest([1; 32])), identity, &[office]).unwrap();
        }
        shares.sort();
        shares.dedup();
        assert_eq!(shares.len() as u64, count);
    }
}

#[test]
fn without_one_member_there_is_no_key_and_the_error_names_it() {
    let absent = peer_key(&signers(4).0[2].public_key());
    for made in run(4, &[0, 1, 3], same).0 {
        assert_eq!(made, Err(GenerationError::Missing(vec![absent])));
    }
}

#[test]
fn who_concludes_something_else_is_named_and_nobody_goes_on() {
    let other = |number, committee: &Committee| match number {
        1 => Digest([0xee; 32]),
        _ => same(number, committee),
    };
    let liar = peer_key(&signers(4).0[1].public_key());
    for (number, made) in run(4, &[0, 1, 2, 3], other).0.into_iter().enumerate() {
        match made.unwrap_err() {
            GenerationError::Disagreement(member) => assert!(number == 1 || member == liar),
            // Those who stopped no longer answer.
            GenerationError::Missing(members) => assert!(!members.is_empty()),
            other => panic!("{other}"),
        }
    }
}

/// Lets four members talk without a network; `meddle` changes what the member 0 says to another.
fn talk(
    sessions: &mut [(PublicKey, Session<Nothing>)],
    rounds: usize,
    meddle: impl Fn(&PublicKey, Message) -> Option<Message>,
) -> Result<(), GenerationError> {
    for _ in 0..rounds {
        let mut said = Vec::new();
        for (number, (from, session)) in sessions.iter().enumerate() {
            for (to, _) in sessions.iter().filter(|(to, _)| to != from) {
                let messages = session.say(to).into_iter();
                let messages = messages.filter_map(|message| match number {
                    0 => meddle(to, message),
                    _ => Some(message),
                });
                said.extend(messages.map(|message| (from.clone(), to.clone(), message)));
            }
        }
        for (from, to, message) in said {
            let (_, session) = sessions.iter_mut().find(|(member, _)| *member == to).unwrap();
            session.take(&from, message)?;
        }
    }
    Ok(())
}

fn four(namespaces: [&[u8]; 4]) -> Vec<(PublicKey, Session<Nothing>)> {
    let (signers, members) = signers(4);
    let sessions = signers.iter().zip(namespaces).enumerate();
    sessions
        .map(|(number, (signer, namespace))| {
            (signer.public_key(), begin(number as u64, namespace, signer, &members))
        })
        .collect()
}

fn misbehaved(by: &PublicKey, how: &'static str) -> Result<(), GenerationError> {
    Err(GenerationError::Misbehaved { member: peer_key(by), how })
}

#[test]
fn a_part_that_does_not_fit_is_refused_by_name() {
    let mut sessions = four([NAMESPACE; 4]);
    let cheat = sessions[0].0.clone();
    let fresh = four([NAMESPACE; 4]);
    let spoil = |_: &PublicKey, message| match message {
        // The right commitment with another member's part.
        Message::Dealing(public, _) => {
            let Some(Message::Dealing(_, foreign)) = fresh[1].1.say(&fresh[2].0).into_iter().next()
            else {
                panic!("the first thing said is a dealing");
            };
            Some(Message::Dealing(public, foreign))
        }
        other => Some(other),
    };
    assert_eq!(
        talk(&mut sessions, 1, spoil),
        misbehaved(&cheat, "what it dealt does not fit its commitment")
    );
}

#[test]
fn what_is_not_of_the_exchange_is_refused_by_name() {
    let mut sessions = four([NAMESPACE; 4]);
    let cheat = sessions[0].0.clone();
    let refused = sessions[1].1.take(&cheat, Message::Exchange(vec![7]));
    assert_eq!(refused, misbehaved(&cheat, "it makes something beside the key"));
}

#[test]
fn an_account_without_all_acknowledgements_is_refused_by_name() {
    use commonware_utils::N3f1;
    let mut sessions = four([NAMESPACE; 4]);
    let cheat = sessions[0].0.clone();
    // It closes its account at once, with no acknowledgement but its own.
    let dealer = sessions[0].1.dealer.take().unwrap();
    let account = dealer.finalize::<N3f1>();
    let refused = sessions[1].1.take(&cheat, Message::Account(Box::new(account)));
    assert_eq!(refused, misbehaved(&cheat, "its account lacks acknowledgements"));
}

#[test]
fn what_is_of_another_attempt_does_not_count() {
    let mut sessions = four([NAMESPACE, NAMESPACE, NAMESPACE, b"another"]);
    let error = talk(&mut sessions, 2, |_, message| Some(message)).unwrap_err();
    assert!(matches!(error, GenerationError::Misbehaved { .. }), "{error}");
}

#[test]
fn a_stranger_and_a_committee_of_nobody_are_refused() {
    let (signers, members) = signers(3);
    let stranger = ed25519::PrivateKey::from_seed(77);
    let mut rng: rand::rngs::StdRng = rand::SeedableRng::seed_from_u64(1);
    let refused = Session::begin(&mut rng, NAMESPACE, stranger, members, Nothing).err();
    assert_eq!(refused, Some(GenerationError::Stranger));
    let nobody =
        Session::begin(&mut rng, NAMESPACE, signers[0].clone(), Set::default(), Nothing).err();
    assert_eq!(nobody, Some(GenerationError::Stranger));
}

#[test]
fn messages_have_one_encoding_and_a_bound() {
    use commonware_codec::{Copying, Decode as _, Encode as _};
    let size = NonZeroU32::new(4).unwrap();
    let mut sessions = four([NAMESPACE; 4]);
    let mut seen = 0;
    for _ in 0..4 {
        for (from, session) in &sessions {
            for (to, _) in sessions.iter().filter(|(to, _)| to != from) {
                for message in session.say(to) {
                    let bytes = message.encode();
                    assert!(bytes.len() <= Message::limit(size));
                    let again = Message::decode_cfg(bytes.clone(), &size).unwrap();
                    assert_eq!(again.encode(), bytes);
                    seen += 1;
                }
            }
        }
        talk(&mut sessions, 1, |_, message| Some(message)).unwrap();
    }
    assert!(seen > 20);
    assert!(Message::decode_cfg(Copying(&[9][..]), &size).is_err());
    for (length, is_one) in [(EXCHANGE, true), (EXCHANGE + 1, false)] {
        let bytes = Message::Exchange(vec![1; length]).encode();
        assert_eq!(Message::decode_cfg(bytes.clone(), &size).is_ok(), is_one, "{length}");
        assert!(!is_one || bytes.len() <= Message::limit(size));
    }
}
