//! Running a node, and the upkeep of its data folder.

mod backup;
mod rebuild;

use super::answer::Answer;
use super::config::Configured;
use super::failure::{Exit, Failure, Fault};
use super::moment::Moment;
use super::reach;
use super::session::Session;
use super::sheet::Sheet;
use crate::apikey::ApiKeys;
use crate::apikey::setup::SetupCode;
use crate::folder::FolderError;
use crate::http;
use crate::node::{StartError, now};
use crate::pages;
use crate::proof::ProofError;
use crate::rules::UnknownRules;
use crate::service::{self, ServiceError};
use crate::upkeep::UpkeepError;

/// Commands about this machine's node
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Run a node; an empty folder becomes a new network of one
    ///
    /// Answers once, when the node takes requests; what comes later goes to standard error.
    Run(Configured),
    Backup(backup::Backup),
    VerifyBackup(backup::VerifyBackup),
    Restore(backup::Restore),
    Rebuild(rebuild::Rebuild),
    /// Print the OpenAPI document of the HTTP interface, the same that a node serves
    Openapi,
}

pub(super) fn run(session: &mut Session<'_, '_>, command: &Command) -> Result<Answer, Failure> {
    match command {
        Command::Run(configured) => serve(session, configured),
        Command::Backup(backup) => backup::make(session, backup),
        Command::VerifyBackup(verify) => backup::verify(session, verify),
        Command::Restore(restore) => backup::restore(session, restore),
        Command::Rebuild(rebuild) => rebuild::run(session, rebuild),
        Command::Openapi => {
            let document = http::document();
            Ok(Answer::new(&document, format!("{document:#}\n")))
        }
    }
}

fn serve(session: &mut Session<'_, '_>, configured: &Configured) -> Result<Answer, Failure> {
    let config = configured.resolve(session)?.config;
    let mut ready = None;
    let variables = &session.environment.variables;
    service::serve(&config.service(now(), variables), |address, node| {
        let network = node.genesis.network_id();
        let url = format!("http://{address}");
        tracing::info!(%url, %network, "ready");
        let mut sheet = Sheet::default();
        let mut document = serde_json::json!({ "url": url, "network": network.to_string() });
        sheet.add("network", network.to_string());
        if let Some(peer) = node.peer().map(|peer| peer.to_string()) {
            document["key"] = peer.as_str().into();
            sheet.add("key", peer);
        }
        sheet.add("data", config.node.data.display().to_string());
        match ApiKeys::in_folder(&config.node.data).first_code(now()) {
            Ok(Some(code)) => {
                let page = reach::url(address) + pages::SETUP;
                document["setup"] = setup(&mut sheet, &page, &code);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "there is no set-up code"),
        }
        sheet.add("ready", url.as_str());
        let answer = Answer::raw(document, sheet.to_string().into_bytes());
        session.answer(&answer);
        ready = Some(answer);
    })
    .map_err(Failure::from)?;
    session.say("stopped");
    ready.ok_or_else(|| Failure::new(Fault::Internal, "the node ended before it was ready"))
}

/// A set-up code with the page that takes it.
pub(super) fn setup(sheet: &mut Sheet, page: &str, code: &SetupCode) -> serde_json::Value {
    let (text, end) = (code.text(), Moment(code.expires).to_string());
    sheet.add("set up", page);
    sheet.add("code", format!("{text}, once, until {end}"));
    serde_json::json!({ "page": page, "code": text, "expires": code.expires.0 })
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        let text = error.to_string();
        match error {
            ServiceError::Listen { .. } => Self::new(Fault::Busy, text)
                .hint("stop what listens there, or give another address with --listen"),
            ServiceError::Start(StartError::Store(error)) => error.into(),
            ServiceError::Start(StartError::Folder(error)) => error.into(),
            ServiceError::Start(StartError::Engine(touchmark_engine::Error::Behind { .. })) => {
                Self::new(Fault::Damaged, "the node does not start").because(text).hint(
                    "what the node has voted for is missing: put back its last `consensus` folder, \
                     never an older copy",
                )
            }
            ServiceError::Start(StartError::Follow(_)) => {
                Self::new(Fault::Config, "the node does not start")
                    .because(text)
                    .hint("begin with an empty folder: `touchmark network follow` prepares one")
            }
            ServiceError::Start(StartError::Objects(error)) => Self::objects(&error),
            ServiceError::Start(StartError::NoObjects { .. }) => Self::new(
                Fault::Config,
                "the node does not start",
            )
            .because(text)
            .hint("name the object storage again, with `objects.url` in the file or --objects-url"),
            ServiceError::Start(_) => Self::new(Fault::Storage, "the node does not start")
                .because(text)
                .hint("check the data folder's disk and permissions"),
            ServiceError::Engine(_) => {
                let failure = Self::new(Fault::Storage, text);
                Self { exit: Exit::Unavailable, ..failure }
                    .hint("free or repair the disk, then start the node again")
            }
            ServiceError::Runtime(_) => Self::new(Fault::Internal, text),
        }
    }
}

