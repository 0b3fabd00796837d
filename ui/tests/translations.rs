//! Every text on screen exists in Vietnamese.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn slint_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            slint_files(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "slint")
        {
            found.push(path);
        }
    }
}

/// The text of the string literal that starts at `source`'s first quote, still escaped, and what follows it.
fn literal(source: &str) -> (String, &str) {
    let start = source.find('"').expect("@tr starts with a literal") + 1;
    let bytes = source.as_bytes();
    let mut end = start;
    while bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    (source[start..end].to_owned(), &source[end + 1..])
}

/// Every message of the screens, with its plural form if it has one.
fn messages() -> BTreeMap<String, Option<String>> {
    let mut files = Vec::new();
    slint_files(Path::new(env!("CARGO_MANIFEST_DIR")), &mut files);
    let mut found = BTreeMap::new();
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        for after in source.split("@tr(").skip(1) {
            let (message, rest) = literal(after);
            let plural = rest
                .trim_start()
                .strip_prefix('|')
                .map(|rest| literal(rest).0);
            found.insert(message, plural);
        }
    }
    found
}

/// The catalogue: message to translations.
fn translations() -> BTreeMap<String, Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("lang/vi/LC_MESSAGES/kiosk-ui.po");
    let mut entries = BTreeMap::new();
    let mut message = String::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        if let Some(text) = line.strip_prefix("msgid ") {
            message = literal(text).0;
        } else if let Some(text) = line.strip_prefix("msgstr") {
            entries
                .entry(message.clone())
                .or_insert_with(Vec::new)
                .push(literal(text).0);
        }
    }
    entries.remove("");
    entries
}

fn placeholders(text: &str) -> BTreeSet<String> {
    text.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}').map(|(name, _)| name.to_owned()))
        .collect()
}

// Proves that every @tr text has a Vietnamese translation with the same placeholders, and that none is left over.
#[test]
fn every_text_is_translated() {
    let (messages, translations) = (messages(), translations());
    assert!(
        messages.len() > 200,
        "only {} texts found: the reader is broken",
        messages.len()
    );
    for (message, plural) in &messages {
        let rows = translations
            .get(message)
            .unwrap_or_else(|| panic!("no Vietnamese for “{message}”"));
        for row in rows {
            assert!(!row.is_empty(), "empty Vietnamese for “{message}”");
            assert_eq!(
                placeholders(row),
                placeholders(plural.as_ref().unwrap_or(message)),
                "placeholders of “{message}”"
            );
        }
    }
    let unused: Vec<_> = translations
        .keys()
        .filter(|message| !messages.contains_key(*message))
        .collect();
    assert!(unused.is_empty(), "translations nobody shows: {unused:?}");
}

// Proves that the screens contain no words outside @tr: a literal with two letters in a row must be a key, a value or inside @tr.
#[test]
fn no_words_outside_translation() {
    let mut files = Vec::new();
    for folder in ["screens", "widgets"] {
        slint_files(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            &mut files,
        );
    }
    for file in files {
        let source = std::fs::read_to_string(&file).unwrap();
        for (number, line) in source.lines().enumerate() {
            let code = line.trim_start();
            let shows_text = [
                "text:",
                "label:",
                "caption:",
                "headline:",
                "detail:",
                "care:",
                "name:",
                "words:",
                "title:",
                "accessible-label:",
            ]
            .iter()
            .any(|property| code.starts_with(property));
            if !shows_text {
                continue;
            }
            let mut rest = code;
            let mut translating = false;
            while let Some(quote) = rest.find('"') {
                let before = &rest[..quote];
                let (text, after) = literal(rest);
                // A plural form stands after the bar of the same @tr.
                translating = before.contains("@tr(") || (translating && before.trim() == "|");
                let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
                assert!(
                    translating || letters < 2,
                    "{}:{}: “{text}” is not in @tr",
                    file.display(),
                    number + 1
                );
                rest = after;
            }
        }
    }
}
