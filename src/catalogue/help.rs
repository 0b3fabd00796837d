//! Our own file format, in words for the person who makes the file.

/// The documented format of `kiosk import`; also `docs/catalogue-csv.md`.
pub const HELP: &str = include_str!("../../docs/catalogue-csv.md");
