//! Requests over plain HTTP/1.1 connections that stay open.

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use touchmark_api::media;

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

/// Sends the records of each device in requests of a thousand, over a few connections at once;
/// returns how many were accepted.
pub(crate) async fn batches(address: &str, records: Vec<Vec<Vec<u8>>>) -> usize {
    let send = |lane: Vec<Vec<u8>>, mut connection: Connection| async move {
        let mut accepted = 0;
        for request in lane.chunks(REQUEST) {
            connection.send(media::CBOR_SEQ, &request.concat()).await;
            let (status, body) = connection.receive().await;
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
            accepted += count_accepted(&body);
        }
        accepted
    };
    all(address, lanes(GATEWAYS, records), send).await
}

/// Sends the records of each device one by one, many devices at once.
pub(crate) async fn singles(address: &str, records: Vec<Vec<Vec<u8>>>) -> usize {
    let send = |lane: Vec<Vec<u8>>, mut connection: Connection| async move {
        for record in &lane {
            connection.send(media::COSE, record).await;
            let (status, body) = connection.receive().await;
            assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
        }
        lane.len()
    };
    all(address, lanes(CONNECTIONS, records), send).await
}

/// Runs every lane over a connection of its own.
async fn all<F>(
    address: &str,
    lanes: Vec<Vec<Vec<u8>>>,
    send: impl Fn(Vec<Vec<u8>>, Connection) -> F,
) -> usize
where
    F: Future<Output = usize> + Send + 'static,
{
    let mut tasks = Vec::new();
    for lane in lanes {
        tasks.push(tokio::spawn(send(lane, Connection::open(address).await)));
    }
    let mut accepted = 0;
    for task in tasks {
        accepted += task.await.expect("a lane of the load");
    }
    accepted
}

fn count_accepted(body: &[u8]) -> usize {
    let answers: Vec<touchmark_api::Written> = serde_json::from_slice(body).expect("a JSON array");
    let accepted = |answer: &&touchmark_api::Written| {
        assert!(answer.position.is_some(), "{answer:?}");
        answer.outcome == touchmark_api::OutcomeName::Accepted
    };
    answers.iter().filter(accepted).count()
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the node listens");
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
