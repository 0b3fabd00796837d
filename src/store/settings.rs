//! Enrolment, settings, and the snapshots that come down from head office.

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::engine::Engine;
use super::error::StoreError;

/// How this kiosk is known to head office. The private key itself is in a file, never in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// Head office's name for this kiosk.
    pub device_id: String,
    /// The shop it stands in.
    pub store_id: String,
    /// Base address of head office.
    pub head_office_url: String,
    /// Head office's public key (Ed25519, 32 bytes).
    pub head_office_key: Vec<u8>,
    /// File of the kiosk's private key.
    pub key_path: String,
    /// Unix milliseconds UTC.
    pub enrolled_ms: i64,
}

/// Where a snapshot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotState {
    /// Received and checked; waits for the attract screen.
    Staged,
    /// In use.
    Applied,
    /// In use before; kept for roll-back.
    Previous,
    /// Was unhealthy; kept so that it is not fetched again.
    Rejected,
}

impl SnapshotState {
    fn word(self) -> &'static str {
        match self {
            Self::Staged => "staged",
            Self::Applied => "applied",
            Self::Previous => "previous",
            Self::Rejected => "rejected",
        }
    }
}

/// A signed, versioned, content-addressed snapshot from head office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// `configuration`, `prices`, `promotions`, `staff`, `registry`, `questions` …
    pub kind: String,
    /// Version head office gave it.
    pub version: i64,
    /// Its content address, lower-case hexadecimal SHA-256.
    pub digest: String,
    /// The content with its signature, as received.
    pub body: Vec<u8>,
}

fn snapshot_of(row: &Row<'_>) -> rusqlite::Result<Snapshot> {
    Ok(Snapshot {
        kind: row.get(0)?,
        version: row.get(1)?,
        digest: row.get(2)?,
        body: row.get(3)?,
    })
}

impl Engine {
    /// How this kiosk is enrolled, if it is.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn enrolment(&self) -> Result<Option<Enrolment>, StoreError> {
        self.connection
            .query_row(
                "SELECT device_id, store_id, head_office_url, head_office_key, key_path, enrolled_ms FROM enrolment",
                [],
                |row| {
                    Ok(Enrolment {
                        device_id: row.get(0)?,
                        store_id: row.get(1)?,
                        head_office_url: row.get(2)?,
                        head_office_key: row.get(3)?,
                        key_path: row.get(4)?,
                        enrolled_ms: row.get(5)?,
                    })
                },
            )
            .optional()
            .map_err(|error| self.sql(&error))
    }

    /// Records an enrolment, replacing an older one.
    ///
    /// # Errors
    /// When the row cannot be written.
    pub fn enrol(&mut self, enrolment: &Enrolment) -> Result<(), StoreError> {
        self.transact(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO enrolment (id, device_id, store_id, head_office_url, head_office_key, key_path,
                                                   enrolled_ms)
                 VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    enrolment.device_id,
                    enrolment.store_id,
                    enrolment.head_office_url,
                    enrolment.head_office_key,
                    enrolment.key_path,
                    enrolment.enrolled_ms,
                ],
            )?;
            Ok(())
        })
    }

    /// A setting, or `None` when it was never set.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the stored value is of another type.
    pub fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self
            .connection
            .query_row("SELECT value FROM setting WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| self.sql(&error))?;
        let parse = |text: String| {
            serde_json::from_str(&text)
                .map_err(|error| StoreError::Refused(format!("setting {key}: {error}")))
        };
        text.map(parse).transpose()
    }

    /// Writes a setting.
    ///
    /// # Errors
    /// When it cannot be written as JSON or to disk.
    pub fn set_setting<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), StoreError> {
        let text = serde_json::to_string(value)
            .map_err(|error| StoreError::Refused(format!("setting {key}: {error}")))?;
        self.transact(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO setting (key, value) VALUES (?1, ?2)",
                params![key, text],
            )?;
            Ok(())
        })
    }

    /// Keeps a received and checked snapshot until the attract screen; a newer one of its kind takes its place.
    /// A snapshot that is in use or was rejected stays as it is.
    ///
    /// # Errors
    /// When the row cannot be written.
    pub fn stage_snapshot(
        &mut self,
        snapshot: &Snapshot,
        received_ms: i64,
    ) -> Result<(), StoreError> {
        self.transact(|transaction| {
            let known: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM snapshot WHERE kind = ?1 AND digest = ?2
                                AND state IN ('applied', 'rejected'))",
                params![snapshot.kind, snapshot.digest],
                |row| row.get(0),
            )?;
            if known {
                return Ok(());
            }
            transaction.execute(
                "DELETE FROM snapshot WHERE kind = ?1 AND (state = 'staged' OR digest = ?2)",
                params![snapshot.kind, snapshot.digest],
            )?;
            transaction.execute(
                "INSERT INTO snapshot (kind, digest, version, state, received_ms, body)
                 VALUES (?1, ?2, ?3, 'staged', ?4, ?5)",
                params![
                    snapshot.kind,
                    snapshot.digest,
                    snapshot.version,
                    received_ms,
                    snapshot.body
                ],
            )?;
            Ok(())
        })
    }

    /// The snapshots in one state.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn snapshots(&self, state: SnapshotState) -> Result<Vec<Snapshot>, StoreError> {
        let read = || -> rusqlite::Result<Vec<Snapshot>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT kind, version, digest, body FROM snapshot WHERE state = ?1 ORDER BY kind, digest",
            )?;
            statement.query_map([state.word()], snapshot_of)?.collect()
        };
        read().map_err(|error| self.sql(&error))
    }

    /// The staged snapshot of `kind` becomes the one in use; the one in use is kept for roll-back.
    /// Returns it, or `None` when nothing is staged.
    ///
    /// # Errors
    /// When the rows cannot be written.
    pub fn apply_snapshot(&mut self, kind: &str) -> Result<Option<Snapshot>, StoreError> {
        self.transact(|transaction| {
            let staged = transaction
                .query_row(
                    "SELECT kind, version, digest, body FROM snapshot WHERE kind = ?1 AND state = 'staged'",
                    [kind],
                    snapshot_of,
                )
                .optional()?;
            if staged.is_some() {
                transaction.execute("DELETE FROM snapshot WHERE kind = ?1 AND state = 'previous'", [kind])?;
                for (from, to) in [("applied", "previous"), ("staged", "applied")] {
                    transaction.execute(
                        "UPDATE snapshot SET state = ?3 WHERE kind = ?1 AND state = ?2",
                        params![kind, from, to],
                    )?;
                }
            }
            Ok(staged)
        })
    }

    /// The snapshot of `kind` in use proved unhealthy: it is rejected and the one before it is used again.
    /// Returns the one now in use.
    ///
    /// # Errors
    /// When the rows cannot be written.
    pub fn roll_back_snapshot(&mut self, kind: &str) -> Result<Option<Snapshot>, StoreError> {
        self.transact(|transaction| {
            for (from, to) in [("applied", "rejected"), ("previous", "applied")] {
                transaction
                    .execute("UPDATE snapshot SET state = ?3 WHERE kind = ?1 AND state = ?2", params![kind, from, to])?;
            }
            transaction
                .query_row(
                    "SELECT kind, version, digest, body FROM snapshot WHERE kind = ?1 AND state = 'applied'",
                    [kind],
                    snapshot_of,
                )
                .optional()
        })
    }
}
