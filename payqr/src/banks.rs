//! Vietnamese banks: which BIN is whose. A BIN is looked up, never derived.
//!
//! The table is a text file. Lines end with LF, columns are parted by TAB:
//!
//! ```text
//! payqr-banks <serial> VN <YYYY-MM-DD>
//! <BIN> <code> <short name> transfer|receive
//! …
//! signature <key id> <128 hexadecimal digits>
//! ```
//!
//! The day is the first on which the edition is valid. The signature line is
//! there in updates only: Ed25519 (RFC 8032) over every byte before that line.
//! Whoever signs keeps the private key; a program is told which public keys to
//! believe, by id ([`TableKey`]), and the table it was built with needs none.
//! An update is taken only when its serial is higher than the one in use.

use std::sync::LazyLock;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::memo::strip_accents;

const BUILT_IN: &str = include_str!("../data/banks-vn.tsv");
const MAGIC: &str = "payqr-banks";
const SIGNATURE: &str = "signature";
/// Longest table read, bytes.
const MAX_BYTES: usize = 256 * 1_024;

/// One bank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bank {
    /// Bank identification number, six digits.
    pub bin: String,
    /// Short code, capitals and digits (`VCB`).
    pub code: String,
    /// Name a shopper knows (`Vietcombank`).
    pub short_name: String,
    /// Whether the bank's own app pays VietQR codes; every listed bank receives.
    pub pays_vietqr: bool,
}

/// The banks of one country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankTable {
    serial: u32,
    date: String,
    banks: Vec<Bank>,
}

/// Why a table was not taken. The one in use stays.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BankTableError {
    /// A line breaks the format.
    #[error("bank table line {line}: {what}; get the file again")]
    Line {
        /// Line number from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The file is larger than any real table.
    #[error("bank table has {bytes} bytes, at most 262144 are read")]
    TooLong {
        /// Its size.
        bytes: usize,
    },
    /// An update without signature line.
    #[error("bank table is not signed; take the signed file from head office")]
    NotSigned,
    /// The signature does not fit or its key is unknown.
    #[error("bank table signature of key {key_id:?} is not valid; do not use the file")]
    BadSignature {
        /// Key named in the file.
        key_id: String,
    },
    /// Signed by a key that is not believed here.
    #[error(
        "bank table is signed by key {key_id:?}, which is not believed here; add its public key, or take the file of a known key"
    )]
    UnknownKey {
        /// Key named in the file.
        key_id: String,
    },
    /// A public key that is none.
    #[error("public key {key_id:?} is no Ed25519 key; copy its 64 hexadecimal digits again")]
    BrokenKey {
        /// Its id.
        key_id: String,
    },
    /// A key id that cannot stand in the file.
    #[error("key id {key_id:?} must be 1 to 32 letters, digits, - and _")]
    KeyId {
        /// As given.
        key_id: String,
    },
    /// Not valid yet.
    #[error("bank table is valid from {from}, today is {today}; it can be taken then")]
    NotYet {
        /// First day.
        from: String,
        /// Today, as the caller says.
        today: String,
    },
    /// Not newer than the one in use.
    #[error("bank table serial {found} is not newer than {in_use}")]
    NotNewer {
        /// Serial of the file.
        found: u32,
        /// Serial in use.
        in_use: u32,
    },
}

/// What a signature check gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedTable<'a> {
    /// Every byte before the signature line.
    pub content: &'a [u8],
    /// Key named in the file.
    pub key_id: &'a str,
    /// Ed25519 signature.
    pub signature: [u8; 64],
}

/// A public key whose tables are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableKey {
    /// Id, as named in the signature line.
    pub id: String,
    /// Ed25519 public key.
    pub public: [u8; 32],
}

impl TableKey {
    /// A key from its 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`BankTableError::KeyId`], [`BankTableError::BrokenKey`].
    pub fn from_hex(id: &str, hex: &str) -> Result<Self, BankTableError> {
        check_key_id(id)?;
        let public = read_hex(hex).filter(|bytes| VerifyingKey::from_bytes(bytes).is_ok());
        Ok(Self {
            id: id.to_owned(),
            public: public.ok_or_else(|| BankTableError::BrokenKey {
                key_id: id.to_owned(),
            })?,
        })
    }
}

