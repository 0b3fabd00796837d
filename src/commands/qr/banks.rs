//! `kiosk qr banks`: the table of Vietnamese banks, as a kiosk uses it, and the
//! signing of a new edition.

use anyhow::{Context, Result};
use clap::Args;
use payqr::{BankTable, TableKey, banks};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Arguments of `kiosk qr banks`.
#[derive(Clone, Debug, Args)]
pub struct BanksArgs {
    /// A signed edition to check and list instead of the built-in one.
    #[arg(long, value_name = "FILE", requires = "keys")]
    table: Option<PathBuf>,
    /// A public key that is believed: its id and 64 hexadecimal digits.
    #[arg(long = "key", value_name = "ID=HEX")]
    keys: Vec<String>,
    /// Sign this table and print the signed file.
    #[arg(long, value_name = "FILE", requires_all = ["secret", "key_id"], conflicts_with = "table")]
    sign: Option<PathBuf>,
    /// File with the 32 bytes of the Ed25519 private key.
    #[arg(long, value_name = "FILE")]
    secret: Option<PathBuf>,
    /// Id of that key, as kiosks know it.
    #[arg(long, value_name = "ID")]
    key_id: Option<String>,
}

pub(super) fn run(args: &BanksArgs) -> Result<()> {
    if let (Some(table), Some(secret), Some(key_id)) = (&args.sign, &args.secret, &args.key_id) {
        let (signed, public) = sign(table, secret, key_id)?;
        print!("{signed}");
        eprintln!("public key: {key_id} = {public:?}");
        return Ok(());
    }
    let today = crate::clock::vietnam_day(crate::clock::wall_ms());
    println!("{:#}", listed(&table(args, &today)?));
    Ok(())
}

/// The signed table, and the public key in hexadecimal digits.
fn sign(table: &Path, secret: &Path, key_id: &str) -> Result<(String, String)> {
    let text = std::fs::read_to_string(table)
        .with_context(|| format!("{}: cannot be read", table.display()))?;
    let bytes =
        std::fs::read(secret).with_context(|| format!("{}: cannot be read", secret.display()))?;
    let bytes = <[u8; 32]>::try_from(bytes.as_slice()).ok();
    let bytes = bytes.with_context(|| format!("{}: must have 32 bytes", secret.display()))?;
    let signed = banks::sign(&text, key_id, &bytes)?;
    let public = touchpoint::SigningKey::from_bytes(&bytes).verifying_key();
    let hex = public
        .to_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok((signed, hex))
}

fn table(args: &BanksArgs, today: &str) -> Result<BankTable> {
    let Some(path) = &args.table else {
        return Ok(BankTable::built_in().clone());
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{}: cannot be read", path.display()))?;
    let table = BankTable::built_in().signed_update(&text, &keys(&args.keys)?, today);
    table.with_context(|| path.display().to_string())
}

fn keys(written: &[String]) -> Result<Vec<TableKey>> {
    let read = |text: &String| {
        let (id, hex) = text
            .split_once('=')
            .with_context(|| format!("--key {text}: write ID=HEX"))?;
        Ok(TableKey::from_hex(id, hex)?)
    };
    written.iter().map(read).collect()
}

fn listed(table: &BankTable) -> Value {
    json!({"serial": table.serial(), "valid_from": table.date(), "banks": table.banks()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_here_is_checked_and_listed_here() {
        // Proves signing and checking as a publisher and a shop do it, and the refusal of another key and of a short one.
        let folder = tempfile::tempdir().unwrap();
        let (plain, secret, signed) = (
            folder.path().join("banks.tsv"),
            folder.path().join("table.key"),
            folder.path().join("signed.tsv"),
        );
        let serial = BankTable::built_in().serial() + 1;
        let content =
            format!("payqr-banks\t{serial}\tVN\t2026-12-01\n970499\tNEW\tNew Bank\ttransfer\n");
        std::fs::write(&plain, content).unwrap();
        std::fs::write(&secret, [7; 32]).unwrap();
        let (text, public) = sign(&plain, &secret, "hq1").unwrap();
        std::fs::write(&signed, text).unwrap();
        let args = |key: String| BanksArgs {
            table: Some(signed.clone()),
            keys: vec![key],
            sign: None,
            secret: None,
            key_id: None,
        };
        let taken = table(&args(format!("hq1={public}")), "2026-12-01").unwrap();
        assert_eq!(listed(&taken)["banks"][0]["bin"], "970499");
        let stranger = table(&args(format!("hq2={public}")), "2026-12-01");
        assert!(format!("{:#}", stranger.unwrap_err()).contains("not believed here"));
        assert!(table(&args("hq1".into()), "2026-12-01").is_err());
        std::fs::write(&secret, [7; 31]).unwrap();
        assert!(sign(&plain, &secret, "hq1").is_err());
    }
}
