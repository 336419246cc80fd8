//! One member's part in making a key, without a clock or a network.
//!
//! Whoever drives a session gives it what arrives ([`Session::take`]) and sends, again and again,
//! what it has to say ([`Session::say`]): it says to each member what that one, as far as is known
//! here, still lacks. So lost messages need no care, and a repeated one changes nothing.

use super::exchange::{Exchange, Fault};
use super::message::{Account, Message};
use super::{EXCHANGE, GenerationError};
use crate::ceremony::{Committee, PeerKey, Seat, peer_key};
use crate::keys::PublicKey;
use commonware_codec::Encode as _;
use commonware_cryptography::bls12381::dkg::feldman_desmedt::{
    Dealer, DealerLogSummary, DealerPrivMsg, DealerPubMsg, Info, Logs, Player, PlayerAck, Reveal,
};
use commonware_cryptography::bls12381::primitives::sharing::Mode;
use commonware_cryptography::bls12381::primitives::variant::MinSig;
use commonware_cryptography::sha256::Digest;
use commonware_cryptography::{Signer as _, ed25519};
use commonware_parallel::Sequential;
use commonware_utils::N3f1;
use commonware_utils::ordered::Set;
use rand_core::CryptoRng;
use std::collections::{BTreeMap, BTreeSet};

type Round = Info<MinSig, PublicKey>;

/// A member at work.
pub(super) struct Session<X> {
    signer: ed25519::PrivateKey,
    round: Round,
    members: Set<PublicKey>,
    dealt: DealerPubMsg<MinSig>,
    /// What is dealt to each, until that one has acknowledged it.
    unacknowledged: BTreeMap<PublicKey, DealerPrivMsg>,
    /// Until its account is made.
    pub(super) dealer: Option<Dealer<MinSig, ed25519::PrivateKey>>,
    /// Until the key is made.
    player: Option<Player<MinSig, ed25519::PrivateKey>>,
    /// What this member acknowledged, by dealer.
    acknowledged: BTreeMap<PublicKey, PlayerAck<PublicKey>>,
    accounts: BTreeMap<PublicKey, Account>,
    conclusion: Option<Digest>,
    conclusions: BTreeMap<PublicKey, Digest>,
    farewells: BTreeSet<PublicKey>,
    /// What is made beside the key.
    exchange: X,
}

impl<X: Exchange> Session<X> {
    /// Begins. `namespace` must be of this one attempt: what was said in another one must not
    /// count here.
    pub(super) fn begin(
        rng: &mut impl CryptoRng,
        namespace: &[u8],
        signer: ed25519::PrivateKey,
        members: Set<PublicKey>,
        exchange: X,
    ) -> Result<Self, GenerationError> {
        let stranger = |_| GenerationError::Stranger;
        let round = Round::new::<N3f1>(
            namespace,
            0,
            None,
            Mode::NonZeroCounter,
            Reveal::V1,
            members.clone(),
            members.clone(),
        )
        .map_err(stranger)?;
        let (dealer, dealt, parts) =
            Dealer::start::<N3f1>(&mut *rng, round.clone(), signer.clone(), None)
                .map_err(stranger)?;
        let player = Player::new(round.clone(), signer.clone()).map_err(stranger)?;
        let mut session = Self {
            signer,
            round,
            members,
            dealt,
            unacknowledged: parts.into_iter().collect(),
            dealer: Some(dealer),
            player: Some(player),
            acknowledged: BTreeMap::new(),
            accounts: BTreeMap::new(),
            conclusion: None,
            conclusions: BTreeMap::new(),
            farewells: BTreeSet::new(),
            exchange,
        };
        session.deal_to_myself()?;
        Ok(session)
    }

    fn me(&self) -> PublicKey {
        self.signer.public_key()
    }

