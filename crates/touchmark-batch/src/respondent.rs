//! What members ask each other beside the order of batches.

use std::future::{self, Future};
use std::pin::Pin;
use touchmark_wire::hash::Digest;

/// Answers the other members' questions. The engine carries both as bytes, and knows neither what
/// they mean nor who signs.
pub trait Respondent: Send + Sync + 'static {
    /// The answer to a question of the member with this peer key. It may wait, and do what blocks a
    /// thread for a short time: the engine bounds how long it waits, and how many questions of a
    /// member are answered at a time.
    fn answer(&self, asker: Digest, question: Vec<u8>) -> Reply;
}

/// A [`Respondent`]'s answer, once it is there.
pub struct Reply(Pin<Box<dyn Future<Output = Result<Vec<u8>, Unanswered>> + Send>>);

impl Reply {
    /// What `answer` gives.
    pub fn new(answer: impl Future<Output = Result<Vec<u8>, Unanswered>> + Send + 'static) -> Self {
        Self(Box::pin(answer))
    }

    /// Waits for it.
    pub async fn wait(self) -> Result<Vec<u8>, Unanswered> {
        self.0.await
    }
}

/// Whoever is asked does not say that, or does not know such questions: another build may ask them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unanswered;

/// Says nothing to anybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mute;

impl Respondent for Mute {
    fn answer(&self, _: Digest, _: Vec<u8>) -> Reply {
        Reply::new(future::ready(Err(Unanswered)))
    }
}
