//! JSON as it was written: order of keys and spelling of numbers are kept,
//! because signatures are made over them. A key that is there twice is refused:
//! two readers of such a text see two different payments.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::MAX_BODY_BYTES;
use super::signature::Reject;

/// Deepest nesting read; the providers' answers have four levels.
const MAX_DEPTH: usize = 16;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// As spelled.
    Number(String),
    Text(String),
    List(Vec<Json>),
    /// In the order of the text.
    Object(Vec<(String, Json)>),
}

/// The members of an object, each with its own text.
pub(crate) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The text of a member; `None` when it is absent or `null`.
    pub(crate) fn text_of(&self, key: &str) -> Option<&'a str> {
        let (_, raw) = self.0.iter().find(|(name, _)| name == key)?;
        Some(raw.get()).filter(|text| *text != "null")
    }

    /// A member that is a string; `None` when it is absent, `null` or of
    /// another kind.
    pub(crate) fn string(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.text_of(key)?).ok()
    }
}

/// A body as text, within the limit.
pub(crate) fn body(raw: &[u8]) -> Result<&str, Reject> {
    if raw.len() > MAX_BODY_BYTES {
        return Err(Reject::TooLong { bytes: raw.len() });
    }
    std::str::from_utf8(raw).map_err(|error| Reject::malformed(format!("not UTF-8: {error}")))
}

/// The members of the object a text is.
pub(crate) fn members(text: &str) -> Result<Members<'_>, Reject> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = Vec<(String, &'de RawValue)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members: Vec<(String, &'de RawValue)> = Vec::new();
            while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                if members.iter().any(|(name, _)| *name == key) {
                    return Err(serde::de::Error::custom("a key is there twice"));
                }
                members.push((key, value));
            }
            Ok(members)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader.deserialize_map(Keys).map_err(unreadable)?;
    reader.end().map_err(unreadable)?;
    Ok(Members(members))
}

/// Reads a whole text.
pub(crate) fn read(text: &str) -> Result<Json, Reject> {
    read_at(text.trim(), 0)
}

fn read_at(text: &str, depth: usize) -> Result<Json, Reject> {
    if depth > MAX_DEPTH {
        return Err(Reject::malformed(format!("nested deeper than {MAX_DEPTH}")));
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let members = members(text)?.0;
            let read = |(key, raw): (String, &RawValue)| Ok((key, read_at(raw.get(), depth + 1)?));
            let members = members.into_iter().map(read).collect::<Result<_, _>>()?;
            Ok(Json::Object(members))
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(unreadable)?;
            let items = items.iter().map(|raw| read_at(raw.get(), depth + 1));
            Ok(Json::List(items.collect::<Result<_, _>>()?))
        }
        Some(b'"') => Ok(Json::Text(serde_json::from_str(text).map_err(unreadable)?)),
        _ => match text {
            "null" => Ok(Json::Null),
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            _ => {
                let number: &RawValue = serde_json::from_str(text).map_err(unreadable)?;
                Ok(Json::Number(number.get().to_owned()))
            }
        },
    }
}

fn unreadable(error: serde_json::Error) -> Reject {
    // Line and column are enough; the text itself may name a payer.
    let what = match error.classify() {
        serde_json::error::Category::Eof => "the text ends early",
        serde_json::error::Category::Syntax => "not JSON",
        _ => "not the expected JSON",
    };
    let (line, column) = (error.line(), error.column());
    Reject::malformed(format!("{what}, line {line}, column {column}"))
}

/// Reads a text into a type.
pub(crate) fn typed<'de, T: serde::Deserialize<'de>>(text: &'de str) -> Result<T, Reject> {
    serde_json::from_str(text).map_err(|error| {
        // Only the name of a field is repeated; a value may name a payer.
        let message = error.to_string();
        let named = ["missing field", "duplicate field"];
        let is_named = named.iter().any(|start| message.starts_with(start));
        let what = message.split('`').nth(1).filter(|_| is_named);
        let what = what.map_or("a value is of the wrong kind".into(), |field| {
            format!("{field} is missing or there twice")
        });
        let (line, column) = (error.line(), error.column());
        Reject::malformed(format!("{what}, line {line}, column {column}"))
    })
}

/// Writes a value the way `JSON.stringify` does.
pub(crate) fn write(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Json::Number(number) => out.push_str(number),
        Json::Text(text) => write_text(text, out),
        Json::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (at, (key, item)) in members.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
    }
}

fn write_text(text: &str, out: &mut String) {
    // A string always serialises.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}
