//! Text made safe and measurable: every character kept is printable and one cell wide.

use unicode_normalization::UnicodeNormalization;

use super::glyph;

/// Makes `text` fit for paper: composed (NFC), without control, format or combining
/// characters, and only with letters the font can draw. What cannot be drawn becomes its
/// compatibility form (full-width, ligature) or `?`. Every remaining character is one cell
/// wide. A no-break space stays one, so that wrapping keeps `12.000 ₫` together.
///
/// No byte of an ESC/POS command can pass: commands start with C0 controls, all dropped here.
pub fn printable(text: &str) -> String {
    text.nfc().fold(String::new(), |mut out, letter| {
        push_printable(&mut out, letter);
        out
    })
}

fn push_printable(out: &mut String, letter: char) {
    match letter {
        '\t' | '\n' | '\r' => out.push(' '),
        '\u{a0}' | '\u{202f}' | '\u{2007}' => out.push('\u{a0}'),
        '\u{2010}' | '\u{2011}' | '\u{2012}' | '\u{2212}' => out.push('-'),
        '\u{2000}'..='\u{200a}' | '\u{3000}' => out.push(' '),
        letter if letter.is_control() || is_invisible(letter) => {}
        letter if glyph::has(letter) => out.push(letter),
        letter => {
            let plain: String = letter.nfkc().filter(|&part| glyph::has(part)).collect();
            out.push_str(if plain.is_empty() { "?" } else { &plain });
        }
    }
}

/// Marks and format characters that take no cell: combining accents left over after
/// composition, joiners, direction and variation selectors, the soft hyphen.
fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e01ef}')
}

/// Cells `text` takes on paper, counting what [`printable`] would keep.
pub fn width_cells(text: &str) -> usize {
    printable(text).chars().count()
}

/// Breaks `text` into lines of at most `columns` cells, at spaces where possible; a word longer
/// than a line is cut. Line breaks in `text` are kept. Never returns an empty list.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        wrap_paragraph(&printable(paragraph), columns, &mut lines);
    }
    for line in &mut lines {
        *line = line.replace('\u{a0}', " ");
    }
    lines
}

fn wrap_paragraph(paragraph: &str, columns: usize, lines: &mut Vec<String>) {
    if paragraph.chars().count() <= columns {
        lines.push(paragraph.to_owned());
        return;
    }
    // An indented paragraph keeps its indent on every line.
    let indent = paragraph.len() - paragraph.trim_start_matches(' ').len();
    let indent = " ".repeat(indent.min(columns / 2));
    let columns = columns - indent.len();
    let mut line = indent.clone();
    let mut used = 0;
    for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
        let width = word.chars().count();
        if used > 0 && used + 1 + width <= columns {
            line.push(' ');
            line.push_str(word);
            used += 1 + width;
            continue;
        }
        if used > 0 {
            lines.push(std::mem::replace(&mut line, indent.clone()));
        }
        let mut rest: Vec<char> = word.chars().collect();
        while rest.len() > columns {
            let head: String = rest.drain(..columns).collect();
            lines.push(format!("{indent}{head}"));
        }
        used = rest.len();
        line.extend(rest);
    }
    lines.push(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_hidden_in_a_name_come_out_as_text() {
        // Proves: ESC, GS, DLE and other controls in product text never reach the printer.
        assert_eq!(
            printable("Tr\u{1b}@à\u{10}\u{4}\u{1} \u{1d}V0đ\u{7f}\u{9b}"),
            "Tr@à V0đ"
        );
    }

    #[test]
    fn decomposed_vietnamese_is_composed_and_one_cell_a_letter() {
        // Proves: NFD input prints as the same letters and widths as NFC input.
        assert_eq!(printable("Ca\u{302}\u{300} phe\u{302}"), "Cầ phê");
        assert_eq!(width_cells("Phở bò ₫"), 8);
    }

    #[test]
    fn what_the_font_lacks_becomes_its_plain_form_or_a_question_mark() {
        // Proves: full-width and ligatures are kept readable, the rest is visibly replaced.
        assert_eq!(printable("ＡＢ ﬁ 漢 😀\u{fe0f}"), "AB fi ? ?");
    }

    #[test]
    fn wrapping_keeps_words_whole_and_cuts_only_words_longer_than_a_line() {
        // Proves: no line is longer than asked, no letter is lost, no-break spaces hold.
        assert_eq!(wrap("Cà phê sữa đá lon", 10), ["Cà phê sữa", "đá lon"]);
        assert_eq!(wrap("12345678901234", 10), ["1234567890", "1234"]);
        assert_eq!(wrap("giá 12.000\u{a0}₫", 10), ["giá", "12.000 ₫"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("a\nb", 10), ["a", "b"]);
        assert_eq!(wrap("  x 2   y", 10), ["  x 2   y"]);
        assert_eq!(wrap("  mot hai ba bon", 10), ["  mot hai", "  ba bon"]);
    }
}
