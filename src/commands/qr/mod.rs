//! `kiosk qr`: payment codes made from fields and taken apart again, as JSON.
//! docs/reference/qr.md has an example for every scheme.

mod banks;
mod fields;
#[cfg(test)]
mod tests;

use crate::qr_symbol::Symbol;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use payqr::{DecodeError, PaymentCode};
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Dots per module of `--png`: a code of 37 modules becomes 360 dots wide.
const PNG_SCALE: usize = 8;

/// Arguments of `kiosk qr`.
#[derive(Clone, Debug, Args)]
pub struct QrArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Make the payload of a payment code from its fields; JSON on standard output.
    Encode(EncodeArgs),
    /// Say what is in a payment code, or what is wrong with it and where; JSON on standard output.
    Decode(DecodeArgs),
    /// List the Vietnamese banks, check a signed edition of the table, or sign one.
    Banks(banks::BanksArgs),
}

/// What a code can be made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scheme {
    /// VietQR: transfer to a Vietnamese account or card.
    Vietqr,
    /// VNPAY-QR.
    Vnpay,
    /// MoMo wallet, over VietQR.
    Momo,
    /// ZaloPay wallet, over VietQR.
    Zalopay,
    /// Pix, Brazil.
    Pix,
    /// PromptPay, Thailand.
    Promptpay,
    /// Bill payment, Thailand.
    ThaiBill,
    /// PayNow, Singapore.
    Paynow,
    /// PayNow as a single label of SGQR.
    Sgqr,
    /// QRIS, Indonesia.
    Qris,
    /// DuitNow, Malaysia.
    Duitnow,
    /// SEPA credit transfer (EPC069-12).
    Epc,
    /// Swiss QR-bill.
    Swiss,
    /// UPI, India.
    Upi,
    /// Any other EMV code, field by field.
    Emv,
}

impl Scheme {
    /// The scheme of a code that was read.
    fn of(code: &PaymentCode) -> Self {
        match code {
            PaymentCode::VietQr(code) => match code.wallet() {
                Some(payqr::Wallet::Momo) => Self::Momo,
                Some(payqr::Wallet::ZaloPay) => Self::Zalopay,
                None => Self::Vietqr,
            },
            PaymentCode::Vnpay(_) => Self::Vnpay,
            PaymentCode::Pix(_) => Self::Pix,
            PaymentCode::PromptPay(_) => Self::Promptpay,
            PaymentCode::ThaiBill(_) => Self::ThaiBill,
            PaymentCode::PayNow(code) if code.sgqr_id.is_some() => Self::Sgqr,
            PaymentCode::PayNow(_) => Self::Paynow,
            PaymentCode::Qris(_) => Self::Qris,
            PaymentCode::DuitNow(_) => Self::Duitnow,
            PaymentCode::Epc(_) => Self::Epc,
            PaymentCode::SwissBill(_) => Self::Swiss,
            PaymentCode::Upi(_) => Self::Upi,
            _ => Self::Emv,
        }
    }

    /// As written after `--scheme`.
    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// Arguments of `kiosk qr encode`.
#[derive(Clone, Debug, Args)]
pub struct EncodeArgs {
    /// Which scheme.
    #[arg(long, value_enum)]
    pub scheme: Scheme,
    /// Fields as a JSON object: the object itself, a file, or - for standard input.
    #[arg(long, value_name = "JSON")]
    pub json: Option<String>,
    /// Also draw the code, eight dots a module, level M, quiet zone included.
    #[arg(long, value_name = "FILE")]
    pub png: Option<PathBuf>,
    /// Fields; a dot goes into a group: merchant.name=COOP. They go before those of --json.
    #[arg(value_name = "NAME=VALUE")]
    pub fields: Vec<String>,
}

/// Arguments of `kiosk qr decode`.
#[derive(Clone, Debug, Args)]
pub struct DecodeArgs {
    /// What a reader read from the code; - reads it from standard input, to the byte.
    #[arg(value_name = "PAYLOAD")]
    pub payload: String,
}

pub(super) fn run(args: &QrArgs) -> Result<ExitCode> {
    match &args.what {
        What::Banks(args) => {
            banks::run(args)?;
            Ok(ExitCode::SUCCESS)
        }
        What::Encode(args) => {
            println!("{:#}", encode(args)?);
            Ok(ExitCode::SUCCESS)
        }
        What::Decode(args) => {
            let bytes = match args.payload.as_str() {
                "-" => standard_input()?,
                text => text.as_bytes().to_vec(),
            };
            match decode(&bytes)? {
                Ok(said) => {
                    println!("{said:#}");
                    Ok(ExitCode::SUCCESS)
                }
                Err(fault) => {
                    println!("{:#}", fault_json(&fault));
                    eprintln!("kiosk: {fault}");
                    Ok(ExitCode::FAILURE)
                }
            }
        }
    }
}

fn standard_input() -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .context("standard input cannot be read")?;
    Ok(bytes)
}

