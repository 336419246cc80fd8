//! Who may depend on whom.

use super::Findings;
use crate::workspace::{Dependency, Package};

/// A crate of ours and the rooms it may enter.
struct Room {
    name: &'static str,
    /// The other rooms it may name.
    enters: &'static [&'static str],
}

const WIRE: &str = "touchmark-wire";
const CORE: &str = "touchmark-core";
const BATCH: &str = "touchmark-batch";
const LEDGER: &str = "touchmark-ledger";
const OBJECTS: &str = "touchmark-objects";
const ENGINE: &str = "touchmark-engine";
const KEYS: &str = "touchmark-keys";
const PCSC: &str = "touchmark-pcsc";
const TESTKIT: &str = "touchmark-testkit";
const SIMULATION: &str = "touchmark-simulation";
const NODE: &str = "touchmark-node";

/// The rooms. A new one is added here with an ADR that says why.
const ROOMS: &[Room] = &[
    Room { name: WIRE, enters: &[] },
    Room { name: CORE, enters: &[WIRE] },
    Room { name: BATCH, enters: &[WIRE] },
    Room { name: LEDGER, enters: &[BATCH, CORE, WIRE] },
    Room { name: "touchmark-store", enters: &[LEDGER, BATCH, CORE, WIRE] },
    Room { name: OBJECTS, enters: &[] },
    Room { name: ENGINE, enters: &[BATCH, WIRE] },
    Room { name: KEYS, enters: &[WIRE] },
    Room { name: PCSC, enters: &[] },
    Room { name: "touchmark-card", enters: &[PCSC, KEYS, WIRE] },
    Room { name: "touchmark-identity", enters: &[KEYS, CORE, WIRE] },
    Room { name: "touchmark-device", enters: &[WIRE] },
    Room { name: "touchmark-api", enters: &[CORE, WIRE] },
    Room { name: SIMULATION, enters: &[ENGINE, LEDGER, BATCH, CORE, KEYS, WIRE] },
    Room { name: "xtask", enters: &[] },
];

/// Rooms that may name every other.
const EVERYWHERE: &[&str] = &[NODE, TESTKIT];

/// Rooms that tests of every room may name: what they make is needed to test anything.
const FOR_TESTS: &[&str] = &[TESTKIT, KEYS];

/// A package of others that only some rooms may name, tests included.
struct Reserved {
    /// The package, or the start of its name up to and including a hyphen.
    name: &'static str,
    rooms: &'static [&'static str],
}

const RESERVED: &[Reserved] = &[
    Reserved { name: "commonware-", rooms: &[ENGINE] },
    Reserved { name: "frost-", rooms: &[KEYS] },
    Reserved { name: "fjall", rooms: &["touchmark-store"] },
    Reserved { name: "object_store", rooms: &[OBJECTS] },
    Reserved { name: "redb", rooms: &["touchmark-store"] },
    Reserved { name: "libloading", rooms: &[PCSC] },
    Reserved { name: "pcsc", rooms: &[PCSC] },
    Reserved { name: "pcsc-", rooms: &[PCSC] },
    Reserved { name: "anyhow", rooms: &["xtask", NODE] },
];

/// Rooms without clock, randomness and input or output, and what would bring them in.
const PURE: &[&str] = &[WIRE, CORE, BATCH, LEDGER];
const IMPURE: &[&str] =
    &["rand", "rand_core", "getrandom", "tokio", "async-std", "mio", "chrono", "time", "jiff"];

/// Judges what a package's manifest names.
pub(super) fn judge(package: &Package, findings: &mut Findings) {
    let name = package.name.as_str();
    let known = ROOMS.iter().find(|room| room.name == name);
    if known.is_none() && !EVERYWHERE.contains(&name) {
        let fault = format!("{name}: not in the table of rooms (xtask/src/arch/rooms.rs)");
        findings.faults.push(fault);
        return;
    }
    let enters = known.map(|room| room.enters);
    for dependency in &package.dependencies {
        if let Some(why) = objection(name, enters, dependency) {
            findings.faults.push(format!("{name} -> {}: {why}", dependency.name));
        }
    }
}

fn objection(name: &str, enters: Option<&[&str]>, dependency: &Dependency) -> Option<String> {
    let other = dependency.name.as_str();
    let for_tests = dependency.kind.as_deref() == Some("dev");
    if let Some(reserved) = RESERVED.iter().find(|reserved| reserved.covers(other)) {
        let owners = reserved.rooms;
        return (!owners.contains(&name)).then(|| format!("only {} may", owners.join(" and ")));
    }
    if PURE.contains(&name) && !for_tests && IMPURE.contains(&other) {
        return Some("this room has no clock, no randomness, no input or output".to_owned());
    }
    // Tests of a crate may name the crate itself, to switch its features on.
    let is_test_aid = for_tests && (FOR_TESTS.contains(&other) || other == name);
    if !other.starts_with("touchmark-") || is_test_aid {
        return None;
    }
    if other == TESTKIT {
        return Some("only as a dev-dependency".to_owned());
    }
    if other == SIMULATION {
        return Some("nobody may: it would bring the engine in virtual time with it".to_owned());
    }
    let enters = enters?;
    let rooms = if enters.is_empty() { "no other room".to_owned() } else { enters.join(", ") };
    (!enters.contains(&other)).then(|| format!("may name {rooms}"))
}