impl Failure {
    /// Object storage that cannot be one.
    fn objects(error: &touchmark_objects::Error) -> Self {
        Self::new(Fault::Config, "the object storage that is named cannot be one")
            .because(error)
            .hint("correct `objects.url` and what stands beside it; `touchmark config show --origin` tells where it comes from")
    }
}

impl From<UpkeepError> for Failure {
    fn from(error: UpkeepError) -> Self {
        let text = error.to_string();
        match error {
            UpkeepError::Folder(error) => error.into(),
            UpkeepError::Store(error) => error.into(),
            UpkeepError::Proof(ProofError::NotCertified) => {
                Self::new(Fault::Unproved, "nothing would prove a backup of this ledger")
                    .because("this folder has no certificate of its last batch")
                    .hint(
                        "start the node and stop it again, which certifies it; of a ledger without \
                         `consensus`, copy the backup that it came from",
                    )
            }
            UpkeepError::Unproved { .. } => {
                Self::new(Fault::Unproved, text).hint("use another backup")
            }
            UpkeepError::Untrusted { .. } => Self::new(Fault::WrongNetwork, text).hint(
                "use a backup of the network that you trust, or give another root with --trust",
            ),
            UpkeepError::Objects(error) => Self::objects(&error),
            UpkeepError::Engine(_) | UpkeepError::Proof(_) => {
                Self::new(Fault::Storage, text).hint("check the folder's disk and permissions")
            }
        }
    }
}

impl From<UnknownRules> for Failure {
    fn from(unknown: UnknownRules) -> Self {
        Self::new(Fault::Rules, "this build cannot work in this network").because(unknown).hint(
            "install a build that has these rules and leave the data folder as it is; \
             `touchmark doctor --against URL` tells other nodes' builds",
        )
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        let text = error.to_string();
        match error {
            FolderError::Lock(error) => error.into(),
            FolderError::Rules(unknown) => unknown.into(),
            FolderError::Empty { .. } => {
                Self::new(Fault::Unknown, text).hint("name the node's data folder with --data")
            }
            FolderError::Keyless { .. } => Self::new(Fault::Unknown, text)
                .hint("put the backup into the data folder that has the node's own keys and votes"),
            FolderError::Taken { .. } => Self::new(Fault::Exists, text)
                .hint("name an empty folder with --data; `touchmark node run` runs the node there"),
            FolderError::Forming { .. } => Self::new(Fault::Exists, text).hint(
                "`touchmark network status --data FOLDER` tells how far it is; go on with `network \
                 form` or `network join`, or name an empty folder",
            ),
            FolderError::Follows { .. } => Self::new(Fault::Exists, text)
                .hint("adopt the place into an empty folder with --genesis"),
            FolderError::Other { .. } => {
                Self::new(Fault::WrongNetwork, text).hint("name this network's own folder")
            }
            FolderError::Foreign { .. } => Self::new(Fault::WrongNetwork, text).hint(
                "give the data folder that was named with --of, or an empty one with --genesis",
            ),
            FolderError::Peers { .. } => Self::new(Fault::Config, text)
                .hint("correct the file; `touchmark network show` tells the validators' keys, `touchmark network follow` writes sources anew"),
            FolderError::Damaged { .. } | FolderError::Incomplete { .. } => {
                Self::new(Fault::Damaged, text).hint("restore the file, or start from a backup")
            }
            _ => Self::new(Fault::Storage, text).hint("check the folder's disk and permissions"),
        }
    }
}

impl From<touchmark_store::Error> for Failure {
    fn from(error: touchmark_store::Error) -> Self {
        use touchmark_store::Error;
        let text = error.to_string();
        match error {
            Error::InUse { .. } => Self::new(Fault::Busy, text)
                .hint("stop that process, or give another folder with --data"),
            Error::Corrupt(_) => Self::new(Fault::Damaged, text)
                .hint("run `touchmark node rebuild`, or restore a backup"),
            Error::Sealed { .. } => Self::new(Fault::Objects, text).hint(
                "check that the object storage answers, has the objects and is the right one; \
                 `touchmark doctor` asks it",
            ),
            Error::Diverged { .. } => Self::new(Fault::Damaged, text)
                .hint("restore a backup; what came after it is with the order engine"),
            Error::NotAStore { .. } | Error::NotEmpty { .. } | Error::NotABackup { .. } => {
                Self::new(Fault::Unknown, text).hint("check the path")
            }
            Error::OtherNetwork { .. } | Error::OtherGenesis { .. } => {
                Self::new(Fault::WrongNetwork, text).hint("name this network's own folder")
            }
            Error::DamagedBackup { .. } => {
                Self::new(Fault::Malformed, text).hint("use another backup")
            }
            _ => Self::new(Fault::Storage, text).hint("check the folder's disk and permissions"),
        }
    }
}
