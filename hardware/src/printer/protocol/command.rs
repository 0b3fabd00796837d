//! Splits a byte stream into ESC/POS commands.
//!
//! The driver uses it to write only whole commands between status questions and to refuse jobs
//! that end in the middle of one; the simulator uses it to read.

/// One command, borrowed from the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command<'a> {
    /// Printable bytes.
    Text(&'a [u8]),
    /// LF: prints the line.
    LineFeed,
    /// NUL, CR, BEL and other bytes without effect on paper.
    Ignored(u8),
    /// `ESC @`.
    Initialize,
    /// `ESC t n`.
    CodePage(u8),
    /// `ESC E n`.
    Bold(bool),
    /// `ESC ! n`: bit 3 bold, bit 4 double height, bit 5 double width.
    PrintMode(u8),
    /// `GS ! n`: high nibble width, low nibble height, each minus one.
    Size(u8),
    /// `ESC a n`: 0 left, 1 middle, 2 right.
    Align(u8),
    /// `ESC 2`.
    DefaultLineSpacing,
    /// `ESC 3 n`.
    LineSpacing(u8),
    /// `ESC J n`: prints and feeds n units.
    FeedUnits(u8),
    /// `ESC d n`: prints and feeds n lines.
    FeedLines(u8),
    /// `ESC * m nL nH data`.
    ColumnImage {
        /// 0, 1: 8 dots high; 32, 33: 24 dots high; odd: full density across.
        mode: u8,
        /// Column after column.
        data: &'a [u8],
    },
    /// `GS v 0 m xL xH yL yH data`.
    Raster {
        /// Bit 0 doubles the width, bit 1 the height.
        mode: u8,
        /// Bytes of one row.
        row_bytes: usize,
        /// Row after row.
        data: &'a [u8],
    },
    /// `ESC & y c1 c2 …`: letters drawn by the host.
    DefineLetters {
        /// Code of the first letter.
        first: u8,
        /// Each letter's columns, 3 bytes a column.
        letters: Vec<&'a [u8]>,
    },
    /// `ESC % n`.
    UseDefinedLetters(bool),
    /// `ESC ? n`.
    ForgetLetter(u8),
    /// `ESC p m t1 t2`.
    DrawerKick {
        /// 0 or 1.
        pin: u8,
    },
    /// `GS a n`.
    AutomaticStatus(u8),
    /// `GS r n`.
    AskStatusInOrder(u8),
    /// `GS I n`.
    AskIdentity(u8),
    /// `GS g 2 m nL nH`.
    AskCounter(u16),
    /// `GS ( letter pL pH data`, and `GS 8 L`, which only has a longer length.
    Function {
        /// `H`, `k`, `L`, …
        letter: u8,
        /// Everything after the length.
        data: &'a [u8],
    },
    /// `GS k m n data`.
    Barcode {
        /// 73 is Code 128.
        system: u8,
        /// As sent, with its code set prefix.
        data: &'a [u8],
    },
    /// `GS h n`.
    BarcodeHeight(u8),
    /// `GS w n`.
    BarcodeModule(u8),
    /// `GS V m [n]`.
    Cut {
        /// 0, 48, 65: full; 1, 49, 66: partial.
        mode: u8,
        /// Units fed on top of the way to the blade, with 65 and 66 only.
        feed: Option<u8>,
    },
    /// `ESC $ nL nH`: dots from the left margin.
    Position(u16),
    /// `ESC \\ nL nH`: dots from where the line has got to, to the left below zero.
    MoveBy(i16),
    /// `GS L nL nH`: dots from the edge.
    LeftMargin(u16),
    /// `FS &` (true) and `FS .` (false).
    ChineseMode(bool),
    /// `DLE EOT n`, `DLE ENQ n`, `DLE DC4 …` met in the stream.
    RealTime(&'a [u8]),
    /// A known command that changes nothing we model (underline, font, tabs, …).
    Setting(&'a [u8]),
    /// Not known here: how long it is cannot be told.
    Unknown([u8; 2]),
}

/// What stands at the front of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Front<'a> {
    /// A whole command and its length in bytes.
    Whole(Command<'a>, usize),
    /// The start of a command.
    Partial,
    /// Nothing.
    Empty,
}

/// Reads the command at the front of `bytes`.
pub fn front(bytes: &[u8]) -> Front<'_> {
    let Some(&first) = bytes.first() else {
        return Front::Empty;
    };
    let parsed = match first {
        0x0A => Some((Command::LineFeed, 1)),
        0x10 => real_time(bytes),
        0x1B => escape(bytes),
        0x1C => field_separator(bytes),
        0x1D => group_separator(bytes),
        0x00..=0x1F | 0x7F => Some((Command::Ignored(first), 1)),
        _ => {
            let end = bytes.iter().position(|&byte| byte < 0x20 || byte == 0x7F);
            let end = end.unwrap_or(bytes.len());
            Some((Command::Text(&bytes[..end]), end))
        }
    };
    parsed.map_or(Front::Partial, |(command, length)| {
        Front::Whole(command, length)
    })
}

type Parsed<'a> = Option<(Command<'a>, usize)>;

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(*bytes.get(at)?) | usize::from(*bytes.get(at + 1)?) << 8)
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from(*bytes.get(at)?) | u16::from(*bytes.get(at + 1)?) << 8)
}

