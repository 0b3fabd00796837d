//! `kiosk zvt encode|decode`: messages of card terminals as JSON and as bytes.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use hardware::terminal::zvt::protocol::Apdu;
use hardware::terminal::zvt::protocol::json::{self, hex};
use hardware::terminal::zvt::protocol::serial::{block_length, frame, unframe};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Arguments of `kiosk zvt`.
#[derive(Clone, Debug, Args)]
pub struct ZvtArgs {
    #[command(subcommand)]
    direction: Direction,
}

#[derive(Clone, Debug, Subcommand)]
enum Direction {
    /// JSON to bytes.
    Encode(FilesArgs),
    /// Bytes to JSON; card numbers are masked and track data removed.
    Decode(FilesArgs),
}

#[derive(Clone, Debug, Args)]
struct FilesArgs {
    /// What is read; standard input when absent or `-`.
    #[arg(value_name = "FILE")]
    input: Option<PathBuf>,
    /// Where the result goes; standard output when absent.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What is around the messages.
    #[arg(long, value_enum, default_value_t = Framing::None)]
    framing: Framing,
    /// The bytes are hexadecimal text: `06 0F 00`.
    #[arg(long)]
    hex: bool,
}

/// What is around a message on the wire (PA00P016).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Framing {
    /// Nothing: one message.
    None,
    /// Blocks of a serial line, `10 02 … 10 03` and checksum; single `06` and `15` between them
    /// are passed over.
    Serial,
    /// The stream of a TCP connection: messages one behind the other.
    Tcp,
}

pub(super) fn run(args: &ZvtArgs) -> Result<()> {
    match &args.direction {
        Direction::Encode(files) => {
            let text = String::from_utf8(read(files.input.as_deref())?)
                .context("the JSON is not UTF-8 text")?;
            let mut bytes = encode(&text, files.framing)?;
            if files.hex {
                bytes = format!("{}\n", spaced(&bytes)).into_bytes();
            }
            write(files.output.as_deref(), &bytes)
        }
        Direction::Decode(files) => {
            let mut bytes = read(files.input.as_deref())?;
            if files.hex {
                let binary = from_hex(&bytes);
                bytes.fill(0);
                bytes = binary?;
            }
            let mut messages = Vec::new();
            let decoded = decode(&bytes, files.framing, &mut messages);
            // What came in may hold a card number in clear.
            bytes.fill(0);
            let text: String = messages
                .iter()
                .map(|message| format!("{message}\n"))
                .collect();
            write(files.output.as_deref(), text.as_bytes())?;
            decoded
        }
    }
}

/// The JSON messages of `text`, one behind the other, as bytes.
///
/// # Errors
/// Names the message, its line, and the field that cannot be written. Retrying does not help.
pub fn encode(text: &str, framing: Framing) -> Result<Vec<u8>> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut bytes = Vec::new();
    let mut count = 0;
    let mut start = 0;
    while let Some(value) = values.next() {
        value.context("this is not JSON")?;
        let end = values.byte_offset();
        count += 1;
        if framing == Framing::None && count > 1 {
            bail!(
                "a second message begins in line {}; without framing there is one, give --framing tcp or serial",
                line_of(text, start)
            );
        }
        let message = json::encode(&in_place(text, start, end)).with_context(|| {
            format!(
                "message {count}, which begins in line {}",
                line_of(text, start)
            )
        })?;
        bytes.extend(match framing {
            Framing::Serial => frame(&message),
            Framing::None | Framing::Tcp => message,
        });
        start = end;
    }
    if count == 0 {
        bail!("there is no message; docs/reference/zvt-json.md shows the form");
    }
    Ok(bytes)
}

/// One value of `text` with blanks before it, so that errors name its real line and column.
fn in_place(text: &str, start: usize, end: usize) -> String {
    let blank = |byte: &u8| if *byte == b'\n' { '\n' } else { ' ' };
    let mut padded: String = text.as_bytes()[..start].iter().map(blank).collect();
    padded.push_str(&text[start..end]);
    padded
}

/// Line in which the first thing that is no blank at or after `place` stands, from 1.
fn line_of(text: &str, place: usize) -> usize {
    let begin = text[place..]
        .find(|character: char| !character.is_whitespace())
        .map_or(text.len(), |blanks| place + blanks);
    text[..begin].matches('\n').count() + 1
}

