//! Messages of the terminal that carry meaning: status information, status reply, print lines.

use super::apdu::Apdu;
use super::bcd;
use super::fields::Fields;
use super::redact::prefix_length;
use super::tlv::Tlv;
use crate::terminal::redact::mask_packed;
use crate::terminal::types::{
    CardDigits, Currency, EndOfDayReport, SchemeTotal, TransactionIdentity,
};

/// Status information `04 0F`, read from a redacted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusInformation {
    /// Result code (BMP 27); `None` if the terminal left it out or it could not be read.
    pub result_code: Option<u8>,
    /// Identity of the transaction.
    pub identity: TransactionIdentity,
    /// Card scheme (BMP 8B).
    pub scheme: Option<String>,
    /// Last four digits (BMP 22).
    pub card: Option<CardDigits>,
    /// Totals of an end of day (BMP 04, 60).
    pub totals: EndOfDayReport,
}

impl StatusInformation {
    /// Reads the fields; whatever is missing stays `None`.
    pub fn parse(apdu: &Apdu) -> Self {
        let fields = Fields::parse(&apdu.data);
        let result_code = fields.get(0x27).and_then(|value| value.first().copied());
        let identity = identity(&fields, result_code.unwrap_or(0xFF));
        Self {
            result_code,
            scheme: fields.text(0x8B),
            card: fields
                .get(0x22)
                .and_then(|number| mask_packed(number).last_four),
            totals: totals(&fields, &identity),
            identity,
        }
    }
}

fn identity(fields: &Fields, result_code: u8) -> TransactionIdentity {
    let long_trace = Tlv::find(&fields.tlv(), 0x1F2B).and_then(bcd::unpack);
    let trace = fields
        .number(0x0B)
        .filter(|trace| *trace != 0)
        .or(long_trace);
    TransactionIdentity {
        terminal_id: fields.number(0x29).map(|id| format!("{id:08}")),
        trace_number: trace.and_then(narrow),
        receipt_number: fields.number(0x87).and_then(narrow),
        date_mmdd: fields.number(0x0D).and_then(narrow),
        time_hhmmss: fields.number(0x0C).and_then(narrow),
        authorisation_code: fields.text(0x3B),
        amount_minor: fields.number(0x04),
        currency: fields.number(0x49).and_then(narrow).map(Currency),
        original_trace: fields.number(0x37).and_then(narrow),
        result_code,
    }
}

fn narrow<T: TryFrom<u64>>(value: u64) -> Option<T> {
    T::try_from(value).ok()
}

/// Scheme totals, BMP 60: first and last receipt number (two bytes each), then for each of seven
/// schemes a count (one byte) and a total (six bytes), all packed digits.
fn totals(fields: &Fields, identity: &TransactionIdentity) -> EndOfDayReport {
    const SCHEMES: [&str; 7] = [
        "girocard",
        "JCB",
        "MasterCard",
        "American Express",
        "Visa",
        "Diners",
        "other",
    ];
    let mut report = EndOfDayReport {
        total_minor: identity.amount_minor,
        currency: identity.currency,
        trace_number: identity.trace_number,
        ..EndOfDayReport::default()
    };
    let Some(block) = fields.get(0x60) else {
        return report;
    };
    report.first_receipt = block.get(0..2).and_then(bcd::unpack).and_then(narrow);
    report.last_receipt = block.get(2..4).and_then(bcd::unpack).and_then(narrow);
    let groups = block.get(4..).unwrap_or_default().chunks_exact(7);
    report.schemes = groups
        .zip(SCHEMES)
        .filter_map(|(group, scheme)| {
            Some(SchemeTotal {
                scheme: scheme.to_owned(),
                count: bcd::unpack(&group[..1]).and_then(narrow)?,
                total_minor: bcd::unpack(&group[1..])?,
            })
        })
        .collect();
    report
}

/// Completion of a status enquiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStatusReply {
    /// Status byte; 0 is ready.
    pub status: u8,
}

impl TerminalStatusReply {
    /// Reads the status byte of a completion `06 0F`: after an optional software version, or as
    /// BMP 19. A completion without data means ready.
    pub fn parse(apdu: &Apdu) -> Self {
        let prefix = prefix_length(apdu);
        let in_prefix = prefix
            .checked_sub(1)
            .and_then(|last| apdu.data.get(last).copied());
        let in_field = || {
            Fields::parse(&apdu.data)
                .get(0x19)
                .and_then(|v| v.first().copied())
        };
        Self {
            status: in_prefix.or_else(in_field).unwrap_or(0),
        }
    }
}

/// Text lines of `06 D1` (one line) and `06 D3` (a block of lines in TLV 25), already masked.
pub fn print_lines(apdu: &Apdu) -> Vec<String> {
    match apdu.command() {
        0x06D1 => vec![text(apdu.data.get(1..).unwrap_or_default())],
        0x06D3 => {
            let mut lines = Vec::new();
            collect_lines(&Fields::parse(&apdu.data).tlv(), &mut lines);
            lines
        }
        _ => Vec::new(),
    }
}

fn collect_lines(items: &[Tlv], lines: &mut Vec<String>) {
    for item in items {
        match item {
            Tlv::Primitive { tag: 0x07, value } => lines.push(text(value)),
            Tlv::Primitive { .. } => {}
            Tlv::Constructed { items, .. } => collect_lines(items, lines),
        }
    }
}

/// Upper half of code page 437, the default character set of print lines.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";

fn text(bytes: &[u8]) -> String {
    let upper: Vec<char> = CP437.chars().collect();
    bytes
        .iter()
        .map(|byte| match byte {
            0x20..=0x7E => char::from(*byte),
            0x80..=0xFF => upper.get(usize::from(byte - 0x80)).copied().unwrap_or('?'),
            _ => ' ',
        })
        .collect()
}
