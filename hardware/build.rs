//! Turns `fonts/receipt-12x24.hex` into a table of printer-ready glyph columns.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

const ROWS: usize = 24;
const COLUMNS: usize = 12;
const SOURCE: &str = "fonts/receipt-12x24.hex";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={SOURCE}");
    println!("cargo:rerun-if-changed=build.rs");
    let mut table = String::from("&[\n");
    let mut last = 0;
    for line in fs::read_to_string(SOURCE)?.lines() {
        let mut parts = line.split(':');
        let point = u32::from_str_radix(parts.next().ok_or("no code point")?, 16)?;
        if point <= last {
            return Err(format!("{SOURCE}: U+{point:04X} is out of order").into());
        }
        last = point;
        let regular = columns(parts.next().ok_or("no regular weight")?)?;
        let bold = columns(parts.next().ok_or("no bold weight")?)?;
        writeln!(
            table,
            "    Glyph {{ point: {point:#x}, regular: {regular:?}, bold: {bold:?} }},"
        )?;
    }
    table.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("glyphs.rs"), table)?;
    Ok(())
}

/// 24 rows of 12 dots become 12 columns of 3 bytes, the top dot in the highest bit: the order
/// the `ESC *` command wants.
fn columns(hex: &str) -> Result<[u8; COLUMNS * 3], Box<dyn Error>> {
    if hex.len() != ROWS * 3 || !hex.is_ascii() {
        return Err(format!("{SOURCE}: a glyph needs {ROWS} rows of 3 digits").into());
    }
    let mut out = [0u8; COLUMNS * 3];
    for row in 0..ROWS {
        let dots = u16::from_str_radix(&hex[row * 3..row * 3 + 3], 16)?;
        for column in 0..COLUMNS {
            if dots >> (COLUMNS - 1 - column) & 1 == 1 {
                out[column * 3 + row / 8] |= 0x80 >> (row % 8);
            }
        }
    }
    // Printers obey DLE EOT, DLE ENQ and DLE DC4 even inside a picture: one more dot breaks them.
    for at in 1..out.len() {
        if out[at - 1] == 0x10 && matches!(out[at], 0x04 | 0x05 | 0x14) {
            out[at] |= 0x08;
        }
    }
    Ok(out)
}
