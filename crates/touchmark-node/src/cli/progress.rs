//! How far a command is, for a person who waits: on the last line of a terminal, once the command
//! has taken a second. Nothing of it goes into a pipe or beside a JSON document.
//!
//! What the session says, asks or answers takes the line's place, so commands never clear it. It is
//! drawn here and not by a crate such as `indicatif`, which writes to the process's own standard
//! error: a command has only its [`Environment`](super::Environment).

use super::session::Session;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// Between two drawings.
const INTERVAL: Duration = Duration::from_millis(100);
/// Of a bar, columns.
const WIDTH: u64 = 30;

/// The line on which progress stands.
#[derive(Default, Debug)]
pub(super) struct Progress {
    /// When there was first something to show.
    begun: Option<Instant>,
    /// When the line was last drawn; nothing while there is none.
    drawn: Option<Instant>,
}

impl Session<'_, '_> {
    /// Shows that `done` of `all` are done; `unit` is what is counted, one of them.
    pub(super) fn progress(&mut self, unit: &str, done: u64, all: u64) {
        if self.is_line_due() {
            let (done, parts) = (done.min(all), all.max(1));
            let bar = "#".repeat((done * WIDTH / parts) as usize);
            let bar = format!("{bar:<width$}", width = WIDTH as usize);
            self.draw(&format!("[{bar}] {:>3} %  {unit} {done} of {all}", done * 100 / parts));
        }
    }

    /// Does `work` that cannot say how far it is, and shows for how long it has been done.
    pub(super) fn wait<T: Send>(&mut self, what: &str, work: impl FnOnce() -> T + Send) -> T {
        if self.patience().is_none() {
            return work();
        }
        let begun = Instant::now();
        let done = thread::scope(|scope| {
            // Nothing is sent: the end of the work is the end of the channel.
            let (at_work, ended) = mpsc::channel::<()>();
            let worker = scope.spawn(move || {
                let _at_work = at_work;
                work()
            });
            loop {
                if self.is_line_due() {
                    self.draw(&format!("{what}, {} s", begun.elapsed().as_secs()));
                }
                if ended.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    return worker.join();
                }
            }
        });
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Takes the line away, before something else is written.
    pub(super) fn clear_progress(&mut self) {
        if self.progress.drawn.take().is_some() {
            self.write_line("");
        }
    }

    /// How long whoever waits can do without; nothing where nobody looks.
    fn patience(&self) -> Option<Duration> {
        let is_dumb = self.environment.variables.get("TERM").is_some_and(|name| name == "dumb");
        self.environment.patience.filter(|_| !is_dumb && !self.global.json)
    }

    fn is_line_due(&mut self) -> bool {
        let Some(patience) = self.patience() else { return false };
        let begun = *self.progress.begun.get_or_insert_with(Instant::now);
        match self.progress.drawn {
            Some(drawn) => drawn.elapsed() >= INTERVAL,
            None => begun.elapsed() >= patience,
        }
    }

    fn draw(&mut self, line: &str) {
        self.progress.drawn = Some(Instant::now());
        self.write_line(line);
    }

    fn write_line(&mut self, line: &str) {
        // Whoever closed standard error does not look.
        let _ = write!(self.environment.stderr, "\r\x1b[K{line}");
        let _ = self.environment.stderr.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Environment, Global};
    use std::collections::BTreeMap;

    /// What a command writes to standard error, where whoever waits has no patience at all.
    fn written(setting: Setting, command: impl FnOnce(&mut Session<'_, '_>)) -> String {
        let mut stderr = Vec::new();
        let mut environment = Environment {
            stdin: &mut std::io::empty(),
            stdout: &mut std::io::sink(),
            stderr: &mut stderr,
            folder: ".".into(),
            variables: BTreeMap::from([("TERM".to_owned(), setting.term.to_owned())]),
            terminal: None,
            patience: setting.patience,
        };
        let global = Global { json: setting.json, node: None, context: None, home: None };
        let mut session = Session::new(&mut environment, global);
        command(&mut session);
        String::from_utf8(stderr).unwrap()
    }

    #[derive(Clone, Copy)]
    struct Setting {
        patience: Option<Duration>,
        term: &'static str,
        json: bool,
    }

    const TERMINAL: Setting =
        Setting { patience: Some(Duration::ZERO), term: "xterm", json: false };

    /// Both kinds of progress, and a word between.
    fn work(session: &mut Session<'_, '_>) {
        session.progress("row", 1, 3);
        session.say("a word");
        let done = session.wait("waiting for an answer", || {
            thread::sleep(3 * INTERVAL);
            7
        });
        assert_eq!(done, 7);
        session.clear_progress();
    }

    #[test]
    fn a_terminal_shows_it_and_keeps_nothing_of_it() {
        let written = written(TERMINAL, work);
        let (bar, rest) = written.split_once("\r\x1b[Ka word\n").unwrap();
        assert_eq!(bar, "\r\x1b[K[##########                    ]  33 %  row 1 of 3");
        assert!(rest.starts_with("\r\x1b[Kwaiting for an answer, 0 s"), "{rest:?}");
        assert!(rest.ends_with("s\r\x1b[K"), "{rest:?}");
    }

    #[test]
    fn pipes_plain_terminals_and_programs_see_nothing_of_it() {
        for setting in [
            Setting { patience: None, ..TERMINAL },
            Setting { term: "dumb", ..TERMINAL },
            Setting { json: true, ..TERMINAL },
            Setting { patience: Some(Duration::from_secs(60)), ..TERMINAL },
        ] {
            assert_eq!(written(setting, work), "a word\n");
        }
    }

    #[test]
    fn a_bar_is_full_at_the_end_and_never_fuller() {
        for (done, all, shown) in
            [(0, 0, "  0 %"), (1, 3, " 33 %"), (3, 3, "100 %"), (4, 3, "100 %")]
        {
            let line = written(TERMINAL, |session| session.progress("batch", done, all));
            assert!(line.contains(shown), "{line:?}");
            assert_eq!(line.split_once(']').unwrap().0.len(), "\r\x1b[K[".len() + WIDTH as usize);
        }
    }

    #[test]
    fn it_is_not_drawn_more_often_than_one_can_see() {
        let line = written(TERMINAL, |session| {
            (1..=1000).for_each(|done| session.progress("leaf", done, 1000));
        });
        assert_eq!(line.matches('[').count() / 2, 1, "{line:?}");
    }

    #[test]
    #[should_panic(expected = "what went wrong")]
    fn a_panic_of_the_work_is_passed_on() {
        written(TERMINAL, |session| session.wait("working", || panic!("what went wrong")));
    }
}
