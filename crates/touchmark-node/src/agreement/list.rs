//! The list of nodes to choose from: a file that is edited by hand, or replaced by what a thing
//! publishes in its attributes.

use super::AgreementError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use touchmark_wire::ids::ThingId;
use ureq::http::Uri;

/// Nodes on hosts of which no two are the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeList {
    /// The thing that publishes the list, if one does.
    pub publisher: Option<ThingId>,
    nodes: Vec<NodeUrl>,
}

/// Where a node answers: `http://host:port`, without a path, written in one way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeUrl {
    text: String,
    host: String,
    port: u16,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<String>,
    nodes: Vec<String>,
}

/// The port of an address that names none.
const PORT: u16 = 80;

const HEADING: &str = "\
# Nodes to choose from where one asks several and believes what enough of them say.
# One of each operator: hosts that one person runs count as many as they are.

";

impl NodeList {
    /// Most nodes of a list.
    pub const MOST: usize = 64;
    /// Longest address of a node, bytes.
    pub const ADDRESS: usize = 280;
    /// Attribute of a thing that has addresses with spaces between; `nodes.` and anything have more.
    pub const ATTRIBUTE: &str = "nodes";

    /// A list of these addresses.
    pub fn new<'a>(
        publisher: Option<ThingId>,
        addresses: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, AgreementError> {
        let mut nodes: Vec<NodeUrl> = Vec::new();
        for address in addresses {
            let node = NodeUrl::parse(address)?;
            if let Some(known) = nodes.iter().find(|known| known.host == node.host) {
                let reason = format!("{} and {} are the same host", known.text, node.text);
                return Err(AgreementError::list(reason));
            }
            if nodes.len() == Self::MOST {
                return Err(AgreementError::list(format!("it has more than {}", Self::MOST)));
            }
            nodes.push(node);
        }
        if nodes.is_empty() {
            return Err(AgreementError::list("it names no node"));
        }
        Ok(Self { publisher, nodes })
    }

    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self, AgreementError> {
        let file: File =
            toml::from_str(text).map_err(|error| AgreementError::list(error.to_string().trim()))?;
        let publisher = file.publisher.map(|text| {
            let reason = format!("its publisher `{text}` is no thing id");
            text.parse().map_err(|_| AgreementError::list(reason))
        });
        Self::new(publisher.transpose()?, file.nodes.iter().map(String::as_str))
    }

    /// What a thing publishes in these attributes of its own.
    pub fn published(
        publisher: ThingId,
        attributes: &BTreeMap<String, String>,
    ) -> Result<Self, AgreementError> {
        let is_list = |name: &str| {
            let rest = name.strip_prefix(Self::ATTRIBUTE);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let lists = attributes.iter().filter(|(name, _)| is_list(name));
        let addresses = lists.flat_map(|(_, value)| value.split_ascii_whitespace());
        Self::new(Some(publisher), addresses)
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let file = File {
            publisher: self.publisher.map(|thing| thing.to_string()),
            nodes: self.nodes.iter().map(|node| node.text.clone()).collect(),
        };
        let text = toml::to_string_pretty(&file).expect("texts and lists of texts are TOML");
        format!("{HEADING}{text}")
    }

    /// The nodes.
    pub fn nodes(&self) -> &[NodeUrl] {
        &self.nodes
    }
}

impl NodeUrl {
    /// Scheme, host, and the port unless it is the usual one.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port to connect with.
    pub(super) fn endpoint(&self) -> (&str, u16) {
        (self.host.trim_matches(['[', ']']), self.port)
    }

    fn parse(address: &str) -> Result<Self, AgreementError> {
        let wrong = |reason: &str| {
            let shown: String = address.chars().take(NodeList::ADDRESS).collect();
            AgreementError::list(format!("`{shown}` {reason}"))
        };
        if address.len() > NodeList::ADDRESS {
            return Err(wrong("is too long"));
        }
        // The parser passes over fragments.
        if address.contains('#') {
            return Err(wrong("has more than a host and a port"));
        }
        let text = address.trim_end_matches('/');
        let uri: Uri = text.parse().map_err(|_| wrong("is no address"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(wrong(
                    "needs TLS, which this build has not: take an http:// address \
                                  of that node, or leave it out",
                ));
            }
            _ => return Err(wrong("does not begin with http://")),
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if uri.path_and_query().is_some_and(|path| path != "/") || authority.contains('@') {
            return Err(wrong("has more than a host and a port"));
        }
        let name = uri.host().unwrap_or_default();
        let port = match uri.port_u16() {
            None if authority.len() > name.len() => return Err(wrong("has no usual port")),
            Some(0) => return Err(wrong("has no usual port")),
            given => given.unwrap_or(PORT),
        };
        let host = host(name).ok_or_else(|| wrong("has no usual host name"))?;
        let text = match port {
            PORT => format!("http://{host}"),
            port => format!("http://{host}:{port}"),
        };
        Ok(Self { text, host, port })
    }
}

/// The one way to write a host: names in lower case without the dot at the end, IPv4 as four
/// numbers also where it is mapped into IPv6. What some systems read as an IPv4 address in other
/// ways (`127.1`, `0x7f000001`) is none.
fn host(text: &str) -> Option<String> {
    if let Some(ip) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return Some(match ip.parse::<Ipv6Addr>().ok()?.to_canonical() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        });
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let last = name.rsplit('.').next()?;
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(name.parse::<Ipv4Addr>().ok()?.to_string());
    }
    let is_usual = |it: char| it.is_ascii_alphanumeric() || ['-', '_'].contains(&it);
    let is_label = |label: &str| !label.is_empty() && label.chars().all(is_usual);
    name.split('.').all(is_label).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(addresses: &[&str]) -> Result<NodeList, AgreementError> {
        NodeList::new(None, addresses.iter().copied())
    }

