//! What every command shares: the environment, the global options and the context in use.

use super::answer::Answer;
use super::context::{Context, Contexts};
use super::environment::Environment;
use super::failure::{Failure, Fault};
use super::progress::Progress;
use super::{Global, identity, input};
use crate::suggestion;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use touchmark_api::client::Client;
use touchmark_wire::algorithm::CoseKey;
use touchmark_wire::ids::{Did, NetworkId, ThingId};

/// Longest input that is read, bytes: the longest bundle in hexadecimal.
const INPUT_LIMIT: u64 = 2 * touchmark_wire::bundle::Bundle::LIMIT as u64 + 1;

/// One command being run.
pub(crate) struct Session<'s, 'e> {
    pub(super) environment: &'s mut Environment<'e>,
    pub(super) global: Global,
    /// The answer was given while the command still ran.
    pub(super) has_answered: bool,
    /// How far the command is, while a person waits.
    pub(super) progress: Progress,
}

impl<'s, 'e> Session<'s, 'e> {
    pub(super) fn new(environment: &'s mut Environment<'e>, global: Global) -> Self {
        Self { environment, global, has_answered: false, progress: Progress::default() }
    }
}

impl Session<'_, '_> {
    /// The folder with contexts and identities.
    pub(super) fn home(&self) -> Result<PathBuf, Failure> {
        let variable = |name: &str| {
            self.environment
                .variables
                .get(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = self.global.home.clone().or_else(|| variable("TOUCHMARK__HOME"));
        let found = home
            .or_else(|| variable("XDG_CONFIG_HOME").map(|folder| folder.join("touchmark")))
            .or_else(|| variable("HOME").map(|folder| folder.join(".config/touchmark")));
        found.map(|folder| self.environment.folder.join(folder)).ok_or_else(|| {
            Failure::new(Fault::Usage, "there is no folder for contexts and identities")
                .because("neither XDG_CONFIG_HOME nor HOME is set")
                .hint("give one with --home")
        })
    }

    /// The context in use: the file's, overridden by environment variables, then by options.
    pub(super) fn context(&self) -> Result<Context, Failure> {
        let mut context = match self.home() {
            Ok(home) => Contexts::read(&home)?.chosen(self.global.context.as_deref())?,
            Err(_) => Context::default(),
        };
        let variables = &self.environment.variables;
        let variable = |name: &str| variables.get(name).filter(|value| !value.is_empty()).cloned();
        context.node = variable("TOUCHMARK__CONTEXT__NODE").or(context.node);
        context.identity = variable("TOUCHMARK__CONTEXT__IDENTITY").or(context.identity);
        context.network = variable("TOUCHMARK__CONTEXT__NETWORK").or(context.network);
        context.node = self.global.node.clone().or(context.node);
        Ok(context)
    }

    /// A client of the node in use.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let Some(url) = self.context()?.node else {
            return Err(Failure::new(Fault::Usage, "no node is named")
                .because("neither --node nor a context says which")
                .hint("give --node URL, or run `touchmark context add NAME --node URL`"));
        };
        Ok(Client::new(&url)?)
    }

    /// The network that the context trusts.
    pub(super) fn trusted(&self) -> Result<Option<NetworkId>, Failure> {
        self.context()?.network.map(|text| network_id(&text)).transpose()
    }

    /// Says that a source's own network is trusted, because nothing says which is to be.
    pub(super) fn say_trusting(&mut self, network: NetworkId) {
        self.say(&format!(
            "trusting network {network}, as the source says; compare it, or give yours with --trust"
        ));
    }

