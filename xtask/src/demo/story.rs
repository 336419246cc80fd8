//! What the demo shows, step by step.

use super::Step;
use super::stage::Stage;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::fs;

/// The story.
pub(super) const STEPS: &[Step] = &[
    Step {
        name: "A node starts with an empty folder and makes a network of its own",
        proves: "one program, no configuration, no default secret; the network id is its root of trust",
        act: start,
    },
    Step {
        name: "An organisation creates its control center",
        proves: "an identity needs nobody's permission, and its private key never leaves its owner",
        act: organisation,
    },
    Step {
        name: "It initialises three cards, each with a number and its chip's serial number",
        proves: "a card makes its key in itself, and the organisation vouches for it",
        act: cards,
    },
    Step {
        name: "It initialises a trusted reader and a sensor; the directory lists all five",
        proves: "whoever reads only the log reaches the same directory as the node",
        act: directory,
    },
    Step {
        name: "The sensor publishes this computer's load and memory",
        proves: "data is signed where it is made, numbered, and chained to what came before",
        act: record,
    },
    Step {
        name: "A stranger's telephone taps the first card",
        proves: "whoever reads a card needs no account; the card's signature alone counts",
        act: tap,
    },
    Step {
        name: "The same tap again, and one with a digit changed",
        proves: "a counter counts once, and a copy of the card's id is not the card",
        act: replay,
    },
    Step {
        name: "The trusted reader has the second card sign a temperature and the position",
        proves: "the card's signature covers readings and position, and the reader vouches for them",
        act: payload,
    },
    Step {
        name: "The reader is opened: it locks itself, and its signed alert follows",
        proves: "a reader that was tampered with signs nothing more, and everyone can know",
        act: tamper,
    },
    Step {
        name: "A client asks how far each record can be believed",
        proves: "confidence follows from signed facts, and comes with its reasons",
        act: confidence,
    },
    Step {
        name: "The third card is stolen, revoked, and read again",
        proves: "its signature is still recognised, but as a sighting that counts for nothing",
        act: theft,
    },
    Step {
        name: "One bundle with the record, the card's status, its whole history, and a fresh answer",
        proves: "everything is proved together, down to the network's root of trust",
        act: bundle,
    },
    Step {
        name: "The node is stopped; the bundle is verified offline",
        proves: "a proof outlives the server",
        act: verify,
    },
    Step {
        name: "One byte of the bundle is flipped",
        proves: "nothing in it can be altered, and the verdict says where it broke",
        act: flip,
    },
    Step {
        name: "The node starts again",
        proves: "what was acknowledged is still there, under the same root",
        act: restart,
    },
];

const NODE: [&str; 6] = ["node", "run", "--data", "data", "--listen", "127.0.0.1:0"];

fn start(stage: &mut Stage) -> Result<String> {
    let url = stage.start_node("node", NODE)?;
    let network = stage.get(&format!("{url}/v1/network"))?;
    let id = text(&network, "/network")?;
    stage.note("url", &url);
    stage.note("network", &id);
    Ok(format!("{url}, network {id}"))
}

fn organisation(stage: &mut Stage) -> Result<String> {
    let attributes =
        ["--attribute", "name=Makers of lamps", "--attribute", "reader-firmware-minimum=2.0"];
    let create = [&["center", "create", "maker", "--unencrypted"][..], &attributes].concat();
    let maker = text(&client(stage, &create)?, "/thing")?;
    stage.note("maker", &maker);
    Ok(format!("organisation {maker}"))
}

/// The folders of the cards.
const CARDS: [&str; 3] = ["card1", "card2", "card3"];

fn cards(stage: &mut Stage) -> Result<String> {
    stage.open_reader()?;
    for card in CARDS {
        offline(stage, &["card", "new", card])?;
        let init = ["center", "init", "card", "--as", "maker", "--url", "https://tap.example/p"];
        let id = text(&in_reader(stage, card, &init)?, "/thing")?;
        stage.note(card, &id);
    }
    Ok(format!("cards 1 to 3, {}", stage.reader()?.description()))
}

fn directory(stage: &mut Stage) -> Result<String> {
    let init = ["center", "init", "--as", "maker", "--unencrypted"];
    let reader = ["reader", "--serial", "R-100", "--identity", "door", "--spec", "firmware=2.1"];
    let reader = text(&client(stage, &[&init[..], &reader].concat())?, "/thing")?;
    let sensor = ["sensor", "--serial", "S-200", "--identity", "sensor"];
    let sensor = text(&client(stage, &[&init[..], &sensor].concat())?, "/thing")?;
    stage.note("door", &reader);
    stage.note("sensor", &sensor);
    let of = stage.noted("maker")?.to_owned();
    let list = client(stage, &["center", "list", "--of", &of])?;
    let log = client(stage, &["center", "list", "--of", &of, "--from-log"])?;
    ensure!(list == log, "the node's directory is not the log's: {list} and {log}");
    let entries = list.pointer("/items").and_then(Value::as_array).map_or(0, Vec::len);
    ensure!(entries == 5, "the directory should list five things: {list}");
    Ok(format!("{entries} entries, the same from the log alone"))
}