    fn deal_to_myself(&mut self) -> Result<(), GenerationError> {
        let me = self.me();
        let part = self.unacknowledged.get(&me).cloned().ok_or(GenerationError::Stranger)?;
        self.receive(&me, self.dealt.clone(), part)?;
        let acknowledgement = self.acknowledged.get(&me).cloned();
        self.acknowledge(&me, acknowledgement.ok_or(GenerationError::Stranger)?)
    }

    /// What `to` still lacks.
    pub(super) fn say(&self, to: &PublicKey) -> Vec<Message> {
        let mut said = Vec::new();
        if let Some(part) = self.unacknowledged.get(to) {
            said.push(Message::Dealing(self.dealt.clone(), part.clone()));
        }
        // Who has made its account, or its conclusion, has this.
        if !self.accounts.contains_key(to)
            && let Some(acknowledgement) = self.acknowledged.get(to)
        {
            said.push(Message::Acknowledgement(acknowledgement.clone()));
        }
        if !self.conclusions.contains_key(to)
            && let Some(account) = self.accounts.get(&self.me())
        {
            said.push(Message::Account(Box::new(account.clone())));
        }
        // Who has concluded lacks nothing of it.
        if !self.conclusions.contains_key(to) {
            let messages = self.exchange.say(peer_key(to)).into_iter();
            said.extend(messages.filter(|it| it.len() <= EXCHANGE).map(Message::Exchange));
        }
        if !self.farewells.contains(to)
            && let Some(conclusion) = self.conclusion
        {
            said.push(Message::Conclusion(conclusion));
        }
        if self.agreed() {
            said.push(Message::Farewell);
        }
        said
    }

    /// Takes what `from` said.
    pub(super) fn take(
        &mut self,
        from: &PublicKey,
        message: Message,
    ) -> Result<(), GenerationError> {
        match message {
            Message::Dealing(public, private) => self.receive(from, public, private),
            Message::Acknowledgement(acknowledgement) => self.acknowledge(from, acknowledgement),
            Message::Account(account) => self.account(from, *account),
            Message::Conclusion(digest) => self.hear(from, digest),
            Message::Exchange(said) => self.exchange_said(from, &said),
            Message::Farewell => {
                self.farewells.insert(from.clone());
                Ok(())
            }
        }
    }

    fn receive(
        &mut self,
        dealer: &PublicKey,
        public: DealerPubMsg<MinSig>,
        private: DealerPrivMsg,
    ) -> Result<(), GenerationError> {
        let Some(player) = &mut self.player else { return Ok(()) };
        let acknowledgement = player
            .dealer_message::<N3f1>(dealer.clone(), public, private)
            .map_err(|_| misbehaved(dealer, "what it dealt does not fit its commitment"))?;
        if let Some(acknowledgement) = acknowledgement {
            self.acknowledged.insert(dealer.clone(), acknowledgement);
        }
        Ok(())
    }

    fn acknowledge(
        &mut self,
        player: &PublicKey,
        acknowledgement: PlayerAck<PublicKey>,
    ) -> Result<(), GenerationError> {
        let Some(dealer) = &mut self.dealer else { return Ok(()) };
        dealer
            .receive_player_ack(player.clone(), acknowledgement)
            .map_err(|_| misbehaved(player, "it acknowledged something else"))?;
        self.unacknowledged.remove(player);
        if self.unacknowledged.is_empty()
            && let Some(dealer) = self.dealer.take()
        {
            self.accounts.insert(self.me(), dealer.finalize::<N3f1>());
        }
        Ok(())
    }

    fn account(&mut self, from: &PublicKey, account: Account) -> Result<(), GenerationError> {
        // One account of each: with everyone's acknowledgement there is no second one.
        if self.accounts.contains_key(from) {
            return Ok(());
        }
        let (dealer, log) = account
            .clone()
            .check(&self.round)
            .ok_or_else(|| misbehaved(from, "its account is not signed"))?;
        let complete = match log.summary() {
            DealerLogSummary::Ok { reveals, .. } => reveals.is_empty(),
            DealerLogSummary::TooManyReveals => false,
        };
        if dealer != *from || !complete {
            return Err(misbehaved(from, "its account lacks acknowledgements"));
        }
        self.accounts.insert(dealer, account);
        Ok(())
    }

