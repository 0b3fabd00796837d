//! How the medium is doing: space that is left, the ballast, and what a person must be told.

use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use nix::fcntl::posix_fallocate;
use nix::sys::statvfs::statvfs;

use super::engine::Engine;
use super::error::StoreError;

/// How much room is left for the journal (sync-and-reliability.md §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum StorageLevel {
    /// Nothing to say.
    Plenty = 0,
    /// Under 20 %: tell staff and head office.
    Low = 1,
    /// Under 10 %: exit taps are no longer recorded, so that sales can be.
    NoTaps = 2,
    /// Under 3 %: no new sale is begun; one that has begun is finished.
    NoSales = 3,
}

impl StorageLevel {
    /// The level at `free` of `total` bytes. A percentage only counts together with an absolute size, because a
    /// kiosk writes some megabytes a day: 3 % of a large disk is years.
    #[must_use]
    pub fn of(free_bytes: u64, total_bytes: u64) -> Self {
        const MIB: u64 = 1024 * 1024;
        let under = |percent: u64, bytes: u64| {
            u128::from(free_bytes) * 100 < u128::from(total_bytes) * u128::from(percent)
                && free_bytes < bytes
        };
        if under(3, 256 * MIB) {
            Self::NoSales
        } else if under(10, 1024 * MIB) {
            Self::NoTaps
        } else if under(20, 4096 * MIB) {
            Self::Low
        } else {
            Self::Plenty
        }
    }

    pub(super) fn from_number(number: u8) -> Self {
        [Self::Plenty, Self::Low, Self::NoTaps, Self::NoSales][usize::from(number.min(3))]
    }
}

/// Something a person or head office should learn about the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageHealth {
    /// The level of free space changed.
    Space {
        /// The new level.
        level: StorageLevel,
        /// Bytes the kiosk can still write.
        free_bytes: u64,
        /// Size of the file system.
        total_bytes: u64,
    },
    /// A checkpoint failed: the disk may be dying although every commit succeeded (§0.5).
    CheckpointFailed(String),
    /// A request failed in a way that stops selling.
    Failed(StoreError),
    /// After a failure the file was opened and verified again.
    Recovered,
    /// The disk was full and the ballast was given up; sales go on, but someone must make room.
    BallastReleased,
    /// The catalogue could not be opened; the previous one is in use.
    CatalogueRolledBack(String),
    /// No catalogue can be opened; nothing can be scanned or searched.
    CatalogueLost(String),
}

/// A file that can be deleted when the disk is full: even DELETE needs room (§0.6).
pub(super) struct Ballast {
    path: PathBuf,
    bytes: u64,
}

impl Ballast {
    pub(super) fn beside(database: &Path, bytes: u64) -> Self {
        Self {
            path: database.with_extension("ballast"),
            bytes,
        }
    }

    /// Gives the room back. Returns whether there was any.
    pub(super) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }

    /// Sets the room aside, if it is not already and there is plenty.
    pub(super) fn keep(&self, free_bytes: u64) {
        let there = fs::metadata(&self.path).is_ok_and(|metadata| metadata.len() == self.bytes);
        if self.bytes == 0 || there || free_bytes < self.bytes.saturating_mul(4) {
            return;
        }
        let made = fs::File::create(&self.path)
            .map_err(|error| error.to_string())
            .and_then(|file| {
                let length = i64::try_from(self.bytes).unwrap_or(0);
                posix_fallocate(file.as_fd(), 0, length).map_err(|error| error.to_string())
            });
        if let Err(what) = made {
            tracing::warn!(path = %self.path.display(), what, "the ballast file could not be made");
            self.release();
        }
    }
}

impl Engine {
    /// How much room is left.
    #[must_use]
    pub fn level(&self) -> StorageLevel {
        self.level
    }

    /// Looks at the free space, keeps or gives up the ballast, and notes a change of level.
    pub(super) fn watch_space(&mut self) {
        let Ok(stat) = statvfs(&self.config.path) else {
            return;
        };
        let free_bytes = stat.blocks_available() * stat.fragment_size();
        let total_bytes = stat.blocks() * stat.fragment_size();
        let level = StorageLevel::of(free_bytes, total_bytes);
        if level == StorageLevel::Plenty {
            self.ballast.keep(free_bytes);
        }
        if level == StorageLevel::NoSales && self.ballast.release() {
            self.notices.push(StorageHealth::BallastReleased);
        }
        if level != self.level {
            self.level = level;
            self.notices.push(StorageHealth::Space {
                level,
                free_bytes,
                total_bytes,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn levels_follow_percent_and_size() {
        // Proves the thresholds 20, 10 and 3 % on a small medium, and that a large disk is not called full.
        let gib = 1024 * 1024 * 1024_u64;
        let at = |percent: u64| StorageLevel::of(8 * gib / 100 * percent, 8 * gib);
        assert_eq!(at(25), StorageLevel::Plenty);
        assert_eq!(at(15), StorageLevel::Low);
        assert_eq!(at(9), StorageLevel::NoTaps);
        assert_eq!(at(2), StorageLevel::NoSales);
        assert_eq!(StorageLevel::of(20 * gib, 1000 * gib), StorageLevel::Plenty);
        assert_eq!(StorageLevel::of(0, 0), StorageLevel::Plenty);
    }

    #[test]
    fn ballast_is_kept_and_released_once() {
        // Proves the ballast really takes its room, is not made on a tight disk, and is given back once.
        let folder = tempfile::tempdir().unwrap();
        let ballast = Ballast::beside(&folder.path().join("kiosk.db"), 1 << 20);
        ballast.keep(1 << 20);
        assert!(!ballast.release());
        ballast.keep(u64::MAX);
        assert_eq!(
            fs::metadata(folder.path().join("kiosk.ballast"))
                .unwrap()
                .len(),
            1 << 20
        );
        assert!(ballast.release());
        assert!(!ballast.release());
    }
}