/// Makes a code: its payload, and the size of its symbol. The symbol is drawn and read back even
/// when nobody asked for the picture.
///
/// # Errors
/// A field that is unknown, missing or against the scheme's rules; a picture that cannot be
/// written.
pub fn encode(args: &EncodeArgs) -> Result<Value> {
    let mut object = match &args.json {
        Some(source) => json_object(source)?,
        None => Map::new(),
    };
    fields::put(args.scheme, &mut object, &args.fields)?;
    let scheme = args.scheme.name();
    let code = fields::code(args.scheme, object).with_context(|| format!("--scheme {scheme}"))?;
    let bytes = code
        .encode()
        .with_context(|| format!("no {scheme} code can be made of these fields"))?;
    let symbol = Symbol::checked_payment(&bytes)?;
    if let Some(path) = &args.png {
        write_png(path, &symbol)
            .with_context(|| format!("--png {}: cannot be written", path.display()))?;
    }
    let mut said = json!({
        "scheme": scheme,
        "bytes": bytes.len(),
        "modules": symbol.modules(),
    });
    match String::from_utf8(bytes) {
        Ok(text) => {
            said["characters"] = text.chars().count().into();
            said["payload"] = text.into();
        }
        // An EPC code in another character set than UTF-8.
        Err(other) => said["payload_hex"] = touchpoint::hex::encode(other.as_bytes()).into(),
    }
    Ok(said)
}

fn json_object(source: &str) -> Result<Map<String, Value>> {
    let text = if source.trim_start().starts_with('{') {
        source.to_owned()
    } else if source == "-" {
        String::from_utf8(standard_input()?).context("--json -: not UTF-8")?
    } else {
        std::fs::read_to_string(source)
            .with_context(|| format!("--json {source}: cannot be read"))?
    };
    match serde_json::from_str(&text).context("--json")? {
        Value::Object(object) => Ok(object),
        _ => bail!("--json: must be an object, {{\"field\": value, …}}"),
    }
}

/// Takes a code apart. `fields` is what `encode --json` takes; `emv` is every field of an EMV
/// code, also those that the scheme's view leaves out, and encodes to the identical bytes.
///
/// # Errors
/// Inside: what is wrong with the payload, and where. Outside: the answer cannot be written as
/// JSON.
pub fn decode(bytes: &[u8]) -> Result<Result<Value, DecodeError>> {
    let decoded = match payqr::decode(bytes) {
        Ok(decoded) => decoded,
        Err(fault) => return Ok(Err(fault)),
    };
    let mut fields = serde_json::to_value(&decoded.code)?;
    if let Some(object) = fields.as_object_mut() {
        object.remove("scheme");
    }
    let mut said = json!({
        "scheme": Scheme::of(&decoded.code).name(),
        "fields": fields,
        "warnings": decoded.warnings,
    });
    if let Some(payload) = &decoded.payload {
        said["emv"] = serde_json::to_value(payload)?;
    }
    Ok(Ok(said))
}

/// A fault of a payload: in words, by name, and its place.
fn fault_json(fault: &DecodeError) -> Value {
    json!({
        "error": {
            "message": fault.to_string(),
            "fault": fault.fault,
            "path": fault.place.path,
            "character": fault.place.character,
            "byte": fault.place.byte,
        }
    })
}

fn write_png(path: &Path, symbol: &Symbol) -> Result<()> {
    let edge = u32::try_from(symbol.side() * PNG_SCALE)?;
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut encoder = png::Encoder::new(file, edge, edge);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&symbol.luma(PNG_SCALE))?;
    writer.finish()?;
    Ok(())
}