fn real_time(bytes: &[u8]) -> Parsed<'_> {
    let length = match *bytes.get(1)? {
        0x04 | 0x05 => 3,
        0x14 => match *bytes.get(2)? {
            8 => 10,
            _ => 5,
        },
        _ => return Some((Command::Ignored(0x10), 1)),
    };
    Some((Command::RealTime(bytes.get(..length)?), length))
}

fn escape(bytes: &[u8]) -> Parsed<'_> {
    let code = *bytes.get(1)?;
    let n = || bytes.get(2).copied();
    Some(match code {
        b'@' => (Command::Initialize, 2),
        b'!' => (Command::PrintMode(n()?), 3),
        // The obsolete forms of two questions and two cuts.
        b'v' => (Command::AskStatusInOrder(1), 2),
        b'u' => {
            n()?;
            (Command::AskStatusInOrder(2), 3)
        }
        b'i' => (
            Command::Cut {
                mode: 0,
                feed: None,
            },
            2,
        ),
        b'm' => (
            Command::Cut {
                mode: 1,
                feed: None,
            },
            2,
        ),
        b'2' => (Command::DefaultLineSpacing, 2),
        b't' => (Command::CodePage(n()?), 3),
        b'E' => (Command::Bold(n()? & 1 == 1), 3),
        b'a' => (Command::Align(n()? & 3), 3),
        b'3' => (Command::LineSpacing(n()?), 3),
        b'J' => (Command::FeedUnits(n()?), 3),
        b'd' => (Command::FeedLines(n()?), 3),
        b'%' => (Command::UseDefinedLetters(n()? & 1 == 1), 3),
        b'?' => (Command::ForgetLetter(n()?), 3),
        b'$' => (Command::Position(short(bytes, 2)?), 4),
        b'*' => return column_image(bytes),
        b'&' => return define_letters(bytes),
        b'p' => {
            bytes.get(4)?;
            (Command::DrawerKick { pin: n()? & 1 }, 5)
        }
        b'-' | b' ' | b'M' | b'R' | b'G' | b'V' | b'{' | b'=' | b'T' | b'r' => {
            (Command::Setting(bytes.get(..3)?), 3)
        }
        b'\\' => (Command::MoveBy(short(bytes, 2)?.cast_signed()), 4),
        b'c' | b'B' => (Command::Setting(bytes.get(..4)?), 4),
        b'(' => {
            let length = 5 + word(bytes, 3)?;
            (Command::Setting(bytes.get(..length)?), length)
        }
        _ => (Command::Unknown([0x1B, code]), 2),
    })
}

fn column_image(bytes: &[u8]) -> Parsed<'_> {
    let mode = *bytes.get(2)?;
    let columns = word(bytes, 3)?;
    let length = 5 + columns * if mode >= 32 { 3 } else { 1 };
    let data = bytes.get(5..length)?;
    Some((Command::ColumnImage { mode, data }, length))
}

fn define_letters(bytes: &[u8]) -> Parsed<'_> {
    let height_bytes = usize::from(*bytes.get(2)?);
    let (first, last) = (*bytes.get(3)?, *bytes.get(4)?);
    let mut at = 5;
    let mut letters = Vec::new();
    for _ in first..=last {
        let width = usize::from(*bytes.get(at)?);
        let end = at + 1 + width * height_bytes;
        letters.push(bytes.get(at + 1..end)?);
        at = end;
    }
    Some((Command::DefineLetters { first, letters }, at))
}

fn field_separator(bytes: &[u8]) -> Parsed<'_> {
    Some(match *bytes.get(1)? {
        b'.' => (Command::ChineseMode(false), 2),
        b'&' => (Command::ChineseMode(true), 2),
        b'p' | b'S' => (Command::Setting(bytes.get(..4)?), 4),
        b'!' | b'-' | b'W' | b'C' => (Command::Setting(bytes.get(..3)?), 3),
        b'(' => {
            let length = 5 + word(bytes, 3)?;
            (Command::Setting(bytes.get(..length)?), length)
        }
        code => (Command::Unknown([0x1C, code]), 2),
    })
}

