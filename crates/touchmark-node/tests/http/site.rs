//! A node that serves HTTP on a port of its own.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use touchmark_api::Written;
use touchmark_api::client::Client;
use touchmark_engine::Pacing;
use touchmark_node::apikey::ApiKeys;
use touchmark_node::folder::NewNetwork;
use touchmark_node::http::{self, Gateway, Limits};
use touchmark_node::node::{Node, NodeConfig, now};
use touchmark_wire::ids::NetworkId;

pub(crate) struct Site {
    pub(crate) node: Arc<Node>,
    pub(crate) address: SocketAddr,
    pub(crate) keys: ApiKeys,
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    headers: ureq::http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: {text}", self.status))
    }

    /// Every header, one a line.
    pub(crate) fn head(&self) -> String {
        let line = |(name, value): (_, &ureq::http::HeaderValue)| format!("{name}: {value:?}\n");
        self.headers.iter().map(line).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::with(Limits::default())
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::paced(limits, Pacing::default())
    }

    pub(crate) fn paced(limits: Limits, pacing: Pacing) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = NodeConfig {
            data: folder.path().join("data"),
            engine_listen: None,
            pacing,
            new: NewNetwork { origin: None, validator: "one".into(), time: now() },
            objects: None,
        };
        let node = Arc::new(Node::start(&config).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (served, data) = (node.clone(), config.data);
        let keys = ApiKeys::in_folder(&data);
        runtime.spawn(async move {
            let gateway = Gateway::new(served, &data, limits);
            http::serve(listener, gateway, std::future::pending()).await;
        });
        Self { node, address, keys, folder, runtime }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn network(&self) -> NetworkId {
        self.node.genesis.network_id()
    }

    pub(crate) fn get(&self, path: &str) -> Answered {
        self.ask(path, &[])
    }

    pub(crate) fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answered {
        let mut request = agent().get(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answered(request.call())
    }

    /// The status alone: a stream of events has no end to wait for.
    pub(crate) fn status(&self, path: &str) -> u16 {
        let answer = agent().get(format!("http://{}{path}", self.address)).call().unwrap();
        answer.status().as_u16()
    }

    pub(crate) fn send(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let mut request = agent().post(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answered(request.send(body))
    }

    pub(crate) fn post(&self, path: &str, kind: &str, body: &[u8]) -> Answered {
        let request = agent().post(format!("http://{}{path}", self.address));
        answered(request.content_type(kind).send(body))
    }

    pub(crate) fn demand(&self, method: &str, path: &str, key: Option<&str>) -> Answered {
        let key = key.map(|key| format!("Bearer {key}"));
        let url = format!("http://{}{path}", self.address);
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        if let Some(key) = key {
            request = request.header("authorization", key);
        }
        answered(agent().run(request.body(()).unwrap()))
    }

    /// Sends these bytes from an address of this machine; returns the connection.
    pub(crate) fn speak(&self, from: [u8; 4], bytes: &[u8]) -> TcpStream {
        let local: SocketAddr = (from, 0).into();
        let far = self.address;
        let connected = self.runtime.block_on(async move {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind(local).unwrap();
            socket.connect(far).await.unwrap().into_std().unwrap()
        });
        connected.set_nonblocking(false).unwrap();
        connected.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut stream = connected;
        stream.write_all(bytes).unwrap();
        stream
    }

    /// Exactly this request, and its answer; of a stream only the head.
    pub(crate) fn exchange(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answered {
        let start = format!("{method} {target} HTTP/1.1");
        let mut head = vec![start, "host: x".to_owned(), "connection: close".to_owned()];
        head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !body.is_empty() {
            head.push(format!("content-length: {}", body.len()));
        }
        let request = [head.join("\r\n").as_bytes(), b"\r\n\r\n", body].concat();
        let mut stream = BufReader::new(self.speak([127, 0, 0, 1], &request));
        let line = |stream: &mut BufReader<TcpStream>| {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            line
        };
        let status = line(&mut stream);
        let status = status.split(' ').nth(1).unwrap_or_else(|| panic!("{target}: {status}"));
        let mut headers = ureq::http::HeaderMap::new();
        while let Some((name, value)) = line(&mut stream).trim_end().split_once(": ") {
            let name: ureq::http::HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let mut body = Vec::new();
        if method == "HEAD" || !headers.contains_key("transfer-encoding") {
            stream.read_to_end(&mut body).unwrap();
        }
        Answered { status: status.parse().unwrap(), headers, body }
    }

    /// Status and text of the answer to one request from an address of this machine.
    pub(crate) fn get_from(&self, from: [u8; 4], path: &str) -> (u16, String) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let mut stream = self.speak(from, request.as_bytes());
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let status = text.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
        (status, text)
    }

    /// Submits leaves, all of which must be accepted; returns their positions.
    pub(crate) fn submit(&self, leaves: &[Vec<u8>]) -> Vec<u64> {
        let client = Client::new(&format!("http://{}", self.address)).unwrap();
        let written: Vec<Written> = client.submit_sequence(&leaves.concat()).unwrap();
        written
            .iter()
            .map(|it| it.position.filter(|_| it.code.is_none()).unwrap_or_else(|| panic!("{it:?}")))
            .collect()
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

pub(crate) fn answered(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answered {
    let mut answer = answer.unwrap();
    let body = answer.body_mut().read_to_vec().unwrap();
    Answered { status: answer.status().as_u16(), headers: answer.headers().clone(), body }
}
