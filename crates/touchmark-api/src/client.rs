//! A typed, blocking client of the HTTP interface, which the command line, tests and examples use.
//!
//! It reads no environment and keeps no state but connections. Sending the same statement or
//! evidence again is always safe: what is known is answered with its first position.

mod error;
mod log;
mod query;
mod witness;

pub use error::ClientError;
pub use query::{Order, Page, ProofQuery, ThingsQuery};
pub use witness::WitnessAnswer;

use crate::{
    ChannelView, LeafView, Listing, NetworkView, NodeView, PayloadView, Problem, Readiness,
    ThingView, WriterView, Written, media, sequence,
};
use serde::de::DeserializeOwned;
use std::net::SocketAddr;
use std::time::Duration;
use touchmark_wire::bundle::Bundle;
use touchmark_wire::ids::{ChannelId, EvidenceId, LeafIndex, StatementId, ThingId, TreeSize};
use touchmark_wire::limits;
use touchmark_wire::registry::{EvidenceFormat, RefusalCode};
use ureq::config::ConfigBuilder;
use ureq::http::uri::Authority;
use ureq::http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use ureq::middleware::MiddlewareNext;
use ureq::typestate::AgentScope;
use ureq::{Agent, Body, SendBody};

/// Longest answer that is read, bytes: the longest bundle with some room.
const ANSWER_LIMIT: u64 = Bundle::LIMIT as u64 + 65_536;
/// Longest problem that is read, bytes.
const PROBLEM_LIMIT: u64 = 65_536;
/// Longest explanation of a failure that is kept, characters.
const EXCERPT: usize = 200;

/// A node, spoken to over HTTP.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    agent: Agent,
    longest: u64,
}

impl Client {
    /// How long one exchange may take.
    pub const TIMEOUT: Duration = Duration::from_secs(60);
    /// How long finding the node may take.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

