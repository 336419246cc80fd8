//! Sheets: named values in order, the same for people and for programs.

use super::moment::Moment;
use crate::foreign::plain;
use serde_json::Value;
use std::fmt;
use touchmark_api::Base64;
use touchmark_wire::ids::Timestamp;

/// Named values in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sheet(Vec<(String, Field)>);

/// A value of a sheet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Field {
    Text(String),
    Number(i64),
    Flag(bool),
    Bytes(Vec<u8>),
    Time(Timestamp),
    List(Vec<Field>),
    Sheet(Sheet),
}

impl Sheet {
    pub(crate) fn add(&mut self, name: impl Into<String>, value: impl Into<Field>) -> &mut Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// Adds what is there.
    pub(crate) fn add_some(&mut self, name: &str, value: Option<impl Into<Field>>) -> &mut Self {
        if let Some(value) = value {
            self.add(name, value);
        }
        self
    }

    /// Names and values in order.
    pub(crate) fn rows(&self) -> &[(String, Field)] {
        &self.0
    }

    /// The same with every text on one line and without what moves a terminal: somebody who is not
    /// trusted wrote it.
    pub(crate) fn plain(&self) -> Self {
        Self(self.0.iter().map(|(name, value)| (plain(name), value.plain())).collect())
    }

    /// As JSON; names have underscores for spaces.
    pub(crate) fn document(&self) -> Value {
        let pairs = self.0.iter().map(|(name, value)| (name.replace(' ', "_"), value.document()));
        Value::Object(pairs.collect())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let width = self.0.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, value) in &self.0 {
            match value {
                Field::Sheet(sheet) => {
                    writeln!(f, "{:indent$}{name}", "")?;
                    sheet.write(f, indent + 2)?;
                }
                Field::List(items) => {
                    if items.is_empty() {
                        writeln!(f, "{:indent$}{name:<width$}  none", "")?;
                        continue;
                    }
                    writeln!(f, "{:indent$}{name}", "")?;
                    for item in items {
                        item.write_item(f, indent + 2)?;
                    }
                }
                value => {
                    let text = value.to_string().replace('\n', "\n    ");
                    writeln!(f, "{:indent$}{name:<width$}  {text}", "")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl Field {
    fn plain(&self) -> Self {
        match self {
            Self::Text(text) => Self::Text(plain(text)),
            Self::List(items) => items.iter().map(Self::plain).collect(),
            Self::Sheet(sheet) => Self::Sheet(sheet.plain()),
            other => other.clone(),
        }
    }

    fn document(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Number(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::Bytes(bytes) => Base64(bytes.clone()).to_string().into(),
            Self::Time(time) => time.0.into(),
            Self::List(items) => items.iter().map(Self::document).collect(),
            Self::Sheet(sheet) => sheet.document(),
        }
    }

    fn write_item(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        match self {
            Self::Sheet(sheet) => {
                let plain = |field: &Field| !matches!(field, Self::Sheet(_) | Self::List(_));
                if sheet.0.iter().all(|(_, value)| plain(value)) {
                    let pairs = sheet.0.iter().map(|(name, value)| format!("{name} {value}"));
                    let line = pairs.collect::<Vec<_>>().join(", ");
                    writeln!(f, "{:indent$}- {line}", "")
                } else {
                    writeln!(f, "{:indent$}-", "")?;
                    sheet.write(f, indent + 2)
                }
            }
            item => writeln!(f, "{:indent$}- {item}", ""),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Self::Bytes(bytes) => write!(f, "{} ({} bytes)", Base64(bytes.clone()), bytes.len()),
            Self::Time(time) => Moment(*time).fmt(f),
            Self::List(items) => {
                f.write_str(&items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
            Self::Sheet(sheet) => sheet.fmt(f),
        }
    }
}

macro_rules! field_from {
    ($($from:ty => |$value:ident| $field:expr;)*) => {$(
        impl From<$from> for Field {
            fn from($value: $from) -> Self {
                $field
            }
        }
    )*};
}

field_from! {
    &str => |text| Self::Text(text.into());
    String => |text| Self::Text(text);
    std::borrow::Cow<'_, str> => |text| Self::Text(text.into_owned());
    bool => |flag| Self::Flag(flag);
    u8 => |number| Self::Number(number.into());
    u16 => |number| Self::Number(number.into());
    u32 => |number| Self::Number(number.into());
    i64 => |number| Self::Number(number);
    u64 => |number| i64::try_from(number).map_or_else(|_| Self::Text(number.to_string()), Self::Number);
    usize => |number| Self::from(number as u64);
    &[u8] => |bytes| Self::Bytes(bytes.to_vec());
    Timestamp => |time| Self::Time(time);
    Sheet => |sheet| Self::Sheet(sheet);
    Vec<Field> => |items| Self::List(items);
}

impl<T: Into<Field>> FromIterator<T> for Field {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}
