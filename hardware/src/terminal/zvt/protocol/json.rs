//! Messages as JSON and back, for `kiosk zvt encode` and `kiosk zvt decode`.
//!
//! ```json
//! {"class":"04","instruction":"0F","prefix":"",
//!  "fields":[{"bmp":"27","name":"result_code","value":"00"},
//!            {"bmp":"06","name":"tlv","tlv":[{"tag":"1F0E","value":"20261122"}]}],
//!  "rest":""}
//! ```
//!
//! `name` is for people and ignored when reading. Decoding redacts card data first, so its output
//! can be mailed.

use serde::{Deserialize, Serialize};

use super::CodecError;
use super::apdu::Apdu;
use super::fields::{Field, Fields, name_of};
use super::redact::{prefix_length, redact, wipe_tail};
use super::serial;
use super::tlv::Tlv;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    class: String,
    instruction: String,
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    fields: Vec<JsonField>,
    #[serde(default)]
    rest: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonField {
    bmp: String,
    #[serde(default)]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tlv: Option<Vec<JsonTlv>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonTlv {
    tag: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    items: Option<Vec<JsonTlv>>,
}

/// One message of bytes as JSON text, card data masked. A serial block (`10 02 …`) is unwrapped.
pub fn decode(bytes: &[u8]) -> Result<String, CodecError> {
    let mut copy = match bytes {
        [0x10, 0x02, ..] => serial::unframe(bytes)?,
        _ => bytes.to_vec(),
    };
    let apdu = Apdu::decode(&copy).map(|apdu| redact(apdu).apdu);
    wipe_tail(&mut copy, 0);
    let apdu = apdu?;
    let prefix = prefix_length(&apdu);
    let fields = Fields::parse(&apdu.data[prefix..]);
    let message = Message {
        class: hex(&[apdu.class]),
        instruction: hex(&[apdu.instruction]),
        prefix: hex(&apdu.data[..prefix]),
        fields: fields.list.iter().map(field_to_json).collect(),
        rest: hex(&fields.rest),
    };
    serde_json::to_string_pretty(&message).map_err(|error| CodecError::Text(error.to_string()))
}

/// JSON text as the bytes of one message.
pub fn encode(text: &str) -> Result<Vec<u8>, CodecError> {
    let message: Message =
        serde_json::from_str(text).map_err(|error| CodecError::Text(error.to_string()))?;
    let mut data = at("prefix", unhex(&message.prefix))?;
    for (index, field) in message.fields.iter().enumerate() {
        let place = format!("fields[{index}] (bmp {})", field.bmp);
        at(
            &place,
            field_from_json(field).and_then(|field| field.encode(&mut data)),
        )?;
    }
    data.extend(at("rest", unhex(&message.rest))?);
    Apdu::new(
        at("class", one_byte(&message.class))?,
        at("instruction", one_byte(&message.instruction))?,
        data,
    )
    .encode()
}

/// Says where in the text an error is.
fn at<T>(place: &str, result: Result<T, CodecError>) -> Result<T, CodecError> {
    result.map_err(|error| CodecError::At {
        place: place.to_owned(),
        error: Box::new(error),
    })
}

fn field_to_json(field: &Field) -> JsonField {
    let items = (field.tag == 0x06).then(|| Tlv::parse_all(&field.value));
    let (value, tlv) = match items {
        Some((items, rest)) if rest.is_empty() => {
            (None, Some(items.iter().map(tlv_to_json).collect()))
        }
        _ => (Some(hex(&field.value)), None),
    };
    JsonField {
        bmp: hex(&[field.tag]),
        name: name_of(field.tag).to_owned(),
        value,
        tlv,
    }
}

fn tlv_to_json(item: &Tlv) -> JsonTlv {
    let tag = format!("{:02X}", item.tag());
    let tag = if tag.len() % 2 == 1 {
        format!("0{tag}")
    } else {
        tag
    };
    match item {
        Tlv::Primitive { value, .. } => JsonTlv {
            tag,
            value: Some(hex(value)),
            items: None,
        },
        Tlv::Constructed { items, .. } => JsonTlv {
            tag,
            value: None,
            items: Some(items.iter().map(tlv_to_json).collect()),
        },
    }
}

fn field_from_json(field: &JsonField) -> Result<Field, CodecError> {
    let value = match (&field.value, &field.tlv) {
        (Some(value), None) => at("value", unhex(value))?,
        (None, Some(items)) => {
            let mut bytes = Vec::new();
            for item in items {
                let place = format!("tlv tag {}", item.tag);
                at(
                    &place,
                    tlv_from_json(item).and_then(|item| item.encode(&mut bytes)),
                )?;
            }
            bytes
        }
        _ => {
            return Err(CodecError::Text("either value or tlv is needed".into()));
        }
    };
    Ok(Field::new(at("bmp", one_byte(&field.bmp))?, value))
}

fn tlv_from_json(item: &JsonTlv) -> Result<Tlv, CodecError> {
    let bytes = unhex(&item.tag)?;
    if bytes.is_empty() || bytes.len() > 3 || bytes[0] == 0 {
        return Err(CodecError::Text(format!(
            "TLV tag {} is not 1 to 3 bytes",
            item.tag
        )));
    }
    let tag = bytes
        .iter()
        .fold(0, |tag, byte| (tag << 8) | u32::from(*byte));
    match (&item.value, &item.items) {
        (Some(value), None) => Ok(Tlv::Primitive {
            tag,
            value: at("value", unhex(value))?,
        }),
        (None, Some(items)) => {
            let items = items.iter().map(tlv_from_json).collect::<Result<_, _>>()?;
            Ok(Tlv::Constructed { tag, items })
        }
        _ => Err(CodecError::Text(format!(
            "TLV {} needs either value or items",
            item.tag
        ))),
    }
}

/// Bytes as upper-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Hexadecimal (blanks allowed) as bytes.
pub fn unhex(text: &str) -> Result<Vec<u8>, CodecError> {
    let digits: Option<Vec<u32>> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16))
        .collect();
    let malformed = || CodecError::Text("hexadecimal digits in pairs expected".into());
    let digits = digits.ok_or_else(malformed)?;
    if digits.len() % 2 == 1 {
        return Err(malformed());
    }
    Ok(digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect())
}

fn one_byte(text: &str) -> Result<u8, CodecError> {
    match unhex(text)?.as_slice() {
        [byte] => Ok(*byte),
        _ => Err(CodecError::Text(format!("{text} is not one byte"))),
    }
}
