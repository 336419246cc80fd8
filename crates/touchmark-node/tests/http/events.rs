//! Events: history and live in one stream, without gap or repetition.

use crate::issuer::Issuer;
use crate::site::Site;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};
use touchmark_core::channel::access::Access;
use touchmark_node::http::Limits;
use touchmark_wire::algorithm::Algorithm;
use touchmark_wire::registry::{StatementKind, ThingKind, Writers};

const HOME: [u8; 4] = [127, 0, 0, 1];

/// A listener that reads one event after the other.
pub(crate) struct Listener {
    lines: BufReader<TcpStream>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Told {
    pub(crate) id: String,
    event: String,
    data: String,
}

impl Listener {
    pub(crate) fn at(site: &Site, path: &str, last: Option<&str>) -> Self {
        let last = last.map(|last| format!("last-event-id: {last}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{last}\r\n");
        let mut lines = BufReader::new(site.speak(HOME, request.as_bytes()));
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        while line != "\r\n" {
            line.clear();
            lines.read_line(&mut line).unwrap();
        }
        Self { lines }
    }

    /// The next event; chunk sizes and what belongs to the framing are passed over.
    fn next(&mut self) -> Option<Told> {
        let mut told = Told::default();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).ok()? == 0 {
                return None;
            }
            match line.trim_end_matches('\n') {
                "" if !told.event.is_empty() => return Some(told),
                line => {
                    for (name, field) in [
                        ("id: ", &mut told.id),
                        ("event: ", &mut told.event),
                        ("data: ", &mut told.data),
                    ] {
                        if let Some(value) = line.strip_prefix(name) {
                            value.clone_into(field);
                        }
                    }
                }
            }
        }
    }

    pub(crate) fn collect(&mut self, count: usize) -> Vec<Told> {
        let mut events = Vec::new();
        while events.len() < count {
            let told = self.next().expect("the stream goes on");
            if told.event != "live" {
                events.push(told);
            }
        }
        events
    }
}

#[test]
fn history_and_live_are_one_stream_also_while_others_write() {
    const WRITERS: usize = 3;
    const EACH: usize = 120;
    let site = Site::start();
    let network = site.network();
    let mut issuers: Vec<Issuer> =
        (0..WRITERS).map(|_| Issuer::new(network, ThingKind::DEVICE, Algorithm::Ed25519)).collect();
    for issuer in &mut issuers {
        site.submit(&[issuer.inception()]);
    }
    let things: Vec<String> = issuers.iter().map(|issuer| issuer.id.to_string()).collect();
    let site = &site;
    let streams: Vec<Vec<Told>> = thread::scope(|scope| {
        for issuer in &mut issuers {
            scope.spawn(move || {
                for n in 0..EACH {
                    site.submit(&[issuer.record(&n.to_be_bytes())]);
                }
            });
        }
        let listeners: Vec<_> = (0..3)
            .map(|n| {
                scope.spawn(move || {
                    // Each begins at another moment, and breaks off and resumes now and then.
                    thread::sleep(Duration::from_millis(60 * n));
                    let mut heard: Vec<Told> = Vec::new();
                    while heard.len() < WRITERS * EACH {
                        let last = heard.last().map(|told| told.id.clone());
                        let path = "/v1/events?type=data-recorded";
                        let mut listener = Listener::at(site, path, last.as_deref());
                        let missing = WRITERS * EACH - heard.len();
                        heard.extend(listener.collect(missing.min(70)));
                    }
                    heard
                })
            })
            .collect();
        listeners.into_iter().map(|listener| listener.join().unwrap()).collect()
    });
    let reader = site.node.store.snapshot();
    let stored = reader.counts().leaves;
    for stream in &streams {
        let leaves: Vec<u64> =
            stream.iter().map(|told| told.id.split('.').next().unwrap().parse().unwrap()).collect();
        assert!(leaves.windows(2).all(|pair| pair[0] < pair[1]), "in order, none twice");
        assert_eq!(leaves.len(), WRITERS * EACH);
        assert!(leaves.iter().all(|leaf| *leaf < stored));
        assert_eq!(stream, &streams[0], "all hear the same");
    }
    for thing in &things {
        let path = format!("/v1/things/{thing}/events?type=data-recorded");
        let records = Listener::at(site, &path, None).collect(EACH);
        let expected: Vec<_> =
            streams[0].iter().filter(|told| told.data.contains(thing)).cloned().collect();
        assert_eq!(records, expected);
    }
}

