//! State and indexes made anew.

use crate::cli::answer::Answer;
use crate::cli::config::DataFolder;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::cli::sheet::Sheet;
use crate::upkeep::{self, UpkeepError};
use std::time::{Duration, Instant};
use touchmark_store::Progress;

/// Make state and indexes anew from the log
///
/// Every batch is executed again, signatures included, and must lead to the roots in its certified
/// header. The new tables take the place of the old ones at the end: a rebuild that is refused or
/// cut off has changed nothing. The node must not run meanwhile.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Rebuild {
    #[command(flatten)]
    data: DataFolder,
}

pub(super) fn run(session: &mut Session<'_, '_>, rebuild: &Rebuild) -> Result<Answer, Failure> {
    let data = rebuild.data.path(session)?;
    let mut bar = Bar::new(session);
    let rebuilt = upkeep::rebuild(&data, |progress| bar.show(progress));
    bar.clear();
    let rebuilt = rebuilt?;
    let mut sheet = Sheet::default();
    sheet
        .add("height", rebuilt.height.0)
        .add("size", rebuilt.size.0)
        .add("root", rebuilt.root.to_string())
        .add("state root", rebuilt.state_root.to_string());
    Ok(Answer::sheet(&sheet))
}

/// How far it is, on a terminal's last line.
struct Bar<'a, 'b, 'c> {
    session: &'a mut Session<'b, 'c>,
    last: Option<Instant>,
}

impl<'a, 'b, 'c> Bar<'a, 'b, 'c> {
    /// Between two drawings.
    const INTERVAL: Duration = Duration::from_millis(100);
    const WIDTH: u64 = 30;

    fn new(session: &'a mut Session<'b, 'c>) -> Self {
        Self { session, last: None }
    }

    fn show(&mut self, Progress { height, of }: Progress) {
        let due = self.last.is_none_or(|last| last.elapsed() >= Self::INTERVAL) || height == of;
        if self.session.environment.terminal.is_none() || !due {
            return;
        }
        self.last = Some(Instant::now());
        let (done, all) = (height.0, of.0.max(1));
        let filled = (done * Self::WIDTH / all) as usize;
        let bar = format!("{:<width$}", "#".repeat(filled), width = Self::WIDTH as usize);
        let percent = done * 100 / all;
        // Whoever closed standard error does not look.
        let _ = write!(
            self.session.environment.stderr,
            "\r[{bar}] {percent:>3} %  batch {done} of {of}"
        );
        let _ = self.session.environment.stderr.flush();
    }

    fn clear(&mut self) {
        if self.last.is_some() {
            let _ = write!(self.session.environment.stderr, "\r\x1b[K");
        }
    }
}

impl From<UpkeepError> for Failure {
    fn from(error: UpkeepError) -> Self {
        match error {
            UpkeepError::Folder(error) => error.into(),
            UpkeepError::Store(error) => error.into(),
        }
    }
}
