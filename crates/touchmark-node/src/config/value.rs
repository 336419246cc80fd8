//! Types of values: how they are read, and how they are shown.

use crate::anchor::Source;
use crate::http::Rate;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A type that a key can have.
pub(super) trait Value: Sized {
    /// Whether a TOML file has it between quotation marks.
    const IS_QUOTED: bool = true;

    /// Reads it; the error says what is expected, and nothing of the text.
    fn parse(text: &str) -> Result<Self, String>;

    /// The text that [`Self::parse`] reads as the same value; empty where there is none.
    fn show(&self) -> String;

    /// The same in a TOML file.
    fn toml(&self) -> String {
        let text = self.show();
        if Self::IS_QUOTED { toml::Value::String(text).to_string() } else { text }
    }

    /// Takes a path that stood in a file in `folder` for relative to that folder.
    fn resolve(&mut self, _folder: &Path) {}
}

impl Value for String {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("expected a text".into()) } else { Ok(text.into()) }
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Value for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("expected a path".into()) } else { Ok(text.into()) }
    }

    fn show(&self) -> String {
        self.display().to_string()
    }

    fn resolve(&mut self, folder: &Path) {
        *self = folder.join(&*self);
    }
}

impl Value for SocketAddr {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "expected an address and port, such as 127.0.0.1:8080".into())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for u64 {
    const IS_QUOTED: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "expected a number".into())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for usize {
    const IS_QUOTED: bool = false;

    fn parse(text: &str) -> Result<Self, String> {
        let number = text.parse().ok().filter(|number| *number > 0);
        number.ok_or_else(|| "expected a number above zero".into())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for Rate {
    fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
        let parts = text.split_once(':');
        parts
            .and_then(|(rate, burst)| {
                Some(Self { per_second: number(rate)?, burst: number(burst)? })
            })
            .ok_or_else(|| "expected how many per second and at once, such as 100:2000".into())
    }

    fn show(&self) -> String {
        format!("{}:{}", self.per_second, self.burst)
    }
}

impl Value for Source {
    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "expected a node's URL, a space, and NETWORK:THING".into())
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Addresses of machines.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Addresses(pub Vec<IpAddr>);

impl Value for Addresses {
    fn parse(text: &str) -> Result<Self, String> {
        let addresses = text.split(',').map(str::trim).filter(|address| !address.is_empty());
        let addresses: Result<_, _> = addresses.map(str::parse).collect();
        addresses
            .map(Self)
            .map_err(|_| "expected IP addresses separated by commas, such as 192.0.2.1".into())
    }

    fn show(&self) -> String {
        self.0.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Units of time, the largest first, in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

impl Value for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = || "expected a time above zero, such as 250ms, 2s, 5min or 1h".to_owned();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(expected)?;
        let number: u64 = number.parse().map_err(|_| expected())?;
        let milliseconds = number.checked_mul(*scale).filter(|it| *it > 0).ok_or_else(expected)?;
        Ok(Self::from_millis(milliseconds))
    }

    fn show(&self) -> String {
        let milliseconds = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let fits = |scale: u64| milliseconds > 0 && milliseconds.is_multiple_of(scale);
        let unit = UNITS.iter().find(|(_, scale)| fits(*scale));
        let (name, scale) = unit.copied().unwrap_or(("ms", 1));
        format!("{}{name}", milliseconds / scale)
    }
}

impl<T: Value> Value for Option<T> {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::parse(text).map(Some) }
    }

    fn show(&self) -> String {
        self.as_ref().map(Value::show).unwrap_or_default()
    }

    fn toml(&self) -> String {
        self.as_ref().map(Value::toml).unwrap_or_default()
    }

    fn resolve(&mut self, folder: &Path) {
        if let Some(value) = self {
            value.resolve(folder);
        }
    }
}
