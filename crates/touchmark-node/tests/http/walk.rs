//! Every route of the interface, and a node that has something for each.

use crate::issuer::{Card, Issuer};
use crate::site::{Answered, Site};
use serde_json::{Value, json};
use std::slice;
use touchmark_api::Base64;
use touchmark_core::channel::access::Access;
use touchmark_core::entry::Rights;
use touchmark_keys::software::SoftwareKey;
use touchmark_node::apikey::Scope;
use touchmark_node::http::{self, Limits};
use touchmark_node::node::now;
use touchmark_node::witness::Register;
use touchmark_testkit::log::View;
use touchmark_wire::algorithm::{Algorithm, Signer as _};
use touchmark_wire::certificate::{NoteKey, NoteKeyKind};
use touchmark_wire::hash::Digest;
use touchmark_wire::ids::{ChannelId, Timestamp};
use touchmark_wire::registry::{ContentFormat, StatementKind, ThingKind, Writers};
use touchmark_wire::statement::{Preimage, Statement};

/// A route, as the document has it, which is made of the table that the routes are made of.
pub(crate) struct Row {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) operation: Value,
}

/// All routes.
pub(crate) fn rows() -> Vec<Row> {
    let document = http::document();
    let paths = document["paths"].as_object().unwrap().iter();
    let rows = paths.flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(|(method, operation)| Row {
            method: method.to_uppercase(),
            path: path.clone(),
            operation: operation.clone(),
        })
    });
    rows.collect()
}

impl Row {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn reads(&self) -> bool {
        self.method == "GET"
    }

    /// The scope of the key that it needs.
    pub(crate) fn scope(&self) -> Option<&str> {
        self.operation["x-scope"].as_str()
    }

    pub(crate) fn is_probe(&self) -> bool {
        self.path.starts_with("/health/")
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.offers().contains(&"text/event-stream".to_owned())
    }

    /// Names of its parameters in the path, the query or a header.
    pub(crate) fn parameters(&self, place: &str) -> Vec<&str> {
        let parameters = self.operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.filter(|it| it["in"] == place);
        parameters.map(|it| it["name"].as_str().unwrap()).collect()
    }

    pub(crate) fn has(&self, query: &str) -> bool {
        self.parameters("query").contains(&query)
    }

    /// The media types of its positive answers.
    pub(crate) fn offers(&self) -> Vec<String> {
        let responses = self.operation["responses"].as_object().unwrap().iter();
        let fine = responses.filter(|(status, _)| status.starts_with('2'));
        let contents = fine.filter_map(|(_, answer)| answer["content"].as_object());
        let media = contents.flat_map(serde_json::Map::keys);
        media.map(|media| media.split(';').next().unwrap().to_owned()).collect()
    }

    pub(crate) fn takes_body(&self) -> bool {
        self.operation["requestBody"].is_object()
    }

    /// Whether a body needs no media type: its standard names none.
    pub(crate) fn takes_any_media(&self) -> bool {
        self.operation["requestBody"]["content"]["*/*"].is_object()
    }

    /// Whether it says that it answers this status, and this code if it is a problem.
    pub(crate) fn documents(&self, status: u16, code: Option<&str>) -> bool {
        let answer = &self.operation["responses"][status.to_string()];
        let examples = &answer["content"][problem_media(&self.path)]["examples"];
        answer.is_object() && code.is_none_or(|code| examples[code].is_object())
    }
}

/// The media type of problems at a path.
pub(crate) fn problem_media(path: &str) -> &'static str {
    if path.starts_with("/entries") || path.starts_with("/.well-known/scitt-keys") {
        "application/concise-problem-details+cbor"
    } else {
        "application/problem+json"
    }
}

/// A node that has something for every route.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) sensor: Issuer,
    maker: Issuer,
    card: Card,
    channel: ChannelId,
    /// A record, and one of which the log has the commitment only.
    record: u64,
    committed: u64,
    statement: String,
    /// A Signed Statement, which is registered.
    signed: Vec<u8>,
    evidence: String,
    /// A key with all scopes.
    pub(crate) key: String,
}

