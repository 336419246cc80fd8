//! Where the demo's cards are read: in a reader of the system's PC/SC service where there is one,
//! else in process.
//!
//! The reader is vpcd's virtual one, under a service of the demo's own: the driver listens on every
//! address of its network, so service and driver have a network namespace to themselves. Commands
//! enter only the mount namespace, to see the service's socket; the node stays reachable.

use super::stage::Stage;
use crate::process::Owned;
use anyhow::{Result, bail};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What the service and its virtual reader have on the disk once they are installed.
const NEEDED: [&str; 2] = ["/usr/sbin/pcscd", "/etc/reader.conf.d/vpcd"];

/// Starts the service in namespaces of its own.
const SERVICE: &str = "ip link set lo up && mount -t tmpfs tmpfs /run && mkdir /run/pcscd && \
                       exec /usr/sbin/pcscd --foreground";

/// The service is there, and a card in its reader, within this time.
const READY: Duration = Duration::from_secs(15);

/// Where cards are read.
pub(super) enum Reader {
    /// By the system's service.
    System(Owned),
    /// By the command itself.
    InProcess,
}

impl Reader {
    /// A reader of the system if this machine can have one.
    pub(super) fn open(stage: &Stage) -> Result<Self> {
        let installed = NEEDED.iter().all(|path| Path::new(path).exists());
        let allowed = Command::new("unshare").args(["-nm", "true"]).stderr(Stdio::null()).status();
        if !installed || !allowed.is_ok_and(|status| status.success()) {
            return Ok(Self::InProcess);
        }
        let mut service = Command::new("unshare");
        service.args(["-nm", "sh", "-c", SERVICE]).stdin(Stdio::null());
        service.stdout(Stdio::null()).stderr(File::create(stage.folder().join("pcscd.log"))?);
        let service = Owned::start(&mut service)?;
        until("the smart card service", || {
            Ok(spoken(enter(stage, &service, "--mount").args(LIST))?.0)
        })?;
        Ok(Self::System(service))
    }

    /// How cards are read, for people.
    pub(super) fn description(&self) -> &'static str {
        match self {
            Self::System(_) => "in a reader of the PC/SC service",
            Self::InProcess => "in process: no PC/SC service with a virtual reader here",
        }
    }

    /// Runs a command on the card in this folder; returns whether it succeeded, and what it said.
    pub(super) fn run(&self, stage: &Stage, card: &str, words: &[&str]) -> Result<(bool, String)> {
        let Self::System(service) = self else {
            return spoken(stage.command().args(words).args(["--virtual", card]));
        };
        let mut serve = enter(stage, service, "--net");
        serve.args(["card", "serve", card, "--unencrypted"]).stdin(Stdio::null());
        serve.stdout(Stdio::null()).stderr(File::create(stage.folder().join("card.log"))?);
        let inserted = Owned::start(&mut serve)?;
        until("a card in the reader", || has_card(stage, service))?;
        let words = [words, &["--reader", "Virtual"]].concat();
        let ended = spoken(enter(stage, service, "--mount").args(words));
        drop(inserted);
        until("an empty reader", || Ok(!has_card(stage, service)?))?;
        ended
    }
}

const LIST: [&str; 3] = ["--json", "card", "list"];

fn has_card(stage: &Stage, service: &Owned) -> Result<bool> {
    let (ok, list) = spoken(enter(stage, service, "--mount").args(LIST))?;
    Ok(ok && list.contains("\"card\":true"))
}

/// `touchmark` in one of the service's namespaces.
fn enter(stage: &Stage, service: &Owned, namespace: &str) -> Command {
    let touchmark = stage.command();
    let mut entered = Command::new("nsenter");
    entered.args(["--target", &service.id().to_string(), namespace]);
    entered.arg(format!("--wd={}", stage.folder().display())).arg(touchmark.get_program());
    for (name, value) in touchmark.get_envs() {
        match value {
            Some(value) => entered.env(name, value),
            None => entered.env_remove(name),
        };
    }
    entered
}

/// Runs a command to its end; standard output and error in one text.
fn spoken(command: &mut Command) -> Result<(bool, String)> {
    let output = command.stdin(Stdio::null()).output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

fn until(what: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !condition()? {
        if start.elapsed() > READY {
            bail!("{what} is not there after {} s", READY.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
