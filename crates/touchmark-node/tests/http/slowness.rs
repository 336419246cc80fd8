//! Slow clients, long bodies and too many connections.

use crate::site::Site;
use std::io::{Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};
use touchmark_node::http::Limits;

const HOME: [u8; 4] = [127, 0, 0, 1];

#[test]
fn a_client_that_sends_its_head_byte_by_byte_is_cut_off() {
    let head_time = Duration::from_millis(700);
    let site = Site::with(Limits { head_time, ..Limits::default() });
    let mut stream = site.speak(HOME, b"GET /v1/network HTTP/1.1\r\n");
    let start = Instant::now();
    let cut = loop {
        thread::sleep(Duration::from_millis(100));
        if stream.write_all(b"x: y\r\n").is_err() {
            break start.elapsed();
        }
        assert!(start.elapsed() < Duration::from_secs(15), "still open");
    };
    assert!(cut >= head_time, "{cut:?}");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let site = Site::with(Limits { body_time: Duration::from_millis(500), ..Limits::default() });
    let head = "POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\
                content-type: application/cose\r\n\r\nab";
    let mut stream = site.speak(HOME, head.as_bytes());
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 408") && text.contains("TM-SLOW"), "{text}");
    assert!(text.contains("connection: close"), "{text}");
}

#[test]
fn a_body_that_is_too_long_is_not_received() {
    let site = Site::start();
    let head = "POST /v1/statements HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\
                content-type: application/cose\r\n\r\n";
    let mut text = String::new();
    site.speak(HOME, head.as_bytes()).read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 413") && text.contains("TM-TOO-LONG"), "{text}");
}

/// Sends head and body in pieces with pauses, and only then reads.
fn send_slowly(site: &Site, from: [u8; 4], head: &str, length: usize) -> std::io::Result<String> {
    let head = format!("{head}host: x\r\ncontent-length: {length}\r\n\r\n");
    let mut stream = site.speak(from, head.as_bytes());
    let pieces = 8;
    for _ in 0..pieces {
        thread::sleep(Duration::from_millis(60));
        stream.write_all(&vec![b'x'; length / pieces])?;
    }
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

#[test]
fn a_client_that_is_still_sending_hears_why_it_is_refused() {
    let scarce = touchmark_node::http::Rate { burst: 1, per_second: 1 };
    let site = Site::with(Limits { writes: Some(scarce), ..Limits::default() });
    let statements = "POST /v1/statements HTTP/1.1\r\ncontent-type: application/cose\r\n";
    let admin = "POST /v1/admin/drain HTTP/1.1\r\nauthorization: Bearer no\r\n";
    let long = 8 * 1_100_000;
    let answer = send_slowly(&site, [127, 0, 0, 2], statements, long).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("TM-TOO-LONG"), "{answer}");
    let answer = send_slowly(&site, [127, 0, 0, 2], statements, long).unwrap();
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("TM-QUOTA"), "{answer}");
    let answer = send_slowly(&site, [127, 0, 0, 3], admin, long).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("TM-API-KEY"), "{answer}");
    // Whoever sends without end is not listened to for ever.
    let endless = send_slowly(&site, [127, 0, 0, 4], statements, 8 * 16_000_000);
    assert!(endless.is_err(), "{endless:?}");
}

#[test]
fn a_connection_too_many_is_told_so_while_it_sends() {
    let site = Site::with(Limits { connections_of_source: 1, ..Limits::default() });
    let _open = site.speak(HOME, b"GET /v1/network HTTP/1.1\r\n");
    thread::sleep(Duration::from_millis(200));
    let head = "POST /v1/statements HTTP/1.1\r\ncontent-type: application/cose\r\n";
    let answer = send_slowly(&site, HOME, head, 8 * 4_000).unwrap();
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
}

#[test]
fn bodies_at_once_are_bounded() {
    let site = Site::with(Limits { bodies: 10_000, ..Limits::default() });
    let answer = site.post("/v1/statements", "application/cose", &vec![0; 20_000]);
    assert_eq!((answer.status, &answer.json()["code"]), (503, &"TM-OVERLOADED".into()));
    let answer = site.post("/v1/statements", "application/cose", &[0; 100]);
    assert_eq!(answer.status, 400, "places come back");
}

#[test]
fn requests_at_once_are_bounded() {
    let site = Site::with(Limits { requests: 1, ..Limits::default() });
    let waiting = b"GET /v1/leaves?at_least=1000000 HTTP/1.1\r\nhost: x\r\n\r\n";
    let deadline = Instant::now() + Duration::from_secs(20);
    // Either may come first and take the place from the other; then the waiting one tries again.
    let (refused, waits) = loop {
        let waits = site.speak(HOME, waiting);
        thread::sleep(Duration::from_millis(100));
        let answer = site.get("/v1/network");
        if answer.status != 200 {
            break (answer, waits);
        }
        assert!(Instant::now() < deadline, "never refused");
    };
    assert_eq!((refused.status, &refused.json()["code"]), (503, &"TM-OVERLOADED".into()));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(site.get("/health/live").status, 200);
    drop(waits);
}

#[test]
fn connections_are_bounded_in_all_and_for_each_source() {
    let limits = Limits { connections: 4, connections_of_source: 2, ..Limits::default() };
    let site = Site::with(limits);
    let half = b"GET /v1/network HTTP/1.1\r\n";
    let _open: Vec<_> = (0..2).map(|_| site.speak([127, 0, 0, 2], half)).collect();
    thread::sleep(Duration::from_millis(200));
    let (status, text) = site.get_from([127, 0, 0, 2], "/v1/network");
    assert_eq!(status, 429, "{text}");
    assert!(text.contains("retry-after: 5"), "{text}");
    assert_eq!(site.get_from([127, 0, 0, 3], "/v1/network").0, 200, "others come in");
    // Its place is free a moment after its answer.
    thread::sleep(Duration::from_millis(200));
    let _more: Vec<_> = (0..2).map(|_| site.speak([127, 0, 0, 3], half)).collect();
    thread::sleep(Duration::from_millis(200));
    assert_eq!(site.get_from([127, 0, 0, 4], "/v1/network").0, 503);
}

#[test]
fn a_listener_that_takes_nothing_is_cut_off() {
    let stall_time = Duration::from_millis(500);
    let limits = Limits { stall_time, writes: None, identity: None, ..Limits::default() };
    let site = Site::with(limits);
    let network = site.network();
    let mut device = crate::issuer::Issuer::new(
        network,
        touchmark_wire::registry::ThingKind::DEVICE,
        touchmark_wire::algorithm::Algorithm::Ed25519,
    );
    site.submit(&[device.inception()]);
    // More than the buffers between the two ends hold.
    for _ in 0..12 {
        let records: Vec<_> = (0..5_000u32).map(|n| device.record(&n.to_be_bytes())).collect();
        site.submit(&records);
    }
    let listens = site.speak(HOME, b"GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n");
    let listeners = || {
        let text = String::from_utf8(site.get("/metrics").body).unwrap();
        text.lines().any(|line| line == "touchmark_http_listeners 1")
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while listeners() {
        assert!(Instant::now() < deadline, "it still has its place");
        thread::sleep(Duration::from_millis(100));
    }
    drop(listens);
}