/// A log that the node witnesses.
const WITNESSED: &str = "log.example/walk";

/// Makes the node a witness of the log, of which it has cosigned that it is empty.
fn witness(site: &Site) {
    let register = Register::in_folder(&site.data());
    let key = log_key().public_key().clone();
    let key = NoteKey::new(NoteKeyKind::Log, WITNESSED, key).unwrap();
    register.begin("witness.example/walk").unwrap();
    register.add_log(WITNESSED, &key.to_string()).unwrap();
    register.cosign(&empty_log(), now()).unwrap();
}

fn log_key() -> SoftwareKey {
    SoftwareKey::from_seed(Algorithm::Ed25519, &[9; 32]).unwrap()
}

/// What the log asks.
fn empty_log() -> Vec<u8> {
    View::new(0).submission(WITNESSED, &log_key(), 0).into_bytes()
}

const KEPT: Preimage<'_> = Preimage { salt: [7; 32], content: b"{\"born\":1980}" };

impl World {
    pub(crate) fn new(limits: Limits) -> Self {
        let site = Site::with(limits);
        let issuer = |kind| Issuer::new(site.network(), kind, Algorithm::Ed25519);
        let (mut maker, mut sensor) = (issuer(ThingKind::ORGANISATION), issuer(ThingKind::DEVICE));
        let card = Card::new(maker.id);
        let (channel, opening) = {
            site.submit(&[maker.inception(), sensor.inception()]);
            maker.open(1, Writers::GRANTED)
        };
        site.submit(&[
            opening,
            maker.act(StatementKind::REGISTER, &card.inception),
            maker.act(StatementKind::ACCESS, &Access::of(channel, sensor.id, Rights::WRITE)),
            maker.act(StatementKind::ACCESS, &Access::of(channel, card.id(), Rights::WRITE)),
            maker.open(2, Writers::ANYONE).1,
            sensor.enter(channel, b"1"),
        ]);
        let signed = maker.declare("T1/7", b"made");
        site.submit(slice::from_ref(&signed));
        let records = site.submit(&[
            sensor.record(b"1"),
            sensor.record(b"2"),
            sensor.commit(&KEPT, ContentFormat::JSON),
        ]);
        let (record, committed) = (records[0], records[2]);
        let payload = format!("/v1/leaves/{committed}/payload");
        assert_eq!(site.post(&payload, "application/cbor", &KEPT.encode_to_vec()).status, 204);
        let taps = [1, 2].map(|n| site.post("/v1/evidence/card-url", "text/plain", &card.url(n)));
        let evidence = taps[0].json()["id"].as_str().unwrap().to_owned();
        let leaf = site.get(&format!("/v1/leaves/{record}")).json();
        let statement = leaf["statement"]["id"].as_str().unwrap().to_owned();
        witness(&site);
        let later = Timestamp(now().0 + 600_000);
        let scopes = [Scope::Read, Scope::Operate];
        let (_, key) = site.keys.create("all", &scopes, now(), later).unwrap();
        assert_eq!(site.demand("POST", "/v1/admin/backup", Some(&key)).status, 202);
        Self {
            site,
            sensor,
            maker,
            card,
            channel,
            record,
            committed,
            statement,
            signed,
            evidence,
            key,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.site.node.store.snapshot().size().0
    }

    /// What stands for a parameter of the row's path. A new one needs a line here.
    fn value(&self, row: &Row, parameter: &str) -> String {
        let of = |prefix: &str| row.path.starts_with(prefix);
        match parameter {
            "id" if of("/v1/things/") => self.sensor.id.to_string(),
            "id" if of("/v1/channels/") => self.channel.to_string(),
            "id" if of("/v1/cards/") => self.card.id().to_string(),
            "id" if of("/v1/statements/") => self.statement.clone(),
            "id" if of("/entries/") => Statement::parse(&self.signed).unwrap().id().to_string(),
            "kid" => {
                let key = &self.site.node.genesis.committee.validators[0].log_key;
                Base64(key.digest().0.to_vec()).to_string()
            }
            "thing" => self.sensor.id.to_string(),
            "origin" => Digest::of(&[WITNESSED.as_bytes()]).to_string(),
            "name" if row.reads() => self.evidence.clone(),
            "name" => "card-url".into(),
            "index" if row.path.contains("/payload") => self.committed.to_string(),
            "index" => self.record.to_string(),
            "path" => format!("entries/000.p/{}", self.size().min(255)),
            _ => panic!("nothing stands for {parameter} of {}", row.name()),
        }
    }

    /// An address of something that is there.
    pub(crate) fn target(&self, row: &Row) -> String {
        let put = |path: String, name: &&str| {
            path.replace(&format!("{{{name}}}"), &self.value(row, name))
        };
        let path = row.parameters("path").iter().fold(row.path.clone(), put);
        // Those that answer nothing unless they are asked something.
        match row.path.as_str() {
            "/v1/proofs" => format!("{path}?record={}", self.record),
            "/v1/batches" => format!("{path}?from=1"),
            _ => path,
        }
    }

    /// The same with another parameter.
    pub(crate) fn with(&self, row: &Row, parameter: &str) -> String {
        let target = self.target(row);
        let joint = if target.contains('?') { '&' } else { '?' };
        format!("{target}{joint}{parameter}")
    }

    /// Type and bytes of a body that is accepted or known. A new route that takes one needs a line.
    pub(crate) fn body(&self, row: &Row) -> (&'static str, Vec<u8>) {
        match row.path.as_str() {
            _ if !row.takes_body() => ("", Vec::new()),
            "/v1/statements" => {
                let leaf = self
                    .site
                    .ask(&format!("/v1/leaves/{}", self.record), &[("accept", "application/cbor")]);
                ("application/cbor", leaf.body)
            }
            "/entries" => ("application/cose", self.signed.clone()),
            "/v1/evidence/{name}" => ("text/plain", self.card.url(3)),
            "/v1/taps" => {
                let url = String::from_utf8(self.card.url(2)).unwrap();
                let tap = json!({ "url": url, "action": "validate" });
                ("application/json", tap.to_string().into_bytes())
            }
            "/v1/leaves/{index}/payload" => ("application/cbor", KEPT.encode_to_vec()),
            // The log has no leaf yet, so it never gets longer.
            "/witness/add-checkpoint" => ("text/plain", empty_log()),
            // Each is good once.
            "/v1/setup" => {
                let code = self.site.keys.setup_code(now()).unwrap().text();
                ("application/json", json!({ "code": code }).to_string().into_bytes())
            }
            other => panic!("there is no body for {other}"),
        }
    }

    /// The row at an address, asked as its document says, with more headers.
    pub(crate) fn ask(&self, row: &Row, target: &str, headers: &[(&str, &str)]) -> Answered {
        let (kind, body) = self.body(row);
        let bearer = format!("Bearer {}", self.key);
        let mut all = headers.to_vec();
        if row.scope().is_some() && !headers.iter().any(|(name, _)| *name == "authorization") {
            all.push(("authorization", &bearer));
        }
        if row.takes_body() {
            all.push(("content-type", kind));
        }
        self.site.exchange(&row.method, target, &all, &body)
    }

    /// One more record, entry, thing, channel, writer and tap.
    pub(crate) fn grow(&mut self, n: u8) {
        let mut thing = Issuer::new(self.site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
        let grant = Access::of(self.channel, thing.id, Rights::WRITE);
        self.site.submit(&[thing.inception(), self.sensor.record(&[n])]);
        self.site.submit(&[
            self.maker.act(StatementKind::ACCESS, &grant),
            self.maker.open(n, Writers::ANYONE).1,
            self.sensor.enter(self.channel, &[n]),
        ]);
        let tap = self.card.url(u32::from(n) + 10);
        self.site.post("/v1/evidence/card-url", "text/plain", &tap);
    }
}
