use super::*;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

/// Answers one request with these bytes; returns the address and what was asked.
fn node(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (url, asked)
}

#[test]
fn a_statement_is_posted_as_cose_and_answered() {
    let (url, asked) = node(
        "HTTP/1.1 201 Created\r\nconnection: close\r\n\r\n{\"outcome\":\"accepted\",\"position\":7}",
    );
    let client = Client::new(&format!("{url}/")).unwrap();
    let written = client.submit_statement(b"\xd2\x84").unwrap();
    assert_eq!((written.outcome, written.position), (crate::OutcomeName::Accepted, Some(7)));
    let asked = asked.join().unwrap().to_lowercase();
    assert!(asked.starts_with("post /v1/statements http/1.1\r\n"), "{asked}");
    assert!(asked.contains("content-type: application/cose\r\n"), "{asked}");
}

#[test]
fn a_problem_is_the_nodes_refusal() {
    let (url, _asked) = node(
        "HTTP/1.1 409 Conflict\r\nconnection: close\r\ncontent-type: application/problem+json\r\n\r\n\
         {\"type\":\"/problems#TM-CONFLICT\",\"title\":\"Conflict\",\"status\":409,\"detail\":\"taken\",\
         \"code\":\"TM-CONFLICT\",\"hint\":\"go on\",\"head\":{\"sequence\":3,\"last\":\"00\"}}",
    );
    let error = Client::new(&url).unwrap().submit_statement(b"").unwrap_err();
    let ClientError::Refused(problem) = error else { panic!("{error}") };
    assert_eq!(problem.code(), Some(touchmark_wire::registry::RefusalCode::CONFLICT));
    assert_eq!(problem.head.unwrap().sequence, 3);
}

#[test]
fn what_no_node_answers_is_told_from_no_answer() {
    let (url, _asked) = node("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n<html>");
    let error = Client::new(&url).unwrap().network().unwrap_err();
    assert!(matches!(error, ClientError::Answer { .. }), "{error}");
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Client::new(&format!("http://{gone}")).unwrap().network().unwrap_err();
    assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    for wrong in ["", "localhost:1", "ftp://x", "http://"] {
        let error = Client::new(wrong).unwrap_err();
        assert!(matches!(error, ClientError::Address { .. }), "{wrong}");
    }
}

#[test]
fn an_answer_is_read_as_far_as_the_client_says() {
    for (most, is_read) in [(9, true), (7, false)] {
        let (url, asked) = node("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nan image");
        let client = Client::new(&url).unwrap().reading_at_most(most);
        let answer = client.genesis();
        assert_eq!(answer.is_ok(), is_read, "{answer:?}");
        assert!(is_read || matches!(answer, Err(ClientError::Answer { .. })));
        asked.join().unwrap();
    }
}

#[test]
fn a_client_at_an_address_connects_with_that_and_keeps_the_name() {
    let (url, asked) = node("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nan image");
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    // This name leads nowhere (RFC 6761).
    let client = Client::at("http://node.invalid:81", address, Client::TIMEOUT).unwrap();
    assert_eq!(client.genesis().unwrap(), b"an image");
    let asked = asked.join().unwrap().to_lowercase();
    assert!(asked.starts_with("get /v1/genesis http/1.1\r\n"), "{asked}");
    assert_eq!(asked.matches("host: ").count(), 1, "{asked}");
    assert!(asked.contains("host: node.invalid:81\r\n"), "{asked}");
}

#[test]
fn a_node_that_is_not_ready_says_why() {
    let (url, _asked) = node(
        "HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n\
         {\"ready\":false,\"reasons\":[\"drained\"],\"height\":3,\"size\":7}",
    );
    let readiness = Client::new(&url).unwrap().readiness().unwrap();
    assert_eq!((readiness.ready, readiness.reasons), (false, vec!["drained".to_owned()]));
    let (url, _asked) = node("HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\n<html>");
    assert!(!Client::new(&url).unwrap().is_ready().unwrap());
}
