//! `touchmark reader run`: taps come in by lines, statements go out in order, and the tamper
//! contact is looked at all the time.
//!
//! One thread reads lines, another signs and sends: the reader locks while it waits for a card.

use super::backoff::Backoff;
use super::own_card::{Held, OwnCard};
use super::station::{Station, Tap};
use super::tamper::Contact;
use crate::cli::answer::Answer;
use crate::cli::failure::{Exit, Failure};
use crate::cli::identity::signing::{Delivery, Signing};
use crate::cli::session::Session;
use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

#[derive(clap::Args, Debug)]
pub(crate) struct Run {
    #[command(flatten)]
    signing: Signing,
    /// What cards present: a URL on each line, then, after a space, SenML in JSON that the reader
    /// adds; - is standard input
    #[arg(default_value = "-")]
    input: PathBuf,
    /// Tamper contact: lock when this file says anything but 0
    #[arg(long, value_name = "FILE")]
    tamper: Option<PathBuf>,
    /// How long to try, in seconds, after the input has ended; what is left waits for the next run
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
    #[command(flatten)]
    own_card: OwnCard,
}

/// How often the tamper contact is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Between two attempts to lock a card that is not there.
const AGAIN: Duration = Duration::from_secs(1);
/// Lines that wait to be signed; more are not read.
const LINES: usize = 256;
/// Taps of a locked reader that wait to be sent.
const BARE: usize = 1_024;
/// Longest line that is read, bytes: a URL and what the reader adds.
const LINE: u64 = 16_384;

pub(super) fn run(session: &mut Session<'_, '_>, run: &Run) -> Result<Answer, Failure> {
    let own_card = run.own_card.held(session)?;
    let station = Station::open(session, &run.signing)?;
    let home = session.home()?;
    let worker = Worker {
        station,
        home: &home,
        contact: run.tamper.as_ref().map(|path| Contact(session.path(path))),
        own_card,
        lock_card: Instant::now(),
        patience: Duration::from_secs(run.patience),
        backoff: Backoff::new(Instant::now()),
        bare: VecDeque::new(),
        counts: Counts::default(),
    };
    let (sender, lines) = sync_channel(LINES);
    let done = std::thread::scope(|scope| {
        let work = scope.spawn(move || worker.work(&lines));
        let read = if run.input == Path::new("-") {
            read_lines(&mut *session.environment.stdin, &sender)
        } else {
            std::fs::File::open(session.path(&run.input))
                .and_then(|mut file| read_lines(&mut file, &sender))
        };
        // The other thread sees that nothing more comes.
        drop(sender);
        let done = work.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        read.map_err(|error| Failure::file(&run.input, &error)).and(done)
    })?;
    Ok(done.answer())
}

/// Hands lines over until the input ends or nobody takes them.
fn read_lines(input: &mut dyn Read, sender: &SyncSender<String>) -> std::io::Result<()> {
    let mut input = BufReader::new(input);
    loop {
        let mut line = Vec::new();
        if (&mut input).take(LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return Ok(());
        }
    }
}

/// What a run did.
#[derive(Clone, Debug, Default)]
struct Counts {
    signed: u64,
    arrived: u64,
    denied: u64,
    /// Why the last of them was.
    denial: Option<String>,
    bare: u64,
    refused: u64,
    waiting: usize,
    locked: Option<String>,
    /// What became of the reader's own card, once the reader is locked.
    card: Option<String>,
}

struct Worker<'h> {
    station: Station,
    home: &'h Path,
    contact: Option<Contact>,
    /// The card that is to be locked with the reader, until it is.
    own_card: Option<Held>,
    /// When to try that.
    lock_card: Instant,
    patience: Duration,
    backoff: Backoff,
    /// Taps of a locked reader: they go out without its word.
    bare: VecDeque<Tap>,
    counts: Counts,
}

