//! Outside witnesses, both ways: this machine's node as a witness of other logs, and the witnesses
//! of its own log.

use super::answer::{Answer, Table};
use super::config::DataFolder;
use super::failure::{Failure, Fault};
use super::moment::Moment;
use super::session::Session;
use super::sheet::{Field, Sheet};
use crate::folder::{self, Equipment, FolderError, Held, LogOwner};
use crate::witness::{
    Kept, List, ListError, Outside, Register, SEVERAL_OWNERS, Witness, WitnessError, view,
};
use std::path::{Path, PathBuf};
use touchmark_api::WitnessView;
use touchmark_wire::algorithm::{PublicKey, Signer as _};
use touchmark_wire::certificate::{NoteKey, NoteKeyKind};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::Timestamp;

/// Commands about witnesses outside of a network (C2SP tlog-witness)
#[derive(clap::Subcommand, Debug)]
pub(super) enum Command {
    /// Make this node a witness of other logs, with a key of its own
    ///
    /// It then cosigns checkpoints of the logs that `add-log` names, at the path /witness. The key is
    /// in no backup: whoever restores one makes a new witness.
    Init {
        /// Name of the key; otherwise the log's origin and `/witness-` with the key's digest
        name: Option<String>,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Show this node's key as a witness, and what it has cosigned
    Show(DataFolder),
    /// Witness a log, whose checkpoints this key signs; a running node does so from now on
    AddLog {
        /// The log's key, as C2SP signed-note writes one
        vkey: String,
        /// The log's origin, if the key has another name
        #[arg(long, value_name = "NAME")]
        origin: Option<String>,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Witness a log no more; what was cosigned of it stays known
    RemoveLog {
        /// The log's origin
        origin: String,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Print the key by which outside witnesses know this node's log
    ///
    /// Where the node has a place in the next committee of several owners, a second line is the key
    /// that the log gets when that committee takes office: witnesses are told of it before.
    LogKey(DataFolder),
    /// Have an outside witness cosign this node's checkpoints; a running node asks it from now on
    ///
    /// A log of several owners is signed by its validators together before it is offered.
    Add {
        /// Where it takes checkpoints, such as http://127.0.0.1:8081/witness
        url: String,
        /// Its key, as C2SP signed-note writes one
        vkey: String,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Ask an outside witness no more
    Remove {
        /// Name of its key
        name: String,
        #[command(flatten)]
        data: DataFolder,
    },
    /// List the outside witnesses of this node's log, and what each of them answered last
    List(DataFolder),
}

/// Why a node that is in no committee has no log to offer.
const NO_PLACE: &str = "the node has no place in a committee";

/// The data folder of a node, and its network.
struct Place {
    folder: PathBuf,
    genesis: Genesis,
}

impl Place {
    fn of(data: &DataFolder, session: &Session<'_, '_>) -> Result<Self, Failure> {
        let folder = data.path(session)?;
        let genesis = folder::genesis(&folder)?;
        Ok(Self { folder, genesis })
    }

    fn register(&self) -> Register {
        Register::in_folder(&self.folder)
    }

    fn list(&self) -> List {
        List::in_folder(&self.folder)
    }

    /// The keys that speak for the log anyway, and this node's own as a witness.
    fn own_keys(&self) -> Result<Vec<PublicKey>, Failure> {
        let Equipment { offices, .. } = equipment(&self.folder, &self.genesis)?;
        let validators = offices.iter().flat_map(|held| &held.committee.validators);
        let mut keys: Vec<PublicKey> =
            validators.filter_map(|it| it.cosigner_key.check().ok()).collect();
        let joint = offices.iter().filter_map(|held| held.committee.log_key(&self.genesis.origin));
        keys.extend(joint.map(|key| key.key().clone()));
        let note = folder::note_key(&self.folder, self.genesis.network_id())?;
        keys.extend(note.map(|key| key.public_key().clone()));
        match self.register().witness() {
            Ok(own) => {
                let own = NoteKey::parse(&own.vkey).map_err(WitnessError::Key)?;
                keys.push(own.key().clone());
            }
            Err(WitnessError::None) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(keys)
    }

    /// Refuses where no key speaks for the log that outside witnesses may trust.
    fn require_voice(&self) -> Result<(), Failure> {
        if let Some(reason) = unasked(&self.folder, &self.genesis)? {
            let what = "this log is offered to no outside witness";
            return Err(Failure::new(Fault::SeveralOwners, what).because(reason).hint(
                "readers can ask for the cosignatures of the validators: `touchmark proof fetch \
                 --certificate cosigned`",
            ));
        }
        Ok(())
    }
}

/// Why the log is offered to nobody, if no key speaks for it.
fn unasked(folder: &Path, genesis: &Genesis) -> Result<Option<&'static str>, Failure> {
    let offices = equipment(folder, genesis)?.offices;
    Ok(match folder::owner(&offices) {
        LogOwner::Nobody => Some(NO_PLACE),
        LogOwner::Voiceless => Some(SEVERAL_OWNERS),
        LogOwner::One | LogOwner::Several => None,
    })
}

fn equipment(folder: &Path, genesis: &Genesis) -> Result<Equipment, Failure> {
    Equipment::read(folder, genesis).map_err(|error| match error {
        FolderError::Keyless { path } => FolderError::Follows { path }.into(),
        error => error.into(),
    })
}

pub(super) fn run(session: &mut Session<'_, '_>, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Init { name, data } => {
            let place = Place::of(&data, session)?;
            match name {
                Some(name) => place.register().begin(&name)?,
                None => place.register().begin_at(&place.genesis.origin)?,
            };
            Ok(witness(&place.register().witness()?))
        }
        Command::Show(data) => Ok(witness(&Place::of(&data, session)?.register().witness()?)),
        Command::AddLog { vkey, origin, data } => {
            let key = NoteKey::parse(&vkey).map_err(WitnessError::Key)?;
            let origin = origin.unwrap_or_else(|| key.name().into());
            let register = Place::of(&data, session)?.register();
            register.add_log(&origin, &vkey)?;
            Ok(witness(&register.witness()?))
        }
        Command::RemoveLog { origin, data } => {
            let register = Place::of(&data, session)?.register();
            register.remove_log(&origin)?;
            Ok(witness(&register.witness()?))
        }
        Command::LogKey(data) => log_key(&Place::of(&data, session)?),
        Command::Add { url, vkey, data } => {
            let place = Place::of(&data, session)?;
            place.require_voice()?;
            place.list().add(Outside::new(&url, &vkey)?, &place.own_keys()?)?;
            outside(&place)
        }
        Command::Remove { name, data } => {
            let place = Place::of(&data, session)?;
            place.list().remove(&name)?;
            outside(&place)
        }
        Command::List(data) => outside(&Place::of(&data, session)?),
    }
}

fn witness(witness: &Witness) -> Answer {
    let mut sheet = Sheet::default();
    sheet.add("key", witness.vkey.as_str());
    let logs = witness.logs.iter().map(|log| {
        let mut line = Sheet::default();
        line.add("origin", log.origin.as_str());
        line.add("witnessed", !log.keys.is_empty());
        line.add_some("size", log.cosigned.map(|(size, _)| size.0));
        line.add_some("cosigned", log.cosigned.map(|(_, time)| moment(time)));
        line.add("keys", log.keys.iter().map(String::as_str).collect::<Field>());
        line
    });
    sheet.add("logs", logs.collect::<Field>());
    Answer::sheet(&sheet)
}

fn log_key(place: &Place) -> Result<Answer, Failure> {
    place.require_voice()?;
    let offices = equipment(&place.folder, &place.genesis)?.offices;
    // The oldest place is that in the committee in office, until the node starts after a change.
    let mut keys = offices.iter().map(|held| log_key_of(place, held));
    let (key, next) = (keys.next().transpose()?.flatten(), keys.next_back().transpose()?.flatten());
    let lines: Vec<_> = key.iter().chain(&next).map(|vkey| format!("{vkey}\n")).collect();
    if lines.is_empty() {
        return Err(Failure::new(Fault::Unknown, "the log has no note key yet")
            .hint("start the node once: it makes the key"));
    }
    let mut document = serde_json::json!({ "key": key, "origin": place.genesis.origin });
    if let Some(next) = next {
        document["next"] = next.into();
    }
    Ok(Answer::raw(document, lines.concat().into_bytes()))
}

/// The key by which witnesses know the log of this committee, if there is one by now.
fn log_key_of(place: &Place, held: &Held) -> Result<Option<String>, Failure> {
    let origin = &place.genesis.origin;
    if held.committee.validators.len() > 1 {
        return Ok(held.committee.log_key(origin).map(|key| key.to_string()));
    }
    let key = folder::note_key(&place.folder, place.genesis.network_id())?;
    let vkey = key.map(|key| NoteKey::new(NoteKeyKind::Log, origin, key.public_key().clone()));
    Ok(vkey.transpose().map_err(WitnessError::Key)?.map(|key| key.to_string()))
}

/// An outside witness, and where it is, which is for its node's operator only.
#[derive(serde::Serialize)]
struct Item<'a> {
    url: &'a str,
    #[serde(flatten)]
    view: WitnessView,
}

/// Who is asked, and how they are doing.
fn outside(place: &Place) -> Result<Answer, Failure> {
    let named = place.list().read()?;
    let kept = Kept::read(&place.folder);
    let mut table = Table::new(&["name", "url", "size", "cosigned", "problem"]);
    let mut items = Vec::new();
    for one in &named {
        let view = view(one, kept.standing(&one.vkey));
        let cell = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        let (size, time) = (view.size.map(|it| it.to_string()), view.time.map(moment));
        let cosigned = cell(time.map(|it| Moment(it).to_string()));
        let row = [view.name.clone(), one.url.clone(), cell(size), cosigned];
        table.row(row.into_iter().chain([cell(view.problem.clone())]));
        items.push(Item { url: &one.url, view });
    }
    let reason = unasked(&place.folder, &place.genesis)?;
    let document = serde_json::json!({ "items": items, "reason": reason });
    let text = reason.map(|reason| format!("none is asked: {reason}\n")).unwrap_or_default();
    Ok(Answer::new(&document, format!("{table}{text}")))
}

fn moment(seconds: u64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1_000))
}

