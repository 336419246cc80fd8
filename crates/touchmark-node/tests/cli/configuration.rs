//! The configuration as commands show it.

use super::desk::Desk;
use serde_json::json;
use touchmark_node::cli::Exit;

#[test]
fn the_configuration_is_shown_with_where_it_comes_from() {
    let mut desk = Desk::new();
    desk.write("t.toml", "[http]\nlisten = \"127.0.0.1:1\"\n[network]\nvalidator = \"one\"\n");
    desk.set("TOUCHMARK__NETWORK__VALIDATOR", "two");
    let line = "config show --config t.toml --engine-idle-interval 3s";
    let shown = desk.json(&format!("{line} --origin"));
    let file = format!("{}:2", desk.path("t.toml").display());
    assert_eq!(shown["http"]["listen"], json!({ "value": "127.0.0.1:1", "origin": file }));
    let variable = "environment TOUCHMARK__NETWORK__VALIDATOR";
    assert_eq!(shown["network"]["validator"], json!({ "value": "two", "origin": variable }));
    let option = json!({ "value": "3s", "origin": "option --engine-idle-interval" });
    assert_eq!(shown["engine"]["idle_interval"], option);
    assert_eq!(shown["network"]["origin"], json!({ "value": null, "origin": "default" }));
    assert_eq!(desk.json(line)["network"]["validator"], "two");
    let text = desk.run(line).stdout;
    desk.write("again.toml", &text);
    assert_eq!(desk.run("config show --config again.toml").stdout, text, "it is a file itself");
}

#[test]
fn a_configuration_is_checked_before_anything_is_made() {
    let mut desk = Desk::new();
    let example = desk.run("config example").stdout;
    desk.write("t.toml", &example);
    assert_eq!(desk.json("config check --config t.toml")["valid"], true);
    desk.write("t.toml", example.replace("listen", "lisen"));
    for line in ["config check", "config show", "node run --data made"] {
        let (exit, error) = desk.error(&format!("{line} --config t.toml"));
        assert_eq!((exit, &error["code"]), (Exit::Misuse, &json!("TM-CONFIG")), "{line}");
        assert!(error["what"].as_str().unwrap().contains("2 places"), "{error}");
        assert_eq!(error["hint"], "did you mean `http.listen`?");
    }
    assert!(!desk.path("made").exists());
    desk.set("TOUCHMARK__HTTP__LISTEN", "nowhere");
    assert_eq!(desk.error("config check").1["code"], "TM-CONFIG");
}
