//! A member's way through a formation: hand in the record, get the agreement, be ready, make the
//! key, keep what was made.

use super::candidate::Candidate;
use super::draft::{Draft, Role, random};
use super::line::{Line, Unanswered};
use super::note::Joint;
use super::{FormationError, Formed, Objection, Reception};
use crate::folder::{self, FolderError, Site};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use touchmark_engine::{Generation, GenerationError, PeerKey};
use touchmark_wire::formation::{Agreement, Answer, Token};
use touchmark_wire::hash::{Digest, domain};

/// The shortest and the longest pause between two requests.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// A folder for what the engine's runtime may want to write.
const SCRATCH: &str = "formation";

/// One run of one member.
pub struct Attendance {
    site: Arc<Site>,
    draft: Draft,
    line: Line,
    run: Token,
    patience: Duration,
}

impl Attendance {
    /// Begins a run in a folder with a draft. A convener's reception is to be served. `patience`
    /// is how long to wait for a convener that does not answer, for members that are not ready,
    /// and for those that fall silent while the key is made; for each of them.
    pub fn open(
        path: &Path,
        patience: Duration,
    ) -> Result<(Self, Option<Arc<Reception>>), FormationError> {
        let site = Arc::new(Site::take(path)?);
        let draft = Draft::open(path)?;
        let (line, reception) = match &draft.role {
            Role::Member(invitation) => {
                (Line::there(invitation.clone(), draft.record.clone()), None)
            }
            Role::Convener(_) => {
                let reception = Arc::new(Reception::new(site.clone(), draft.clone()));
                (Line::Here(reception.clone()), Some(reception))
            }
        };
        let run = Token(random()?);
        Ok((Self { site, draft, line, run, patience }, reception))
    }

    /// What was confirmed before a run was cut off.
    pub fn finish(&self) -> Result<Option<Formed>, FormationError> {
        let candidate: Option<Candidate> = folder::candidate(self.site.path())?;
        match candidate.filter(Candidate::is_confirmed) {
            Some(candidate) => Ok(Some(candidate.settle(&self.site)?)),
            None => Ok(None),
        }
    }

    /// Hands in the record and waits until all are there. The agreement is checked; `progress` is
    /// told how many of how many members are there.
    pub fn agreement(
        &self,
        mut progress: impl FnMut(u16, u16),
    ) -> Result<Agreement, FormationError> {
        self.poll(None, |answer| match answer {
            Answer::Waiting { present, of } => {
                progress(present, of);
                Ok(None)
            }
            Answer::Agreed { agreement, .. } => Ok(Some(*agreement)),
            Answer::Go { .. } | Answer::Refused { .. } => Err(Objection::Other.into()),
        })
        .and_then(|agreement| {
            self.object(&agreement)?;
            Ok(agreement)
        })
    }

    /// Whether the agreement is one that this member may accept.
    pub(super) fn object(&self, agreement: &Agreement) -> Result<(), Objection> {
        agreement.check()?;
        if agreement.formation != self.draft.formation() {
            return Err(Objection::Foreign);
        }
        if !agreement.members.contains(&self.draft.record) {
            return Err(Objection::Changed);
        }
        match &self.draft.role {
            Role::Member(invitation) => {
                let mut members = agreement.members.iter();
                let is_member = members.any(|member| member.record.peer == invitation.peer);
                if is_member { Ok(()) } else { Err(Objection::Convener) }
            }
            Role::Convener(_) => Ok(()),
        }
    }

    /// Waits until everyone has accepted the agreement, makes the key with them, and makes the
    /// folder that of a validator. `progress` is told who is not ready yet.
    pub fn make(
        self,
        agreement: &Agreement,
        mut progress: impl FnMut(&[String]),
    ) -> Result<Formed, FormationError> {
        let deadline = Instant::now() + self.patience;
        let accepted = agreement.digest();
        let mut missing = Vec::new();
        let attempt = self.poll(Some(accepted), |answer| match answer {
            Answer::Go { attempt } => Ok(Some(attempt)),
            Answer::Agreed { agreement: now, absent } if now.digest() == accepted => {
                let members = &agreement.members;
                let absent = absent.iter().filter_map(|place| members.get(usize::from(*place)));
                let absent: Vec<_> = absent.map(|member| member.record.name.clone()).collect();
                progress(&absent);
                missing.clone_from(&absent);
                if Instant::now() < deadline {
                    Ok(None)
                } else {
                    Err(FormationError::Missing(absent))
                }
            }
            _ => Err(Objection::Other.into()),
        });
        let attempt = attempt.map_err(|error| match error {
            // The convener went first: it waited for the same members.
            FormationError::Silent { .. } if !missing.is_empty() => {
                FormationError::Missing(missing)
            }
            other => other,
        });
        self.generate(agreement, attempt?)
    }