/// The messages in `bytes` as JSON with card data masked, pushed to `messages` as far as they can
/// be read.
///
/// # Errors
/// Names the place, counted from byte 0, and what is wrong there; never quotes the bytes, which
/// may be card data. Retrying does not help.
pub fn decode(bytes: &[u8], framing: Framing, messages: &mut Vec<String>) -> Result<()> {
    let mut place = 0;
    while place < bytes.len() {
        let rest = &bytes[place..];
        let at = || format!("message {} at byte {place}", messages.len() + 1);
        let (text, used) = match (framing, rest) {
            (Framing::Serial, [0x06 | 0x15, ..]) => {
                place += 1;
                continue;
            }
            (Framing::Serial, _) => {
                let length = block_length(rest).unwrap_or(rest.len());
                let mut message = unframe(&rest[..length]).with_context(at)?;
                let text = json::decode(&message);
                message.fill(0);
                (text, length)
            }
            (Framing::Tcp, _) => {
                let length = Apdu::take(rest).map_or(rest.len(), |(_, used)| used);
                (json::decode(&rest[..length]), length)
            }
            (Framing::None, [0x10, 0x02, ..]) => {
                bail!("this is a block of a serial line; give --framing serial")
            }
            (Framing::None, _) => (json::decode(rest), rest.len()),
        };
        messages.push(text.with_context(at)?);
        place += used;
    }
    if messages.is_empty() {
        bail!("there is no message in {} bytes", bytes.len());
    }
    Ok(())
}

/// Bytes from hexadecimal text.
fn from_hex(text: &[u8]) -> Result<Vec<u8>> {
    let wrong = |byte: &u8| !byte.is_ascii_hexdigit() && !byte.is_ascii_whitespace();
    if let Some(place) = text.iter().position(wrong) {
        bail!("--hex: character {} is no hexadecimal digit", place + 1);
    }
    // Only ASCII is left.
    let text = std::str::from_utf8(text)?;
    json::unhex(text).context("--hex")
}

fn spaced(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| hex(&[*byte])).collect();
    pairs.join(" ")
}

fn read(path: Option<&Path>) -> Result<Vec<u8>> {
    match path.filter(|path| *path != Path::new("-")) {
        Some(path) => {
            std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))
        }
        None => {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .context("standard input cannot be read")?;
            Ok(bytes)
        }
    }
}

