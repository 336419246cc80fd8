//! Signing a checkpoint as the log of several owners: this validator asks the others for their parts
//! (FROST, RFC 9591 §5).

use super::gathering::{Gathering, State};
use crate::node::Node;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_keys::threshold::{PART, Share, ThresholdError};
use touchmark_wire::algorithm::{PureVerifier, SIGNATURE_LENGTH};
use touchmark_wire::certificate::{CertificateError, LogSignature, NoteKey};
use touchmark_wire::genesis::{Committee, Validator};
use touchmark_wire::word::{Commitment, Question};

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsigned {
    /// The committee made no key, or this validator has no share of it.
    #[error("this validator has no share of the log's note key")]
    NoShare,
    #[error("{needed} validators have to sign as the log, and {present} do")]
    TooFew { present: usize, needed: usize },
    #[error("this validator's own part of the signature is wrong: its share is damaged")]
    Own,
    #[error("the validators' signature is none: {0}")]
    Wrong(CertificateError),
    #[error(transparent)]
    Threshold(ThresholdError),
}

/// Why an attempt failed.
enum Failed {
    /// These validators gave no part, or a wrong one.
    By(BTreeSet<u16>),
    For(Unsigned),
}

impl From<Unsigned> for Failed {
    fn from(unsigned: Unsigned) -> Self {
        Self::For(unsigned)
    }
}

/// One signature to be made.
struct Signing<'a> {
    node: &'a Node,
    state: &'a State<'a>,
    share: &'a Share,
    key: NoteKey<'a>,
    body: &'a str,
}

impl State<'_> {
    /// The line of the log under the checkpoint with this body. Whoever gives no part, or a wrong
    /// one, is left out of the next attempt.
    pub(crate) async fn signed(&self, node: &Node, body: &str) -> Result<String, Unsigned> {
        let share = node.note_shares().and_then(|shares| shares.of(self.committee));
        let key = self.committee.log_key(&node.genesis.origin);
        let (share, key) = share.zip(key).ok_or(Unsigned::NoShare)?;
        let signing = Signing { node, state: self, share, key, body };
        let mut without = BTreeSet::new();
        loop {
            match signing.attempt(&without).await {
                Ok(line) => return Ok(line),
                Err(Failed::By(places)) if places.contains(&share.place()) => {
                    return Err(Unsigned::Own);
                }
                // Each attempt has fewer than the one before, until they are too few.
                Err(Failed::By(places)) => without.extend(places),
                Err(Failed::For(unsigned)) => return Err(unsigned),
            }
        }
    }
}

impl Signing<'_> {
    async fn attempt(&self, without: &BTreeSet<u16>) -> Result<String, Failed> {
        let (own, share) = (self.share.place(), self.share);
        let (size, root) = (self.state.size, self.state.root);
        let (nonces, commitment) = share.commit().map_err(Unsigned::Threshold)?;
        let first = Question::Commitment(size, root);
        let asked = self.gathering(without.clone(), exact::<64>);
        let words = asked.run(&first, (own, commitment.to_bytes()), share.threshold()).await;
        let read = |(place, signed): (&u16, &[u8; 64])| Commitment::from_bytes(*place, signed);
        let by: Vec<_> = words.iter().filter_map(read).collect();
        let odd = by.iter().filter(|it| !share.admits(it)).map(|it| it.validator).collect();
        self.blame(&odd, "commits to no nonces")?;
        if by.len() < share.threshold() {
            return Err(Unsigned::TooFew { present: by.len(), needed: share.threshold() }.into());
        }
        let part = share.sign(nonces, self.body.as_bytes(), &by).map_err(Unsigned::Threshold)?;
        let signers: BTreeSet<_> = by.iter().map(|it| it.validator).collect();
        let places = (0..).take(self.committee().validators.len());
        let asked = self.gathering(places.filter(|it| !signers.contains(it)).collect(), exact);
        let second = Question::Part(size, root, by.clone());
        let parts: BTreeMap<u16, [u8; PART]> = asked.run(&second, (own, part), by.len()).await;
        let silent = signers.into_iter().filter(|it| !parts.contains_key(it)).collect();
        self.blame(&silent, "commits to nonces and gives no part")?;
        match share.combine(self.body.as_bytes(), &by, &parts) {
            Ok(signature) => Ok(self.line(signature)?),
            Err(ThresholdError::Parts(places)) => {
                let places = places.into_iter().collect();
                self.blame(&places, "gives a wrong part")?;
                Err(Failed::By(places))
            }
            Err(error) => Err(Unsigned::Threshold(error).into()),
        }
    }

    /// Nothing leaves that is not what every reader takes for the log's signature.
    fn line(&self, signature: [u8; SIGNATURE_LENGTH]) -> Result<String, Unsigned> {
        LogSignature::verified(&self.key, self.body, signature, &PureVerifier)
            .map(|line| line.to_string())
            .map_err(Unsigned::Wrong)
    }

    /// Tells the operator of validators that do not do their part; fails if there are some.
    fn blame(&self, places: &BTreeSet<u16>, what: &str) -> Result<(), Failed> {
        for place in places {
            let validator = self.committee().validators.get(usize::from(*place));
            let name = validator.map_or("", |it| it.name.as_str());
            tracing::warn!(name, "a validator {what} when the log is signed: it is left out");
        }
        if places.is_empty() { Ok(()) } else { Err(Failed::By(places.clone())) }
    }

    const fn committee(&self) -> &Committee {
        self.state.committee
    }

    const fn gathering<C>(&self, without: BTreeSet<u16>, check: C) -> Gathering<'_, C> {
        Gathering { node: self.node, committee: self.committee(), without, check }
    }
}

/// What has this length.
fn exact<const N: usize>(_: &Validator, signed: &[u8]) -> Option<[u8; N]> {
    signed.try_into().ok()
}