fn check_key_id(id: &str) -> Result<(), BankTableError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if (1..=32).contains(&id.len()) && id.bytes().all(known) {
        return Ok(());
    }
    Err(BankTableError::KeyId {
        key_id: id.chars().take(32).collect(),
    })
}

/// A table with its signature line, for those who publish one.
///
/// # Errors
/// A table that breaks the format or carries a signature already, or a key id
/// that cannot stand in the file.
pub fn sign(text: &str, key_id: &str, secret: &[u8; 32]) -> Result<String, BankTableError> {
    check_key_id(key_id)?;
    BankTable::parse(text)?;
    let content = format!("{}\n", text.trim_end_matches(['\n', '\r']));
    let signature = SigningKey::from_bytes(secret)
        .sign(content.as_bytes())
        .to_bytes();
    let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{content}{SIGNATURE}\t{key_id}\t{hex}\n"))
}

impl BankTable {
    /// The table this crate was built with.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static TABLE: LazyLock<BankTable> = LazyLock::new(|| {
            BankTable::parse(BUILT_IN).unwrap_or_else(|_| BankTable {
                serial: 0,
                date: String::new(),
                banks: Vec::new(),
            })
        });
        &TABLE
    }

    /// Reads a table without signature line.
    ///
    /// # Errors
    /// The first line that breaks the format.
    pub fn parse(text: &str) -> Result<Self, BankTableError> {
        if text.len() > MAX_BYTES {
            return Err(BankTableError::TooLong { bytes: text.len() });
        }
        let mut lines = text.lines().enumerate();
        let head: Vec<&str> = lines
            .next()
            .map_or(Vec::new(), |(_, line)| line.split('\t').collect());
        let (serial, date) = match head[..] {
            [MAGIC, serial, "VN", date] => (serial.parse().ok(), date.to_owned()),
            _ => (None, String::new()),
        };
        let serial = serial
            .filter(|_| is_date(&date))
            .ok_or(BankTableError::Line {
                line: 1,
                what: "must be payqr-banks, serial, VN and date",
            })?;
        let mut banks: Vec<Bank> = Vec::new();
        for (index, line) in lines {
            let error = |what| BankTableError::Line {
                line: index + 1,
                what,
            };
            let bank = read_bank(line).map_err(error)?;
            if banks.iter().any(|other| other.bin == bank.bin) {
                return Err(error("BIN is there twice"));
            }
            if banks.iter().any(|other| other.code == bank.code) {
                return Err(error("code is there twice"));
            }
            banks.push(bank);
        }
        Ok(Self {
            serial,
            date,
            banks,
        })
    }

    /// Reads a signed update. `today` is the day in Vietnam, `YYYY-MM-DD`.
    ///
    /// # Errors
    /// Not signed, key not believed, signature wrong, not newer than `self`, not
    /// valid yet, or a broken line. The table in use stays.
    pub fn signed_update(
        &self,
        text: &str,
        keys: &[TableKey],
        today: &str,
    ) -> Result<Self, BankTableError> {
        let mut unknown = None;
        let checked = self.update(text, |signed| {
            let key = keys.iter().find(|key| key.id == signed.key_id);
            let Some(key) = key else {
                unknown = Some(signed.key_id.to_owned());
                return false;
            };
            let signature = Signature::from_bytes(&signed.signature);
            VerifyingKey::from_bytes(&key.public)
                .is_ok_and(|key| key.verify_strict(signed.content, &signature).is_ok())
        });
        if let Some(key_id) = unknown {
            return Err(BankTableError::UnknownKey { key_id });
        }
        let table = checked?;
        // The form of both is fixed, so the order of texts is that of days.
        if table.date.as_str() > today {
            return Err(BankTableError::NotYet {
                from: table.date,
                today: today.to_owned(),
            });
        }
        Ok(table)
    }

    /// Reads a signed update with a check of the caller's own. `verify` checks the Ed25519 signature with the
    /// key it knows under the given id.
    ///
    /// # Errors
    /// Not signed, signature refused, not newer than `self`, or a broken line.
    pub fn update(
        &self,
        text: &str,
        verify: impl FnOnce(SignedTable<'_>) -> bool,
    ) -> Result<Self, BankTableError> {
        if text.len() > MAX_BYTES {
            return Err(BankTableError::TooLong { bytes: text.len() });
        }
        let trimmed = text.strip_suffix('\n').unwrap_or(text);
        let start = trimmed.rfind('\n').map_or(0, |at| at + 1);
        let (content, last) = trimmed.split_at(start);
        let fields: Vec<&str> = last.split('\t').collect();
        let [SIGNATURE, key_id, hex] = fields[..] else {
            return Err(BankTableError::NotSigned);
        };
        let refused = || BankTableError::BadSignature {
            key_id: key_id.to_owned(),
        };
        let signed = SignedTable {
            content: content.as_bytes(),
            key_id,
            signature: read_hex(hex).ok_or_else(refused)?,
        };
        if !verify(signed) {
            return Err(refused());
        }
        let table = Self::parse(content)?;
        if table.serial <= self.serial {
            return Err(BankTableError::NotNewer {
                found: table.serial,
                in_use: self.serial,
            });
        }
        Ok(table)
    }

    /// Number that grows with every edition.
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// First day on which the edition is valid, `YYYY-MM-DD`.
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// All banks in the order of the file.
    #[must_use]
    pub fn banks(&self) -> &[Bank] {
        &self.banks
    }

    /// The bank with this BIN.
    #[must_use]
    pub fn by_bin(&self, bin: &str) -> Option<&Bank> {
        self.banks.iter().find(|bank| bank.bin == bin)
    }

    /// The bank with this BIN, code or short name; case, spaces and accents do
    /// not matter.
    #[must_use]
    pub fn find(&self, query: &str) -> Option<&Bank> {
        let wanted = key(query);
        self.banks.iter().find(|bank| {
            bank.bin == wanted || key(&bank.code) == wanted || key(&bank.short_name) == wanted
        })
    }
}