    fn generate(self, agreement: &Agreement, attempt: Digest) -> Result<Formed, FormationError> {
        let me = self.draft.record.record.peer;
        let listen = self.draft.listen()?;
        let members = agreement.members.iter().map(|member| &member.record);
        let key = |peer: Digest| PeerKey(peer.0);
        let others = members.clone().filter(|record| record.peer != me);
        let scratch = self.site.path().join(SCRATCH);
        let places: Vec<_> = members.clone().map(|record| key(record.peer)).collect();
        let joint = Joint::begin(places.clone(), key(me), agreement.threshold);
        let joint = joint.map_err(|error| GenerationError::Failed(error.to_string()))?;
        let generation = Generation {
            agreement: Digest::of(&[
                domain::ATTEMPT,
                agreement.digest().as_bytes(),
                attempt.as_bytes(),
            ]),
            identity: self.draft.secrets.seat().identity,
            members: places,
            listen,
            addresses: others.map(|record| (key(record.peer), record.address.clone())).collect(),
            patience: self.patience,
            scratch: scratch.clone(),
        };
        let (site, secrets, agreed) = (self.site.clone(), self.draft.secrets, agreement.clone());
        let made = generation.run(joint, move |committee, seat, joint| {
            let part = (seat, joint.share());
            let candidate = Candidate::new(&agreed, committee, secrets, part, listen)?;
            site.keep_candidate(&candidate).map_err(|error| error.to_string())?;
            Ok(candidate.digest())
        });
        // It was the runtime's, and there may be none.
        let _ = std::fs::remove_dir_all(&scratch);
        made.map_err(|error| named(error, agreement))?;
        let candidate: Option<Candidate> = folder::candidate(self.site.path())?;
        let lost = || FolderError::Empty { path: self.site.path().into() };
        Ok(candidate.ok_or_else(lost)?.settle(&self.site)?)
    }

    /// Asks the convener again and again until `take` has what it wants.
    fn poll<T>(
        &self,
        accepted: Option<Digest>,
        mut take: impl FnMut(Answer) -> Result<Option<T>, FormationError>,
    ) -> Result<T, FormationError> {
        let (mut pause, longest) = PAUSES;
        let mut heard = Instant::now();
        loop {
            match self.line.ask(self.run, accepted) {
                Ok(answer) => {
                    heard = Instant::now();
                    if let Some(taken) = take(answer)? {
                        return Ok(taken);
                    }
                }
                Err(Unanswered::Refused { refusal, is_sealed }) => {
                    return Err(FormationError::Refused { refusal, is_sealed });
                }
                Err(Unanswered::Silent(reason)) if heard.elapsed() >= self.patience => {
                    let address = self.line.address().to_owned();
                    return Err(FormationError::Silent { address, reason });
                }
                Err(Unanswered::Silent(reason)) => {
                    tracing::debug!(reason, "the convener does not answer");
                }
            }
            std::thread::sleep(pause);
            pause = (pause * 3 / 2).min(longest);
        }
    }
}

/// An error with the members' names.
fn named(error: GenerationError, agreement: &Agreement) -> FormationError {
    let names: BTreeMap<_, _> = agreement
        .members
        .iter()
        .map(|member| (PeerKey(member.record.peer.0), member.record.name.clone()))
        .collect();
    let name = |member: &PeerKey| names.get(member).cloned().unwrap_or_else(|| member.to_string());
    match error {
        GenerationError::Missing(members) => {
            FormationError::Missing(members.iter().map(name).collect())
        }
        GenerationError::Misbehaved { member, how } => {
            FormationError::Misbehaved { member: name(&member), how }
        }
        GenerationError::Disagreement(member) => FormationError::Disagreement(name(&member)),
        other => other.into(),
    }
}
