//! The rules that a look at the source can hold (ARCHITECTURE.md, "Rules").

use std::fs;
use std::path::{Path, PathBuf};

fn files(under: &str, kind: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(under)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|_| panic!("{}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|known| known == kind) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{under} holds no .{kind} file");
    found
}

/// The product's own lines of a file: without comments and without the test
/// module at its end.
fn product(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().enumerate();
    lines
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line.to_owned()))
        .collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn refuse(paths: &[PathBuf], words: &[&str], rule: &str) {
    let mut found = Vec::new();
    for path in paths {
        for (number, line) in product(path) {
            if let Some(word) = words.iter().find(|word| has_word(&line, word)) {
                found.push(format!("{}:{number}: {word}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn pure_rooms_do_no_input_output_read_no_clock_and_hold_no_float() {
    // Proves rule 1 for checkout, payqr, touchpoint and every protocol module.
    let mut pure = Vec::new();
    for room in ["checkout/src", "payqr/src", "touchpoint/src"] {
        pure.extend(files(room, "rs"));
    }
    let hardware = files("hardware/src", "rs").into_iter();
    pure.extend(hardware.filter(|path| path.to_string_lossy().contains("protocol")));
    let words = [
        "f32",
        "f64",
        "SystemTime",
        "Instant",
        "std::fs",
        "std::net",
        "std::io",
        "std::thread",
        "async",
        "getrandom",
        "rand",
    ];
    refuse(&pure, &words, "a pure room does something");
}

#[test]
fn only_ui_and_view_know_slint() {
    // Proves rule 2: no other room of the kiosk names Slint or its screens.
    let outside = files("src", "rs").into_iter();
    let outside: Vec<PathBuf> = outside
        .filter(|path| !path.to_string_lossy().contains("src/view/"))
        .collect();
    refuse(
        &outside,
        &["slint", "kiosk_ui"],
        "Slint outside of ui/ and src/view/",
    );
}

#[test]
fn money_reaches_the_screens_as_text() {
    // Proves rule 2: no adapter has a number that is named like money.
    let names = [
        "amount", "price", "total", "due", "change", "received", "saved",
    ];
    for path in files("ui/adapters", "slint") {
        for (number, line) in product(&path) {
            let is_number = line.contains("<int>")
                || line.contains("<float>")
                || line.trim_end().ends_with(": int,")
                || line.trim_end().ends_with(": float,");
            let is_money = names.iter().any(|name| has_word(&line, name));
            assert!(
                !(is_number && is_money),
                "{}:{number}: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn the_ui_thread_does_no_input_output() {
    // Proves rule 8 as far as source can show it: app and view name no disk, network or port.
    let mut rooms = files("src/app", "rs");
    rooms.extend(files("src/view", "rs"));
    let words = [
        "std::fs",
        "std::net",
        "rusqlite",
        "reqwest",
        "serialport",
        "sleep",
    ];
    refuse(&rooms, &words, "the UI thread waits for the world");
}

#[test]
fn no_staff_and_no_card_reaches_a_touchpoint_event() {
    // Proves rule 11 for the words of the wire: no field can hold a person.
    let words = [
        "staff",
        "cashier",
        "phone",
        "email",
        "pan",
        "cardholder",
        "payer",
        "face_image",
    ];
    let vocabulary = files("touchpoint/src", "rs").into_iter();
    let vocabulary: Vec<PathBuf> = vocabulary
        .filter(|path| path.ends_with("vocabulary.rs"))
        .collect();
    for path in &vocabulary {
        for (number, line) in product(path) {
            let field = line.trim_start().split(':').next().unwrap_or_default();
            assert!(
                !words.contains(&field),
                "{}:{number}: {line}",
                path.display()
            );
        }
    }
    assert_eq!(vocabulary.len(), 1);
}

#[test]
fn rooms_stay_small_enough_to_see() {
    // Proves that no module grows over 700 lines without somebody noticing.
    let rooms = [
        "src",
        "checkout/src",
        "hardware/src",
        "payqr/src",
        "touchpoint/src",
        "headoffice/src",
        "ui/src",
    ];
    for room in rooms {
        for path in files(room, "rs") {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 700, "{} has {lines} lines", path.display());
        }
    }
}