    fn reason(result: Result<NodeList, AgreementError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_and_what_is_wrong_is_named() {
        let publisher = Some(ThingId([7; 20]));
        let addresses = ["http://one.example:8080", "http://two.example", "http://[2001:db8::1]:1"];
        for publisher in [None, publisher] {
            let list = NodeList::new(publisher, addresses).unwrap();
            assert_eq!(NodeList::parse(&list.text()).unwrap(), list);
            let kept: Vec<_> = list.nodes().iter().map(NodeUrl::as_str).collect();
            assert_eq!(kept, addresses);
        }
        for (wrong, names) in [
            ("nodes = []", "names no node"),
            ("node = ['http://one.example']", "unknown field"),
            ("publisher = 'me'\nnodes = ['http://one.example']", "`me` is no thing id"),
        ] {
            assert!(reason(NodeList::parse(wrong)).contains(names), "{wrong}");
        }
    }

    #[test]
    fn a_host_counts_once_however_it_is_written() {
        for same in [
            ["http://one.example:1", "http://one.example:2"],
            ["http://one.example", "http://ONE.example./"],
            ["http://192.0.2.1", "http://[::ffff:192.0.2.1]:80"],
            ["http://[2001:db8::1]", "http://[2001:0db8:0::1]:9"],
        ] {
            assert!(reason(list(&same)).contains("the same host"), "{same:?}");
        }
        assert!(list(&["http://one.example", "http://two.example"]).is_ok());
        for other in ["http://127.1", "http://0x7f000001", "http://2130706433", "http://127.0.0.01"]
        {
            assert!(reason(list(&[other])).contains("no usual host name"), "{other}");
        }
    }

    #[test]
    fn an_address_is_a_host_and_a_port_and_no_more() {
        for wrong in [
            "one.example",
            "ftp://one.example",
            "http://",
            "http://me@one.example",
            "http://one.example/path",
            "http://one.example?query",
            "http://one..example",
            "http://one.example:70000",
            "http://one.example:",
            "http://one.example:0",
            "http://one.example#fragment",
            "http://one.example/#",
            "http://one%2eexample",
            "http://one*.example",
        ] {
            assert!(matches!(list(&[wrong]), Err(AgreementError::List { .. })), "{wrong}");
        }
        assert!(reason(list(&["https://one.example"])).contains("TLS"));
        let hidden = reason(list(&["http://\u{202e}one\u{1b}[2J.example"]));
        assert!(!hidden.contains(['\u{202e}', '\u{1b}']), "{hidden}");
        let long = format!("http://{}.example", "a".repeat(NodeList::ADDRESS));
        assert!(reason(list(&[&long])).contains("too long"));
    }

    #[test]
    fn an_address_is_written_in_one_way() {
        for (given, kept) in [
            ("HTTP://One.Example.:80/", "http://one.example"),
            ("http://one.example:8080//", "http://one.example:8080"),
            ("http://[2001:DB8:0::1]:0080", "http://[2001:db8::1]"),
            ("http://[::ffff:192.0.2.1]:9", "http://192.0.2.1:9"),
        ] {
            assert_eq!(list(&[given]).unwrap().nodes()[0].as_str(), kept);
        }
    }

    #[test]
    fn a_list_is_bounded() {
        let addresses: Vec<_> =
            (0..=NodeList::MOST).map(|n| format!("http://n{n}.example")).collect();
        let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
        assert!(list(&addresses[1..]).is_ok());
        assert!(reason(list(&addresses)).contains("more than 64"));
    }

    #[test]
    fn a_thing_publishes_in_its_attributes_of_that_name() {
        let publisher = ThingId([7; 20]);
        let pairs = [
            ("nodes", "http://one.example  http://two.example:8080"),
            ("nodes.2", "http://three.example"),
            ("nodesmen", "http://four.example"),
            ("url", "http://five.example"),
        ];
        let attributes = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let list = NodeList::published(publisher, &attributes).unwrap();
        let found: Vec<_> = list.nodes().iter().map(NodeUrl::as_str).collect();
        assert_eq!(
            found,
            ["http://one.example", "http://two.example:8080", "http://three.example"]
        );
        assert_eq!(list.publisher, Some(publisher));
        assert!(NodeList::published(publisher, &BTreeMap::new()).is_err());
    }
}
