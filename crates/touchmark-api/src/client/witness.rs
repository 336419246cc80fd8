//! A log's side of C2SP tlog-witness.

use super::{Client, ClientError, judged};
use touchmark_wire::ids::TreeSize;

/// What a witness answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WitnessAnswer {
    /// Signature lines, unchecked.
    Cosigned(String),
    /// The newest checkpoint that it cosigned has this size, not the one that the proof begins with.
    OtherSize(TreeSize),
}

impl Client {
    /// Has the witness whose submission prefix is the base cosign a checkpoint: `submission` is the
    /// body of `add-checkpoint`. A witness is no more to be trusted than any node:
    /// [`Self::reading_at_most`] bounds what it answers.
    pub fn add_checkpoint(&self, submission: &str) -> Result<WitnessAnswer, ClientError> {
        let url = format!("{}/add-checkpoint", self.base());
        let answer = self.agent.post(&url).send(submission.as_bytes());
        let (status, body) = self.answered(&url, answer)?;
        let text = |bytes| String::from_utf8(bytes).ok();
        let answer = if status.as_u16() == 409 {
            let size = text(body).and_then(|size| size.strip_suffix('\n')?.parse().ok());
            size.map(|size| WitnessAnswer::OtherSize(TreeSize(size)))
        } else {
            text(judged(&url, status, body)?).map(WitnessAnswer::Cosigned)
        };
        answer.ok_or_else(|| ClientError::Answer { url, reason: "no witness says this".into() })
    }
}