    fn exchange_said(&mut self, from: &PublicKey, said: &[u8]) -> Result<(), GenerationError> {
        self.exchange.take(peer_key(from), said).map_err(|fault| match fault {
            Fault::Misbehaved { member, how } => GenerationError::Misbehaved { member, how },
            Fault::Disagreement(member) => GenerationError::Disagreement(member),
        })
    }

    /// What is made beside the key.
    pub(super) const fn exchange(&self) -> &X {
        &self.exchange
    }

    /// The key, once there is everyone's account, and what is made beside it is complete.
    pub(super) fn key(
        &mut self,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<(Committee, Seat)>, GenerationError> {
        if self.accounts.len() < self.members.len() || !self.exchange.is_complete() {
            return Ok(None);
        }
        let Some(player) = self.player.take() else { return Ok(None) };
        let mut logs = Logs::<MinSig, PublicKey, N3f1>::new(self.round.clone());
        for (dealer, log) in
            self.accounts.values().filter_map(|account| account.clone().check(&self.round))
        {
            logs.record(dealer, log);
        }
        let (output, share) = player
            .finalize::<N3f1>(rng, logs, &Sequential)
            .map_err(|error| GenerationError::Failed(error.to_string()))?;
        let mut identity = [0; 32];
        identity.copy_from_slice(&self.signer.encode());
        let committee = Committee {
            polynomial: output.public().encode().to_vec(),
            members: self.members.iter().map(peer_key).collect(),
        };
        Ok(Some((committee, Seat { identity, share: share.encode().to_vec() })))
    }

    /// What this member made of the key; compared with what the others made of theirs.
    pub(super) fn conclude(&mut self, digest: [u8; 32]) -> Result<(), GenerationError> {
        self.conclusion = Some(Digest(digest));
        let me = self.me();
        self.conclusions.insert(me, Digest(digest));
        for (member, theirs) in &self.conclusions {
            if theirs.0 != digest {
                return Err(GenerationError::Disagreement(peer_key(member)));
            }
        }
        Ok(())
    }

    fn hear(&mut self, from: &PublicKey, digest: Digest) -> Result<(), GenerationError> {
        if self.conclusion.is_some_and(|mine| mine != digest) {
            return Err(GenerationError::Disagreement(peer_key(from)));
        }
        self.conclusions.insert(from.clone(), digest);
        Ok(())
    }

    /// Whether everyone came to the same conclusion.
    pub(super) fn agreed(&self) -> bool {
        self.conclusion.is_some() && self.conclusions.len() == self.members.len()
    }

    /// Whether nobody needs this member any more.
    pub(super) fn over(&self) -> bool {
        self.agreed() && self.others().all(|member| self.farewells.contains(member))
    }

    /// All members but this one.
    pub(super) fn others(&self) -> impl Iterator<Item = &PublicKey> {
        let me = self.me();
        self.members.iter().filter(move |member| **member != me)
    }

    /// Of whom something is missing; only what they themselves can give, so that those who wait
    /// for a third are not blamed.
    pub(super) fn missing(&self) -> Vec<PeerKey> {
        let silent = |member: &&PublicKey| {
            if self.conclusion.is_some() {
                !self.conclusions.contains_key(*member)
            } else if self.dealer.is_some() {
                self.unacknowledged.contains_key(*member)
            } else {
                !self.accounts.contains_key(*member) || !self.exchange.has_all(peer_key(member))
            }
        };
        self.others().filter(silent).map(peer_key).collect()
    }
}

fn misbehaved(member: &PublicKey, how: &'static str) -> GenerationError {
    GenerationError::Misbehaved { member: peer_key(member), how }
}
