//! Setting up: from the code that the first start prints to an API key.

use crate::network::Network;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use touchmark_node::apikey::{ApiKeys, Scope};
use touchmark_node::http::{self, Gateway, Limits};
use touchmark_node::node::now;
use touchmark_wire::ids::Timestamp;
use tower::ServiceExt as _;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

/// Sends a body to a node with the network's folder.
fn send(network: &Network, path: &str, kind: &str, body: String) -> Answer {
    network.wait(async {
        let gateway = Gateway::new(network.node.clone(), network.folder.path(), Limits::default());
        let request = Request::post(path).header("content-type", kind).body(Body::from(body));
        let answer = http::router(&gateway).oneshot(request.unwrap()).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        Answer { status, headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    })
}

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_browser_without_scripts_gets_the_key_once_and_nobody_keeps_it() {
    let network = Network::start();
    let keys = ApiKeys::in_folder(network.folder.path());
    let code = keys.setup_code(now()).unwrap().text();
    let post = |code: &str| send(&network, "/setup", FORM, format!("code={code}"));
    let wrong = post("%3Cscript%3E");
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.text.contains("TM-SETUP-CODE") && wrong.text.contains("touchmark apikey setup"));
    assert!(wrong.text.contains("name=\"code\"") && !wrong.text.contains("<script"));
    let made = post(&code);
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
        assert_eq!(made.headers[name], value);
    }
    assert!(made.headers.get("access-control-allow-origin").is_none(), "no other site reads it");
    assert!(made.headers.get("etag").is_none(), "what nobody keeps has no tag");
    let key = made.text.split("tmk_").nth(1).and_then(|rest| rest.split('<').next()).unwrap();
    keys.authorise(&format!("tmk_{key}"), Scope::Operate, now()).unwrap();
    let again = post(&code);
    assert_eq!(again.status, StatusCode::GONE);
    assert!(again.text.contains("TM-SETUP-USED") && !again.text.contains("tmk_"));
    assert_eq!(send(&network, "/setup", FORM, String::new()).status, StatusCode::BAD_REQUEST);
    assert_eq!(keys.list().unwrap().len(), 1);
}

#[test]
fn a_program_is_told_why_a_code_makes_no_key() {
    let network = Network::start();
    let keys = ApiKeys::in_folder(network.folder.path());
    let ask = |code: &str| {
        let body = json!({ "code": code }).to_string();
        let answer = send(&network, "/v1/setup", "application/json", body);
        let said: Value = serde_json::from_str(&answer.text).unwrap();
        (answer.status.as_u16(), said["code"].as_str().map(str::to_owned), said)
    };
    let refused = |status, code: &str| (status, Some(code.to_owned()));
    let told = |(status, code, _): (u16, Option<String>, Value)| (status, code);
    assert_eq!(told(ask("")), refused(403, "TM-SETUP-CODE"), "there is none yet");
    let old = keys.setup_code(Timestamp(now().0 - 3_600_000)).unwrap().text();
    let (status, code, said) = ask(&old);
    assert_eq!((status, code.as_deref()), (410, Some("TM-SETUP-EXPIRED")));
    assert!(said["hint"].as_str().unwrap().contains("touchmark apikey setup"), "{said}");
    let new = keys.setup_code(now()).unwrap().text();
    assert_eq!(told(ask(&old)), refused(403, "TM-SETUP-CODE"), "another took its place");
    let lock = std::fs::File::open(network.folder.path().join("setup.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(told(ask(&new)), refused(503, "TM-OVERLOADED"), "nobody waits for a lock");
    assert_eq!(told(ask(&old)), refused(403, "TM-SETUP-CODE"));
    drop(lock);
    let (status, _, made) = ask(&new);
    assert_eq!((status, &made["scopes"]), (201, &json!(["read", "operate"])));
    assert_eq!(told(ask(&new)), refused(410, "TM-SETUP-USED"));
}
