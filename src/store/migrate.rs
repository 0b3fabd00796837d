//! The migrator: `user_version` counts the files of `migrations/kiosk/` that were applied, each in one transaction.

use std::path::Path;

use rusqlite::Connection;

use super::error::StoreError;

/// `application_id` of a kiosk database: "TPKS".
pub(super) const APPLICATION_ID: i64 = 0x5450_4b53;

/// Every migration in order; the number of a file is its position here, counted from 1.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/kiosk/0001-journal.sql"),
    include_str!("../../migrations/kiosk/0002-sales.sql"),
    include_str!("../../migrations/kiosk/0003-catalogue.sql"),
    include_str!("../../migrations/kiosk/0004-print-jobs.sql"),
    include_str!("../../migrations/kiosk/0005-item-sold.sql"),
    include_str!("../../migrations/kiosk/0006-days.sql"),
    include_str!("../../migrations/kiosk/0007-claim-slips.sql"),
    include_str!("../../migrations/kiosk/0008-card-money.sql"),
];

/// Newest schema version this program knows.
pub const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// Brings the database at `path` to [`SCHEMA_VERSION`]. Returns the version it had.
///
/// # Errors
/// [`StoreError::Newer`] and [`StoreError::Foreign`] leave the file untouched.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<i64, StoreError> {
    migrate_to(connection, path, SCHEMA_VERSION)
}

/// As [`migrate`], up to `target` (tests build old databases with it).
pub(super) fn migrate_to(
    connection: &mut Connection,
    path: &Path,
    target: i64,
) -> Result<i64, StoreError> {
    let sql = |error: rusqlite::Error| StoreError::from_sqlite(path, &error);
    let found = check_version(connection, path)?;
    for version in found..target {
        let script = usize::try_from(version)
            .ok()
            .and_then(|index| MIGRATIONS.get(index))
            .copied()
            .unwrap_or_default();
        let transaction = connection.transaction().map_err(sql)?;
        transaction.execute_batch(script).map_err(sql)?;
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(sql)?;
        transaction
            .pragma_update(None, "user_version", version + 1)
            .map_err(sql)?;
        transaction.commit().map_err(sql)?;
    }
    Ok(found)
}

/// Reads the schema version and refuses files this program must not touch.
pub(super) fn check_version(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let sql = |error: rusqlite::Error| StoreError::from_sqlite(path, &error);
    let read = |name: &str| {
        connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .map_err(sql)
    };
    let (application, found) = (read("application_id")?, read("user_version")?);
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(sql)?;
    let blank = application == 0 && found == 0 && tables == 0;
    if !blank && application != APPLICATION_ID {
        return Err(StoreError::Foreign(path.to_path_buf()));
    }
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer {
            path: path.to_path_buf(),
            found,
            known: SCHEMA_VERSION,
        });
    }
    if found < 0 || (!blank && found == 0) {
        return Err(StoreError::Damaged {
            path: path.to_path_buf(),
            what: format!("schema version {found}"),
        });
    }
    Ok(found)
}
