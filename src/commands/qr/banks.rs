//! `kiosk qr banks`: the table of Vietnamese banks, as a kiosk uses it, and the
//! signing of a new edition.

use anyhow::{Context, Result};
use clap::Args;
use payqr::{BankTable, TableKey, banks};
use serde_json::{Value, json};
use std::path::PathBuf;

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
        let text = std::fs::read_to_string(table)
            .with_context(|| format!("{}: cannot be read", table.display()))?;
        let bytes = std::fs::read(secret)
            .with_context(|| format!("{}: cannot be read", secret.display()))?;
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).ok();
        let bytes = bytes.with_context(|| format!("{}: must have 32 bytes", secret.display()))?;
        print!("{}", banks::sign(&text, key_id, &bytes)?);
        let public = touchpoint::SigningKey::from_bytes(&bytes).verifying_key();
        let hex: String = public
            .to_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        eprintln!("public key: {key_id} = \"{hex}\"");
        return Ok(());
    }
    let table = match &args.table {
        None => BankTable::built_in().clone(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("{}: cannot be read", path.display()))?;
            let today = crate::clock::vietnam_day(crate::clock::wall_ms());
            let keys = keys(&args.keys)?;
            let table = BankTable::built_in().signed_update(&text, &keys, &today);
            table.with_context(|| path.display().to_string())?
        }
    };
    println!("{:#}", listed(&table));
    Ok(())
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
