//! Which key a signature is checked under: one of the state, or one that comes in the same call.

use crate::directory::inception::Inception;
use crate::directory::prerotation;
use crate::evidence;
use crate::refusal::Refusal;
use crate::view::{Read as _, View};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{KeyNumber, ThingId};
use touchmark_wire::limits;
use touchmark_wire::registry::{RefusalCode, StatementKind};
use touchmark_wire::statement::{Kid, Statement};

/// How many keys a chain may bring in one call; what is signed by later ones comes in another call.
/// Whoever names an issuer costs no more than this, verified or not.
const MOST: usize = 4 * limits::KEYS;

/// Finds keys: in the state, and among those that statements of the same call bring.
pub(super) struct Keys<'v> {
    pub(super) view: &'v dyn View,
    /// First keys of things that present themselves. A thing's id is the hash of them, so nobody
    /// brings other ones, and they may sign whatever names the thing.
    presented: BTreeMap<ThingId, Rc<Brought>>,
    /// What statements bring to their chains, by statement id. Nothing is verified yet: whatever
    /// names an issuer may be a stranger's. So only a statement that continues the very one that
    /// brings a key may be signed with it.
    brought: BTreeMap<Digest, Rc<Brought>>,
}

/// Keys that a chain brought beyond those in the state.
#[derive(Clone)]
pub(super) struct Brought {
    issuer: ThingId,
    first: KeyNumber,
    keys: Vec<CoseKey>,
}

impl Brought {
    fn key(&self, thing: ThingId, number: KeyNumber) -> Option<CoseKey> {
        let at = number.0.checked_sub(self.first.0).filter(|_| thing == self.issuer)?;
        self.keys.get(at as usize).copied()
    }
}

impl<'v> Keys<'v> {
    pub(super) const fn new(view: &'v dyn View) -> Self {
        Self { view, presented: BTreeMap::new(), brought: BTreeMap::new() }
    }

    /// Notes what a statement brings. Returns what its chain brought in this call, itself
    /// included: it may be signed by the keys that it brings.
    pub(super) fn introduce(
        &mut self,
        statement: &Statement<'_>,
    ) -> Result<Option<Rc<Brought>>, Refusal> {
        let protected = statement.protected();
        let (issuer, link) = (protected.kid.thing, protected.link);
        let before = self.brought.get(&link.previous).filter(|it| it.issuer == issuer).cloned();
        if link.kind == StatementKind::INCEPTION {
            let own = self.present(issuer, statement.payload())?;
            // Within a chain it brings nothing new.
            let brought = before.unwrap_or(own);
            self.brought.insert(statement.id().0, brought.clone());
            return Ok(Some(brought));
        }
        let keys = prerotation::brought(link.kind, statement.payload(), issuer);
        let brought = match before {
            Some(before) if keys.is_empty() => before,
            None if keys.is_empty() => return Ok(None),
            before => {
                // What the log has already has given its keys their numbers.
                if self.view.statement_at(issuer, link.channel, link.sequence)?.is_some() {
                    return Ok(None);
                }
                let mut brought = match (before, self.view.thing(issuer)?) {
                    (Some(before), _) => Rc::unwrap_or_clone(before),
                    (None, Some(thing)) => {
                        Brought { issuer, first: thing.next_number, keys: Vec::new() }
                    }
                    (None, None) => Brought { issuer, first: KeyNumber(0), keys: Vec::new() },
                };
                if brought.keys.len() + keys.len() > MOST {
                    return Ok(None);
                }
                brought.keys.extend(keys.iter().map(|new| new.key));
                Rc::new(brought)
            }
        };
        self.brought.insert(statement.id().0, brought.clone());
        Ok(Some(brought))
    }

    /// Notes a thing that presents itself; returns its keys.
    fn present(&mut self, issuer: ThingId, payload: &[u8]) -> Result<Rc<Brought>, Refusal> {
        let inception: Inception = codec::decode(payload, limits::STATEMENT)?;
        if Inception::id_of(payload) != issuer {
            let cause = "the id in `kid` is not the hash of the inception payload";
            return Err(Refusal::new(RefusalCode::WRONG_ID, cause));
        }
        let keys = inception.keys.iter().map(|new| new.key).collect();
        let own = Rc::new(Brought { issuer, first: KeyNumber(0), keys });
        self.presented.insert(issuer, own.clone());
        Ok(own)
    }

    /// The key that `kid` names, for a signature on a statement whose chain brought `brought`.
    pub(super) fn find(&self, kid: Kid, brought: Option<&Brought>) -> Result<CoseKey, Refusal> {
        let number = kid.key.unwrap_or_default();
        let thing = self.view.thing(kid.thing)?;
        if let Some(key) = thing.as_ref().and_then(|thing| thing.key(number)) {
            return Ok(key.key);
        }
        if let Some(key) = brought.and_then(|brought| brought.key(kid.thing, number)) {
            return Ok(key);
        }
        let presented = self.presented.get(&kid.thing);
        if let Some(key) = presented.and_then(|presented| presented.key(kid.thing, number)) {
            return Ok(key);
        }
        if let Some(closed) = self.view.closed_key(kid.thing, number)? {
            return Ok(closed.key);
        }
        Err(match thing {
            Some(_) => Refusal::new(
                RefusalCode::KEY_NOT_VALID,
                "the thing never had a key with the number that `kid` names",
            ),
            None => Refusal::new(
                RefusalCode::UNKNOWN_THING,
                "the issuer is not registered in this network",
            ),
        })
    }

    /// The evidence key of a thing: the valid one, or the last that was, so that evidence of a
    /// revoked card is told from a forgery.
    pub(super) fn evidence_key(&self, id: ThingId) -> Result<CoseKey, Refusal> {
        let Some(thing) = self.view.thing(id)? else {
            let cause = "the evidence names a thing that is not registered in this network";
            return Err(Refusal::new(RefusalCode::UNKNOWN_THING, cause));
        };
        if let Some(key) = evidence::valid_key(&thing) {
            return Ok(key.key);
        }
        if let Some(number) = thing.evidence_key
            && let Some(closed) = self.view.closed_key(id, number)?
        {
            return Ok(closed.key);
        }
        let cause = "the thing has no key for evidence";
        Err(Refusal::new(RefusalCode::PURPOSE, cause))
    }
}

/// Whether a statement of this kind may be signed by keys that it brings itself.
pub(super) const fn brings_keys(kind: StatementKind) -> bool {
    matches!(kind, StatementKind::INCEPTION | StatementKind::ROTATE | StatementKind::STATUS)
}