    /// Makes sure that the node is of the trusted network; gives the network's id.
    pub(super) fn network(&self, client: &Client) -> Result<NetworkId, Failure> {
        let view = client.network()?;
        let genesis = touchmark_wire::genesis::Genesis::decode(&view.genesis.0).ok();
        let own = genesis.map(|genesis| genesis.network_id());
        let Some(own) = own.filter(|own| own.to_string() == view.network) else {
            let what =
                format!("{} names a network id that its genesis does not have", client.base());
            return Err(Failure::new(Fault::Answer, what).hint("use another node"));
        };
        match self.trusted()? {
            Some(trusted) if trusted != own => Err(Failure::new(
                Fault::WrongNetwork,
                "the node is of another network than you trust",
            )
            .because(format!("it is {own}, the context says {trusted}"))
            .hint("use another node, or another context")),
            _ => Ok(own),
        }
    }

    /// A thing by id, DID, or the name of an identity held here.
    pub(super) fn thing(&self, text: &str) -> Result<ThingId, Failure> {
        if let Some(id) =
            text.parse().ok().or_else(|| text.parse::<Did>().ok().map(|did| did.thing))
        {
            return Ok(id);
        }
        let home = self.home()?;
        let names = identity::names(&home).unwrap_or_default();
        if names.iter().any(|name| name == text) {
            return identity::thing_of(&home, text);
        }
        let failure = Failure::new(Fault::Usage, format!("`{text}` is no thing id")).because(
            "a thing is named by 32 characters of base32, a DID, or an identity held here",
        );
        Err(match suggestion::nearest(text, names.iter().map(String::as_str)) {
            Some(name) => failure.hint(format!("did you mean the identity `{name}`?")),
            None => failure.hint("`touchmark identity list` shows what is held here"),
        })
    }

    /// The bytes of a file, or of standard input for `-`.
    pub(super) fn read(&mut self, path: &Path) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let read = if path == Path::new("-") {
            self.environment.stdin.take(INPUT_LIMIT).read_to_end(&mut bytes)
        } else {
            std::fs::File::open(self.path(path))
                .and_then(|file| file.take(INPUT_LIMIT).read_to_end(&mut bytes))
        };
        read.map_err(|error| Failure::file(path, &error))?;
        Ok(bytes)
    }

    /// A path relative to the current folder.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.environment.folder.join(path)
    }

    /// Writes a file that was asked for.
    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        std::fs::write(self.path(path), bytes).map_err(|error| Failure::storage(path, &error))
    }

    /// A public key from a COSE_Key or key file, or as text.
    pub(super) fn cose_key(&mut self, argument: &str) -> Result<CoseKey, Failure> {
        let bytes = if argument == "-" || self.path(Path::new(argument)).is_file() {
            self.read(Path::new(argument))?
        } else {
            argument.as_bytes().to_vec()
        };
        let key = |bytes: &[u8]| {
            CoseKey::decode(bytes).ok().or_else(|| {
                touchmark_keys::file::KeyFile::decode(bytes).ok().map(|file| *file.public())
            })
        };
        input::decodings(&bytes).iter().find_map(|decoding| key(&decoding.bytes)).ok_or_else(|| {
            Failure::new(Fault::Malformed, format!("`{argument}` is no public key"))
                .because("it is neither a COSE_Key nor a key file, nor one of them in hexadecimal or base64url")
                .hint("`touchmark inspect` tells what it is")
        })
    }

    /// Gives the command's answer now, while the command goes on. Nothing follows it on standard
    /// output.
    pub(super) fn answer(&mut self, answer: &Answer) {
        self.has_answered = true;
        self.clear_progress();
        // Nothing is left to tell whoever closed standard output.
        let _ = answer.write(self.global.json, self.environment.stdout);
    }

    /// Says something that is not the answer.
    pub(super) fn say(&mut self, text: &str) {
        self.clear_progress();
        // Nothing is left to tell whoever closed standard error.
        let _ = writeln!(self.environment.stderr, "{text}");
    }
}

/// A network id from its hexadecimal text.
pub(super) fn network_id(text: &str) -> Result<NetworkId, Failure> {
    text.trim().parse().map_err(|_| {
        Failure::new(Fault::Usage, format!("`{text}` is no network id"))
            .because("a network id has 64 hexadecimal digits")
            .hint("`touchmark network show` tells a node's; compare it with what its operators publish")
    })
}