fn write(path: Option<&Path>, bytes: &[u8]) -> Result<()> {
    match path {
        Some(path) => std::fs::write(path, bytes)
            .with_context(|| format!("{}: cannot be written", path.display())),
        None => {
            let mut out = std::io::stdout().lock();
            out.write_all(bytes)?;
            Ok(out.flush()?)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The published messages: the plain bytes and the end of the serial block.
    const PUBLISHED: [(&str, &str); 26] = [
        ("06 00 06 00 00 00 be 09 78", "3c aa"),
        (
            "06 00 10 12 34 56 be 09 78 03 01 06 06 26 04 0a 02 06 d3",
            "78 b5",
        ),
        ("06 01 0a 04 00 00 00 00 12 50 49 09 78", "13 1d"),
        ("06 01 0a 04 00 00 00 00 10 10 49 09 78", "67 d4"),
        ("06 01 0a 04 00 00 00 25 00 00 49 07 04", "c8 f8"),
        (
            "06 01 0e 01 3c 02 0a 04 00 00 00 00 12 50 49 09 78",
            "f9 44",
        ),
        ("06 01 0c 04 00 00 00 00 10 10 49 09 78 06 00", "bf bd"),
        ("06 20 05 00 00 00 03 03", "db 15"),
        ("06 30 06 00 00 00 87 02 31", "d8 af"),
        // Published as a form; the checksum is CRC-16/KERMIT computed by another program.
        ("06 31 0d 00 00 00 04 00 00 00 00 12 50 49 09 78", "de 2b"),
        (
            "06 01 14 04 00 00 00 00 12 50 49 09 78 19 44 06 06 1f 73 03 00 00 01",
            "0d 71",
        ),
        ("80 00 08 06 06 1f 73 03 00 00 01", "89 2d"),
        ("84 cc 00", "20 c2"),
        ("06 50 03 12 34 56", "c4 af"),
        ("05 01 03 12 34 56", "e0 43"),
        ("06 70 00", "d9 f9"),
        ("06 02 00", "b9 cc"),
        ("06 b0 00", "43 f3"),
        ("80 00 00", "f5 1f"),
        ("84 9c 00", "c3 41"),
        ("84 66 00", "8d be"),
        ("06 0f 00", "c6 33"),
        ("06 1e 01 6c", "c9 f2"),
        ("04 ff 01 0a", "f5 7d"),
        ("04 ff 01 01", "5d 99"),
        ("04 ff 01 0e", "95 1a"),
    ];

    const STATUS: &str = "10 02 04 0f 5d 27 00 04 00 00 00 00 10 10 10 10 0b 00 00 01 \
        0c 02 02 32 0d 11 22 0e 28 12 17 00 01 29 29 00 12 34 \
        2a 53 49 4d 55 4c 41 54 4f 52 31 32 33 34 35 36 3b a0 00 00 00 04 10 10 10 10 01 49 09 78 \
        87 00 01 88 00 00 01 8a 06 8b f1 f1 4d 61 73 74 65 72 63 61 72 64 00 \
        22 f0 f8 67 63 89 ee ee ee 12 30 10 03 8a 82";

    fn bytes(text: &str) -> Vec<u8> {
        from_hex(text.as_bytes()).unwrap()
    }

    fn decoded(bytes: &[u8], framing: Framing) -> Vec<String> {
        let mut messages = Vec::new();
        decode(bytes, framing, &mut messages).unwrap();
        messages
    }

    fn refused(bytes: &[u8], framing: Framing) -> String {
        let mut messages = Vec::new();
        format!("{:#}", decode(bytes, framing, &mut messages).unwrap_err())
    }

    #[test]
    fn every_published_message_goes_to_json_and_back_to_the_byte() {
        // Proves: one message, a TCP stream of all of them and a serial line with their
        // acknowledgements come back as the bytes that were published.
        let (mut stream, mut line, mut blocks) = (Vec::new(), Vec::new(), Vec::<u8>::new());
        for (plain, checksum) in PUBLISHED {
            let message = bytes(plain);
            let text = decoded(&message, Framing::None).remove(0);
            assert_eq!(encode(&text, Framing::None).unwrap(), message, "{plain}");
            let block = encode(&text, Framing::Serial).unwrap();
            assert!(
                block.ends_with(&bytes(&format!("10 03 {checksum}"))),
                "{plain}"
            );
            assert_eq!(decoded(&block, Framing::Serial), [text], "{plain}");
            stream.extend(&message);
            line.extend(&block);
            line.push(0x06);
            blocks.extend(&block);
        }
        let all = decoded(&stream, Framing::Tcp);
        assert_eq!(all.len(), PUBLISHED.len());
        assert_eq!(encode(&all.join("\n"), Framing::Tcp).unwrap(), stream);
        assert_eq!(decoded(&line, Framing::Serial), all);
        assert_eq!(encode(&all.concat(), Framing::Serial).unwrap(), blocks);
    }

    #[test]
    fn a_captured_status_shows_its_fields_and_not_the_card() {
        // Proves: fields are named, the masked number keeps four digits, the expiry date and the
        // digits before them are gone.
        let text = decoded(&bytes(STATUS), Framing::Serial).remove(0);
        for shown in ["\"amount\"", "000000001010", "receipt_number", "1230"] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        for hidden in ["6763", "67638", "2812"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }

    #[test]
    fn what_is_wrong_in_json_is_named_with_its_place() {
        // Proves: line, message and field are in the words, for syntax, names and values.
        let good = r#"{"class":"06","instruction":"0F"}"#;
        let refuse = |text: &str| format!("{:#}", encode(text, Framing::Tcp).unwrap_err());
        assert!(refuse(&format!("{good}\n{{\"class\" 06}}")).contains("line 2"));
        let unknown = refuse(&format!(
            "{good}\n\n{{\"class\":\"06\",\n\"clazz\":\"06\"}}"
        ));
        assert!(
            unknown.contains("message 2, which begins in line 3"),
            "{unknown}"
        );
        assert!(
            unknown.contains("clazz") && unknown.contains("line 4"),
            "{unknown}"
        );
        let field = |field: &str| {
            refuse(&format!(
                r#"{{"class":"06","instruction":"01","fields":[{{"bmp":"49","value":"0704"}},{field}]}}"#
            ))
        };
        let odd = field(r#"{"bmp":"04","value":"00000000125"}"#);
        assert!(
            odd.contains("fields[1] (bmp 04): value:") && odd.contains("pairs"),
            "{odd}"
        );
        let short = field(r#"{"bmp":"04","value":"1250"}"#);
        assert!(short.contains("holds 6 bytes, not 2"), "{short}");
        let stranger = field(r#"{"bmp":"FF","value":"00"}"#);
        assert!(stranger.contains("not in the ZVT field list"), "{stranger}");
        let both = field(r#"{"bmp":"06"}"#);
        assert!(both.contains("either value or tlv"), "{both}");
        let tag = field(r#"{"bmp":"06","tlv":[{"tag":"00","value":"00"}]}"#);
        assert!(tag.contains("tlv tag 00"), "{tag}");
        assert!(refuse(" \n").contains("no message"));
        let two = encode(&format!("{good}\n{good}"), Framing::None).unwrap_err();
        assert!(two.to_string().contains("line 2"), "{two}");
    }

    #[test]
    fn what_is_wrong_in_bytes_is_named_with_its_place_and_good_ones_are_kept() {
        // Proves: the byte is in the words, messages before the fault are not lost, and a wrong
        // framing is told.
        let cut = bytes("06 0f 00 06 01 0a 04 00");
        let mut messages = Vec::new();
        let error = decode(&cut, Framing::Tcp, &mut messages).unwrap_err();
        let said = format!("{error:#}");
        assert_eq!(messages.len(), 1);
        assert!(said.contains("message 2 at byte 3"), "{said}");
        assert!(
            said.contains("announces 10 bytes of data, 2 are there"),
            "{said}"
        );
        assert!(refused(&cut, Framing::None).contains("5 bytes follow"));
        let mut bad = bytes(STATUS);
        *bad.last_mut().unwrap() ^= 1;
        assert!(refused(&bad, Framing::Serial).contains("checksum"));
        assert!(refused(&bad, Framing::None).contains("--framing serial"));
        bad.truncate(20);
        assert!(refused(&bad, Framing::Serial).contains("no end"));
        assert!(refused(&[0x06, 0x06], Framing::Serial).contains("no message"));
        let digits = from_hex(b"06 0x").unwrap_err().to_string();
        assert!(digits.contains("character 5"), "{digits}");
    }

    #[test]
    fn a_number_in_clear_never_comes_out() {
        // Proves: an unmasked card number and track data are in no output and no error.
        let number = "6763890000001230";
        let status = format!("04 0f 1b 27 00 22 f0 f8 {number} 23 f0 f8 {number} 87 02 31");
        let whole = bytes(&status);
        let out = decoded(&whole, Framing::None).concat();
        assert!(!out.contains("67638900") && out.contains("0231"), "{out}");
        for length in 1..whole.len() {
            let said = refused(&whole[..length], Framing::Tcp);
            assert!(!said.contains("6763") && !said.contains("8900"), "{said}");
        }
    }

    #[test]
    fn files_are_read_and_written() {
        // Proves: the command itself, through files, in hexadecimal and in bytes.
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("in.hex"), "80 00\n00").unwrap();
        let files = |input: &str, output: &str, hex| FilesArgs {
            input: Some(at(input)),
            output: Some(at(output)),
            framing: Framing::Tcp,
            hex,
        };
        let decode = Direction::Decode(files("in.hex", "out.json", true));
        run(&ZvtArgs { direction: decode }).unwrap();
        let encode = Direction::Encode(files("out.json", "out.bin", false));
        run(&ZvtArgs { direction: encode }).unwrap();
        assert_eq!(std::fs::read(at("out.bin")).unwrap(), [0x80, 0, 0]);
        let missing = Direction::Encode(files("none.json", "out.bin", false));
        let error = run(&ZvtArgs { direction: missing }).unwrap_err();
        assert!(error.to_string().contains("none.json"));
    }
}
