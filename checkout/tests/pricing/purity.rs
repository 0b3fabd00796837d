//! The crate is a pure function of its inputs.

use std::path::Path;

/// Every line of code below `folder`, without comments and the test modules at
/// the end of files: (file, line).
fn code_lines(folder: &Path, lines: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code_lines(&path, lines);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let product = text
                .lines()
                .take_while(|line| line.trim() != "#[cfg(test)]");
            let code = product.map(|line| line.split("//").next().unwrap_or(""));
            lines.extend(code.map(|line| (path.display().to_string(), line.to_owned())));
        }
    }
}

#[test]
fn no_float_clock_file_or_chance() {
    // Proves no source file of the crate names a float, a clock, I/O, a thread or a hash order.
    let mut lines = Vec::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    code_lines(&source, &mut lines);
    assert!(lines.len() > 1_000);
    let forbidden = [
        "f32",
        "f64",
        "std::time",
        "SystemTime",
        "Instant",
        "std::fs",
        "std::io",
        "std::net",
        "std::env",
        "std::thread",
        "std::process",
        "HashMap",
        "HashSet",
        "async ",
        "unsafe ",
        "println!",
        "eprintln!",
    ];
    for (file, line) in lines {
        let word = forbidden.iter().find(|word| line.contains(**word));
        assert_eq!(word, None, "{file}: {line}");
    }
}
