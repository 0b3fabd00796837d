//! JSON objects read key by key, so that every mistake has a path.

use checkout::{TaxRate, TaxTreatment};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Why a sale file cannot be used. Trying again does not help; the file has to be corrected.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SaleFileError {
    /// It is not JSON.
    #[error("not JSON: {message}. Correct the file at that place")]
    Syntax {
        /// The parser's words, with line and column.
        message: String,
    },
    /// A key is missing, unknown or holds something wrong.
    #[error("{path} {what}. {remedy}")]
    Wrong {
        /// Where: `lines[2].quantity`.
        path: String,
        /// What is wrong.
        what: String,
        /// What to write.
        remedy: String,
    },
    /// It looks like a sale of the kiosk's database, but is none.
    #[error(
        "this looks like a stored sale (it has completed_wall_ms), but {message}. Take column body of table sale unchanged, or write a file as docs/reference/sale-json.md says"
    )]
    Stored {
        /// The parser's words.
        message: String,
    },
}

/// Parses JSON.
pub(super) fn json(text: &str) -> Result<Value, SaleFileError> {
    serde_json::from_str(text).map_err(|error| SaleFileError::Syntax {
        message: error.to_string(),
    })
}

/// One JSON object and which of its keys were read.
pub(super) struct Object<'a> {
    path: String,
    map: &'a Map<String, Value>,
    read: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Object<'a> {
    /// The whole file.
    pub(super) fn top(value: &'a Value) -> Result<Self, SaleFileError> {
        Self::of(value, String::new())
    }

    fn of(value: &'a Value, path: String) -> Result<Self, SaleFileError> {
        match value {
            Value::Object(map) => Ok(Self {
                path,
                map,
                read: RefCell::default(),
            }),
            _ => Err(SaleFileError::Wrong {
                path: if path.is_empty() {
                    "the file".into()
                } else {
                    path
                },
                what: "is not an object".into(),
                remedy: "Write { … }".into(),
            }),
        }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// The error for a key.
    pub(super) fn wrong(&self, key: &str, what: &str, remedy: &str) -> SaleFileError {
        SaleFileError::Wrong {
            path: self.at(key),
            what: what.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        let (name, value) = self.map.get_key_value(key)?;
        self.read.borrow_mut().insert(name);
        (!value.is_null()).then_some(value)
    }

    fn need(&self, key: &str) -> Result<&'a Value, SaleFileError> {
        self.get(key)
            .ok_or_else(|| self.wrong(key, "is missing", "Add it"))
    }

    /// Refuses keys nobody read.
    pub(super) fn finish(&self) -> Result<(), SaleFileError> {
        let read = self.read.borrow();
        let unknown = self.map.keys().find(|key| !read.contains(key.as_str()));
        match unknown {
            Some(key) => Err(self.wrong(
                key,
                "is an unknown key",
                "Remove it, or correct its spelling",
            )),
            None => Ok(()),
        }
    }

    /// A text, not empty.
    pub(super) fn text(&self, key: &str) -> Result<String, SaleFileError> {
        self.need(key)?;
        self.optional_text(key)?
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| self.wrong(key, "is empty", "Write some words"))
    }

    /// A text that may be left out.
    pub(super) fn optional_text(&self, key: &str) -> Result<Option<String>, SaleFileError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.wrong(key, "is not a text", "Put it in quotation marks")),
        }
    }

    /// A list of texts that may be left out.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, SaleFileError> {
        let not_texts = || self.wrong(key, "is not a list of texts", "Write [\"…\", \"…\"]");
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values
                .iter()
                .map(|value| value.as_str().map(str::to_owned).ok_or_else(not_texts))
                .collect(),
            Some(_) => Err(not_texts()),
        }
    }

    /// A whole number.
    pub(super) fn integer(&self, key: &str) -> Result<i64, SaleFileError> {
        self.need(key)?.as_i64().ok_or_else(|| {
            self.wrong(
                key,
                "is not a whole number",
                "Write a number without quotation marks or a decimal sign",
            )
        })
    }

    /// An amount in minor units.
    pub(super) fn amount(&self, key: &str) -> Result<i64, SaleFileError> {
        self.integer(key)
    }

    /// An amount in minor units, 0 when left out.
    pub(super) fn optional_amount(&self, key: &str) -> Result<i64, SaleFileError> {
        match self.get(key) {
            None => Ok(0),
            Some(_) => self.integer(key),
        }
    }

    /// A positive decimal number with at most `places` decimals, as a whole number of its last
    /// place: `0.846` with three places is 846. A number or a text, with a dot.
    pub(super) fn decimal(&self, key: &str, places: usize) -> Result<i64, SaleFileError> {
        let text = match self.need(key)? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => String::new(),
        };
        parse_decimal(&text, places).ok_or_else(|| {
            self.wrong(
                key,
                "is not a number that can be used here",
                &format!("Write 0 or more with at most {places} decimals after a dot"),
            )
        })
    }

    /// A VAT rate: a percentage, `"exempt"` or `"not-declared"`.
    pub(super) fn tax_rate(&self, key: &str) -> Result<TaxRate, SaleFileError> {
        let treatment = match self.get(key).and_then(Value::as_str) {
            Some("exempt") => TaxTreatment::Exempt,
            Some("not-declared") => TaxTreatment::NotDeclared,
            _ => TaxTreatment::Rated,
        };
        let basis_points = match treatment {
            TaxTreatment::Rated => self.percent(key)?,
            TaxTreatment::Exempt | TaxTreatment::NotDeclared => 0,
        };
        Ok(TaxRate {
            basis_points,
            treatment,
        })
    }

    /// A percentage with at most two decimals, in basis points.
    fn percent(&self, key: &str) -> Result<u32, SaleFileError> {
        let points = self.decimal(key, 2)?;
        u32::try_from(points)
            .ok()
            .filter(|points| *points <= 10_000)
            .ok_or_else(|| self.wrong(key, "is over 100", "Write 0 to 100"))
    }

    /// An object that may be left out.
    pub(super) fn object(&self, key: &str) -> Result<Option<Object<'a>>, SaleFileError> {
        self.get(key)
            .map(|value| Object::of(value, self.at(key)))
            .transpose()
    }

    /// A list of objects that may be left out.
    pub(super) fn objects(&self, key: &str) -> Result<Vec<Object<'a>>, SaleFileError> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values
                .iter()
                .enumerate()
                .map(|(index, value)| Object::of(value, format!("{}[{index}]", self.at(key))))
                .collect(),
            Some(_) => Err(self.wrong(key, "is not a list", "Write [ … ]")),
        }
    }
}

fn parse_decimal(text: &str, places: usize) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(rest) {
        return None;
    }
    let rest = rest.trim_end_matches('0');
    if rest.len() > places {
        return None;
    }
    format!("{whole}{rest:0<places$}").parse().ok()
}