    /// A client of the node at `base`, such as `http://127.0.0.1:8080`.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        Self::patient(base, Self::TIMEOUT)
    }

    /// As [`Self::new`], for exchanges that may take so long.
    pub fn patient(base: &str, patience: Duration) -> Result<Self, ClientError> {
        Self::configured(base, patience, |config| config)
    }

    /// As [`Self::patient`], but connects with this address alone, wherever the name in `base`
    /// leads. The node is told the name that `base` has.
    pub fn at(base: &str, address: SocketAddr, patience: Duration) -> Result<Self, ClientError> {
        let wrong = |_| ClientError::Address { url: base.into() };
        let authority: Authority = address.to_string().parse().map_err(wrong)?;
        Self::configured(base, patience, |config| {
            config.middleware(move |request: Request<SendBody<'_>>, next: MiddlewareNext<'_>| {
                next.handle(moved(request, authority.clone())?)
            })
        })
    }

    fn configured(
        base: &str,
        patience: Duration,
        more: impl FnOnce(ConfigBuilder<AgentScope>) -> ConfigBuilder<AgentScope>,
    ) -> Result<Self, ClientError> {
        let base = base.trim_end_matches('/');
        let host = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        let plain = |host: &str| !host.is_empty() && !host.contains(['?', '#', ' ']);
        if !host.is_some_and(plain) {
            return Err(ClientError::Address { url: base.into() });
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_global(Some(patience))
            .timeout_connect(Some(Self::CONNECT_TIMEOUT))
            .user_agent(concat!("touchmark/", env!("CARGO_PKG_VERSION")));
        let agent = more(config).build().into();
        Ok(Self { base: base.into(), agent, longest: ANSWER_LIMIT })
    }

    /// The same client, which gives an answer up once so many bytes of it have come.
    #[must_use]
    pub fn reading_at_most(self, bytes: u64) -> Self {
        Self { longest: bytes, ..self }
    }

    /// Where the node is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Submits one encoded statement. A negative outcome is a [`ClientError::Refused`], whose
    /// `position` tells whether it is in the log.
    pub fn submit_statement(&self, statement: &[u8]) -> Result<Written, ClientError> {
        accepted(self.post("/v1/statements", media::COSE, statement)?)
    }

    /// Submits statements and bare evidence (leaves) that stand one after the other; one answer for
    /// each, in order, negative ones among them.
    pub fn submit_sequence(&self, leaves: &[u8]) -> Result<Vec<Written>, ClientError> {
        self.post("/v1/statements", media::CBOR_SEQ, leaves)
    }

    /// Submits evidence without a statement around it.
    pub fn submit_evidence(
        &self,
        format: EvidenceFormat,
        bytes: &[u8],
    ) -> Result<Written, ClientError> {
        let kind = match format {
            EvidenceFormat::CARD_URL => media::TEXT,
            _ => media::CBOR,
        };
        accepted(self.post(&format!("/v1/evidence/{format}"), kind, bytes)?)
    }

    /// The network, its validators and where its log stands.
    pub fn network(&self) -> Result<NetworkView, ClientError> {
        self.json("/v1/network")
    }

    /// As [`Self::network`], once the log has so many leaves. The node waits a few seconds for them,
    /// then it answers TM-BEHIND.
    pub fn network_at_least(&self, size: TreeSize) -> Result<NetworkView, ClientError> {
        self.json(&format!("/v1/network?at_least={size}"))
    }

    /// How the node does its part in the network.
    pub fn node(&self) -> Result<NodeView, ClientError> {
        self.json("/v1/node")
    }

    /// The genesis document. Its SHA-256 is the network id: compare it with the one you trust.
    pub fn genesis(&self) -> Result<Vec<u8>, ClientError> {
        self.bytes("/v1/genesis", media::CBOR)
    }

    /// What the state holds about a thing.
    pub fn thing(&self, id: ThingId) -> Result<ThingView, ClientError> {
        self.json(&format!("/v1/things/{id}"))
    }

    /// As [`Self::thing`], once the log has so many leaves; see [`Self::network_at_least`].
    pub fn thing_at_least(&self, id: ThingId, size: TreeSize) -> Result<ThingView, ClientError> {
        self.json(&format!("/v1/things/{id}?at_least={size}"))
    }

    /// The history of a thing and its mentions, in log order.
    pub fn history(&self, id: ThingId, page: &Page) -> Result<Listing<LeafView>, ClientError> {
        self.json(&format!("/v1/things/{id}/history{}", page.to_query()))
    }

    /// Things that have what the query asks for.
    pub fn things(&self, query: &ThingsQuery) -> Result<Listing<ThingView>, ClientError> {
        self.json(&format!("/v1/things{}", query.to_query()))
    }

    /// Channels, those of one author or all.
    pub fn channels(
        &self,
        author: Option<ThingId>,
        page: &Page,
    ) -> Result<Listing<ChannelView>, ClientError> {
        self.json(&format!("/v1/channels{}", page.to_query_of("author", author)))
    }

    /// What the state holds about a channel.
    pub fn channel(&self, id: ChannelId) -> Result<ChannelView, ClientError> {
        self.json(&format!("/v1/channels/{id}"))
    }

    /// The leaves about and in a channel, those of one issuer or all, in log order.
    pub fn channel_leaves(
        &self,
        id: ChannelId,
        issuer: Option<ThingId>,
        page: &Page,
    ) -> Result<Listing<LeafView>, ClientError> {
        self.json(&format!("/v1/channels/{id}/leaves{}", page.to_query_of("issuer", issuer)))
    }

    /// The things that have rights in a channel by a grant.
    pub fn writers(&self, id: ChannelId, page: &Page) -> Result<Listing<WriterView>, ClientError> {
        self.json(&format!("/v1/channels/{id}/writers{}", page.to_query()))
    }

    /// A thing's rights and chain in a channel.
    pub fn writer(&self, id: ChannelId, thing: ThingId) -> Result<WriterView, ClientError> {
        self.json(&format!("/v1/channels/{id}/writers/{thing}"))
    }

    /// A leaf taken apart.
    pub fn leaf(&self, index: LeafIndex) -> Result<LeafView, ClientError> {
        self.json(&format!("/v1/leaves/{index}"))
    }

    /// A leaf taken apart, with how far it can be believed by the node's word.
    pub fn judged_leaf(&self, index: LeafIndex) -> Result<LeafView, ClientError> {
        self.json(&format!("/v1/leaves/{index}?confidence=true"))
    }

    /// A leaf as it stands in the log.
    pub fn leaf_bytes(&self, index: LeafIndex) -> Result<Vec<u8>, ClientError> {
        self.bytes(&format!("/v1/leaves/{index}"), media::CBOR)
    }

    /// Gives the node salt and content (an encoded [`Preimage`]) of what a leaf commits to, to keep
    /// them until they are erased.
    ///
    /// [`Preimage`]: touchmark_wire::statement::Preimage
    pub fn keep_payload(&self, index: LeafIndex, preimage: &[u8]) -> Result<(), ClientError> {
        let url = format!("{}/v1/leaves/{index}/payload", self.base);
        let answer = self.agent.post(&url).content_type(media::CBOR).send(preimage);
        self.received(&url, answer).map(drop)
    }

    /// Salt and content of what a leaf commits to, where the node has them; not checked here.
    pub fn payload(&self, index: LeafIndex) -> Result<Option<PayloadView>, ClientError> {
        match self.json(&format!("/v1/leaves/{index}/payload")) {
            Ok(view) => Ok(Some(view)),
            Err(ClientError::Refused(problem))
                if problem.code() == Some(RefusalCode::NOT_FOUND) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The leaf with this statement.
    pub fn statement(&self, id: StatementId) -> Result<LeafView, ClientError> {
        self.json(&format!("/v1/statements/{id}"))
    }

    /// The first leaf with this evidence.
    pub fn evidence(&self, id: EvidenceId) -> Result<LeafView, ClientError> {
        self.json(&format!("/v1/evidence/{id}"))
    }

    /// A COSE receipt of a leaf.
    pub fn receipt(&self, index: LeafIndex) -> Result<Vec<u8>, ClientError> {
        self.bytes(&format!("/v1/receipts/{index}"), media::COSE)
    }

    /// Receipts of a leaf by different validators, as many as the node gathers (f+1).
    pub fn receipts(&self, index: LeafIndex) -> Result<Vec<Vec<u8>>, ClientError> {
        let path = format!("/v1/receipts/{index}/quorum");
        let bytes = self.bytes(&path, media::CBOR_SEQ)?;
        let items: Option<Vec<_>> = sequence::items(&bytes, limits::MEMBERS)
            .map(|items| items.into_iter().map(<[u8]>::to_vec).collect());
        items.filter(|items| !items.is_empty()).ok_or_else(|| ClientError::Answer {
            url: format!("{}{path}", self.base),
            reason: "it is not a sequence of receipts".into(),
        })
    }

    /// A bundle that proves what the query asks for. It is not checked here.
    pub fn proof(&self, query: &ProofQuery) -> Result<Vec<u8>, ClientError> {
        self.bytes(&format!("/v1/proofs{}", query.to_query()), media::BUNDLE)
    }

    /// As [`Self::proof`], for a query that somebody else made: `record=17&nonce=…`.
    pub fn proof_as_asked(&self, query: &str) -> Result<Vec<u8>, ClientError> {
        self.bytes(&format!("/v1/proofs?{query}"), media::BUNDLE)
    }

    /// The log's newest checkpoint as a signed note (C2SP tlog-checkpoint).
    pub fn checkpoint(&self) -> Result<String, ClientError> {
        let bytes = self.bytes("/checkpoint", media::TEXT)?;
        String::from_utf8(bytes).map_err(|_| ClientError::Answer {
            url: format!("{}/checkpoint", self.base),
            reason: "it is not text".into(),
        })
    }

    /// The newest checkpoint that at least so many outside witnesses of the node's have cosigned.
    pub fn witnessed_checkpoint(&self, witnesses: u16) -> Result<Vec<u8>, ClientError> {
        self.bytes(&format!("/checkpoint?witnesses={witnesses}"), media::TEXT)
    }

    /// Whether the node takes requests now.
    pub fn is_ready(&self) -> Result<bool, ClientError> {
        match self.readiness() {
            Ok(readiness) => Ok(readiness.ready),
            Err(ClientError::Refused(_) | ClientError::Answer { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the node takes requests now, and why not.
    pub fn readiness(&self) -> Result<Readiness, ClientError> {
        let url = format!("{}/health/ready", self.base);
        let answer = self.agent.get(&url).header("accept", "application/json").call();
        let (status, body) = self.answered(&url, answer)?;
        // A node that is not ready says why in the same form.
        serde_json::from_slice(&body).or_else(|_| parsed(&url, &judged(&url, status, body)?))
    }

    fn json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        parsed(&url, &self.bytes(path, "application/json")?)
    }

    fn bytes(&self, path: &str, accept: &str) -> Result<Vec<u8>, ClientError> {
        let url = format!("{}{path}", self.base);
        let answer = self.agent.get(&url).header("accept", accept).call();
        self.received(&url, answer)
    }

    fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> Result<T, ClientError> {
        let url = format!("{}{path}", self.base);
        let request = self.agent.post(&url).content_type(kind);
        let answer = request.header("accept", "application/json").send(body);
        parsed(&url, &self.received(&url, answer)?)
    }

    /// The body of a positive answer; the problem of a negative one.
    fn received(
        &self,
        url: &str,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<Vec<u8>, ClientError> {
        let (status, body) = self.answered(url, answer)?;
        judged(url, status, body)
    }

    /// Status and body of any answer.
    fn answered(
        &self,
        url: &str,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<(StatusCode, Vec<u8>), ClientError> {
        let answer = answer.map_err(|error| ClientError::from_transport(url, &error))?;
        let status = answer.status();
        let body = answer
            .into_body()
            .into_with_config()
            .limit(if status.is_success() { self.longest } else { PROBLEM_LIMIT })
            .read_to_vec()
            .map_err(|error| ClientError::from_transport(url, &error))?;
        Ok((status, body))
    }
}

/// The same request to another host, which is told the name that it was made for.
fn moved(
    request: Request<SendBody<'_>>,
    authority: Authority,
) -> Result<Request<SendBody<'_>>, ureq::http::Error> {
    let (mut head, body) = request.into_parts();
    let mut uri = head.uri.into_parts();
    if let Some(name) = uri.authority.replace(authority) {
        head.headers.insert(header::HOST, HeaderValue::from_str(name.as_str())?);
    }
    head.uri = Uri::from_parts(uri)?;
    Ok(Request::from_parts(head, body))
}

/// What has its effect; anything else is a problem, also where the response's status is none.
fn accepted(written: Written) -> Result<Written, ClientError> {
    match written.as_problem() {
        Some(problem) => Err(ClientError::Refused(Box::new(problem))),
        None => Ok(written),
    }
}

fn judged(url: &str, status: StatusCode, body: Vec<u8>) -> Result<Vec<u8>, ClientError> {
    if status.is_success() {
        return Ok(body);
    }
    if let Ok(problem) = serde_json::from_slice::<Problem>(&body) {
        return Err(ClientError::Refused(Box::new(problem)));
    }
    let text: String = String::from_utf8_lossy(&body).chars().take(EXCERPT).collect();
    let reason = format!("status {status} without a problem document: {}", text.trim());
    Err(ClientError::Answer { url: url.into(), reason })
}

fn parsed<T: DeserializeOwned>(url: &str, body: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(body)
        .map_err(|error| ClientError::Answer { url: url.into(), reason: error.to_string() })
}

#[cfg(test)]
mod tests;
