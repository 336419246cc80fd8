//! The binary: gives the command line what the process has.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;
use touchmark_node::cli::{self, Environment, Terminal};

fn main() -> anyhow::Result<ExitCode> {
    let is_stderr_terminal = io::stderr().is_terminal();
    let filter = std::env::var("TOUCHMARK__LOG").unwrap_or_else(|_| LOG.to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(io::stderr)
        .with_ansi(is_stderr_terminal)
        .init();
    let mut person = Person;
    let terminal = io::stdin().is_terminal() && is_stderr_terminal;
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut environment = Environment {
        stdin: &mut io::stdin(),
        stdout: &mut io::stdout(),
        stderr: &mut io::stderr(),
        folder: std::env::current_dir()?,
        variables: variables.collect::<BTreeMap<_, _>>(),
        terminal: terminal.then_some(&mut person),
        patience: is_stderr_terminal.then_some(PATIENCE),
    };
    Ok(ExitCode::from(cli::run(std::env::args_os(), &mut environment) as u8))
}

/// What is quicker shows no progress.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is logged unless TOUCHMARK__LOG says otherwise: libraries are talkative.
const LOG: &str = "warn,touchmark=info";

/// Whoever sits at the terminal.
struct Person;

impl Terminal for Person {
    fn secret(&mut self, prompt: &str) -> io::Result<String> {
        rpassword::prompt_password(prompt)
    }

    fn line(&mut self, prompt: &str) -> io::Result<String> {
        write!(io::stderr(), "{prompt}")?;
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line)
    }
}
