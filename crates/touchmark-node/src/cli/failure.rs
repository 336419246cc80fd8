//! Failures of a command: what happened, why, one hint and a stable code.

use std::fmt;
use std::path::Path;
use touchmark_api::Problem;
use touchmark_api::client::ClientError;
use touchmark_wire::registry::RefusalCode;

/// How a command ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Fine.
    Fine = 0,
    /// A verdict is negative, or the thing was refused.
    Refused = 1,
    /// Misuse.
    Misuse = 2,
    /// Not available now.
    Unavailable = 3,
    /// A fault of this program or machine.
    Internal = 4,
}

/// What failed on this side. What a node refuses has the code of its problem.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Arguments that make no sense.
    Usage,
    /// A configuration that cannot be used.
    Config,
    /// Something named does not exist here.
    Unknown,
    /// It exists here already.
    Exists,
    /// A file that was named cannot be read.
    File,
    /// A file of ours does not have its shape.
    Damaged,
    /// A passphrase is missing or wrong.
    Passphrase,
    /// Input that is not what it should be.
    Malformed,
    /// Something is none of the things we know.
    Unrecognised,
    /// Another network than the trusted one.
    WrongNetwork,
    /// Rules that this build does not have.
    Rules,
    /// Nothing proves it.
    Unproved,
    /// Its device was tampered with.
    Locked,
    /// Another process holds it.
    Busy,
    /// So much waits already that no more is taken.
    OutboxFull,
    /// No answer from the node.
    Unreachable,
    /// An answer that no node gives.
    Answer,
    /// A log that is not the one that was certified.
    FalseLog,
    /// A log that is smaller than what was seen of it.
    LogRolledBack,
    /// A log of the size that was seen, with another root.
    LogSplit,
    /// A larger log that does not begin with what was seen.
    LogNotExtended,
    /// A card that was asked for what it does not do.
    CardRefused,
    /// A card that is locked.
    CardLocked,
    /// An answer that no card gives.
    CardAnswer,
    /// No smart card service, no reader, or no card in it.
    Reader,
    /// An invitation, a record or an agreement that somebody does not take.
    Formation,
    /// An agreement that must not be accepted.
    Agreement,
    /// Nodes that do not say the same, or not enough of them.
    NodesDisagree,
    /// Too few nodes that say anything.
    FewAnswers,
    /// A list of nodes with which nothing can be agreed on.
    NodeList,
    /// A list that a thing publishes and that cannot take the place of the present one.
    PublishedList,
    /// A log of which no single owner may speak.
    SeveralOwners,
    /// Members who are not there.
    Missing,
    /// A member who breaks the protocol, or was shown something else.
    Member,
    /// Object storage that does not answer, or not with what has to be there.
    Objects,
    /// This machine's storage fails.
    Storage,
    /// A fault of this program.
    Internal,
}

impl Fault {
    /// Stable code.
    pub(crate) const fn code(self) -> &'static str {
        self.row().0
    }

    /// How a command ends because of it.
    pub(crate) const fn exit(self) -> Exit {
        self.row().1
    }

    const fn row(self) -> (&'static str, Exit) {
        match self {
            Self::Usage => ("TM-USAGE", Exit::Misuse),
            Self::Config => ("TM-CONFIG", Exit::Misuse),
            Self::Unknown => ("TM-NOT-HERE", Exit::Misuse),
            Self::Exists => ("TM-EXISTS", Exit::Refused),
            Self::File => ("TM-FILE", Exit::Misuse),
            Self::Damaged => ("TM-CORRUPT", Exit::Internal),
            Self::Passphrase => ("TM-PASSPHRASE", Exit::Misuse),
            Self::Malformed => ("TM-MALFORMED", Exit::Refused),
            Self::Unrecognised => ("TM-UNRECOGNISED", Exit::Refused),
            Self::WrongNetwork => ("TM-WRONG-NETWORK", Exit::Refused),
            Self::Rules => ("TM-RULES", Exit::Misuse),
            Self::Unproved => ("TM-NOT-PROVED", Exit::Refused),
            Self::OutboxFull => ("TM-OUTBOX-FULL", Exit::Unavailable),
            Self::Locked => ("TM-LOCKED", Exit::Refused),
            Self::Busy => ("TM-BUSY", Exit::Unavailable),
            Self::Unreachable => ("TM-UNREACHABLE", Exit::Unavailable),
            Self::Answer => ("TM-ANSWER", Exit::Unavailable),
            Self::FalseLog => ("TM-LOG-FALSE", Exit::Refused),
            Self::LogRolledBack => ("TM-LOG-ROLLED-BACK", Exit::Refused),
            Self::LogSplit => ("TM-LOG-SPLIT", Exit::Refused),
            Self::LogNotExtended => ("TM-LOG-NOT-EXTENDED", Exit::Refused),
            Self::CardRefused => ("TM-CARD-REFUSED", Exit::Refused),
            Self::CardLocked => ("TM-CARD-LOCKED", Exit::Refused),
            Self::CardAnswer => ("TM-CARD-ANSWER", Exit::Refused),
            Self::Reader => ("TM-READER", Exit::Unavailable),
            Self::Formation => ("TM-FORMATION", Exit::Refused),
            Self::Agreement => ("TM-AGREEMENT", Exit::Refused),
            Self::NodesDisagree => ("TM-NODES-DISAGREE", Exit::Refused),
            Self::FewAnswers => ("TM-FEW-ANSWERS", Exit::Unavailable),
            Self::NodeList => ("TM-NODE-LIST", Exit::Misuse),
            Self::PublishedList => ("TM-PUBLISHED-LIST", Exit::Refused),
            Self::SeveralOwners => ("TM-SEVERAL-OWNERS", Exit::Refused),
            Self::Missing => ("TM-MEMBERS-MISSING", Exit::Unavailable),
            Self::Member => ("TM-MEMBER", Exit::Refused),
            Self::Objects => ("TM-OBJECT-STORAGE", Exit::Unavailable),
            Self::Storage => ("TM-STORAGE", Exit::Internal),
            Self::Internal => ("TM-INTERNAL", Exit::Internal),
        }
    }
}

