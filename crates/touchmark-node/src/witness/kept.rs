//! What outside witnesses cosigned of this node's log: of every number of witnesses the newest
//! checkpoint that so many have cosigned.

use crate::disk::{self, Secrecy};
use minicbor::{Decode, Encode};
use std::fs;
use std::io;
use std::path::Path;
use touchmark_wire::algorithm::PureVerifier;
use touchmark_wire::certificate::{Cosigner, NoteKey};
use touchmark_wire::checkpoint::SignedCheckpoint;
use touchmark_wire::codec;
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::TreeSize;

/// Name of the file in the data folder.
const FILE: &str = "witnessed.cbor";
/// Longest file, bytes.
const LIMIT: usize = 1 << 20;

/// What is kept.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Kept {
    /// The larger the log, the fewer witnesses.
    #[n(0)]
    notes: Vec<Note>,
    /// How those who are asked are doing.
    #[n(1)]
    pub(crate) standings: Vec<Standing>,
}

/// A checkpoint with what outside witnesses say of it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Note {
    /// Size of the log.
    #[n(0)]
    pub(crate) size: TreeSize,
    /// The checkpoint with the lines of the log and its validator.
    #[n(1)]
    pub(crate) base: String,
    /// The lines of outside witnesses.
    #[n(2)]
    pub(crate) lines: Vec<Line>,
}

/// A witness's line of a note.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Line {
    /// Whose.
    #[n(0)]
    pub(crate) vkey: String,
    /// The line, with its newline.
    #[n(1)]
    pub(crate) text: String,
}

/// How an outside witness is doing.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Standing {
    /// Who.
    #[n(0)]
    pub(crate) vkey: String,
    /// Size of the newest checkpoint that it cosigned; 0 if none is known.
    #[n(1)]
    pub(crate) size: TreeSize,
    /// When, by its clock, seconds since 1970-01-01T00:00:00Z; 0 if it never did.
    #[n(2)]
    pub(crate) time: u64,
    /// What went wrong when it was asked last.
    #[n(3)]
    pub(crate) problem: Option<String>,
    /// When, by the clock of this machine.
    #[n(4)]
    pub(crate) seen: u64,
}

impl Line {
    /// Whether it is whose it says, under this body of a checkpoint.
    fn verifies(&self, body: &str) -> bool {
        let text = format!("{body}\n{}", self.text);
        let cosigner = NoteKey::parse(&self.vkey).and_then(Cosigner::try_from);
        let note = SignedCheckpoint::parse(text.as_bytes());
        cosigner.is_ok_and(|it| note.is_ok_and(|note| it.verify(&note, &PureVerifier).is_ok()))
    }
}

impl Note {
    /// What the lines cosign.
    fn body(&self) -> &str {
        self.base.find("\n\n").map_or(&self.base, |end| &self.base[..=end])
    }

    /// Whether the log has been in this state.
    fn is_of(&self, origin: &str, root: impl Fn(TreeSize) -> Option<Digest>) -> bool {
        SignedCheckpoint::parse(self.base.as_bytes()).is_ok_and(|signed| {
            let checkpoint = signed.checkpoint();
            checkpoint.origin() == origin
                && checkpoint.size == self.size
                && root(self.size) == Some(checkpoint.root)
        })
    }

    /// The note as readers have it.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.base, self.witnesses())
    }

    /// The lines of the witnesses.
    pub(crate) fn witnesses(&self) -> String {
        self.lines.iter().map(|line| line.text.as_str()).collect()
    }
}

