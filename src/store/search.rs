//! Search as a shopper types: every word is the beginning of a word of the item, accents and typing slips forgiven.
//!
//! First all words, each as a prefix; if that finds nothing, words joined, split or corrected by the catalogue's own
//! vocabulary; if that finds nothing either, all words but one. Ranked by: accents as typed, words in the name, name
//! begins so, words in order, whole words, then what sells best.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use crate::catalogue::fold::{accented, barcode_key, fold};

use super::browse::Found;
use super::catalogue_file::Catalogue;
use super::engine::Engine;
use super::error::StoreError;

/// Rows looked at for ranking; they come in standing order, so the best sellers are among them.
const CANDIDATES: usize = 96;
/// Words of a query that count.
const WORDS_MAX: usize = 8;
/// Alternatives tried for a mistyped word.
const ALTERNATIVES: usize = 6;

/// The catalogue's words, for correcting what was mistyped.
#[derive(Default)]
pub(super) struct Vocabulary {
    text: String,
    words: Vec<Word>,
}

struct Word {
    start: u32,
    length: u8,
    letters: u32,
    items: u32,
}

/// A row that may be shown.
struct Candidate {
    row: i64,
    name: String,
    folded: String,
    other: String,
}

impl Vocabulary {
    fn load(catalogue: &Catalogue) -> rusqlite::Result<Self> {
        let mut statement = catalogue
            .connection
            .prepare("SELECT word, items FROM word ORDER BY word")?;
        let mut rows = statement.query([])?;
        let (mut text, mut words) = (String::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let word: String = row.get(0)?;
            let Ok(length) = u8::try_from(word.len()) else {
                continue;
            };
            let start = u32::try_from(text.len()).unwrap_or(u32::MAX);
            words.push(Word {
                start,
                length,
                letters: letters(&word),
                items: row.get(1)?,
            });
            text.push_str(&word);
        }
        Ok(Self { text, words })
    }

    fn word(&self, word: &Word) -> &str {
        let start = word.start as usize;
        &self.text[start..start + usize::from(word.length)]
    }

    /// Whether some word begins with `prefix`.
    fn has_prefix(&self, prefix: &str) -> bool {
        let at = self.words.partition_point(|word| self.word(word) < prefix);
        self.words
            .get(at)
            .is_some_and(|word| self.word(word).starts_with(prefix))
    }

    /// Words within a slip or two of `typed`, nearest first, then most used.
    fn near(&self, typed: &str) -> Vec<String> {
        let allowed = match typed.len() {
            0..=2 => return Vec::new(),
            3..=6 => 1,
            _ => 2,
        };
        // A number that is not there is another number, not a slip.
        if typed.bytes().any(|byte| byte.is_ascii_digit()) {
            return Vec::new();
        }
        let signature = letters(typed);
        let typed: Vec<char> = typed.chars().collect();
        let mut near: Vec<(usize, u32, &str)> = Vec::new();
        for word in &self.words {
            // Each letter that is typed but not in the word is a slip of its own: seen before measuring.
            let apart = (signature & !word.letters).count_ones() as usize;
            if apart > allowed || usize::from(word.length) + allowed < typed.len() {
                continue;
            }
            let text = self.word(word);
            if !may_begin(&typed, text, allowed) {
                continue;
            }
            let distance = prefix_distance(&typed, text, allowed);
            if distance <= allowed {
                near.push((distance, u32::MAX - word.items, text));
            }
        }
        near.sort_unstable();
        near.into_iter()
            .take(ALTERNATIVES)
            .map(|(_, _, word)| word.to_owned())
            .collect()
    }
}

/// Which letters a word has, as a set.
fn letters(word: &str) -> u32 {
    word.bytes()
        .filter(u8::is_ascii_lowercase)
        .fold(0, |set, byte| set | 1 << (byte - b'a'))
}

/// Of the first letters typed, one more than the slips allowed, at least one stands in the word where it should, give
/// or take those slips; a cheap look that spares most words the measuring.
fn may_begin(typed: &[char], word: &str, allowed: usize) -> bool {
    let mut head = typed.iter().take(allowed + 1);
    head.any(|letter| {
        word.chars()
            .take(2 * allowed + 1)
            .any(|known| known == *letter)
    })
}

