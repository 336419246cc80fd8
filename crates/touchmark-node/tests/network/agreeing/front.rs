//! Something that looks like a node, in front of a real one: it passes on, lies, or worse. Each has
//! an address of its own on the loopback network.

use crate::question;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// What it does with a question.
#[derive(Clone)]
pub(crate) enum Manner {
    /// What the node answers.
    Honest,
    /// The same, with what it answers about things changed.
    Lies(fn(&mut Value)),
    /// It answers what is here, by path, as long as nobody wants a log longer than this.
    Lags(u64, Arc<Vec<(String, Vec<u8>)>>),
    /// It answers what is there, and nothing about a longer log.
    Stays(Box<Manner>),
    /// It says that its log is this long, whatever is asked for.
    Boasts(u64),
    /// It takes the question and never answers.
    Hangs,
    /// It answers without end, a byte at a time.
    Drips,
    /// It answers without end, as fast as is read; it counts.
    Floods(Arc<AtomicU64>),
    /// It is of another network.
    Elsewhere,
}

/// Begins to serve at 127.0.7.`number`; its URL. It ends with the process of the test.
pub(crate) fn serve(number: u8, node: &str, manner: Manner) -> String {
    let address = SocketAddr::from((Ipv4Addr::new(127, 0, 7, number), 0));
    format!("http://{}", serve_at(address, node, manner))
}

/// As [`serve`], at any address.
pub(crate) fn serve_at(address: SocketAddr, node: &str, manner: Manner) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    let node = node.strip_prefix("http://").unwrap().to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (node, manner) = (node.clone(), manner.clone());
            // Whoever asked may have gone.
            thread::spawn(move || drop(answer(&stream, &node, &manner)));
        }
    });
    address
}

fn answer(mut stream: &TcpStream, node: &str, manner: &Manner) -> std::io::Result<()> {
    let path = question::path(stream)?;
    match manner {
        Manner::Hangs => {
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Manner::Drips => {
            write!(stream, "HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n")?;
            (0..600).try_for_each(|_| {
                thread::sleep(Duration::from_millis(100));
                stream.write_all(b" ")
            })
        }
        Manner::Floods(sent) => {
            write!(stream, "HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n")?;
            let block = [b' '; 4096];
            (0..65_536).try_for_each(|_| {
                stream.write_all(&block)?;
                sent.fetch_add(block.len() as u64, Ordering::Relaxed);
                Ok(())
            })
        }
        _ => {
            let (status, body) = told(&path, node, manner)?;
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
            )?;
            stream.write_all(&body)
        }
    }
}

fn told(path: &str, node: &str, manner: &Manner) -> std::io::Result<(u16, Vec<u8>)> {
    let (place, size) = path.split_once("?at_least=").unwrap_or((path, "0"));
    if let Manner::Lags(longest, kept) = manner
        && let Some((_, body)) = kept.iter().find(|(known, _)| known == place)
        && size.parse::<u64>().unwrap() <= *longest
    {
        return Ok((200, body.clone()));
    }
    if let Manner::Stays(manner) = manner {
        let Manner::Lags(longest, _) = &**manner else { panic!("it has nothing to stay with") };
        let is_later = size.parse::<u64>().unwrap() > *longest;
        return if is_later { Ok((503, Vec::new())) } else { told(path, node, manner) };
    }
    let asked = if matches!(manner, Manner::Boasts(_)) { place } else { path };
    let (status, body) = get(node, asked)?;
    let Ok(mut view) = serde_json::from_slice(&body) else { return Ok((status, body)) };
    let is_about_thing = path.starts_with("/v1/things/");
    match manner {
        Manner::Lies(lie) if is_about_thing => lie(&mut view),
        Manner::Boasts(size) => view["size"] = (*size).into(),
        Manner::Elsewhere if !is_about_thing => view["network"] = "7".repeat(64).into(),
        _ => {}
    }
    Ok((status, serde_json::to_vec(&view).unwrap()))
}

/// Status and body of what the node at this address answers.
pub(crate) fn get(node: &str, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(node)?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap();
    Ok((status, answer.split_off(end + 4)))
}
