//! Lists of untrusted nodes, as far as nobody is asked.

use super::desk::Desk;
use serde_json::json;
use touchmark_node::cli::Exit;

const THING: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn desk(count: usize) -> Desk {
    let desk = Desk::new();
    let urls: Vec<_> = (1..=count).map(|n| format!("http://192.0.2.{n}:8080")).collect();
    desk.write("nodes", format!("nodes = {}", json!(urls)));
    desk
}

#[test]
fn a_list_is_shown_with_what_it_is_worth() {
    let shown = desk(36).json("network nodes nodes");
    assert_eq!(
        (&shown["listed"], &shown["ask"], &shown["equal"]),
        (&json!(36), &json!(12), &json!(9))
    );
    let lying = shown["chances"].as_array().unwrap().iter().map(|it| &it["lying"]);
    assert_eq!(lying.collect::<Vec<_>>(), [&json!(9), &json!(12), &json!(18)]);
    let third = |name: &str| format!("{:.1e}", shown["chances"][1][name].as_f64().unwrap());
    assert_eq!((third("deceived"), third("prevented")), ("3.7e-4".into(), "6.4e-1".into()));
    let text = desk(37).run("network nodes nodes").stdout;
    assert!(text.contains("lying 10, deceived"), "{text}");
    assert_eq!(shown["nodes"][35], "http://192.0.2.36:8080");
}

#[test]
fn numbers_that_decide_nothing_are_misuse() {
    let mut desk = desk(12);
    for (more, why) in [
        ("--ask 13", "the list has 12 nodes"),
        ("--equal 6", "two different answers"),
        ("--equal 13", "than are asked"),
    ] {
        for command in
            [format!("thing ask {THING} --nodes nodes"), "network nodes nodes".to_owned()]
        {
            let (exit, error) = desk.error(&format!("{command} {more}"));
            assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-USAGE")), "{more}");
            assert!(error["what"].as_str().unwrap().contains(why), "{error}");
        }
    }
}

#[test]
fn a_list_with_a_host_twice_is_not_taken_and_an_update_needs_a_publisher() {
    let mut desk = desk(12);
    let (exit, error) = desk.error("network nodes nodes --update");
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-USAGE")));
    desk.write("nodes", "nodes = ['http://one.example:1', 'http://One.example:2']");
    let (exit, error) = desk.error(&format!("thing ask {THING} --nodes nodes --ask 1 --equal 1"));
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-NODE-LIST")));
    desk.write("nodes", "nodes = ['https://one.example']");
    let (exit, error) = desk.error("network nodes nodes --ask 1 --equal 1");
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-NODE-LIST")));
    assert!(error["what"].as_str().unwrap().contains("http:// address"), "{error}");
    desk.input(b"nodes = ['http://one.example']");
    let (exit, error) = desk.error("network nodes - --update --publisher x");
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-USAGE")));
    assert!(error["what"].as_str().unwrap().contains("standard input"), "{error}");
    let (exit, error) = desk.error(&format!("network nodes nodes --trust {}", "3".repeat(64)));
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-USAGE")));
    let (exit, error) = desk.error(&format!("thing ask {THING} --nodes missing"));
    assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-FILE")));
}
