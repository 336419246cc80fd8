//! Cards in readers, through the system's PC/SC service: pcscd with vpcd's virtual reader, in a
//! network and mount namespace of their own.

use super::desk::Desk;
use super::node::Node;
use super::software;
use serde_json::json;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use touchmark_node::cli::Exit;

/// Says to this test program that it runs inside.
const INSIDE: &str = "TOUCHMARK_TEST_INSIDE_NAMESPACE";
/// What pcscd and vpcd have on the disk once they are installed.
const NEEDED: [&str; 2] = ["/usr/sbin/pcscd", "/etc/reader.conf.d/vpcd"];

#[test]
fn a_card_in_a_reader_lives_as_any_other() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let missing: Vec<_> = NEEDED.iter().filter(|path| !Path::new(path).exists()).collect();
    let may = Command::new("unshare").args(["-nm", "true"]).status();
    if !missing.is_empty() || !may.is_ok_and(|status| status.success()) {
        let why =
            format!("needs pcscd, vsmartcard-vpcd and namespaces (root); missing: {missing:?}");
        assert!(std::env::var_os("CI").is_none(), "{why}");
        eprintln!("SKIPPED: {why}");
        return;
    }
    let test = "readers::a_card_in_a_reader_lives_as_any_other";
    let status = Command::new("unshare")
        .arg("-nm")
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success());
}

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn inside() {
    prepare("ip", &["link", "set", "lo", "up"]);
    prepare("mount", &["-t", "tmpfs", "tmpfs", "/run"]);
    std::fs::create_dir("/run/pcscd").unwrap();
    let node = Node::start_new();
    let mut desk = software::desk(&node);
    let (exit, error) = desk.error("card list");
    assert_eq!((exit, &error["code"]), (Exit::Unavailable, &json!("TM-READER")), "no service");

    let service = Command::new("/usr/sbin/pcscd").arg("--foreground").stdout(Stdio::null()).spawn();
    let _service = Running(service.unwrap());
    until(|| desk.run("card list").exit == Exit::Fine);
    let (exit, error) = desk.error("card read --reader Virtual");
    assert_eq!((exit, &error["code"]), (Exit::Unavailable, &json!("TM-READER")), "no card");
    assert_eq!(desk.error("card read --reader Elsewhere").1["code"], "TM-READER");

    let _first = put_in(&mut desk, "chip", 35_963);
    software::whole_life(&mut desk, "--reader Virtual");
    let _second = put_in(&mut desk, "other", 35_964);
    large_file(&mut desk, "--reader=Virtual PCD 00 01");
}

/// Puts a blank card into a virtual reader.
fn put_in(desk: &mut Desk, chip: &str, port: u16) -> Running {
    desk.json(&format!("card new {chip}"));
    let there = |list: &serde_json::Value| {
        list.as_array().unwrap().iter().filter(|it| it["card"] == true).count()
    };
    let before = there(&desk.json("card list"));
    let card = Command::new(env!("CARGO_BIN_EXE_touchmark"))
        .args(["card", "serve", chip, "--unencrypted", "--vpcd", &format!("127.0.0.1:{port}")])
        .current_dir(desk.path(""))
        .spawn();
    let running = Running(card.unwrap());
    until(|| there(&desk.json("card list")) > before);
    running
}

/// 72 kB into a card and out of it, through the service.
fn large_file(desk: &mut Desk, place: &str) {
    let data: Vec<u8> = (0..72 << 10).map(|n: u32| (n / 251) as u8).collect();
    desk.write("large", &data);
    let start = Instant::now();
    let run = |desk: &mut Desk, line: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.push(place);
        let ended = desk.run_all(&words);
        assert_eq!(ended.exit, Exit::Fine, "{ended:?}");
    };
    run(desk, "card issue --as maker --url https://a.b/p --data large");
    let written = start.elapsed();
    run(desk, "card read --data copy");
    eprintln!(
        "72 kB: issued in {written:?}, read in {:?}",
        start.elapsed().saturating_sub(written)
    );
    assert_eq!(std::fs::read(desk.path("copy")).unwrap(), data);
}

fn prepare(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program}");
}

fn until(mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(30), "it does not happen");
        thread::sleep(Duration::from_millis(50));
    }
}