impl Reserved {
    fn covers(&self, package: &str) -> bool {
        package == self.name || (self.name.ends_with('-') && package.starts_with(self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(name: &str, dependencies: &[(&str, Option<&str>)]) -> Vec<String> {
        let dependencies: Vec<_> = dependencies
            .iter()
            .map(|(name, kind)| serde_json::json!({"name": name, "kind": kind}))
            .collect();
        let package = serde_json::json!({
            "name": name, "version": "1.0.0", "manifest_path": "Cargo.toml",
            "dependencies": dependencies, "targets": [],
        });
        let mut findings = Findings::default();
        judge(&serde_json::from_value(package).unwrap(), &mut findings);
        findings.faults
    }

    #[test]
    fn the_directions_of_the_rooms_are_allowed() {
        for (from, to) in [
            ("touchmark-core", "touchmark-wire"),
            ("touchmark-ledger", "touchmark-core"),
            ("touchmark-store", "touchmark-ledger"),
            ("touchmark-engine", "touchmark-batch"),
            ("touchmark-card", "touchmark-keys"),
            ("touchmark-device", "touchmark-wire"),
            ("touchmark-node", "touchmark-engine"),
            ("touchmark-testkit", "touchmark-node"),
            (SIMULATION, "touchmark-engine"),
            ("touchmark-engine", "commonware-consensus"),
            ("touchmark-store", "fjall"),
            (OBJECTS, "object_store"),
            ("touchmark-node", OBJECTS),
            ("touchmark-card", PCSC),
            (PCSC, "libloading"),
            (KEYS, "frost-ed25519"),
            ("touchmark-node", "tokio"),
            ("xtask", "anyhow"),
        ] {
            assert_eq!(faults(from, &[(to, None)]), [""; 0], "{from} -> {to}");
        }
        let tests = [("touchmark-testkit", Some("dev")), ("touchmark-keys", Some("dev"))];
        assert_eq!(faults("touchmark-ledger", &tests), [""; 0]);
        assert_eq!(faults("touchmark-core", &[("rand", Some("dev"))]), [""; 0]);
        assert_eq!(faults("touchmark-wire", &[("touchmark-wire", Some("dev"))]), [""; 0]);
    }

    #[test]
    fn every_other_direction_is_a_fault() {
        for (from, to) in [
            ("touchmark-wire", "touchmark-core"),
            ("touchmark-core", "touchmark-ledger"),
            ("touchmark-core", "touchmark-store"),
            ("touchmark-ledger", "touchmark-engine"),
            ("touchmark-ledger", "touchmark-store"),
            ("touchmark-store", "touchmark-engine"),
            ("touchmark-store", OBJECTS),
            (OBJECTS, "touchmark-store"),
            ("touchmark-node", "object_store"),
            ("touchmark-device", "touchmark-core"),
            ("touchmark-keys", "touchmark-core"),
            ("touchmark-api", "touchmark-node"),
            ("touchmark-node", "touchmark-testkit"),
            ("xtask", "touchmark-core"),
            ("touchmark-node", "commonware-runtime"),
            ("touchmark-node", SIMULATION),
            (SIMULATION, "commonware-runtime"),
            ("touchmark-testkit", "commonware-p2p"),
            ("touchmark-engine", "fjall"),
            ("touchmark-node", "redb"),
            ("touchmark-node", "frost-core"),
            ("touchmark-keys", "pcsc"),
            ("touchmark-card", "libloading"),
            (PCSC, "touchmark-card"),
            ("touchmark-node", "pcsc-sys"),
            ("touchmark-store", "anyhow"),
            ("touchmark-core", "rand"),
            ("touchmark-ledger", "tokio"),
            ("touchmark-wire", "getrandom"),
        ] {
            assert_eq!(faults(from, &[(to, None)]).len(), 1, "{from} -> {to}");
        }
        assert_eq!(faults("touchmark-core", &[("touchmark-store", Some("dev"))]).len(), 1);
        assert_eq!(faults("touchmark-core", &[("touchmark-testkit", Some("build"))]).len(), 1);
    }

    #[test]
    fn an_unknown_crate_is_a_fault() {
        assert_eq!(
            faults("touchmark-misc", &[]),
            ["touchmark-misc: not in the table of rooms (xtask/src/arch/rooms.rs)"]
        );
    }
}
