//! Printer profiles by name or by file: a shop's own printer is a file like the built-in ones.

use hardware::printer::Profile;
use hardware::printer::profile::ProfileError;
use std::path::{Path, PathBuf};

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum PrinterProfileError {
    /// The file is not there or not readable.
    #[error(
        "{}: the printer profile cannot be read ({source}). Make it from one that `kiosk example-profile NAME` prints",
        path.display()
    )]
    File {
        /// The file looked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in the file cannot be.
    #[error("{}: {source}", path.display())]
    Content {
        /// The file read.
        path: PathBuf,
        /// What is wrong with it.
        source: ProfileError,
    },
    /// No built-in profile has this name.
    #[error("{0}; or give the path of a profile file, ending in .toml")]
    Name(#[from] ProfileError),
}

/// The profile that `name` means: a built-in one, or a file where it ends in `.toml`, relative to
/// `folder`.
///
/// # Errors
/// [`PrinterProfileError`], naming the file and what to do.
pub fn printer_profile(name: &str, folder: &Path) -> Result<Profile, PrinterProfileError> {
    if Path::new(name)
        .extension()
        .is_none_or(|kind| kind != "toml")
    {
        return Ok(Profile::named(name)?);
    }
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).map_err(|source| PrinterProfileError::File {
        path: path.clone(),
        source,
    })?;
    Profile::from_toml(&text).map_err(|source| PrinterProfileError::Content { path, source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_shop_can_bring_the_profile_of_its_own_printer() {
        // Proves: a built-in profile written to a file and changed is used as changed; a missing file, a wrong field
        // and an unknown name each say what to do.
        let folder = tempfile::tempdir().unwrap();
        let text = Profile::text("xprinter-clone").unwrap();
        let own = text.replace("columns = 48", "columns = 42");
        std::fs::write(folder.path().join("own.toml"), own).unwrap();
        let profile = printer_profile("own.toml", folder.path()).unwrap();
        assert_eq!(profile.columns, 42);

        let missing = printer_profile("other.toml", folder.path()).unwrap_err();
        assert!(
            missing.to_string().contains("kiosk example-profile"),
            "{missing}"
        );
        std::fs::write(
            folder.path().join("bad.toml"),
            format!("{text}\nspeed = 3\n"),
        )
        .unwrap();
        let bad = printer_profile("bad.toml", folder.path()).unwrap_err();
        assert!(bad.to_string().contains("speed"), "{bad}");
        let name = printer_profile("star", folder.path()).unwrap_err();
        assert!(name.to_string().contains("xprinter-clone"), "{name}");
    }
}
