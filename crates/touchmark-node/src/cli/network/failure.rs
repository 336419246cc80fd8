//! What went wrong while a network was formed, and what to do about it.

use crate::cli::failure::{Failure, Fault};
use crate::formation::FormationError;

impl From<FormationError> for Failure {
    fn from(error: FormationError) -> Self {
        let text = error.to_string();
        match error {
            FormationError::Folder(error) => error.into(),
            FormationError::Draft(_) => Self::new(Fault::Unknown, text)
                .hint("`touchmark network status --data FOLDER` tells what is in the folder"),
            FormationError::Record(_) | FormationError::Setting(_) => {
                Self::new(Fault::Usage, text).hint("`--help` says what each option takes")
            }
            FormationError::Invitation => Self::new(Fault::Malformed, text)
                .because("an invitation is one line that begins with tmk-invite1")
                .hint("check that it is whole"),
            FormationError::Listen { .. } => Self::new(Fault::Busy, text)
                .hint("stop what listens there, or begin anew with another --formation-listen"),
            FormationError::Silent { .. } => Self::new(Fault::Unreachable, text)
                .hint("check that the convener runs `network form`; running this again is safe"),
            FormationError::Refused { refusal, is_sealed } => {
                let who = if is_sealed { "the convener" } else { "who answers for the convener" };
                let failure = Self::new(Fault::Formation, format!("{who} refuses"));
                Self { code: refusal.code().into(), ..failure }
                    .because(refusal)
                    .hint(refusal.hint())
            }
            FormationError::Agreement(_) => Self::new(Fault::Agreement, text)
                .hint("do not go on; ask the other members and the convener what happened"),
            FormationError::Missing(_) => Self::new(Fault::Missing, "the network was not made")
                .because(text)
                .hint("see that they run `network form` or `network join`, then run this again"),
            FormationError::Misbehaved { .. } | FormationError::Disagreement(_) => {
                Self::new(Fault::Member, "the network was not made")
                    .because(text)
                    .hint("compare the digest of the agreement with that member, then all again")
            }
            FormationError::Generation(_) => Self::new(Fault::Formation, "no key was made")
                .because(text)
                .hint("check --address and --engine-listen, then all run this again"),
            FormationError::Candidate(_) => Self::new(Fault::WrongNetwork, text)
                .hint("check the id; otherwise all run the formation again"),
        }
    }
}