fn record(stage: &mut Stage) -> Result<String> {
    let run = ["sensor", "run", "--as", "sensor", "--count", "1", "--interval", "10ms"];
    let run = [&run[..], &["--format", "senml+json"]].concat();
    let position = number(&client(stage, &run)?, "/position")?;
    stage.note("record", position.to_string());
    Ok(format!("SenML, leaf {position}"))
}

fn tap(stage: &mut Stage) -> Result<String> {
    let written = in_reader(stage, "card1", &["card", "tap"])?;
    let (url, position) = (text(&written, "/url")?, number(&written, "/position")?);
    stage.note("tap", &url);
    stage.note("tapped", position.to_string());
    Ok(format!("leaf {position}: {}…", &url[..60]))
}

fn replay(stage: &mut Stage) -> Result<String> {
    let url = stage.noted("tap")?.to_owned();
    let known = client(stage, &["evidence", "submit", "card-url", &url])?;
    ensure!(text(&known, "/outcome")? == "known", "the same tap was not recognised: {known}");
    let forged = url.replacen("c=00000001", "c=00000002", 1);
    let refused = refusal(stage, &["evidence", "submit", "card-url", &forged])?;
    ensure!(refused.contains("TM-FORGED"), "a forged tap got: {refused}");
    Ok("the first position again; the changed one is TM-FORGED".to_owned())
}

fn payload(stage: &mut Stage) -> Result<String> {
    let readings = r#"[{"n":"temperature","u":"Cel","v":4.5}]"#;
    fs::write(stage.folder().join("readings.json"), readings)?;
    let sign = ["card", "sign", "readings.json", "--position", "47.07,15.44", "--as", "door"];
    let position = number(&in_reader(stage, "card2", &sign)?, "/position")?;
    stage.note("signed", position.to_string());
    Ok(format!("4.5 °C at 47.07, 15.44: leaf {position}"))
}

fn tamper(stage: &mut Stage) -> Result<String> {
    fs::write(stage.folder().join("contact"), "1")?;
    fs::write(stage.folder().join("nothing"), "")?;
    let run = ["reader", "run", "nothing", "--as", "door", "--tamper", "contact"];
    let url = stage.noted("url")?.to_owned();
    let (_, answer, log) = stage.attempt([&global(&url)[..], &run].concat())?;
    let reader = stage.noted("door")?.to_owned();
    let shown = client(stage, &["thing", "show", &reader])?;
    let status = text(&shown, "/status/status")?;
    ensure!(status == "tampered", "the reader is {status}: {answer}{log}");
    let again = refusal(stage, &["card", "tap", "--virtual", "card2", "--as", "door"])?;
    Ok(format!("status tampered; asked to sign again: {}", code(&again)))
}

fn confidence(stage: &mut Stage) -> Result<String> {
    let mut levels = Vec::new();
    for (who, note) in [("telephone", "tapped"), ("reader", "signed"), ("sensor", "record")] {
        let position = stage.noted(note)?.to_owned();
        let shown = client(stage, &["record", "show", &position])?;
        levels.push(format!("{who}: {}", text(&shown, "/confidence/level")?));
    }
    Ok(levels.join("; "))
}

fn theft(stage: &mut Stage) -> Result<String> {
    let id = stage.noted("card3")?.to_owned();
    let revoke = ["center", "revoke", "card/3", "stolen", "--as", "maker"];
    client(stage, &[&revoke[..], &["--reason", "reported by shop 12"]].concat())?;
    let again = [&global(stage.noted("url")?)[..], &["card", "tap"]].concat();
    let (ok, refused) = stage.reader()?.run(stage, "card3", &again)?;
    ensure!(!ok && refused.contains("TM-REVOKED"), "a stolen card got: {refused}");
    let thing = client(stage, &["thing", "show", &id])?;
    ensure!(thing["keys"] == Value::Array(Vec::new()), "the stolen card has keys: {thing}");
    Ok("logged as a sighting, TM-REVOKED; the card is shown with no key".to_owned())
}

