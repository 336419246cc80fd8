//! What this computer can measure of itself, as SenML.

use sysinfo::{Components, System};
use touchmark_api::senml::{Pack, Record, VERSION};
use touchmark_wire::ids::{Did, Timestamp};

/// This computer's own sensors. What it doesn't have is left out.
#[derive(Debug)]
pub struct Sensor {
    system: System,
    components: Components,
}

impl Default for Sensor {
    fn default() -> Self {
        Self { system: System::new(), components: Components::new_with_refreshed_list() }
    }
}

impl Sensor {
    /// Measures once. `base` is who measures: names begin with it.
    pub fn measure(&mut self, base: &Did, now: Timestamp) -> Pack {
        self.system.refresh_memory();
        self.components.refresh(false);
        let mut records = Vec::new();
        let load = System::load_average();
        for (name, load) in [("load-1min", load.one), ("load-5min", load.five)] {
            records.extend(record(name, "/", round(load, 100.0)));
        }
        let (total, available) = (self.system.total_memory(), self.system.available_memory());
        if total > 0 {
            records.extend(record("memory", "B", whole(total)));
            records.extend(record("memory-available", "B", whole(available)));
        }
        records.extend(record("uptime", "s", whole(System::uptime())));
        for (place, component) in self.components.iter().enumerate() {
            let Some(temperature) = component.temperature() else { continue };
            let name = format!("temperature/{place}-{}", plain(component.label()));
            records.extend(record(&name, "Cel", round(temperature.into(), 10.0)));
        }
        if let Some(first) = records.first_mut() {
            first.base_name = Some(format!("{base}:"));
            first.base_time = Some(seconds(now));
            first.base_version = Some(VERSION);
        }
        Pack(records)
    }
}

/// A record, unless the computer gave no number.
fn record(name: &str, unit: &str, value: f64) -> Option<Record> {
    let (name, unit) = (Some(name.to_owned()), Some(unit.to_owned()));
    value.is_finite().then(|| Record { name, unit, value: Some(value), ..Record::default() })
}

fn round(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

#[allow(clippy::cast_precision_loss, reason = "bytes and seconds of one computer are below 2^53")]
fn whole(value: u64) -> f64 {
    value as f64
}

fn seconds(time: Timestamp) -> f64 {
    whole(time.0) / 1_000.0
}

/// A label with the characters that names may have (RFC 8428 §4.5.1).
fn plain(label: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    label.chars().take(32).map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_api::senml::Reading;
    use touchmark_wire::hash::Digest;
    use touchmark_wire::ids::{NetworkId, ThingId};

    #[test]
    fn the_computer_measures_itself_in_registered_units() {
        let thing = ThingId([7; 20]);
        let did = thing.did(&NetworkId(Digest::of(&[b"network"])));
        let time = Timestamp(1_700_000_000_500);
        let pack = Sensor::default().measure(&did, time);
        let measured = Pack::from_cbor(&pack.to_cbor()).unwrap().resolve().unwrap();
        assert!(measured.len() >= 2, "{measured:?}");
        for it in &measured {
            assert!(it.name.starts_with(&format!("{did}:")), "{}", it.name);
            assert!(matches!(it.value, Reading::Number(value) if value.is_finite()));
            assert!(["/", "B", "s", "Cel"].contains(&it.unit.as_deref().unwrap()));
            assert_eq!(it.absolute(), Some(time));
        }
    }

    #[test]
    fn what_was_not_measured_is_left_out_and_labels_become_names() {
        assert_eq!(record("a", "Cel", f64::NAN), None);
        assert_eq!(plain("Core 0 <µ>"), "core-0----");
        assert_eq!(round(21.449, 10.0).to_string(), "21.4");
    }
}