/// Smallest number of slips (wrong, missing, extra or swapped letter) that turn `typed` into a beginning of `word`;
/// anything above `allowed` when there are more.
fn prefix_distance(typed: &[char], word: &str, allowed: usize) -> usize {
    const WIDTH: usize = 40;
    let columns = typed.len();
    if columns + 1 > WIDTH {
        return allowed + 1;
    }
    // rows[i % 3][j]: slips between the first i letters of the word and the first j typed.
    let mut rows = [[0_usize; WIDTH]; 3];
    rows[0]
        .iter_mut()
        .enumerate()
        .for_each(|(column, slips)| *slips = column);
    let mut best = columns;
    let mut before = '\0';
    for (index, letter) in word.chars().enumerate().take(columns + allowed) {
        let line = index + 1;
        let (now, last, older) = (line % 3, (line - 1) % 3, (line + 1) % 3);
        rows[now][0] = line;
        let mut least = line;
        for column in 1..=columns {
            let cost = usize::from(typed[column - 1] != letter);
            let mut slips = (rows[last][column - 1] + cost)
                .min(rows[last][column] + 1)
                .min(rows[now][column - 1] + 1);
            if line > 1 && column > 1 && typed[column - 1] == before && typed[column - 2] == letter
            {
                slips = slips.min(rows[older][column - 2] + 1);
            }
            rows[now][column] = slips;
            least = least.min(slips);
        }
        best = best.min(rows[now][columns]);
        if least > allowed {
            break;
        }
        before = letter;
    }
    best
}

impl Catalogue {
    /// Reads the words for corrections, in an idle moment or when first needed. Without them a search still finds
    /// what was typed rightly, so a failure only costs the corrections.
    pub(super) fn load_vocabulary(&mut self) {
        if self.vocabulary.is_none() {
            let loaded = Vocabulary::load(self);
            if let Err(error) = &loaded {
                tracing::warn!(%error, "the catalogue's words cannot be read; typing slips are not corrected");
            }
            self.vocabulary = Some(loaded.unwrap_or_default());
        }
    }
}

impl Engine {
    /// Items for what a shopper typed, best first, at most `limit`; only what can be sold.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn search(&mut self, text: &str, limit: usize) -> Result<Vec<Found>, StoreError> {
        let folded = fold(text);
        let words: Vec<&str> = folded
            .split(' ')
            .filter(|word| !word.is_empty())
            .take(WORDS_MAX)
            .collect();
        let Some(catalogue) = &mut self.catalogue else {
            return Ok(Vec::new());
        };
        if words.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let failed = |error: rusqlite::Error| StoreError::Catalogue {
            path: self.config.path.clone(),
            what: error.to_string(),
        };
        let mut rows = by_number(catalogue, text, limit).map_err(failed)?;
        let plain: Vec<Vec<String>> = words.iter().map(|word| vec![(*word).to_owned()]).collect();
        let (found, used) = find(catalogue, &plain).map_err(failed)?;
        let ranked = rank(found, &used, text, &self.sold_rows(&rows));
        rows.extend(ranked);
        self.load(rows, limit)
    }

    /// How much each best seller sold, by row: the place in the list stands for it.
    fn sold_rows(&self, _taken: &[i64]) -> HashMap<i64, usize> {
        let best = self
            .catalogue
            .as_ref()
            .map_or(&[][..], |catalogue| &catalogue.best);
        best.iter()
            .enumerate()
            .map(|(place, row)| (*row, best.len() - place))
            .collect()
    }

    fn load(&self, rows: Vec<i64>, limit: usize) -> Result<Vec<Found>, StoreError> {
        let mut found = Vec::new();
        let mut seen = Vec::new();
        for row in rows {
            if found.len() >= limit {
                break;
            }
            if !seen.contains(&row) {
                seen.push(row);
                found.extend(self.select(
                    "SELECT body, sellable FROM item WHERE row = ?1",
                    params![row],
                )?);
            }
        }
        Ok(found)
    }
}

/// Rows whose barcode begins with the number that was typed.
fn by_number(catalogue: &Catalogue, text: &str, limit: usize) -> rusqlite::Result<Vec<i64>> {
    let number: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if number.len() < 4 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Vec::new());
    }
    let from = barcode_key(&number);
    let until = format!("{from}:");
    let mut statement = catalogue.connection.prepare_cached(
        "SELECT b.row FROM barcode b JOIN item i ON i.row = b.row
         WHERE b.key >= ?1 AND b.key < ?2 AND i.sellable = 1 LIMIT ?3",
    )?;
    statement
        .query_map(params![from, until, limit as i64], |row| row.get(0))?
        .collect()
}

