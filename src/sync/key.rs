//! The kiosk's own key: made here, kept in one file that only the kiosk's user
//! may read, never sent anywhere.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use touchpoint::SigningKey;

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file is there and is not a key.
    #[error(
        "{}: this is not a kiosk key (32 bytes expected). Restore it from the backup, or remove it and enrol again",
        .0.display()
    )]
    NotAKey(PathBuf),
    /// Others may read the file.
    #[error("{}: others may read this key. Run: chmod 600 {}", .0.display(), .0.display())]
    Open(PathBuf),
    /// The file cannot be read or written.
    #[error("{}: {source}. Check the directory's owner and free space", path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No randomness for a new key.
    #[error("the system gives no randomness for a new key; try again")]
    NoRandomness,
}

/// Reads the key at `path`, or makes one and writes it durably.
///
/// # Errors
/// [`KeyError`].
pub fn load_or_make(path: &Path) -> Result<SigningKey, KeyError> {
    let io_error = |source| KeyError::Io {
        path: path.to_owned(),
        source,
    };
    match fs::read(path) {
        Ok(bytes) => {
            let mode = fs::metadata(path).map_err(io_error)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(KeyError::Open(path.to_owned()));
            }
            let bytes: [u8; 32] = bytes
                .try_into()
                .map_err(|_| KeyError::NotAKey(path.to_owned()))?;
            Ok(SigningKey::from_bytes(&bytes))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, io_error),
        Err(error) => Err(io_error(error)),
    }
}

fn make(path: &Path, io_error: impl Fn(io::Error) -> KeyError) -> Result<SigningKey, KeyError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(&io_error)?;
    file.write_all(&bytes).map_err(&io_error)?;
    file.sync_all().map_err(&io_error)?;
    fs::rename(&draft, path).map_err(&io_error)?;
    if let Some(dir) = path.parent() {
        fs::File::open(dir)
            .and_then(|dir| dir.sync_all())
            .map_err(&io_error)?;
    }
    Ok(SigningKey::from_bytes(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        // Proves that the same key comes back, and that an open or broken file is refused.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kiosk.key");
        let made = load_or_make(&path).unwrap();
        assert_eq!(load_or_make(&path).unwrap().to_bytes(), made.to_bytes());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(load_or_make(&path), Err(KeyError::Open(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, b"short").unwrap();
        assert!(matches!(load_or_make(&path), Err(KeyError::NotAKey(_))));
    }
}
