//! Where the engines of a network's validators are: a file that operators edit when one moves.

use super::{FolderError, read};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use touchmark_engine::PeerKey;
use touchmark_wire::hash::Digest;

/// Where this validator's engine listens, and where those of the others are reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Peers {
    /// Where this one accepts the others.
    pub listen: Option<SocketAddr>,
    /// `host:port` of every other one.
    pub addresses: BTreeMap<PeerKey, String>,
}

/// The file's text once a place in another committee is taken.
pub(crate) struct Merged {
    pub(crate) text: String,
    /// Members that stay where they are.
    pub(crate) kept: Vec<Kept>,
}

/// A member whose address stays what it was, though its place came with another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// Where it said that it would be.
    pub offered: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    #[serde(default, rename = "validator")]
    validators: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    peer: String,
    address: String,
}

const HEADING: &str = "\
# Where this validator's engine listens, and where those of the others are reached.
# Change an address when a validator moves, then start the node again. Keys never change.

";

impl Peers {
    /// Name of the file in the data folder.
    pub const FILE: &str = "peers.toml";

    /// The file's text for a validator that listens at `listen`; the others are name, peer key
    /// and address.
    pub(crate) fn text<'a>(
        listen: SocketAddr,
        others: impl Iterator<Item = (&'a str, Digest, &'a str)>,
    ) -> Result<String, FolderError> {
        let validators = others.map(|(name, peer, address)| Row {
            name: name.into(),
            peer: peer.to_string(),
            address: address.into(),
        });
        let file = File { listen: Some(listen), validators: validators.collect() };
        let text = toml::to_string(&file);
        text.map(|text| format!("{HEADING}{text}")).map_err(|error| FolderError::Peers {
            path: Self::FILE.into(),
            reason: error.to_string(),
        })
    }

    /// The text of the file in the data folder, with those whom only `newer` knows: a committee that
    /// goes on finds its members where they are. Without the file it is `newer`.
    pub(crate) fn merged(folder: &Path, newer: &str) -> Result<Merged, FolderError> {
        let path = folder.join(Self::FILE);
        let unusable = |reason: String| FolderError::Peers { path: path.clone(), reason };
        let parse =
            |text: &str| toml::from_str::<File>(text).map_err(|it| unusable(it.to_string()));
        let (mut merged, mut kept) = (parse(newer)?, Vec::new());
        if path.exists() {
            let newer = merged.validators;
            merged = parse(&String::from_utf8_lossy(&read(&path)?))?;
            for row in newer {
                match merged.validators.iter().find(|known| known.peer == row.peer) {
                    None => merged.validators.push(row),
                    Some(known) if known.address != row.address => kept.push(Kept {
                        name: known.name.clone(),
                        address: known.address.clone(),
                        offered: row.address,
                    }),
                    Some(_) => {}
                }
            }
        }
        let text = toml::to_string(&merged).map_err(|error| unusable(error.to_string()))?;
        Ok(Merged { text: format!("{HEADING}{text}"), kept })
    }

    /// Reads the file in the data folder.
    pub(crate) fn read(folder: &Path) -> Result<Self, FolderError> {
        let path = folder.join(Self::FILE);
        if !path.exists() {
            return Err(FolderError::Incomplete { path });
        }
        let text = String::from_utf8_lossy(&read(&path)?).into_owned();
        Self::parse(&text).map_err(|reason| FolderError::Peers { path, reason })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: File =
            toml::from_str(text).map_err(|error| error.to_string().trim().to_owned())?;
        let mut addresses = BTreeMap::new();
        for row in file.validators {
            let peer: Digest = row.peer.parse().map_err(|_| {
                format!("the peer key of {} is not 64 hexadecimal digits", row.name)
            })?;
            if addresses.insert(PeerKey(peer.0), row.address).is_some() {
                return Err(format!("the peer key of {} is there twice", row.name));
            }
        }
        Ok(Self { listen: file.listen, addresses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_wrong_is_named() {
        let listen = "127.0.0.1:7".parse().unwrap();
        let others = [("beta", Digest([7; 32]), "beta.example.org:9000")];
        let text = Peers::text(listen, others.into_iter()).unwrap();
        let peers = Peers::parse(&text).unwrap();
        assert_eq!(peers.listen, Some(listen));
        let address = "beta.example.org:9000".to_owned();
        assert_eq!(peers.addresses, BTreeMap::from([(PeerKey([7; 32]), address)]));
        for (from, to, reason) in [
            ("\nlisten", "\nlisen", "lisen"),
            ("0707", "07", "the peer key of beta is not 64"),
            ("127.0.0.1:7", "here", "listen"),
        ] {
            let wrong = Peers::parse(&text.replacen(from, to, 1));
            let found = wrong.unwrap_err();
            assert!(found.contains(reason), "{found}");
        }
        let row = &text[text.find("[[").unwrap()..];
        assert!(Peers::parse(&format!("{text}\n{row}")).unwrap_err().contains("twice"));
    }

    #[test]
    fn members_that_are_known_stay_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let text = |port: u16, others: &[(&str, u8, &str)]| {
            let listen = SocketAddr::from(([127, 0, 0, 1], port));
            let others = others.iter().map(|(name, peer, at)| (*name, Digest([*peer; 32]), *at));
            Peers::text(listen, others).unwrap()
        };
        let newer = text(8, &[("beta", 2, "new:2"), ("gamma", 3, "new:3")]);
        let merged = Peers::merged(folder.path(), &newer).unwrap();
        assert_eq!((merged.text, merged.kept), (newer.clone(), Vec::new()));
        let older = text(7, &[("alpha", 1, "old:1"), ("beta", 2, "old:2")]);
        std::fs::write(folder.path().join(Peers::FILE), older).unwrap();
        let all = [("alpha", 1, "old:1"), ("beta", 2, "old:2"), ("gamma", 3, "new:3")];
        let merged = Peers::merged(folder.path(), &newer).unwrap();
        assert_eq!(merged.text, text(7, &all));
        let [address, offered] = ["old:2", "new:2"].map(str::to_owned);
        assert_eq!(merged.kept, [Kept { name: "beta".to_owned(), address, offered }]);
    }
}
