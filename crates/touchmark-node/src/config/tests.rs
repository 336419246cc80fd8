use super::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

/// A source of anchors at a URL.
macro_rules! anchor {
    ($url:literal) => {
        concat!(
            $url,
            " 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
            ":nbswy3dpeb3w64tmmqqgs4zanzxxo2lo"
        )
    };
}

/// Values other than the defaults: for the file, the environment and the option.
const OTHERS: [(&str, [&str; 3]); 23] = [
    ("node.data", ["/a", "/b", "/c"]),
    ("http.listen", ["127.0.0.1:1", "127.0.0.1:2", "[::1]:3"]),
    ("limits.source_writes", ["1:2", "3:4", "5:6"]),
    ("limits.source_reads", ["1:2", "3:4", "5:6"]),
    ("limits.identity_writes", ["1:2", "3:4", "5:6"]),
    ("limits.connections", ["1", "2", "3"]),
    ("limits.source_connections", ["1", "2", "3"]),
    ("limits.requests", ["1", "2", "3"]),
    ("limits.listeners", ["1", "2", "3"]),
    ("limits.trusted_proxies", ["192.0.2.1", "192.0.2.1,192.0.2.2", "::1"]),
    ("engine.listen", ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"]),
    ("engine.idle_interval", ["2s", "3min", "4h"]),
    ("engine.busy_interval", ["10ms", "20ms", "1001ms"]),
    ("witnesses.interval", ["2s", "3min", "4h"]),
    (
        "anchor.source",
        [anchor!("http://a.example"), anchor!("http://b.example"), anchor!("http://c.example:1")],
    ),
    ("anchor.interval", ["2s", "3min", "4h"]),
    ("objects.url", ["s3://one", "s3://two/prefix", "file:///three"]),
    ("objects.endpoint", ["http://127.0.0.1:1", "https://s3.example.org", "http://[::1]:3"]),
    ("objects.region", ["one", "two", "three"]),
    ("objects.tail", ["1", "2", "3"]),
    ("objects.interval", ["2s", "3min", "4h"]),
    ("network.origin", ["log.example.org/1", "log.example.org/2", "log.example.org/3"]),
    ("network.validator", ["one", "two", "three"]),
];

/// Where a configuration is put together from, in a test.
struct Given {
    folder: TempDir,
    file: Option<PathBuf>,
    variables: BTreeMap<String, String>,
    flags: BTreeMap<&'static str, String>,
}

impl Given {
    fn nothing() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, file: None, variables: BTreeMap::new(), flags: BTreeMap::new() }
    }

    fn file(text: &str) -> Self {
        let mut given = Self::nothing();
        let path = given.folder.path().join("other.toml");
        std::fs::write(&path, text).unwrap();
        given.file = Some(path);
        given
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    fn flag(mut self, key: &'static Key, value: &str) -> Self {
        self.flags.insert(key.name, value.into());
        self
    }

    fn resolve(&self) -> Result<source::Resolved, Vec<Fault>> {
        let sources = Sources {
            file: self.file.as_deref(),
            folder: self.folder.path(),
            variables: &self.variables,
            flags: &self.flags,
        };
        sources.resolve()
    }

    fn fault(&self) -> Fault {
        let faults = self.resolve().unwrap_err();
        let [fault] = &faults[..] else { panic!("one fault: {faults:?}") };
        fault.clone()
    }
}

fn line(key: &Key, value: &str) -> String {
    let (section, name) = key.name.split_once('.').unwrap();
    format!("[{section}]\n{name} = \"{value}\"\n")
}

#[test]
fn the_example_says_every_key_and_gives_the_defaults() {
    let mut expected = Config::default();
    let given = Given::file(&example());
    expected.node.data = given.folder.path().join(&expected.node.data);
    assert_eq!(given.resolve().unwrap().config, expected);
    let uncommented = ["origin", "data", "listen", "url", "endpoint", "region", "source"]
        .iter()
        .fold(example(), |text, name| text.replace(&format!("# {name} ="), &format!("{name} =")));
    let resolved = Given::file(&uncommented).resolve().unwrap();
    for key in Key::all() {
        assert!(matches!(resolved.origin(key), Origin::File(_)), "{}", key.name);
        if key.name != "node.data" {
            assert_eq!(key.value(&resolved.config), key.value(&Config::default()), "{}", key.name);
        }
    }
}

#[test]
fn every_key_is_set_by_file_then_variable_then_option() {
    assert_eq!(
        OTHERS.map(|(name, _)| name).to_vec(),
        Key::all().map(|it| it.name).collect::<Vec<_>>()
    );
    for (name, [file, variable, flag]) in OTHERS {
        let key = Key::named(name).unwrap();
        let check = |given: &Given, value: &str, origin: &str| {
            let resolved = given.resolve().unwrap();
            assert_eq!(key.value(&resolved.config), value, "{name}");
            assert!(resolved.origin(key).to_string().ends_with(origin), "{name}");
            let others = Key::all().filter(|other| other.name != name);
            for other in others {
                assert_eq!(resolved.origin(other), Origin::Default, "{} for {name}", other.name);
            }
        };
        let given = Given::file(&line(key, file));
        check(&given, file, "other.toml:2");
        let given = given.variable(&key.variable(), variable);
        check(&given, variable, &format!("environment {}", key.variable()));
        let given = given.flag(key, flag);
        check(&given, flag, &format!("option --{}", key.flag));
    }
}

