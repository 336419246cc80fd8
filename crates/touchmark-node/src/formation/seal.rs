//! Seals: HMAC-SHA256 under the secret of an invitation.

use aws_lc_rs::hmac;
use touchmark_wire::formation::{Answer, Reply, Request, Seal};
use touchmark_wire::hash::Digest;

/// Who holds the secret of an invitation.
pub(super) struct Sealer(hmac::Key);

impl Sealer {
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// Seals a request.
    pub(super) fn request(&self, mut request: Request) -> Request {
        request.seal = self.seal(&request.sealed());
        request
    }

    /// Whether the request was sealed with this secret.
    pub(super) fn has_sealed(&self, request: &Request) -> bool {
        self.is_seal(&request.sealed(), request.seal)
    }

    /// Seals the answer to a request.
    pub(super) fn reply(&self, request: Seal, answer: Answer) -> Reply {
        let seal = self.seal(&Reply::sealed(request, &answer));
        Reply { answer, seal: Some(seal) }
    }

    /// Whether the reply was sealed with this secret, and answers this request.
    pub(super) fn has_answered(&self, request: Seal, reply: &Reply) -> bool {
        let sealed = Reply::sealed(request, &reply.answer);
        reply.seal.is_some_and(|seal| self.is_seal(&sealed, seal))
    }

    fn seal(&self, bytes: &[u8]) -> Seal {
        let mut seal = Digest::default();
        seal.0.copy_from_slice(hmac::sign(&self.0, bytes).as_ref());
        Seal(seal)
    }

    fn is_seal(&self, bytes: &[u8], seal: Seal) -> bool {
        hmac::verify(&self.0, bytes, &seal.0.0).is_ok()
    }
}