/// Runs the three steps; returns the candidates and the words that found them.
fn find(
    catalogue: &mut Catalogue,
    words: &[Vec<String>],
) -> rusqlite::Result<(Vec<Candidate>, Vec<Vec<String>>)> {
    let found = candidates(catalogue, words)?;
    if !found.is_empty() {
        return Ok((found, words.to_vec()));
    }
    catalogue.load_vocabulary();
    let readings = catalogue
        .vocabulary
        .as_ref()
        .map(|vocabulary| joined(vocabulary, words));
    for reading in readings.unwrap_or_default() {
        let found = candidates(catalogue, &reading)?;
        if !found.is_empty() {
            return Ok((found, reading));
        }
    }
    let mut base = words.to_vec();
    for known_too in [false, true] {
        let reading = catalogue
            .vocabulary
            .as_ref()
            .map(|vocabulary| corrected(vocabulary, words, known_too));
        let reading = reading.filter(|reading| !reading.is_empty() && *reading != base);
        let Some(reading) = reading else { continue };
        let found = candidates(catalogue, &reading)?;
        if !found.is_empty() {
            return Ok((found, reading));
        }
        if !known_too {
            base = reading;
        }
    }
    if base.len() > 1 {
        for left_out in (0..base.len()).rev() {
            let mut fewer = base.clone();
            fewer.remove(left_out);
            let found = candidates(catalogue, &fewer)?;
            if !found.is_empty() {
                return Ok((found, fewer));
            }
        }
    }
    Ok((Vec::new(), base))
}

/// Readings in which two neighbouring words are one: "co ca" for "coca".
fn joined(vocabulary: &Vocabulary, words: &[Vec<String>]) -> Vec<Vec<Vec<String>>> {
    let pairs = words.windows(2).enumerate().filter_map(|(index, pair)| {
        let joined = format!("{}{}", pair[0].first()?, pair[1].first()?);
        vocabulary.has_prefix(&joined).then(|| {
            let mut reading = words.to_vec();
            reading.splice(index..index + 2, [vec![joined]]);
            reading
        })
    });
    pairs.collect()
}

/// The query with unknown words split or corrected; with `known_too` also words that begin like a known one but may
/// still be a slip ("sau" for "sua"). A word nothing is near to is left out.
fn corrected(vocabulary: &Vocabulary, words: &[Vec<String>], known_too: bool) -> Vec<Vec<String>> {
    let mut reading = Vec::new();
    for word in words.iter().filter_map(|word| word.first()) {
        if vocabulary.has_prefix(word) {
            let mut alternatives = vec![word.clone()];
            if known_too {
                alternatives.extend(vocabulary.near(word));
            }
            reading.push(alternatives);
        } else if let Some((left, right)) = split(vocabulary, word) {
            reading.extend([vec![left], vec![right]]);
        } else {
            let near = vocabulary.near(word);
            if !near.is_empty() {
                reading.push(near);
            }
        }
    }
    reading
}

/// Two words written as one: "haohao", "nuocmam".
fn split(vocabulary: &Vocabulary, word: &str) -> Option<(String, String)> {
    let whole = |part: &str| {
        let at = vocabulary
            .words
            .partition_point(|known| vocabulary.word(known) < part);
        vocabulary
            .words
            .get(at)
            .filter(|known| vocabulary.word(known) == part)
            .map(|known| known.items)
    };
    word.char_indices()
        .skip(2)
        .filter_map(|(at, _)| {
            let (left, right) = word.split_at(at);
            let used = whole(left)?;
            (right.len() > 1 && vocabulary.has_prefix(right)).then_some((used, left, right))
        })
        .max_by_key(|(used, _, _)| *used)
        .map(|(_, left, right)| (left.to_owned(), right.to_owned()))
}

/// Rows that have every word (any of its alternatives) as a prefix: best sellers, then the first in standing order.
fn candidates(catalogue: &Catalogue, words: &[Vec<String>]) -> rusqlite::Result<Vec<Candidate>> {
    let query = words
        .iter()
        .map(|alternatives| {
            let terms: Vec<String> = alternatives
                .iter()
                .map(|word| format!("\"{word}\"*"))
                .collect();
            format!("({})", terms.join(" OR "))
        })
        .collect::<Vec<_>>()
        .join(" AND ");
    let mut statement = catalogue
        .connection
        .prepare_cached("SELECT rowid FROM search WHERE search MATCH ?1 ORDER BY rowid LIMIT ?2")?;
    let mut rows: Vec<i64> = statement
        .query_map(params![query, CANDIDATES as i64], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut read = catalogue
        .connection
        .prepare_cached("SELECT row, name, folded, other FROM label WHERE row = ?1")?;
    // Rows come in the standing order of the day the catalogue was built; what sells best since may be further back.
    let more = rows.len() == CANDIDATES;
    let late: Vec<i64> = catalogue
        .best
        .iter()
        .copied()
        .filter(|row| more && !rows.contains(row))
        .collect();
    let sure = rows.len();
    rows.extend(late);
    let mut found = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        let candidate = read
            .query_row([row], |row| {
                Ok(Candidate {
                    row: row.get(0)?,
                    name: row.get(1)?,
                    folded: row.get(2)?,
                    other: row.get(3)?,
                })
            })
            .optional()?;
        found.extend(candidate.filter(|candidate| index < sure || has_all(candidate, words)));
    }
    Ok(found)
}

