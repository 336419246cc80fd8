//! Requests over plain HTTP/1.1 connections that stay open.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use touchmark_api::{OutcomeName, Written, media};

/// Connections that submit one statement after the other.
const CONNECTIONS: usize = 500;
/// Gateways that collect what their devices sign and send it on.
const GATEWAYS: usize = 4;
/// Statements of one request of a gateway.
const REQUEST: usize = 1_000;

/// What `sender` of `senders` sends: the records of its devices, first the first of each.
fn lanes(senders: usize, records: Vec<Vec<Vec<u8>>>) -> Vec<Vec<Vec<u8>>> {
    let mut lanes = vec![Vec::new(); senders];
    for (place, own) in records.into_iter().enumerate() {
        for (turn, record) in own.into_iter().enumerate() {
            lanes[place % senders].push((turn, record));
        }
    }
    lanes
        .into_iter()
        .map(|mut lane: Vec<(usize, Vec<u8>)>| {
            lane.sort_by_key(|(turn, _)| *turn);
            lane.into_iter().map(|(_, record)| record).collect()
        })
        .collect()
}

/// What was accepted, and how long each request waited for its answer.
#[derive(Default)]
pub(crate) struct Answered {
    pub(crate) accepted: usize,
    pub(crate) waits: Vec<Duration>,
}

/// What an answer says of the statements of a request.
struct Tally {
    accepted: usize,
    /// Whether the same bytes must be sent once more.
    is_unfinished: bool,
}

/// How often a request is sent before it is given up, and how long between.
const SENDINGS: usize = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// How requests follow each other.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// Each as soon as the one before it on its connection is answered.
    Closed,
    /// At times that were fixed before, so many statements a second; waits count from these times,
    /// so a node that falls behind cannot hide it.
    Open(f64),
}

/// Sends the records of each device in requests of a thousand, over a few connections at once. What
/// the node refuses is sent again, as its clients do.
pub(crate) async fn batches(address: &str, records: Vec<Vec<Vec<u8>>>, pace: Pace) -> Answered {
    let requests = |lane: Vec<Vec<u8>>| lane.chunks(REQUEST).map(<[_]>::concat).collect();
    let lanes: Vec<_> = lanes(GATEWAYS, records).into_iter().map(requests).collect();
    let count = |status: u16, body: &[u8]| {
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
        let answers = answers(body);
        let refused = answers.iter().find(|answer| answer.outcome == OutcomeName::Refused);
        if let Some(Written { code, detail, .. }) = refused {
            eprintln!("sent again: {code:?} {detail:?}");
        }
        Tally { accepted: accepted(&answers), is_unfinished: refused.is_some() }
    };
    all(Target::new(address, media::CBOR_SEQ), lanes, pace.of_requests(REQUEST), count).await
}

/// Sends the records of each device one by one, many devices at once.
pub(crate) async fn singles(address: &str, records: Vec<Vec<Vec<u8>>>, pace: Pace) -> Answered {
    let count = |status: u16, body: &[u8]| {
        assert_eq!(status, 201, "{}", String::from_utf8_lossy(body));
        Tally { accepted: 1, is_unfinished: false }
    };
    let to = Target::new(address, media::COSE);
    all(to, lanes(CONNECTIONS, records), pace.of_requests(1), count).await
}

/// Sends records in requests of so many over five hundred connections, from another source, each
/// as soon as the one before it is answered, whatever the answer is.
pub(crate) async fn flood(address: &str, records: Vec<Vec<Vec<u8>>>, together: usize) -> Answered {
    let count = |status: u16, body: &[u8]| {
        let accepted = if status == 200 { accepted(&answers(body)) } else { 0 };
        Tally { accepted, is_unfinished: false }
    };
    let from = Ipv4Addr::new(127, 0, 0, 2);
    let to = Target { address, from, media_type: media::CBOR_SEQ };
    let requests = |lane: Vec<Vec<u8>>| lane.chunks(together).map(<[_]>::concat).collect();
    let lanes = lanes(CONNECTIONS, records).into_iter().map(requests).collect();
    all(to, lanes, None, count).await
}

impl Pace {
    /// Time between two requests of so many statements.
    fn of_requests(self, statements: usize) -> Option<Duration> {
        match self {
            Self::Closed => None,
            Self::Open(rate) => Some(Duration::from_secs_f64(statements as f64 / rate)),
        }
    }
}

/// Where requests go, and as what.
struct Target<'a> {
    address: &'a str,
    from: Ipv4Addr,
    media_type: &'static str,
}

impl<'a> Target<'a> {
    const fn new(address: &'a str, media_type: &'static str) -> Self {
        Self { address, from: Ipv4Addr::LOCALHOST, media_type }
    }
}

/// Runs every lane over a connection of its own.
async fn all(
    to: Target<'_>,
    lanes: Vec<Vec<Vec<u8>>>,
    interval: Option<Duration>,
    count: impl Fn(u16, &[u8]) -> Tally + Copy + Send + 'static,
) -> Answered {
    let senders = lanes.len() as u32;
    let mut connections = Vec::new();
    for _ in 0..senders {
        connections.push(Connection::open(&to).await);
    }
    let media_type = to.media_type;
    let start = Instant::now();
    let mut tasks = Vec::new();
    for ((number, lane), mut connection) in (0..).zip(lanes).zip(connections) {
        tasks.push(tokio::spawn(async move {
            let mut answered = Answered::default();
            for (turn, request) in (0..).zip(lane) {
                let mut due = Instant::now();
                if let Some(interval) = interval {
                    due = start + interval * (turn * senders + number);
                    tokio::time::sleep_until(due.into()).await;
                }
                for sending in 1.. {
                    connection.send(media_type, &request).await;
                    let (status, body) = connection.receive().await;
                    let Tally { accepted, is_unfinished } = count(status, &body);
                    answered.accepted += accepted;
                    if !is_unfinished {
                        break;
                    }
                    assert!(sending < SENDINGS, "a request is never accepted");
                    tokio::time::sleep(PAUSE).await;
                }
                answered.waits.push(due.elapsed());
            }
            answered
        }));
    }
    let mut answered = Answered::default();
    for task in tasks {
        let lane = task.await.expect("a lane of the load");
        answered.accepted += lane.accepted;
        answered.waits.extend(lane.waits);
    }
    answered
}

fn answers(body: &[u8]) -> Vec<Written> {
    serde_json::from_slice(body).expect("a JSON array")
}

fn accepted(answers: &[Written]) -> usize {
    answers.iter().filter(|answer| answer.outcome == OutcomeName::Accepted).count()
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(to: &Target<'_>) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((to.from, 0))).expect("an address of this machine");
        let address = to.address.parse().expect("an address");
        let stream = socket.connect(address).await.expect("the node listens");
        stream.set_nodelay(true).expect("a TCP option");
        Self(BufReader::new(stream))
    }

    async fn send(&mut self, media_type: &str, body: &[u8]) {
        let mut request = format!(
            "POST /v1/statements HTTP/1.1\r\nhost: node\r\ncontent-type: {media_type}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.0.get_mut().write_all(&request).await.expect("the node reads");
    }

    async fn receive(&mut self) -> (u16, Vec<u8>) {
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            self.0.read_line(&mut line).await.expect("the node answers");
            let text = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = text.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().expect("a status");
            } else if let Some(value) = text.strip_prefix("content-length: ") {
                length = value.parse().expect("a length");
            } else if text.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.expect("the whole body");
        (status, body)
    }
}
