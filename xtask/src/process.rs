//! Programs that a command starts: run to the end, run within a time limit, or held and ended.

use anyhow::{Context as _, Result, bail};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Prints and runs a program with the terminal as its own; fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    eprintln!("> {line}");
    let status = command.status().with_context(|| format!("cannot start {line}"))?;
    succeeded(status, &line)
}

/// Runs a program silently and returns what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot start {line}"))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{line}: {}\n{}", output.status, stderr.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{line} wrote no UTF-8"))
}

/// Prints and runs a program whose standard output and errors pass through to the terminal, and
/// returns them as well, with its verdict.
pub(crate) fn observed(command: &mut Command) -> Result<(ExitStatus, String)> {
    let line = shown(command);
    eprintln!("> {line}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {line}"))?;
    let stdout = child.stdout.take().map(|pipe| tee(pipe, std::io::stdout()));
    let stderr = child.stderr.take().map(|pipe| tee(pipe, std::io::stderr()));
    let status = child.wait()?;
    let mut text = String::new();
    for reader in [stderr, stdout].into_iter().flatten() {
        text += &reader.join().unwrap_or_default();
    }
    Ok((status, text))
}

fn tee(
    source: impl Read + Send + 'static,
    mut sink: impl Write + Send + 'static,
) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        let mut line = Vec::new();
        let mut source = BufReader::new(source);
        while source.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            // A closed terminal is no reason to lose the verdict.
            let _ = sink.write_all(&line);
            text += &String::from_utf8_lossy(&line);
            line.clear();
        }
        text
    })
}

/// Whether the program can be started at all.
pub(crate) fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Fails unless the program ended with 0.
pub(crate) fn succeeded(status: ExitStatus, line: &str) -> Result<()> {
    if !status.success() {
        bail!("{line}: {status}");
    }
    Ok(())
}

/// The program with its arguments, as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    command.get_args().fold(program, |line, argument| line + " " + &argument.to_string_lossy())
}

/// A program started by us in a process group of its own. Dropping it ends the whole group, and
/// nothing else.
#[derive(Debug)]
pub(crate) struct Owned {
    child: Child,
    line: String,
}

impl Owned {
    /// Starts the program.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let line = shown(command);
        let child = command.process_group(0).spawn();
        let child = child.with_context(|| format!("cannot start {line}"))?;
        Ok(Self { child, line })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Takes the pipe of its standard output, if it has one.
    pub(crate) fn stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Its exit status, if it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end, at most so long.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!("{} did not end within {} s", self.line, limit.as_secs());
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks it to end, and waits; fails when it does not end well.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.signal("TERM");
        let status = self.wait(Duration::from_secs(10))?;
        succeeded(status, &self.line)
    }

    /// Sends a signal to the group of a leader that is not reaped yet: only so long is the group's
    /// number surely ours.
    fn signal(&self, name: &str) {
        // The shell's own `kill`, as a small system has no program of that name.
        let script = format!("kill -s {name} -- -{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).status();
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if !matches!(self.ended(), Ok(None)) {
            return;
        }
        self.signal("TERM");
        if self.wait(Duration::from_secs(5)).is_err() {
            self.signal("KILL");
            let _ = self.child.wait();
        }
    }
}

/// Ctrl-C and termination as messages, so that what was started is always ended with the command.
pub(crate) fn interrupts() -> Result<mpsc::Receiver<()>> {
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = sender.send(());
    })?;
    Ok(receiver)
}

/// Runs a program that may hang, for example for want of a network: at most so long.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let mut owned = Owned::start(command.stdin(Stdio::null()))?;
    let status = owned.wait(limit)?;
    succeeded(status, &owned.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failing_program_is_an_error_with_its_words() {
        let error = output(&mut shell("echo because >&2; exit 3")).unwrap_err().to_string();
        assert!(error.contains("because") && error.contains('3'), "{error}");
        assert_eq!(output(&mut shell("echo fine")).unwrap(), "fine\n");
    }

    #[test]
    fn observed_output_keeps_both_streams_and_the_verdict() {
        let (status, text) = observed(&mut shell("echo out; echo err >&2; exit 1")).unwrap();
        assert!(!status.success());
        assert_eq!(text, "err\nout\n");
    }

    #[test]
    fn a_hanging_program_is_ended_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let script = format!("sleep 60 & echo $! > {}; wait", pid_file.display());
        let error = run_within(&mut shell(&script), Duration::from_millis(500)).unwrap_err();
        assert!(error.to_string().contains("did not end"), "{error}");
        let pid = std::fs::read_to_string(pid_file).unwrap();
        let gone = || {
            let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
            status.map_or(true, |stat| stat.contains(") Z "))
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        while !gone() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(gone(), "the grandchild {pid} still runs");
    }
}