fn has_all(candidate: &Candidate, words: &[Vec<String>]) -> bool {
    words.iter().all(|alternatives| {
        let mut tokens = candidate
            .folded
            .split(' ')
            .chain(candidate.other.split(' '));
        tokens.any(|token| {
            alternatives
                .iter()
                .any(|word| token.starts_with(word.as_str()))
        })
    })
}

/// Orders candidates, best first.
fn rank(
    found: Vec<Candidate>,
    words: &[Vec<String>],
    typed: &str,
    sold: &HashMap<i64, usize>,
) -> Vec<i64> {
    let with_accents = !typed.is_ascii();
    let typed_words: Vec<String> = accented(typed)
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let mut scored: Vec<_> = found
        .into_iter()
        .map(|candidate| {
            let tokens: Vec<&str> = candidate.folded.split(' ').collect();
            let places: Vec<Option<usize>> =
                words.iter().map(|word| place(&tokens, word)).collect();
            let in_name = places.iter().flatten().count();
            let first = places.first().copied().flatten() == Some(0);
            let ascending = places
                .windows(2)
                .all(|pair| matches!(pair, [Some(a), Some(b)] if b > a));
            let together = places
                .windows(2)
                .all(|pair| matches!(pair, [Some(a), Some(b)] if *b == a + 1));
            let exact = words
                .iter()
                .filter(|word| tokens.iter().any(|token| word.iter().any(|w| w == token)))
                .count();
            let accents = if with_accents {
                accents_met(&candidate.name, &typed_words)
            } else {
                0
            };
            let popular = sold.get(&candidate.row).copied().unwrap_or(0);
            let score = (
                accents,
                in_name,
                first && ascending,
                together,
                exact,
                popular,
            );
            (std::cmp::Reverse(score), candidate.row)
        })
        .collect();
    scored.sort_unstable();
    scored.into_iter().map(|(_, row)| row).collect()
}

/// Where in the name a word begins.
fn place(tokens: &[&str], word: &[String]) -> Option<usize> {
    let exact = tokens
        .iter()
        .position(|token| word.iter().any(|w| w == token));
    exact.or_else(|| {
        tokens
            .iter()
            .position(|token| word.iter().any(|w| token.starts_with(w.as_str())))
    })
}

/// How many of the typed words stand in the name with the very accents that were typed.
fn accents_met(name: &str, typed: &[String]) -> usize {
    let name = accented(name);
    typed
        .iter()
        .filter(|word| {
            name.split_whitespace()
                .any(|token| token.starts_with(word.as_str()))
        })
        .count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn slips(typed: &str, word: &str) -> usize {
        prefix_distance(&typed.chars().collect::<Vec<_>>(), word, 2)
    }

    #[test]
    fn slips_are_counted_as_people_make_them() {
        // Proves a wrong, missing, extra or swapped letter is one slip, and that the rest of a word is free.
        for typed in [
            "vinanilk",
            "vinmilk",
            "vinammilk",
            "vniamilk",
            "vinami",
            "vinamilk",
        ] {
            assert!(slips(typed, "vinamilk") <= 1, "{typed}");
        }
        assert_eq!(slips("vinamilk", "vinamilk"), 0);
        assert_eq!(slips("ivnamlik", "vinamilk"), 2);
        assert!(slips("cocacola", "vinamilk") > 2);
        for (typed, word) in [
            ("vianmilk", "vinamilk"),
            ("inamilk", "vinamilk"),
            ("xvinamilk", "vinamilk"),
            ("ivanmilk", "vinamilk"),
        ] {
            assert!(
                may_begin(&typed.chars().collect::<Vec<_>>(), word, 2),
                "{typed}"
            );
        }
        assert!(!may_begin(&['z', 'z', 'z', 'z'], "vinamilk", 1));
        assert!(slips(&"a".repeat(60), "a") > 2);
    }
}