impl Kept {
    /// What is kept in the data folder. It can be had anew: what cannot be read is nothing.
    pub(crate) fn read(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let read = fs::read(&path).and_then(|bytes| {
            codec::decode(&bytes, LIMIT).map_err(|_| io::Error::other("the file is damaged"))
        });
        read.unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, path = %path.display(), "what witnesses cosigned is lost");
            }
            Self::default()
        })
    }

    /// Keeps it in the data folder.
    pub(crate) fn write(&self, folder: &Path) -> io::Result<()> {
        disk::replace(&folder.join(FILE), &codec::encode(self), Secrecy::Public)
    }

    /// What a witness of this key is known to be doing.
    pub(crate) fn standing(&self, vkey: &str) -> Standing {
        let known = self.standings.iter().find(|standing| standing.vkey == vkey);
        known.cloned().unwrap_or_else(|| Standing {
            vkey: vkey.into(),
            size: TreeSize(0),
            time: 0,
            problem: None,
            seen: 0,
        })
    }

    /// Adds the lines of witnesses under a checkpoint to what is known of it. What has no more
    /// witnesses than it, of a log no larger, is of no use any more.
    pub(crate) fn add(&mut self, mut note: Note) {
        // Lines under another body say nothing of this one.
        self.notes.retain(|it| it.size != note.size || it.body() == note.body());
        if let Some(known) = self.notes.iter().find(|known| known.size == note.size) {
            let is_new = |line: &&Line| !note.lines.iter().any(|new| new.vkey == line.vkey);
            let rest: Vec<Line> = known.lines.iter().filter(is_new).cloned().collect();
            note.lines.extend(rest);
        }
        if !note.lines.is_empty() {
            self.notes.retain(|it| it.size > note.size || it.lines.len() > note.lines.len());
            self.notes.push(note);
        }
    }

    /// Forgets those who are asked no more.
    pub(crate) fn retain(&mut self, is_asked: impl Fn(&str) -> bool) {
        self.standings.retain(|standing| is_asked(&standing.vkey));
        for note in &mut self.notes {
            note.lines.retain(|line| is_asked(&line.vkey));
        }
        for note in std::mem::take(&mut self.notes) {
            self.add(note);
        }
    }

    /// Forgets what is not of the log called `origin` with these roots, and lines that are not whose
    /// they say: whatever was in the file, readers get no other.
    pub(crate) fn check(&mut self, origin: &str, root: impl Fn(TreeSize) -> Option<Digest>) {
        let before = self.clone();
        self.notes.retain(|note| note.is_of(origin, &root));
        for mut note in std::mem::take(&mut self.notes) {
            let body = note.body().to_owned();
            note.lines.retain(|line| line.verifies(&body));
            self.add(note);
        }
        if *self != before {
            tracing::warn!("what witnesses cosigned is not all of this log: the rest is forgotten");
        }
    }

    /// Whether this witness cosigned this body of a log of this size.
    pub(crate) fn has(&self, vkey: &str, size: TreeSize, body: &str) -> bool {
        let found = self.at(size).filter(|note| note.body() == body);
        found.is_some_and(|note| note.lines.iter().any(|line| line.vkey == vkey))
    }

    /// The newest checkpoint that at least so many witnesses cosigned.
    pub(crate) fn note(&self, witnesses: usize) -> Option<&Note> {
        let enough = self.notes.iter().filter(|note| note.lines.len() >= witnesses);
        enough.max_by_key(|note| note.size)
    }

    /// What is known of the log of this size.
    pub(crate) fn at(&self, size: TreeSize) -> Option<&Note> {
        self.notes.iter().find(|note| note.size == size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_keys::software::SoftwareKey;
    use touchmark_testkit::log::View;
    use touchmark_wire::algorithm::{Algorithm, Signer as _};
    use touchmark_wire::certificate::{Cosignature, CosignatureTime};

    fn note(size: u64, by: &str) -> Note {
        let line = |name: char| Line { vkey: name.into(), text: format!("{name}{size}\n") };
        Note { size: TreeSize(size), base: String::new(), lines: by.chars().map(line).collect() }
    }

    fn found(kept: &Kept, witnesses: usize) -> Option<String> {
        kept.note(witnesses).map(|note| note.witnesses().replace('\n', " "))
    }

    #[test]
    fn of_every_number_of_witnesses_the_newest_is_kept() {
        let mut kept = Kept::default();
        for (size, by) in [(5, "abc"), (6, "ab"), (7, "c"), (8, "")] {
            kept.add(note(size, by));
        }
        assert_eq!(found(&kept, 1).as_deref(), Some("c7 "));
        assert_eq!(found(&kept, 2).as_deref(), Some("a6 b6 "));
        assert_eq!(found(&kept, 3).as_deref(), Some("a5 b5 c5 "));
        assert_eq!(found(&kept, 4), None);
        // What is known of the newest size gets one more line.
        kept.add(note(7, "a"));
        assert_eq!(found(&kept, 2).as_deref(), Some("a7 c7 "));
        assert_eq!(kept.notes.len(), 2);
        kept.add(note(9, "abc"));
        assert_eq!(kept.notes, [note(9, "abc")]);
    }

    #[test]
    fn who_is_asked_no_more_is_forgotten() {
        let mut kept = Kept::default();
        kept.add(note(5, "abc"));
        kept.add(note(6, "ab"));
        kept.retain(|vkey| vkey != "a" && vkey != "b");
        assert_eq!(kept.notes, [note(5, "c")]);
        kept.retain(|_| false);
        assert_eq!(kept, Kept::default());
    }

    #[test]
    fn what_is_kept_is_read_again_and_what_is_damaged_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Kept::read(folder.path()), Kept::default());
        let mut kept = Kept::default();
        kept.add(note(5, "ab"));
        kept.standings.push(kept.standing("a"));
        kept.write(folder.path()).unwrap();
        assert_eq!(Kept::read(folder.path()), kept);
        fs::write(folder.path().join(FILE), b"x").unwrap();
        assert_eq!(Kept::read(folder.path()), Kept::default());
    }
    #[test]
    fn lines_under_another_body_are_not_merged() {
        let mut kept = Kept::default();
        kept.add(note(5, "ab"));
        let other = Note { base: "log\n5\nroot\n\nline\n".into(), ..note(5, "c") };
        kept.add(other.clone());
        assert_eq!(kept.notes, [other]);
    }

    #[test]
    fn what_is_of_another_log_or_nobodys_is_forgotten() {
        let log = SoftwareKey::from_seed(Algorithm::Ed25519, &[1; 32]).unwrap();
        let key = SoftwareKey::from_seed(Algorithm::Ed25519, &[2; 32]).unwrap();
        let cosigner = Cosigner::new("witness.example", key.public_key().clone()).unwrap();
        let vkey = cosigner.note_key().to_string();
        let (own, other) = (View::new(5), View::forked(5, 3));
        let signed = |origin: &str, view: &View, body: &str| {
            let cosignature = Cosignature::sign(body, CosignatureTime(7), &key).unwrap();
            let text = cosigner.line(cosignature).to_string();
            let lines = vec![Line { vkey: vkey.clone(), text }];
            Note { size: view.tree().size, base: view.note(origin, &log), lines }
        };
        let body = |origin: &str, view: &View| {
            let text = view.note(origin, &log);
            SignedCheckpoint::parse(text.as_bytes()).unwrap().body().to_owned()
        };
        let check = |note: Note| {
            let mut kept = Kept { notes: vec![note], standings: Vec::new() };
            kept.check("log.example", |size| (size.0 == 5).then(|| own.tree().root));
            kept.notes.len()
        };
        assert_eq!(check(signed("log.example", &own, &body("log.example", &own))), 1);
        assert_eq!(check(signed("log.example", &other, &body("log.example", &other))), 0);
        assert_eq!(check(signed("other.example", &own, &body("other.example", &own))), 0);
        let longer = View::new(6);
        assert_eq!(check(signed("log.example", &longer, &body("log.example", &longer))), 0);
        // A line of another checkpoint.
        assert_eq!(check(signed("log.example", &own, &body("log.example", &other))), 0);
    }
}
