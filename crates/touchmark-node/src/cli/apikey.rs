//! API keys of a node, in its data folder.

use super::answer::{Answer, Table};
use super::config::DataFolder;
use super::failure::{Failure, Fault};
use super::moment::Moment;
use super::node;
use super::session::Session;
use super::sheet::Sheet;
use crate::apikey::{ApiKeyError, ApiKeys, Scope};
use crate::node::now;
use crate::pages;
use touchmark_wire::ids::Timestamp;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// Commands about the keys of a node's administrative interface
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Make a key and show it, this once
    Create(Create),
    /// Make a set-up code, which makes one key at the node's page /setup within an hour
    ///
    /// A node that has never had a key prints such a code when it starts. A new code takes the place
    /// of the one before.
    Setup(DataFolder),
    /// List the keys: scopes, end and last use, never the keys themselves
    List(DataFolder),
    /// End a key; a running node refuses it from now on
    Revoke {
        /// Id of the key, as the list shows it
        id: String,
        #[command(flatten)]
        data: DataFolder,
    },
}

#[derive(clap::Args, Debug)]
pub(super) struct Create {
    /// What to call it
    name: String,
    /// What it is for; may be given several times
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<Scope>,
    /// Days until it ends
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=3650))]
    days: u64,
    #[command(flatten)]
    data: DataFolder,
}

/// The keys of the node with this data folder.
fn keys(data: &DataFolder, session: &Session<'_, '_>) -> Result<ApiKeys, Failure> {
    let folder = data.path(session)?;
    if !folder.join("genesis.cbor").is_file() {
        let what = format!("{} is no node's data folder", folder.display());
        return Err(Failure::new(Fault::Unknown, what)
            .hint("name it with --data; `touchmark node run` makes one"));
    }
    Ok(ApiKeys::in_folder(&folder))
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Create(create) => {
            let (created, scopes) = (now(), create.scopes);
            let end = Timestamp(created.0 + create.days * DAY);
            let keys = keys(&create.data, session)?;
            let (key, secret) = keys.create(&create.name, &scopes, created, end)?;
            let mut sheet = Sheet::default();
            sheet.add("id", key.id.as_str());
            sheet.add("name", key.name.as_str());
            sheet.add("scopes", names(&key.scopes));
            sheet.add("expires", Moment(Timestamp(key.expires)).to_string());
            sheet.add("key", secret);
            session.say("this is the only time that the key is shown");
            Ok(Answer::sheet(&sheet))
        }
        Command::Setup(data) => {
            let code = keys(&data, session)?.setup_code(now())?;
            let mut sheet = Sheet::default();
            let document = node::setup(&mut sheet, pages::SETUP, &code);
            session.say("this is the only time that the code is shown");
            Ok(Answer::raw(document, sheet.to_string().into_bytes()))
        }
        Command::List(data) => {
            let keys = keys(&data, session)?.list()?;
            let time = |time: u64| Moment(Timestamp(time)).to_string();
            let mut table = Table::new(&["id", "name", "scopes", "created", "expires", "last use"]);
            let mut items = Vec::new();
            for (key, used) in keys {
                let last = used.map_or_else(|| "never".to_owned(), time);
                let (created, expires) = (time(key.created), time(key.expires));
                items.push(serde_json::json!({
                    "id": key.id, "name": key.name, "scopes": key.scopes, "created": key.created,
                    "expires": key.expires, "expired": key.expires <= now().0, "last_use": used,
                }));
                table.row([key.id, key.name, names(&key.scopes), created, expires, last]);
            }
            Ok(Answer::new(&serde_json::json!({ "items": items }), table.to_string()))
        }
        Command::Revoke { id, data } => {
            let key = keys(&data, session)?.revoke(&id)?;
            let document = serde_json::json!({ "revoked": key.id, "name": key.name });
            Ok(Answer::new(&document, format!("revoked {} ({})\n", key.id, key.name)))
        }
    }
}

fn names(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(", ")
}

impl From<ApiKeyError> for Failure {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::File { path, source } => Self::storage(&path, &source),
            ApiKeyError::Damaged { .. } => Self::new(Fault::Damaged, error.to_string()),
            ApiKeyError::Randomness => Self::new(Fault::Internal, error.to_string()),
            ApiKeyError::Unknown | ApiKeyError::Expired | ApiKeyError::Scope(_) => {
                Self::new(Fault::Unknown, error.to_string())
                    .hint("`touchmark apikey list` shows the ids of the keys")
            }
        }
    }
}