fn group_separator(bytes: &[u8]) -> Parsed<'_> {
    let code = *bytes.get(1)?;
    let n = || bytes.get(2).copied();
    Some(match code {
        b'!' => (Command::Size(n()?), 3),
        b'a' => (Command::AutomaticStatus(n()?), 3),
        b'r' => (Command::AskStatusInOrder(n()?), 3),
        b'I' => (Command::AskIdentity(n()?), 3),
        b'h' => (Command::BarcodeHeight(n()?), 3),
        b'w' => (Command::BarcodeModule(n()?), 3),
        b'H' | b'f' | b'B' | b'b' => (Command::Setting(bytes.get(..3)?), 3),
        b'L' => (Command::LeftMargin(short(bytes, 2)?), 4),
        b'W' | b'P' | b'\\' => (Command::Setting(bytes.get(..4)?), 4),
        b'V' => match n()? {
            mode @ (65 | 66) => {
                let feed = Some(*bytes.get(3)?);
                (Command::Cut { mode, feed }, 4)
            }
            mode => (Command::Cut { mode, feed: None }, 3),
        },
        b'g' => match n()? {
            // `GS g 2 m nL nH` asks; `GS g 0 m nL nH` resets.
            0x32 => (Command::AskCounter(short(bytes, 4)?), 6),
            _ => (Command::Setting(bytes.get(..6)?), 6),
        },
        b'8' => return long_function(bytes),
        b'v' => return raster(bytes),
        b'k' => return barcode(bytes),
        b'(' => {
            let letter = n()?;
            let length = 5 + word(bytes, 3)?;
            let data = bytes.get(5..length)?;
            (Command::Function { letter, data }, length)
        }
        _ => (Command::Unknown([0x1D, code]), 2),
    })
}

/// `GS 8 L p1 p2 p3 p4 data`: graphics of more than 64 KB.
fn long_function(bytes: &[u8]) -> Parsed<'_> {
    let letter = *bytes.get(2)?;
    let length = word(bytes, 3)? | word(bytes, 5)? << 16;
    let data = bytes.get(7..length.checked_add(7)?)?;
    Some((Command::Function { letter, data }, 7 + length))
}

/// How long the picture is whose header stands at the front, once the header is whole: pictures
/// may be longer than any buffer, so whoever reads them must know before they are there.
pub fn picture_length(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [0x1D, b'v', b'0', _, ..] => Some(8 + word(bytes, 4)? * word(bytes, 6)?),
        [0x1D, b'8', b'L', ..] => Some(7 + (word(bytes, 3)? | word(bytes, 5)? << 16)),
        [0x1D, b'(', b'L', ..] => Some(5 + word(bytes, 3)?),
        _ => None,
    }
}

fn raster(bytes: &[u8]) -> Parsed<'_> {
    let mode = *bytes.get(3)?;
    let row_bytes = word(bytes, 4)?;
    let length = 8 + row_bytes * word(bytes, 6)?;
    let data = bytes.get(8..length)?;
    Some((
        Command::Raster {
            mode,
            row_bytes,
            data,
        },
        length,
    ))
}

fn barcode(bytes: &[u8]) -> Parsed<'_> {
    let system = *bytes.get(2)?;
    if system >= 65 {
        let length = 4 + usize::from(*bytes.get(3)?);
        let data = bytes.get(4..length)?;
        return Some((Command::Barcode { system, data }, length));
    }
    let end = 3 + bytes.get(3..)?.iter().position(|&byte| byte == 0)?;
    let data = &bytes[3..end];
    Some((Command::Barcode { system, data }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_partial_until_its_last_byte() {
        // Proves: lengths are exact for each command with data, so no boundary is misplaced.
        let commands: [&[u8]; 20] = [
            &[0x1B, b'\\', 0xF0, 0xFF],
            &[0x1C, b'C', 0x30],
            &[0x1C, b'S', 0, 0],
            &[0x1B, b'!', 0x38],
            &[0x1B, b'u', 0],
            &[0x1D, b'8', b'L', 2, 0, 0, 0, 0x30, 0x32],
            &[0x1B, 0x40],
            &[0x1B, b'*', 33, 2, 0, 1, 2, 3, 4, 5, 6],
            &[0x1B, b'*', 1, 2, 0, 1, 2],
            &[0x1D, b'v', b'0', 3, 2, 0, 2, 0, 1, 2, 3, 4],
            &[0x1D, b'(', b'k', 4, 0, 0x31, 0x41, 0x32, 0],
            &[0x1D, b'k', 73, 4, b'{', b'B', b'1', b'2'],
            &[0x1D, b'V', 66, 0],
            &[0x1D, b'V', 1],
            &[0x1B, b'p', 0, 0x19, 0xFA],
            &[0x1B, b'&', 3, 0x40, 0x41, 1, 1, 2, 3, 2, 1, 2, 3, 4, 5, 6],
            &[0x10, 0x14, 0x08, 1, 3, 0x14, 1, 6, 2, 8],
            &[0x1D, 0x67, 0x32, 0x00, 50, 0x00],
            &[0x1D, 0x28, 0x48, 6, 0, 0x30, 0x30, 1, 2, 3, 4],
            &[0x1B, b'$', 1, 0],
        ];
        for command in commands {
            for end in 1..command.len() {
                assert_eq!(front(&command[..end]), Front::Partial, "{command:02X?}");
            }
            let mut longer = command.to_vec();
            longer.push(b'x');
            match front(&longer) {
                Front::Whole(parsed, length) => {
                    assert_eq!(length, command.len(), "{parsed:?}");
                    assert!(!matches!(parsed, Command::Unknown(_)), "{parsed:?}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
