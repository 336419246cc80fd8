//! A stand-in for a node: takes statements as they come, without rules, and can be made to fail.

use super::bundle::genesis;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use touchmark_api::{LeafView, NetworkView};
use touchmark_wire::genesis::Genesis;
use touchmark_wire::ids::LeafIndex;
use touchmark_wire::statement::Statement;

/// How the node treats the next submissions.
#[derive(Clone, Debug)]
pub(crate) enum Mood {
    /// Takes them.
    Well,
    /// Takes them, then breaks the connection.
    Deaf,
    /// Breaks the connection before it reads.
    Down,
    /// Answers with this problem.
    Refusing(u16, String),
}

/// What the node has seen.
pub(crate) struct Seen {
    pub(crate) mood: Mood,
    /// Statements in the log.
    pub(crate) log: Vec<Vec<u8>>,
    /// Method, target and body of each request but for the network.
    pub(crate) requests: Vec<(String, Vec<u8>)>,
    /// Answers to other targets, by their beginning.
    pub(crate) pages: Vec<(String, u16, Vec<u8>)>,
    genesis: Genesis,
}

pub(crate) struct Node {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Node {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Seen {
            mood: Mood::Well,
            log: Vec::new(),
            requests: Vec::new(),
            pages: Vec::new(),
            genesis: genesis(),
        };
        let seen = Arc::new(Mutex::new(seen));
        let shared = Arc::clone(&seen);
        // Ends with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let _ = serve(&stream, &mut shared.lock().unwrap());
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn see<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap())
    }

    pub(crate) fn is(&self, mood: Mood) {
        self.see(|seen| seen.mood = mood);
    }

    pub(crate) fn log(&self) -> Vec<Vec<u8>> {
        self.see(|seen| seen.log.clone())
    }

    pub(crate) fn answer(&self, target: &str, status: u16, body: impl Into<Vec<u8>>) {
        self.see(|seen| seen.pages.push((target.into(), status, body.into())));
    }

    /// Targets that were asked for.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.see(|seen| seen.requests.iter().map(|(target, _)| target.clone()).collect())
    }
}

fn serve(stream: &TcpStream, seen: &mut Seen) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.rsplit_once(' ').map(|(target, _)| target.to_owned()).unwrap_or_default();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let Some((status, answer)) = answer(seen, &target, &body) else {
        return Ok(());
    };
    let mut stream = stream;
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&answer)
}

fn answer(seen: &mut Seen, target: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    if target == "GET /v1/network" {
        let view = NetworkView::new(&seen.genesis, &seen.genesis.committee);
        return Some((200, serde_json::to_vec(&view).unwrap()));
    }
    if !matches!(seen.mood, Mood::Down) {
        seen.requests.push((target.to_owned(), body.to_vec()));
    }
    if let Some((_, status, page)) = seen.pages.iter().find(|(it, ..)| target.starts_with(&**it)) {
        return Some((*status, page.clone()));
    }
    if let Some(leaf) = target.strip_prefix("GET /v1/leaves/") {
        let index: usize = leaf.split('?').next().unwrap().parse().unwrap();
        let view = LeafView::new(LeafIndex(index as u64), &seen.log[index]);
        return Some((200, serde_json::to_vec(&view).unwrap()));
    }
    if target != "POST /v1/statements" {
        return Some((404, problem("TM-NOT-FOUND", "no such page", 404).into_bytes()));
    }
    match seen.mood.clone() {
        Mood::Down => None,
        Mood::Refusing(status, problem) => Some((status, problem.into_bytes())),
        mood => {
            let written = take(seen, body);
            (!matches!(mood, Mood::Deaf)).then_some(written)
        }
    }
}

fn take(seen: &mut Seen, body: &[u8]) -> (u16, Vec<u8>) {
    let id = Statement::parse(body).unwrap().id();
    let known = seen.log.iter().position(|known| known == body);
    let (status, outcome) = if known.is_some() { (200, "known") } else { (201, "accepted") };
    let position = known.unwrap_or(seen.log.len());
    if known.is_none() {
        seen.log.push(body.to_vec());
    }
    let written =
        serde_json::json!({ "id": id.to_string(), "outcome": outcome, "position": position });
    (status, serde_json::to_vec(&written).unwrap())
}

/// A problem document.
pub(crate) fn problem(code: &str, detail: &str, status: u16) -> String {
    serde_json::json!({
        "type": format!("/problems#{code}"), "title": "Refused", "status": status,
        "detail": detail, "code": code, "hint": "do otherwise",
    })
    .to_string()
}
