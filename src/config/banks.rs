//! The table of Vietnamese banks: the built-in one, or a signed newer edition.

use super::{ConfigError, Problem};
use payqr::{BankTable, BankTableError, TableKey};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where a newer edition of the bank table is, and whose signature is believed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Banks {
    /// The signed file.
    pub table: PathBuf,
    /// Ed25519 public keys, 64 hexadecimal digits each, by key id.
    pub keys: BTreeMap<String, String>,
}

/// The table to use on `today`, the day in Vietnam.
///
/// An edition that is not newer than the built-in one, or not valid yet, leaves
/// the built-in one in use and is told in the log: neither is a reason not to
/// sell. A file that is not signed, wrongly signed or broken is a mistake or an
/// attack and stops the start.
///
/// # Errors
/// [`ConfigError`], naming the key and what to do.
pub(super) fn load(
    settings: Option<&Banks>,
    config: &Path,
    today: &str,
) -> Result<BankTable, ConfigError> {
    let built_in = BankTable::built_in();
    let Some(settings) = settings else {
        return Ok(built_in.clone());
    };
    let invalid = |key: &str, what: String, remedy: &str| ConfigError::Invalid {
        path: config.to_owned(),
        problems: vec![Problem {
            key: key.into(),
            what,
            remedy: remedy.into(),
        }],
    };
    let keys = settings
        .keys
        .iter()
        .map(|(id, hex)| TableKey::from_hex(id, hex));
    let keys: Result<Vec<_>, _> = keys.collect();
    let keys = keys.map_err(|error| {
        let remedy = "Write the publisher's public key as 64 hexadecimal digits";
        invalid("banks.keys", error.to_string(), remedy)
    })?;
    let path = config
        .parent()
        .unwrap_or(Path::new("."))
        .join(&settings.table);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let what = format!("{}: {error}", path.display());
        invalid(
            "banks.table",
            what,
            "Give the path of the signed table, or remove [banks]",
        )
    })?;
    match built_in.signed_update(&text, &keys, today) {
        Ok(table) => Ok(table),
        Err(error @ (BankTableError::NotNewer { .. } | BankTableError::NotYet { .. })) => {
            tracing::warn!(%error, "the built-in bank table stays in use");
            Ok(built_in.clone())
        }
        Err(error) => {
            let what = format!("{}: {error}", path.display());
            let remedy = "Get the signed table again, or remove [banks] to use the built-in one";
            Err(invalid("banks.table", what, remedy))
        }
    }
}

/// A configured BIN must be a bank's: a code to nobody would be shown.
pub(super) fn check_bin(table: &BankTable, bin: &str) -> Option<Problem> {
    if table.by_bin(bin).is_some() {
        return None;
    }
    Some(Problem {
        key: "bank.bank_bin".into(),
        what: format!("{bin} is no bank of the table of {}", table.date()),
        remedy: "Write the bank's NAPAS number (kiosk qr banks lists them), or give a newer table in [banks]".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [7; 32];
    const PUBLIC: &str = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";

    fn loaded(content: &str, secret: &[u8; 32], today: &str) -> Result<BankTable, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("kiosk.toml");
        let signed = payqr::banks::sign(content, "hq1", secret).unwrap();
        std::fs::write(folder.path().join("banks.tsv"), signed).unwrap();
        let settings = Banks {
            table: "banks.tsv".into(),
            keys: BTreeMap::from([("hq1".into(), PUBLIC.into())]),
        };
        load(Some(&settings), &config, today)
    }

    #[test]
    fn a_signed_newer_table_is_used_and_a_forged_one_stops_the_start() {
        // Proves the way from the file to the table, and which refusals stop a kiosk and which do not.
        let serial = BankTable::built_in().serial();
        let content = |serial: u32| {
            format!("payqr-banks\t{serial}\tVN\t2026-12-01\n970499\tNEW\tNew Bank\ttransfer\n")
        };
        let newer = loaded(&content(serial + 1), &SECRET, "2026-12-01").unwrap();
        assert!(check_bin(&newer, "970499").is_none());
        let problem = check_bin(BankTable::built_in(), "970499").unwrap();
        assert!(problem.to_string().contains("970499"));
        let early = loaded(&content(serial + 1), &SECRET, "2026-11-30").unwrap();
        let old = loaded(&content(serial), &SECRET, "2026-12-01").unwrap();
        for kept in [early, old, load(None, Path::new("kiosk.toml"), "").unwrap()] {
            assert_eq!(&kept, BankTable::built_in());
        }
        let forged = loaded(&content(serial + 1), &[8; 32], "2026-12-01");
        let words = forged.unwrap_err().to_string();
        assert!(
            words.contains("banks.table") && words.contains("not valid"),
            "{words}"
        );
    }
}