/// Why a command did not do what it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// How the command ends.
    pub exit: Exit,
    /// Stable code.
    pub code: String,
    /// What happened.
    pub what: String,
    /// Why.
    pub why: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where it stands in the log, if it does.
    pub position: Option<u64>,
}

impl Failure {
    pub(crate) fn new(fault: Fault, what: impl Into<String>) -> Self {
        let (code, exit) = fault.row();
        Self { exit, code: code.into(), what: what.into(), why: None, hint: None, position: None }
    }

    /// Why.
    pub(crate) fn because(mut self, why: impl fmt::Display) -> Self {
        self.why = Some(why.to_string());
        self
    }

    /// What to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A file that was named in an argument.
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::new(Fault::File, format!("cannot read {}", path.display()))
            .because(error)
            .hint("check the path and its permissions")
    }

    /// A file that this program keeps.
    pub(crate) fn storage(path: &Path, error: &std::io::Error) -> Self {
        Self::new(Fault::Storage, format!("cannot use {}", path.display()))
            .because(error)
            .hint("check free space and permissions of the folder")
    }

    /// Whether the same may succeed later: the node is away, or asks for patience.
    pub(crate) fn is_for_later(&self) -> bool {
        self.exit == Exit::Unavailable || self.code == RefusalCode::QUOTA.to_string()
    }

    pub(crate) fn document(&self) -> serde_json::Value {
        let mut error = serde_json::Map::new();
        error.insert("code".into(), self.code.as_str().into());
        error.insert("what".into(), self.what.as_str().into());
        for (name, value) in [("why", &self.why), ("hint", &self.hint)] {
            if let Some(value) = value {
                error.insert(name.into(), value.as_str().into());
            }
        }
        if let Some(position) = self.position {
            error.insert("position".into(), position.into());
        }
        serde_json::json!({ "error": error })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        if let Some(why) = &self.why {
            write!(f, "\n  why:  {why}")?;
        }
        if let Some(position) = self.position {
            write!(f, "\n  leaf: {position}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        write!(f, "\n  code: {}", self.code)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let exit = match problem.code().map(|code| code.0 / 100) {
            Some(5) => Exit::Unavailable,
            Some(6 | 7) => Exit::Internal,
            None if problem.status >= 500 => Exit::Unavailable,
            _ => Exit::Refused,
        };
        let logged =
            if problem.position.is_some() { "; it is in the log without effect" } else { "" };
        Self {
            exit,
            code: problem.code,
            what: format!("the node says: {}{logged}", problem.title.to_lowercase()),
            why: Some(problem.detail),
            hint: Some(problem.hint),
            position: problem.position,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(problem) => (*problem).into(),
            ClientError::Address { .. } => Self::new(Fault::Usage, error.to_string())
                .hint("give something like http://127.0.0.1:8080 to --node"),
            ClientError::Answer { url, reason } => {
                Self::new(Fault::Answer, format!("{url} answers what no node does"))
                    .because(reason)
                    .hint("check the address, and that client and node are of the same version")
            }
            ClientError::Unreachable { url, reason } => {
                Self::new(Fault::Unreachable, format!("no answer from {url}"))
                    .because(reason)
                    .hint("check that the node runs and that --node or the context names it; sending again is safe")
            }
            other => Self::new(Fault::Unreachable, other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_later_is_told_from_what_is_refused_for_good() {
        let of = |code| Failure::from(Problem::new(code, "")).is_for_later();
        assert!(of(RefusalCode::QUOTA) && of(RefusalCode::OVERLOADED));
        assert!(!of(RefusalCode::REVOKED) && !of(RefusalCode::SIGNATURE));
        assert!(Failure::new(Fault::Unreachable, "").is_for_later());
        assert!(!Failure::new(Fault::Usage, "").is_for_later());
    }
}