impl From<WitnessError> for Failure {
    fn from(error: WitnessError) -> Self {
        let text = error.to_string();
        match error {
            WitnessError::None => Self::new(Fault::Unknown, text)
                .hint("`touchmark witness init` makes it one, with a key of its own"),
            WitnessError::Exists(_) => {
                Self::new(Fault::Exists, text).hint("`touchmark witness show` prints its key")
            }
            WitnessError::NoLog(_) => {
                Self::new(Fault::Unknown, text).hint("`touchmark witness show` lists the logs")
            }
            WitnessError::TooMany | WitnessError::Full => Self::new(Fault::Usage, text)
                .hint("`touchmark witness remove-log` ends the keys of one"),
            WitnessError::Key(_)
            | WitnessError::NotLog(_)
            | WitnessError::Malformed(_)
            | WitnessError::Refused(_) => Self::new(Fault::Malformed, text).hint(
                "give a key as C2SP signed-note writes it: a log's `touchmark witness \
                     log-key` prints one, a witness's `touchmark witness show`",
            ),
            WitnessError::File { path, source } => Self::storage(&path, &source),
            WitnessError::Damaged { path } => Self::new(Fault::Damaged, text).hint(format!(
                "never put an older copy in its place: move {} away, make a new witness and give \
                 logs and readers its key",
                path.display()
            )),
            WitnessError::Clock => {
                Self::new(Fault::Internal, text).hint("set the clock of this machine")
            }
            WitnessError::Signing(_) => Self::new(Fault::Internal, text),
        }
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        let text = error.to_string();
        match error {
            ListError::Wrong(_) => Self::new(Fault::Malformed, text).hint(
                "give the witness's submission prefix and its key, as `touchmark witness show` on \
                 it prints one",
            ),
            ListError::Own(_) => Self::new(Fault::Malformed, text).hint(
                "have somebody else witness the log: what speaks for it anyway proves nothing more",
            ),
            ListError::Exists(_) => Self::new(Fault::Exists, text)
                .hint("`touchmark witness remove` first, to change its address or key"),
            ListError::Unknown(_) => Self::new(Fault::Unknown, text)
                .hint("`touchmark witness list` shows those that are named"),
            ListError::TooMany => Self::new(Fault::Usage, text)
                .hint("`touchmark witness remove` those that you need least"),
            ListError::File { path, source } => Self::storage(&path, &source),
            ListError::Damaged { .. } => Self::new(Fault::Config, text)
                .hint("correct the file, or remove it and add the witnesses again"),
        }
    }
}