#[test]
fn the_file_in_the_data_folder_is_found_wherever_that_is() {
    let given = Given::nothing().flag(Key::named("node.data").unwrap(), "here");
    let data = given.folder.path().join("here");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join(FILE), "network.validator = 'one'\n").unwrap();
    let resolved = given.resolve().unwrap();
    assert_eq!(
        (resolved.config.network.validator.as_str(), &resolved.config.node.data),
        ("one", &data)
    );
    std::fs::write(data.join(FILE), "node.data = 'there'\n").unwrap();
    assert!(given.fault().what.contains("another data folder"));
    let given = Given::nothing().variable("TOUCHMARK__NODE__DATA", "there");
    let there = given.folder.path().join("there");
    assert_eq!(given.resolve().unwrap().config.node.data, there);
}

#[test]
fn a_path_in_a_file_is_relative_to_it() {
    let mut given = Given::nothing();
    let folder = given.folder.path().join("etc");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("t.toml"), "[node]\ndata = \"store\"\n").unwrap();
    given.file = Some("etc/t.toml".into());
    assert_eq!(given.resolve().unwrap().config.node.data, folder.join("store"));
}

#[test]
fn what_is_unknown_or_wrong_is_refused_with_its_place_and_a_suggestion() {
    for (text, line, what, hint) in [
        ("[htpp]\n", 1, "there is no section `htpp`", "`http`"),
        ("[http]\nlisen = \"x\"\n", 2, "there is no key `http.lisen`", "`http.listen`"),
        (
            "\n\n[engine]\nidle-interval = \"1s\"",
            4,
            "`engine.idle-interval`",
            "`engine.idle_interval`",
        ),
        ("http = 3\n", 1, "`http` is a section", "[http]"),
        ("[http]\nlisten = [1]\n", 2, "takes one value", "quotes"),
        ("[http]\nlisten = \"localhost\"\n", 2, "expected an address", "Where to serve HTTP"),
        ("[engine]\nidle_interval = \"0s\"\n", 2, "expected a time above zero", "nothing waits"),
        ("[engine]\nidle_interval = 99999999999999999999\n", 2, "expected a time", "nothing waits"),
        ("[http]\nlisten = \n", 2, "not TOML", "config example"),
        ("[network]\nvalidator = ''\n", 2, "expected a text", "Name of this validator"),
    ] {
        let fault = Given::file(text).fault();
        assert!(fault.place.ends_with(&format!("other.toml:{line}")), "{text}: {fault}");
        assert!(fault.what.contains(what) && fault.hint.contains(hint), "{text}: {fault:?}");
    }
    let fault = Given::nothing().variable("TOUCHMARK__HTTP__LISTN", "x").fault();
    assert!(fault.hint.contains("`TOUCHMARK__HTTP__LISTEN`"), "{fault:?}");
    let fault = Given::nothing().variable("TOUCHMARK__HTTP__LISTEN", "x").fault();
    assert_eq!(fault.place, "environment TOUCHMARK__HTTP__LISTEN");
    let mut missing = Given::nothing();
    missing.file = Some("nowhere.toml".into());
    assert!(missing.fault().place.ends_with("nowhere.toml"));
    let other = Given::nothing().variable("TOUCHMARK__CONTEXT__NODE", "x");
    assert!(other.resolve().is_ok());
}

#[test]
fn all_faults_are_said_and_none_says_the_value() {
    let given = Given::file("[http]\nlisten = \"hunter2\"\npassword = \"hunter2\"\n")
        .variable("TOUCHMARK__HTTP__PASSWORD", "hunter2")
        .flag(Key::named("engine.listen").unwrap(), "hunter2");
    let faults = given.resolve().unwrap_err();
    assert_eq!(faults.len(), 4, "{faults:?}");
    assert!(!format!("{faults:?}").contains("hunter2"), "{faults:?}");
}

#[test]
fn times_are_shown_as_they_are_read() {
    use super::value::Value;
    use std::time::Duration;
    for (text, milliseconds) in [("1ms", 1), ("1500ms", 1_500), ("90s", 90_000), ("2h", 7_200_000)]
    {
        let time = Duration::parse(text).unwrap();
        assert_eq!(time, Duration::from_millis(milliseconds));
        assert_eq!(time.show(), text);
    }
    for text in ["", "1", "s", "-1s", "1.5s", "1 s", "9999999999999999h", "0ms"] {
        assert!(Duration::parse(text).is_err(), "{text}");
    }
    assert_eq!((u64::parse("7").unwrap().toml(), u64::parse("x").is_err()), ("7".into(), true));
}

/// The part of the document that the table of keys makes is in it as made.
/// After a wanted change: `TOUCHMARK_REGENERATE=1 cargo test -p touchmark-node --lib config`.
#[test]
fn the_document_has_the_keys_as_they_are() {
    const MARK: &str = "<!-- made from the table of keys -->";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (written, _) = page.split_once(MARK).unwrap();
    let made = format!(
        "{written}{MARK}\n\n## Keys\n\n{}\n## Example\n\n```toml\n{}```\n",
        reference(),
        example()
    );
    if std::env::var_os("TOUCHMARK_REGENERATE").is_some() {
        std::fs::write(path, &made).unwrap();
        return;
    }
    assert_eq!(page, made);
}

#[test]
fn the_defaults_of_the_limits_are_those_of_the_interface() {
    let start = touchmark_wire::ids::Timestamp(0);
    let service = Config::default().service(start, &BTreeMap::new());
    assert_eq!(service.limits, crate::http::Limits::default());
}
