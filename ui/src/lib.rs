//! The screens of Điểm Chạm: every `.slint` file, the fonts, pictures and translations, and the Rust code made from them.
//!
//! This crate knows no type of the shop. Each screen has one adapter global of plain strings, numbers, pictures and callbacks;
//! money arrives as a finished string because Slint's numbers are 32 bits wide.

mod pictures;

pub use generated::*;
pub use pictures::{install, picture, picture_keys};

#[allow(missing_docs, clippy::all, clippy::unwrap_used)]
mod generated {
    slint::include_modules!();
}

/// Languages the screens are written in, the source language first.
pub const LANGUAGES: [&str; 2] = ["en", "vi"];

/// Switches every visible text to `code` ("en" or "vi") at once.
///
/// A component must exist already: Slint keeps the translations with the first one.
///
/// # Errors
/// [`UnknownLanguage`] when no translation is bundled for `code`; the language on screen stays.
pub fn select_language(code: &str) -> Result<(), UnknownLanguage> {
    if !LANGUAGES.contains(&code) {
        return Err(UnknownLanguage(code.to_owned()));
    }
    slint::select_bundled_translation(code).map_err(|_| UnknownLanguage(code.to_owned()))
}

/// A language this build has no texts for. Trying again does not help; choose one of [`LANGUAGES`].
#[derive(Debug, thiserror::Error)]
#[error("no screen texts for language {0:?}; choose one of en, vi")]
pub struct UnknownLanguage(pub String);