impl Worker<'_> {
    fn work(mut self, lines: &Receiver<String>) -> Result<Counts, Failure> {
        let mut end = None;
        loop {
            self.look()?;
            if end.is_some() {
                std::thread::sleep(LOOK);
            } else {
                match lines.recv_timeout(LOOK) {
                    Ok(line) => {
                        // The contact may have closed while the line came.
                        self.look()?;
                        self.take(&line)?;
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => {
                        end = Some(Instant::now() + self.patience);
                    }
                }
            }
            self.send()?;
            let is_done = self.station.is_empty() && self.bare.is_empty();
            if end.is_some_and(|end| is_done || Instant::now() >= end) {
                self.counts.waiting = self.station.waiting();
                self.counts.locked = self.station.locked()?;
                return Ok(self.counts);
            }
        }
    }

    /// Locks when the contact says so, and finishes a lock from wherever it was left.
    fn look(&mut self) -> Result<(), Failure> {
        if let Some(reason) = self.contact.as_ref().and_then(Contact::alarm) {
            self.station.lock(self.home, &reason)?;
        }
        self.lock_card()?;
        self.station.finish_alert()
    }

    /// Locks the card of a reader that is locked. The reader's own lock is on the disk by then, so
    /// whatever ends this is made good by the next run; and the alert waits for no card.
    fn lock_card(&mut self) -> Result<(), Failure> {
        let Some(card) = &self.own_card else { return Ok(()) };
        if Instant::now() < self.lock_card || self.station.locked()?.is_none() {
            return Ok(());
        }
        self.counts.card = Some(match card.lock() {
            Ok(()) => {
                self.own_card = None;
                "locked".into()
            }
            Err(failure) => failure.what,
        });
        self.lock_card = Instant::now() + AGAIN;
        Ok(())
    }

    fn take(&mut self, line: &str) -> Result<(), Failure> {
        let line = line.trim();
        if line.is_empty() {
            return Ok(());
        }
        let tap = match line.split_once(char::is_whitespace) {
            Some((url, context)) => Tap { url: url.into(), context: Some(context.trim().into()) },
            None => Tap { url: line.into(), context: None },
        };
        if self.station.locked()?.is_some() {
            if self.bare.len() < BARE {
                self.bare.push_back(tap);
            } else {
                self.counts.refused += 1;
            }
            return Ok(());
        }
        self.station.pass_on(&tap)?;
        self.counts.signed += 1;
        Ok(())
    }

    /// Sends while it works, and waits longer each time it does not.
    fn send(&mut self) -> Result<(), Failure> {
        while self.backoff.is_due(Instant::now()) {
            match self.station.deliver()? {
                Delivery::Nothing => break,
                Delivery::Arrived(_) => self.counts.arrived += 1,
                Delivery::Denied(failure) => {
                    self.counts.denied += 1;
                    self.counts.denial = Some(failure.to_string());
                }
                Delivery::Later(_) => {
                    self.backoff.fail(Instant::now());
                    return Ok(());
                }
            }
            self.backoff.succeed(Instant::now());
        }
        while self.backoff.is_due(Instant::now()) {
            let Some(tap) = self.bare.front() else { break };
            match self.station.pass_on_bare(tap) {
                Ok(()) => self.counts.bare += 1,
                Err(failure) if failure.is_for_later() => {
                    self.backoff.fail(Instant::now());
                    return Ok(());
                }
                Err(_) => self.counts.refused += 1,
            }
            self.bare.pop_front();
        }
        Ok(())
    }
}

impl Counts {
    fn answer(&self) -> Answer {
        let document = serde_json::json!({
            "signed": self.signed, "arrived": self.arrived, "denied": self.denied, "denial": self.denial,
            "bare": self.bare, "refused": self.refused, "waiting": self.waiting,
            "locked": self.locked.is_some(), "reason": self.locked, "card": self.card,
        });
        let lock = match &self.locked {
            Some(reason) => format!("; locked: {reason}"),
            None => String::new(),
        };
        let card = self.card.as_ref().map(|card| format!("; card: {card}")).unwrap_or_default();
        let denial = self.denial.as_ref().map(|denial| format!("last denied:\n{denial}\n"));
        let text = format!(
            "signed {}, arrived {}, denied {}, bare {}, refused {}, waiting {}{lock}{card}\n{}",
            self.signed,
            self.arrived,
            self.denied,
            self.bare,
            self.refused,
            self.waiting,
            denial.unwrap_or_default(),
        );
        Answer::new(&document, text).ending(self.exit())
    }

    /// A run goes on whatever becomes of single taps, and says at its end whether all of them did
    /// what they were passed on for. While something waits, nobody knows yet.
    const fn exit(&self) -> Exit {
        if self.waiting > 0 {
            Exit::Unavailable
        } else if self.denied > 0 || self.refused > 0 || self.locked.is_some() {
            Exit::Refused
        } else {
            Exit::Fine
        }
    }
}