fn bundle(stage: &mut Stage) -> Result<String> {
    let (record, card) = (stage.noted("record")?.to_owned(), stage.noted("card3")?.to_owned());
    let then = format!("{card}@{record}");
    let fetch = [
        "proof",
        "fetch",
        "--record",
        &record,
        "--status",
        &card,
        "--status",
        &then,
        "--complete",
        &card,
        "--nonce",
        NONCE,
        "--out",
        "proof.tmb",
    ];
    client(stage, &fetch)?;
    let length = fs::metadata(stage.folder().join("proof.tmb"))?.len();
    Ok(format!("proof.tmb, {length} bytes"))
}

/// A client chooses its own; 16 bytes in base64url.
const NONCE: &str = "AAECAwQFBgcICQoLDA0ODw";

fn verify(stage: &mut Stage) -> Result<String> {
    stage.stop_nodes()?;
    let network = stage.noted("network")?.to_owned();
    let verdict = offline(stage, &["verify", "proof.tmb", "--trust", &network, "--nonce", NONCE])?;
    ensure!(verdict["valid"] == Value::Bool(true), "not valid: {verdict}");
    let checks = verdict["checks"].as_array().map_or(0, Vec::len);
    Ok(format!("valid, {checks} checks passed, without a network"))
}

fn flip(stage: &mut Stage) -> Result<String> {
    let mut bytes = fs::read(stage.folder().join("proof.tmb"))?;
    let place = find(&bytes, b"\"bn\"").context("the record's payload is in the bundle")?;
    bytes[place] ^= 1;
    fs::write(stage.folder().join("flipped.tmb"), bytes)?;
    let network = stage.noted("network")?.to_owned();
    let arguments = ["--json", "verify", "flipped.tmb", "--trust", &network, "--nonce", NONCE];
    let (ok, answer, _) = stage.attempt(arguments)?;
    ensure!(!ok, "a changed bundle was accepted");
    let verdict: Value = serde_json::from_str(&answer)?;
    let failed = verdict["checks"]
        .as_array()
        .and_then(|checks| checks.iter().find(|check| check["result"] == "fail"))
        .context("no check failed")?;
    Ok(format!("{}: {}", text(failed, "/name")?, text(failed, "/reason")?))
}

fn restart(stage: &mut Stage) -> Result<String> {
    let url = stage.start_node("node", NODE)?;
    let network = stage.get(&format!("{url}/v1/network"))?;
    ensure!(text(&network, "/network")? == stage.noted("network")?, "it is another network");
    let record = stage.noted("record")?;
    let leaf = stage.get(&format!("{url}/v1/leaves/{record}"))?;
    ensure!(leaf["kind"] == "accepted", "the record is gone: {leaf}");
    let card = stage.noted("card1")?;
    Ok(format!("{} leaves; open {url}/t/{card}", number(&network, "/size")?))
}

/// Runs a command against the node; fails when the command does.
fn client(stage: &Stage, arguments: &[&str]) -> Result<Value> {
    let url = stage.noted("url")?.to_owned();
    offline(stage, &[&["--node", &url][..], arguments].concat())
}

/// Runs a command on a card in the reader; fails when the command does.
fn in_reader(stage: &Stage, card: &str, arguments: &[&str]) -> Result<Value> {
    let url = stage.noted("url")?;
    let (ok, answer) = stage.reader()?.run(stage, card, &[&global(url)[..], arguments].concat())?;
    ensure!(ok, "{arguments:?}: {answer}");
    serde_json::from_str(&answer).with_context(|| format!("no JSON: {answer}"))
}

/// Runs a command that needs no node.
fn offline(stage: &Stage, arguments: &[&str]) -> Result<Value> {
    let arguments = [&["--json", "--home", "home"][..], arguments].concat();
    let answer = stage.touchmark(&arguments)?;
    serde_json::from_str(&answer).with_context(|| format!("no JSON: {answer}"))
}

/// Runs a command that must be refused; returns what it says.
fn refusal(stage: &Stage, arguments: &[&str]) -> Result<String> {
    let url = stage.noted("url")?;
    let arguments = [&global(url)[..], arguments].concat();
    let (ok, answer, log) = stage.attempt(&arguments)?;
    ensure!(!ok, "{arguments:?} was not refused: {answer}");
    Ok(format!("{answer}{log}"))
}

/// What every command against the node begins with.
fn global(url: &str) -> [&str; 5] {
    ["--json", "--home", "home", "--node", url]
}

/// The stable code in what a refused command says.
fn code(said: &str) -> &str {
    let code = said.find("TM-").map_or("no code", |start| &said[start..]);
    code.split(|it: char| !(it.is_ascii_alphanumeric() || it == '-')).next().unwrap_or_default()
}

fn text(value: &Value, pointer: &str) -> Result<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("no text at {pointer} in {value}"))
}

fn number(value: &Value, pointer: &str) -> Result<u64> {
    let found = value.pointer(pointer).and_then(Value::as_u64);
    found.with_context(|| format!("no number at {pointer} in {value}"))
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
