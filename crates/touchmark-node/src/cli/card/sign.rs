//! Payloads that a reader collects and a card signs.

use super::place::Place;
use super::submission::Submission;
use super::{code, issue};
use crate::cli::answer::Answer;
use crate::cli::failure::{Failure, Fault};
use crate::cli::record::format_of;
use crate::cli::registered;
use crate::cli::session::Session;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::str::FromStr;
use touchmark_card::message::Addition;
use touchmark_core::evidence::CardPayload;
use touchmark_wire::codec;
use touchmark_wire::limits;
use touchmark_wire::registry::{ContentFormat, EvidenceFormat};

#[derive(clap::Args, Debug)]
pub(crate) struct Sign {
    #[command(flatten)]
    place: Place,
    /// The readings; - is standard input
    #[arg(required_unless_present = "position")]
    file: Option<PathBuf>,
    /// What the readings are: text, json, senml+json, octets, or a number; otherwise what the
    /// file's name says
    #[arg(long, value_parser = registered::content_format)]
    format: Option<ContentFormat>,
    /// Where they were taken, in degrees; becomes two more records of a SenML pack
    #[arg(long, value_name = "LATITUDE,LONGITUDE", allow_hyphen_values = true)]
    position: Option<Position>,
    /// What the card adds of its own
    #[arg(long, value_name = "WHAT", default_value = "nothing")]
    add: Own,
    /// File with the code that opens the card's data file
    #[arg(long, value_name = "FILE")]
    reading_code: Option<PathBuf>,
    #[command(flatten)]
    submission: Submission,
}

/// What a card adds to a payload.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Own {
    /// Nothing
    Nothing,
    /// Its data file
    Data,
    /// Length and digest of its data file
    Digest,
}

/// A position on Earth, degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Position {
    latitude: f64,
    longitude: f64,
}

pub(super) fn run(session: &mut Session<'_, '_>, sign: &Sign) -> Result<Answer, Failure> {
    let (format, payload) = sign.payload(session)?;
    let code = code::read_some(session, sign.reading_code.as_deref())?;
    let code = code.as_ref().map(|code| code.as_slice());
    let mut card = sign.place.card(session)?;
    let info = card.info()?;
    let thing = issue::identity_of(&info)?;
    let addition = match sign.add {
        Own::Nothing => Addition::Nothing,
        Own::Data => Addition::Data,
        Own::Digest => Addition::DataDigest,
    };
    let data = if addition == Addition::Nothing { Vec::new() } else { card.read_data(code)? };
    let card_data = addition.of(&data);
    let mut evidence = CardPayload {
        thing,
        counter: u64::from(u32::MAX),
        format,
        payload: &payload,
        card_data: card_data.as_deref(),
        signature: &[0; 64],
    };
    let length = codec::encode(&evidence).len();
    if length > limits::EVIDENCE {
        let why = format!("{length} bytes with what is around them, at most {}", limits::EVIDENCE);
        return Err(Failure::new(Fault::Malformed, "the evidence would be too long")
            .because(why)
            .hint("sign a digest of the readings, or take --add digest for --add data"));
    }
    let signed = card.sign(format, &payload, addition, code)?;
    evidence.counter = signed.counter.into();
    evidence.signature = &signed.signature;
    let bytes = codec::encode(&evidence);
    sign.submission.submit(session, EvidenceFormat::CARD_PAYLOAD, &bytes, None)
}

impl Sign {
    fn payload(&self, session: &mut Session<'_, '_>) -> Result<(ContentFormat, Vec<u8>), Failure> {
        let readings = self.file.as_ref().map(|file| session.read(file)).transpose()?;
        let named = self.format.or_else(|| self.file.as_deref().map(format_of));
        match self.position {
            None => Ok((named.unwrap_or(ContentFormat::OCTETS), readings.unwrap_or_default())),
            Some(position) => {
                Ok((ContentFormat::SENML_JSON, position.added_to(readings.as_deref())?))
            }
        }
    }
}

impl Position {
    /// A SenML pack (RFC 8428) with the position's records at its end.
    fn added_to(self, readings: Option<&[u8]>) -> Result<Vec<u8>, Failure> {
        let pack = readings.map_or(Ok(json!([])), serde_json::from_slice::<Value>);
        let Ok(Value::Array(mut records)) = pack else {
            return Err(Failure::new(Fault::Malformed, "the readings are no SenML pack")
                .because("with --position they are a JSON array of SenML records")
                .hint("write them as [{\"n\":\"temperature\",\"u\":\"Cel\",\"v\":21.5}], or leave --position out"));
        };
        records.push(json!({ "n": "latitude", "u": "lat", "v": self.latitude }));
        records.push(json!({ "n": "longitude", "u": "lon", "v": self.longitude }));
        Ok(Value::Array(records).to_string().into_bytes())
    }
}

impl FromStr for Position {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let degrees = |text: &str, most: f64| {
            text.trim().parse().ok().filter(|degrees: &f64| degrees.abs() <= most)
        };
        let parts = text.split_once(',');
        let parts = parts.and_then(|(lat, lon)| Some((degrees(lat, 90.0)?, degrees(lon, 180.0)?)));
        let (latitude, longitude) =
            parts.ok_or("expected latitude,longitude in degrees, such as 47.07,15.44")?;
        Ok(Self { latitude, longitude })
    }
}
