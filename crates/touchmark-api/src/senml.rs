//! Measurements: SenML (RFC 8428) in JSON (Content-Format 110) and CBOR (112).

mod cbor;

use serde::{Deserialize, Serialize};
use touchmark_wire::ids::Timestamp;

/// A SenML pack: records in order; base fields count for the records behind them too.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pack(pub Vec<Record>);

/// A SenML record (RFC 8428 §4). Fields that nobody knows are ignored.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Base name.
    #[serde(rename = "bn", skip_serializing_if = "Option::is_none")]
    pub base_name: Option<String>,
    /// Base time, seconds.
    #[serde(rename = "bt", skip_serializing_if = "Option::is_none")]
    pub base_time: Option<f64>,
    /// Base unit.
    #[serde(rename = "bu", skip_serializing_if = "Option::is_none")]
    pub base_unit: Option<String>,
    /// Base value.
    #[serde(rename = "bv", skip_serializing_if = "Option::is_none")]
    pub base_value: Option<f64>,
    /// Base sum.
    #[serde(rename = "bs", skip_serializing_if = "Option::is_none")]
    pub base_sum: Option<f64>,
    /// Version of the format; 10 unless given.
    #[serde(rename = "bver", skip_serializing_if = "Option::is_none")]
    pub base_version: Option<u64>,
    /// Name.
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Unit of the IANA registry.
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// A number.
    #[serde(rename = "v", skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// A text.
    #[serde(rename = "vs", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// True or false.
    #[serde(rename = "vb", skip_serializing_if = "Option::is_none")]
    pub truth: Option<bool>,
    /// Bytes: base64url in JSON.
    #[serde(rename = "vd", skip_serializing_if = "Option::is_none")]
    pub data: Option<crate::Base64>,
    /// Integral of the value over time.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
    /// Time, seconds.
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    /// Longest time until the next value, seconds.
    #[serde(rename = "ut", skip_serializing_if = "Option::is_none")]
    pub update_time: Option<f64>,
}

/// A value with everything that base fields say of it (RFC 8428 §4.6).
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Measurement {
    /// Whole name.
    pub name: String,
    /// The value.
    pub value: Reading,
    /// Its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Seconds since 1970; relative to when it was sent if below 2^28.
    pub time: f64,
}

/// What was measured.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Reading {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// True or false.
    Truth(bool),
    /// Bytes.
    Data(crate::Base64),
    /// Only the integral over time.
    Sum(f64),
}

impl Measurement {
    /// Times below are relative to when the pack was sent (RFC 8428 §4.5.3).
    const ABSOLUTE: f64 = 268_435_456.0;

    /// When it was measured, if the pack says that by itself.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 2^28 s and the last time of our clock, in whole milliseconds"
    )]
    pub fn absolute(&self) -> Option<Timestamp> {
        let is_absolute = (Self::ABSOLUTE..1e13).contains(&self.time);
        is_absolute.then(|| Timestamp((self.time * 1_000.0).round() as u64))
    }
}

impl std::fmt::Display for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Truth(truth) => write!(f, "{truth}"),
            Self::Data(data) => write!(f, "{data}"),
            Self::Sum(sum) => write!(f, "{sum} in sum"),
        }
    }
}

/// Why a pack is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SenmlError {
    /// The bytes are not the CBOR of a pack.
    #[error("not SenML in CBOR: {0}")]
    Cbor(String),
    /// A version that this program does not know.
    #[error("version {0}, known is {VERSION}")]
    Version(u64),
    /// Records must agree on the version.
    #[error("record {0} has another version than those before")]
    Mixed(usize),
    /// A name that RFC 8428 §4.5.1 does not allow.
    #[error("record {0} has no name, or one with characters that are not allowed")]
    Name(usize),
    /// One value for each record.
    #[error("record {0} does not have one value")]
    Value(usize),
    /// A number that none of the readers would read alike.
    #[error("record {0} has a number that is infinite or none")]
    Number(usize),
}

/// Version of RFC 8428.
pub const VERSION: u64 = 10;

impl Pack {
    /// The values with their whole names, units and times, in order.
    pub fn resolve(&self) -> Result<Vec<Measurement>, SenmlError> {
        let mut base = Record::default();
        let mut measurements = Vec::new();
        for (index, record) in self.0.iter().enumerate() {
            take_bases(&mut base, record, index)?;
            if record.is_base_only() {
                continue;
            }
            measurements.push(measurement(&base, record).map_err(|fault| fault(index))?);
        }
        Ok(measurements)
    }
}

impl Record {
    /// A record that only sets what the next ones start from.
    fn is_base_only(&self) -> bool {
        let Self { name, unit, value, text, truth, data, sum, time, update_time, .. } = self;
        let numbers = [value, sum, time, update_time];
        [name, unit, text].iter().all(|it| it.is_none())
            && numbers.iter().all(|it| it.is_none())
            && truth.is_none()
            && data.is_none()
    }
}

fn take_bases(base: &mut Record, record: &Record, index: usize) -> Result<(), SenmlError> {
    if let Some(version) = record.base_version {
        if version != VERSION {
            return Err(SenmlError::Version(version));
        }
        if index > 0 && base.base_version.is_none() {
            return Err(SenmlError::Mixed(index));
        }
        base.base_version = Some(version);
    }
    for (base, new) in
        [(&mut base.base_name, &record.base_name), (&mut base.base_unit, &record.base_unit)]
    {
        if new.is_some() {
            base.clone_from(new);
        }
    }
    for (base, new) in [
        (&mut base.base_time, record.base_time),
        (&mut base.base_value, record.base_value),
        (&mut base.base_sum, record.base_sum),
    ] {
        *base = new.or(*base);
    }
    Ok(())
}

fn measurement(base: &Record, record: &Record) -> Result<Measurement, fn(usize) -> SenmlError> {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let name = part(&base.base_name) + &part(&record.name);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-:./_".contains(c);
    if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(allowed) {
        return Err(SenmlError::Name);
    }
    let number =
        |value: Option<f64>, base: Option<f64>| value.map(|value| value + base.unwrap_or_default());
    let sum = number(record.sum, base.base_sum);
    let values: Vec<Reading> = [
        number(record.value, base.base_value).map(Reading::Number),
        record.text.clone().map(Reading::Text),
        record.truth.map(Reading::Truth),
        record.data.clone().map(Reading::Data),
    ]
    .into_iter()
    .flatten()
    .collect();
    let value = match (&values[..], sum) {
        ([value], _) => value.clone(),
        ([], Some(sum)) => Reading::Sum(sum),
        _ => return Err(SenmlError::Value),
    };
    let time = record.time.unwrap_or_default() + base.base_time.unwrap_or_default();
    let is_finite = match value {
        Reading::Number(value) | Reading::Sum(value) => value.is_finite(),
        _ => true,
    };
    if !is_finite || !time.is_finite() {
        return Err(SenmlError::Number);
    }
    let unit = record.unit.clone().or_else(|| base.base_unit.clone());
    Ok(Measurement { name, value, unit, time })
}

#[cfg(test)]
mod tests;
