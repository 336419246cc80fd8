//! The CBOR of a pack: labels are numbers (RFC 8428 §6).

use super::{Pack, Record, SenmlError};
use crate::Base64;
use minicbor::data::{Tag, Type};
use minicbor::decode::{Decoder, Error};
use minicbor::encode::Encoder;

/// Records of one pack, at most: nobody measures more at once in a statement.
const RECORDS: usize = 4_096;
/// Tag of a decimal fraction (RFC 8949 §3.4.4).
const DECIMAL: Tag = Tag::new(4);

impl Pack {
    /// The pack in CBOR: shortest forms, whole numbers as integers.
    pub fn to_cbor(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new());
        let written = encoder.array(self.0.len() as u64).map(|_| ());
        let written =
            written.and_then(|()| self.0.iter().try_for_each(|it| write(&mut encoder, it)));
        written.expect("a vector takes everything");
        encoder.into_writer()
    }

    /// Reads the CBOR of a pack; nothing may follow it.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, SenmlError> {
        let mut decoder = Decoder::new(bytes);
        let pack = read(&mut decoder).map_err(|error| SenmlError::Cbor(error.to_string()))?;
        if decoder.position() < bytes.len() {
            return Err(SenmlError::Cbor("something follows".into()));
        }
        Ok(pack)
    }
}

type Refused = minicbor::encode::Error<core::convert::Infallible>;

fn write(encoder: &mut Encoder<Vec<u8>>, record: &Record) -> Result<(), Refused> {
    let texts = [
        (-2, &record.base_name),
        (-4, &record.base_unit),
        (0, &record.name),
        (1, &record.unit),
        (3, &record.text),
    ];
    let numbers = [
        (-3, record.base_time),
        (-5, record.base_value),
        (-6, record.base_sum),
        (2, record.value),
        (5, record.sum),
        (6, record.time),
        (7, record.update_time),
    ];
    let others = [record.base_version.is_some(), record.truth.is_some(), record.data.is_some()];
    let count = texts.iter().filter(|it| it.1.is_some()).count()
        + numbers.iter().filter(|it| it.1.is_some()).count()
        + others.iter().filter(|it| **it).count();
    encoder.map(count as u64)?;
    if let Some(version) = record.base_version {
        encoder.i8(-1)?.u64(version)?;
    }
    for (label, text) in texts {
        if let Some(text) = text {
            encoder.i8(label)?.str(text)?;
        }
    }
    for (label, value) in numbers {
        if let Some(value) = value {
            encoder.i8(label)?;
            number(encoder, value)?;
        }
    }
    if let Some(truth) = record.truth {
        encoder.i8(4)?.bool(truth)?;
    }
    if let Some(data) = &record.data {
        encoder.i8(8)?.bytes(&data.0)?;
    }
    Ok(())
}

/// A whole number as an integer, another in the shortest of the two usual float forms.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "only taken where nothing is lost, which is what is compared"
)]
fn number(encoder: &mut Encoder<Vec<u8>>, value: f64) -> Result<(), Refused> {
    let whole = value as i64;
    if whole as f64 == value && whole.unsigned_abs() < 1 << 53 {
        encoder.i64(whole)?;
    } else if f64::from(value as f32) == value {
        encoder.f32(value as f32)?;
    } else {
        encoder.f64(value)?;
    }
    Ok(())
}

fn read(decoder: &mut Decoder<'_>) -> Result<Pack, Error> {
    let count = decoder.array()?;
    let mut records = Vec::new();
    while !ends(decoder, count, records.len())? {
        if records.len() == RECORDS {
            return Err(Error::message("too many records"));
        }
        records.push(record(decoder)?);
    }
    Ok(Pack(records))
}

/// Whether an array or map with `count` items is over; one without a count ends with a break.
fn ends(decoder: &mut Decoder<'_>, count: Option<u64>, read: usize) -> Result<bool, Error> {
    match count {
        Some(count) => Ok(read as u64 >= count),
        None if decoder.datatype()? == Type::Break => decoder.skip().map(|()| true),
        None => Ok(false),
    }
}

fn record(decoder: &mut Decoder<'_>) -> Result<Record, Error> {
    let count = decoder.map()?;
    let mut record = Record::default();
    let mut read = 0;
    while !ends(decoder, count, read)? {
        field(decoder, &mut record)?;
        read += 1;
    }
    Ok(record)
}

fn field(decoder: &mut Decoder<'_>, record: &mut Record) -> Result<(), Error> {
    if matches!(decoder.datatype()?, Type::String | Type::StringIndef) {
        // RFC 8428 §4.4: who does not know a label that ends so must not go on.
        if decoder.str()?.ends_with('_') {
            return Err(Error::message("a label that must be understood is not known"));
        }
        return decoder.skip();
    }
    match decoder.i64()? {
        -1 => once(&mut record.base_version, decoder.u64()?),
        -2 => once(&mut record.base_name, decoder.str()?.into()),
        -3 => once(&mut record.base_time, float(decoder)?),
        -4 => once(&mut record.base_unit, decoder.str()?.into()),
        -5 => once(&mut record.base_value, float(decoder)?),
        -6 => once(&mut record.base_sum, float(decoder)?),
        0 => once(&mut record.name, decoder.str()?.into()),
        1 => once(&mut record.unit, decoder.str()?.into()),
        2 => once(&mut record.value, float(decoder)?),
        3 => once(&mut record.text, decoder.str()?.into()),
        4 => once(&mut record.truth, decoder.bool()?),
        5 => once(&mut record.sum, float(decoder)?),
        6 => once(&mut record.time, float(decoder)?),
        7 => once(&mut record.update_time, float(decoder)?),
        8 => once(&mut record.data, Base64(decoder.bytes()?.to_vec())),
        _ => decoder.skip(),
    }
}

fn once<T>(field: &mut Option<T>, value: T) -> Result<(), Error> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::message("a label stands twice")),
    }
}

#[allow(clippy::cast_precision_loss, reason = "SenML's numbers are those of JSON")]
fn float(decoder: &mut Decoder<'_>) -> Result<f64, Error> {
    match decoder.datatype()? {
        Type::F16 => decoder.f16().map(f64::from),
        Type::F32 => decoder.f32().map(f64::from),
        Type::F64 => decoder.f64(),
        Type::Tag if decoder.tag()? == DECIMAL => {
            if decoder.array()? != Some(2) {
                return Err(Error::message("a decimal fraction has two numbers"));
            }
            let (exponent, mantissa) = (decoder.i32()?, decoder.i64()?);
            Ok(mantissa as f64 * 10f64.powi(exponent))
        }
        Type::Tag => Err(Error::message("a number with a tag that is not known")),
        _ => {
            let number = decoder.int()?;
            Ok(i128::from(number) as f64)
        }
    }
}