fn key(text: &str) -> String {
    strip_accents(text)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn read_bank(line: &str) -> Result<Bank, &'static str> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [bin, code, short_name, ability] = fields[..] else {
        return Err("must have four columns parted by TAB");
    };
    if bin.len() != 6 || !bin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("BIN must be six digits");
    }
    let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if code.is_empty() || !code.bytes().all(is_code) {
        return Err("code must be capitals and digits");
    }
    if short_name.trim().is_empty() || short_name.chars().any(char::is_control) {
        return Err("short name must be printable");
    }
    let pays_vietqr = match ability {
        "transfer" => true,
        "receive" => false,
        _ => return Err("last column must be transfer or receive"),
    };
    Ok(Bank {
        bin: bin.to_owned(),
        code: code.to_owned(),
        short_name: short_name.to_owned(),
        pays_vietqr,
    })
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes = text.as_bytes();
    if bytes.len() != 2 * N {
        return None;
    }
    let mut out = [0; N];
    for (to, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *to = u8::try_from(high * 16 + low).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_built_in_table_is_whole() {
        // Proves that the shipped file parses and that banks are found by BIN, code and name.
        let table = BankTable::built_in();
        assert_eq!(table, &BankTable::parse(BUILT_IN).unwrap());
        assert!(table.banks().len() > 50 && table.serial() >= 1 && is_date(table.date()));
        for query in ["970436", "vcb", "Vietcombank", "VIETCOM BANK"] {
            assert_eq!(table.find(query).unwrap().bin, "970436", "{query}");
        }
        assert_eq!(table.by_bin("971025").unwrap().code, "MOMO");
        assert!(table.by_bin("000000").is_none() && table.find("").is_none());
    }

    #[test]
    fn updates_must_be_signed_and_newer() {
        // Proves that an unsigned, wrongly signed or old table leaves the one in use in place.
        let table = BankTable::parse(
            "payqr-banks\t4\tVN\t2026-11-22\n970436\tVCB\tVietcombank\ttransfer\n",
        )
        .unwrap();
        let content = "payqr-banks\t5\tVN\t2026-12-01\n970436\tVCB\tVietcombank\ttransfer\n";
        let signed = format!("{content}signature\thq1\t{}\n", "ab".repeat(64));
        let verify = |signed: SignedTable<'_>| {
            signed.content == content.as_bytes()
                && signed.key_id == "hq1"
                && signed.signature == [0xAB; 64]
        };
        assert_eq!(table.update(&signed, verify).unwrap().serial(), 5);
        assert_eq!(
            table.update(content, verify),
            Err(BankTableError::NotSigned)
        );
        let refused = Err(BankTableError::BadSignature {
            key_id: "hq1".into(),
        });
        assert_eq!(table.update(&signed.replace("VCB", "XXX"), verify), refused);
        assert_eq!(table.update(&signed.replace("abab", "ab"), verify), refused);
        let newer = table.update(&signed, verify).unwrap();
        assert!(matches!(
            newer.update(&signed, verify),
            Err(BankTableError::NotNewer { .. })
        ));
    }

    #[test]
    fn an_ed25519_update_is_taken_only_whole_known_newer_and_valid() {
        // Proves that one changed bit, a key not believed, an older serial and a later first day are each refused by name.
        let secret = [7; 32];
        let public = SigningKey::from_bytes(&secret).verifying_key().to_bytes();
        let keys = [TableKey {
            id: "hq1".into(),
            public,
        }];
        let table = BankTable::built_in();
        let serial = table.serial() + 1;
        let rows = "970436\tVCB\tVietcombank\ttransfer\n970499\tNEW\tNew Bank\ttransfer\n";
        let content = format!("payqr-banks\t{serial}\tVN\t2026-12-01\n{rows}");
        let signed = sign(&content, "hq1", &secret).unwrap();
        let read = |text: &str| table.signed_update(text, &keys, "2026-12-01");
        let newer = read(&signed).unwrap();
        assert_eq!(newer.find("New Bank").unwrap().bin, "970499");
        for at in 0..signed.len() {
            let mut altered = signed.clone().into_bytes();
            altered[at] ^= 1;
            let Ok(altered) = String::from_utf8(altered) else {
                continue;
            };
            let refused = read(&altered);
            assert!(refused.is_err(), "byte {at}: {refused:?}");
        }
        let stranger = sign(&content, "hq2", &secret).unwrap();
        let unknown = Err(BankTableError::UnknownKey {
            key_id: "hq2".into(),
        });
        assert_eq!(read(&stranger), unknown);
        let forged = sign(&content, "hq1", &[8; 32]).unwrap();
        assert!(matches!(
            read(&forged),
            Err(BankTableError::BadSignature { .. })
        ));
        assert_eq!(read(&content), Err(BankTableError::NotSigned));
        let early = table.signed_update(&signed, &keys, "2026-11-30");
        assert!(matches!(early, Err(BankTableError::NotYet { from, .. }) if from == "2026-12-01"));
        let again = newer.signed_update(&signed, &keys, "2026-12-01");
        assert!(matches!(again, Err(BankTableError::NotNewer { .. })));
        assert!(sign(&signed, "hq1", &secret).is_err());
        assert!(matches!(
            sign(&content, "a b", &secret),
            Err(BankTableError::KeyId { .. })
        ));
        let hex: String = public.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(TableKey::from_hex("hq1", &hex), Ok(keys[0].clone()));
        let broken = TableKey::from_hex("hq1", &hex[2..]);
        assert!(matches!(broken, Err(BankTableError::BrokenKey { .. })));
    }

    #[test]
    fn a_broken_line_is_named() {
        // Proves that each rule of the format is reported with its line number.
        let head = "payqr-banks\t1\tVN\t2026-11-22\n";
        let good = "970436\tVCB\tVietcombank\ttransfer\n";
        for (text, line) in [
            (String::new(), 1),
            ("payqr-banks\tx\tVN\t2026-11-22\n".into(), 1),
            ("payqr-banks\t1\tVN\ttoday\n".into(), 1),
            (format!("{head}97043\tVCB\tV\ttransfer\n"), 2),
            (format!("{head}{good}970437\tvcb\tV\ttransfer\n"), 3),
            (format!("{head}{good}970437\tV1\tV\tmaybe\n"), 3),
            (format!("{head}{good}{good}"), 3),
            (format!("{head}970437\tV1\n"), 2),
        ] {
            let error = BankTable::parse(&text).unwrap_err();
            assert!(
                matches!(error, BankTableError::Line { line: found, .. } if found == line),
                "{error}"
            );
        }
    }
}