#[test]
fn whoever_listens_hears_of_new_data_at_once() {
    let site = Site::start();
    let mut device = Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    site.submit(&[device.inception()]);
    let path = format!("/v1/things/{}/events?since=now", device.id);
    let mut listener = Listener::at(&site, &path, None);
    let live = listener.next().unwrap();
    assert_eq!(live.event, "live", "history is over: {live:?}");
    let position = site.submit(&[device.record(b"x")])[0];
    let start = Instant::now();
    let told = listener.next().unwrap();
    assert_eq!((told.id, told.event), (format!("{position}.0"), "data-recorded".to_owned()));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_listener_of_a_channel_hears_what_is_about_and_in_it() {
    let site = Site::start();
    let issuer = || Issuer::new(site.network(), ThingKind::DEVICE, Algorithm::Ed25519);
    let (mut author, mut writer) = (issuer(), issuer());
    site.submit(&[author.inception(), writer.inception()]);
    let (channel, opening) = author.open(1, Writers::ANYONE);
    let (other, elsewhere) = author.open(2, Writers::ANYONE);
    site.submit(&[opening, elsewhere, author.enter(other, b"not here"), author.record(b"nor")]);
    site.submit(&[writer.enter(channel, b"1")]);
    let mut listener = Listener::at(&site, &format!("/v1/channels/{channel}/events"), None);
    let heard = listener.collect(2);
    site.submit(&[writer.record(b"elsewhere"), author.enter(channel, b"2")]);
    site.submit(&[author.act(StatementKind::ACCESS, &Access::closing(channel))]);
    let heard = [heard, listener.collect(2)].concat();
    let names: Vec<_> = heard.iter().map(|told| told.event.as_str()).collect();
    let expected = ["channel-opened", "entry-written", "entry-written", "channel-closed"];
    assert_eq!(names, expected);
    assert!(heard.iter().all(|told| told.data.contains(&channel.to_string())));
    assert_eq!(site.get(&format!("/v1/channels/{}/events", "a".repeat(32))).status, 404);
}

#[test]
fn listeners_are_bounded_and_their_places_come_back() {
    let site = Site::with(Limits { listeners: 2, ..Limits::default() });
    let first = Listener::at(&site, "/v1/events", None);
    let second = Listener::at(&site, "/v1/events", None);
    let full = site.get("/v1/events");
    assert_eq!((full.status, &full.json()["code"]), (503, &"TM-OVERLOADED".into()));
    assert!(full.header("retry-after").is_some());
    drop((first, second));
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let (status, _) = {
            let request = b"GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n";
            let mut lines = BufReader::new(site.speak(HOME, request));
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            (line.split(' ').nth(1).unwrap().to_owned(), line)
        };
        if status == "200" {
            break;
        }
        assert!(Instant::now() < deadline, "who left still has a place");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_cursor_that_is_none_is_refused() {
    let site = Site::start();
    for headers in [("last-event-id", "x"), ("last-event-id", "1")] {
        let answer = site.ask("/v1/events", &[headers]);
        assert_eq!((answer.status, &answer.json()["code"]), (400, &"TM-MALFORMED".into()));
    }
    assert_eq!(site.get("/v1/events?since=yesterday").status, 400);
    assert_eq!(site.get(&format!("/v1/things/{}/events", "a".repeat(32))).status, 404);
}
