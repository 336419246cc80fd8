//! What a request asks for, as a URL's query.

use crate::Base64;
use std::fmt::{Display, Write as _};
use touchmark_core::verdict::CertificateKind;
use touchmark_wire::bundle::Claim;
use touchmark_wire::ids::ThingId;
use touchmark_wire::registry::{Status, ThingKind};

/// Which part of a list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Page {
    /// Where to go on: `next` of the page before.
    pub cursor: Option<String>,
    /// At most so many items; the node has a limit of its own.
    pub limit: Option<u32>,
}

impl Page {
    pub(super) fn to_query(&self) -> String {
        Query::default().page(self).finish()
    }

    /// With a filter before the page, if there is one.
    pub(super) fn to_query_of(&self, name: &str, value: Option<impl Display>) -> String {
        let mut query = Query::default();
        query.add_all(name, value);
        query.page(self).finish()
    }
}

/// Which things to list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ThingsQuery {
    /// Of this kind.
    pub kind: Option<ThingKind>,
    /// Registered by this controller.
    pub controller: Option<ThingId>,
    /// Of this status now.
    pub status: Option<Status>,
    /// With this progressive number.
    pub number: Option<u64>,
    /// With this serial number.
    pub serial: Option<String>,
    /// With an attribute that begins so; whole values come first.
    pub text: Option<String>,
    /// With an attribute of this name.
    pub attribute: Option<String>,
    /// And this value.
    pub value: Option<String>,
    /// Or a value that begins so.
    pub prefix: Option<String>,
    /// From which end.
    pub order: Order,
    /// Which part of the list.
    pub page: Page,
}

/// From which end a list of things is read; what is searched by text is sorted by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// The first that was registered comes first.
    #[default]
    Oldest,
    /// The last that was registered comes first.
    Newest,
}

impl ThingsQuery {
    /// The query with its question mark; nothing where nothing is asked.
    pub fn to_query(&self) -> String {
        let mut query = Query::default();
        query.add_all("kind", self.kind);
        query.add_all("controller", self.controller);
        query.add_all("status", self.status);
        query.add_all("number", self.number);
        query.add_all("serial", self.serial.as_ref());
        query.add_all("q", self.text.as_ref());
        query.add_all("attribute", self.attribute.as_ref());
        query.add_all("value", self.value.as_ref());
        query.add_all("prefix", self.prefix.as_ref());
        query.add_all("order", (self.order == Order::Newest).then_some("newest"));
        query.page(&self.page).finish()
    }
}

/// What a bundle shall prove.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProofQuery {
    /// The claims; of [`Claim::Complete`] and [`Claim::Mentioned`] only the thing counts, of
    /// [`Claim::CompleteChannel`] the channel, and of [`Claim::Continues`] the size: the node has the
    /// rest.
    pub claims: Vec<Claim>,
    /// What validators shall sign, to show that the answer is fresh.
    pub nonce: Option<Vec<u8>>,
    /// What stands for the committee's word.
    pub certificate: CertificateKind,
    /// Leave out what another network says of the log, which nodes otherwise add where they have it.
    pub without_anchor: bool,
}

impl ProofQuery {
    pub(super) fn to_query(&self) -> String {
        let mut query = Query::default();
        for claim in &self.claims {
            match claim {
                Claim::Record(leaf) => query.add("record", leaf),
                Claim::Complete(thing, _) => query.add("complete", thing),
                Claim::Mentioned(thing, _) => query.add("mentioned", thing),
                Claim::Status(thing) => query.add("status", thing),
                Claim::StatusAt(thing, leaf) => query.add("status", format_args!("{thing}@{leaf}")),
                Claim::Absent(thing) => query.add("absent", thing),
                Claim::Latest(leaf) => query.add("latest", leaf),
                Claim::Accredited(by, thing) => {
                    query.add("accredited", format_args!("{by}:{thing}"));
                }
                Claim::Channel(channel) => query.add("channel", channel),
                Claim::CompleteChannel(channel, _) => query.add("complete_channel", channel),
                Claim::Writer(channel, thing) => {
                    query.add("writer", format_args!("{channel}:{thing}"));
                }
                Claim::Continues(size, ..) => query.add("continues", size),
            }
        }
        query.add_all("nonce", self.nonce.as_ref().map(|nonce| Base64(nonce.clone())));
        if self.certificate != CertificateKind::default() {
            query.add("certificate", self.certificate.as_str());
        }
        if self.without_anchor {
            query.add("anchor", "none");
        }
        query.finish()
    }
}

/// Pairs of name and value with everything escaped that a query does not hold as it is.
#[derive(Default)]
struct Query(String);

impl Query {
    fn add(&mut self, name: &str, value: impl Display) {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.to_string().bytes() {
            match byte {
                b'A'..=b'Z'
                | b'a'..=b'z'
                | b'0'..=b'9'
                | b'-'
                | b'.'
                | b'_'
                | b'~'
                | b'@'
                | b':' => {
                    self.0.push(char::from(byte));
                }
                _ => {
                    let _ = write!(self.0, "%{byte:02X}");
                }
            }
        }
    }

    fn add_all(&mut self, name: &str, values: impl IntoIterator<Item = impl Display>) {
        for value in values {
            self.add(name, value);
        }
    }

    fn page(mut self, page: &Page) -> Self {
        self.add_all("cursor", page.cursor.as_ref());
        self.add_all("limit", page.limit);
        self
    }

    fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_wire::hash::Digest;
    use touchmark_wire::ids::{ChannelId, LeafIndex, TreeSize};

    #[test]
    fn every_claim_has_its_parameter() {
        let (a, b, channel) = (ThingId([0; 20]), ThingId([255; 20]), ChannelId([255; 20]));
        let zero = "a".repeat(32);
        let full = "7".repeat(32);
        let query = ProofQuery {
            claims: vec![
                Claim::Record(LeafIndex(1)),
                Claim::Complete(a, Vec::new()),
                Claim::Mentioned(b, Vec::new()),
                Claim::Status(a),
                Claim::StatusAt(b, LeafIndex(2)),
                Claim::Absent(b),
                Claim::Latest(LeafIndex(3)),
                Claim::Accredited(a, b),
                Claim::Channel(channel),
                Claim::CompleteChannel(channel, Vec::new()),
                Claim::Writer(channel, a),
                Claim::Continues(TreeSize(5), Digest::default(), Vec::new()),
            ],
            nonce: Some(vec![251; 16]),
            certificate: CertificateKind::Cosigned,
            without_anchor: true,
        };
        let expected = format!(
            "?record=1&complete={zero}&mentioned={full}&status={zero}&status={full}@2&absent={full}&latest=3\
             &accredited={zero}:{full}&channel={full}&complete_channel={full}\
             &writer={full}:{zero}&continues=5&nonce=-_v7-_v7-_v7-_v7-_v7-w\
             &certificate=cosigned&anchor=none"
        );
        assert_eq!(query.to_query(), expected);
    }

    #[test]
    fn values_are_escaped_and_nothing_asks_for_nothing() {
        let query = ThingsQuery {
            kind: Some(ThingKind::CARD),
            attribute: Some("serial".into()),
            value: Some("a&b=c d/ü".into()),
            page: Page { cursor: Some("x+y".into()), limit: Some(5) },
            ..ThingsQuery::default()
        };
        let expected =
            "?kind=card&attribute=serial&value=a%26b%3Dc%20d%2F%C3%BC&cursor=x%2By&limit=5";
        assert_eq!(query.to_query(), expected);
        assert_eq!(ThingsQuery::default().to_query(), "");
    }
}
