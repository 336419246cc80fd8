//! How a member reaches the convener: over HTTP, or because it is the convener.

use super::draft::random;
use super::seal::Sealer;
use super::service::PATH;
use super::{FormationError, Reception};
use crate::node::now;
use std::sync::Arc;
use std::time::Duration;
use touchmark_wire::codec;
use touchmark_wire::formation::{
    Answer, Invitation, Refusal, Reply, Request, Seal, SignedRecord, Token, VERSION,
};
use touchmark_wire::hash::Digest;
use touchmark_wire::limits;

/// How long one exchange may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A member's way to the convener.
pub enum Line {
    /// This is the convener.
    Here(Arc<Reception>),
    /// The convener is elsewhere.
    There(Box<Correspondence>),
}

/// What a member sends with its invitation.
pub struct Correspondence {
    invitation: Invitation,
    record: SignedRecord,
    sealer: Sealer,
    agent: ureq::Agent,
}

/// Why there is no answer.
pub(super) enum Unanswered {
    /// Nothing came that the convener said; it may come later.
    Silent(String),
    /// The convener refuses.
    Refused { refusal: Refusal, is_sealed: bool },
}

impl Line {
    pub(super) fn there(invitation: Invitation, record: SignedRecord) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        let sealer = Sealer::new(&invitation.secret);
        Self::There(Box::new(Correspondence { invitation, record, sealer, agent }))
    }

    /// Where the convener is.
    pub(super) fn address(&self) -> &str {
        match self {
            Self::Here(_) => "this node",
            Self::There(correspondence) => &correspondence.invitation.convener,
        }
    }

    /// Says how far this run is, and hears how far the others are.
    pub(super) fn ask(&self, run: Token, accepted: Option<Digest>) -> Result<Answer, Unanswered> {
        let answer = match self {
            Self::Here(reception) => (reception.answer_own(run, accepted, now()), true),
            Self::There(correspondence) => {
                correspondence.ask(run, accepted).map_err(Unanswered::Silent)?
            }
        };
        match answer {
            (Answer::Refused { refusal }, is_sealed) => {
                Err(Unanswered::Refused { refusal, is_sealed })
            }
            (answer, _) => Ok(answer),
        }
    }
}

impl Correspondence {
    /// An answer, and whether it is sealed. Without a seal there are only the refusals of a
    /// convener that does not know the invitation.
    fn ask(&self, run: Token, accepted: Option<Digest>) -> Result<(Answer, bool), String> {
        let nonce = random().map(Token).map_err(|error: FormationError| error.to_string())?;
        let request = self.sealer.request(Request {
            version: VERSION,
            invitation: self.invitation.number,
            nonce,
            run,
            record: self.record.clone(),
            accepted,
            seal: Seal(Digest::default()),
        });
        let url = format!("http://{}{PATH}", self.invitation.convener);
        let response = self.agent.post(&url).send(&codec::encode(&request)[..]);
        let mut response = response.map_err(|error| error.to_string())?;
        let limit = limits::FORMATION_MESSAGE as u64;
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        let body = body.map_err(|error| error.to_string())?;
        let reply = Reply::decode(&body).map_err(|_| "it is no convener's answer".to_owned())?;
        if self.sealer.has_answered(request.seal, &reply) {
            return Ok((reply.answer, true));
        }
        match reply {
            Reply {
                answer: answer @ Answer::Refused { refusal: Refusal::Unknown | Refusal::Malformed },
                seal: None,
            } => Ok((answer, false)),
            _ => Err("somebody else than the convener answers".to_owned()),
        }
    }
}
