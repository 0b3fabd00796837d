//! Brings a database to this program's version, one numbered file at a time.

use super::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// In order; `user_version` is how many have run. A released file is never edited.
const MIGRATIONS: [&str; 4] = [
    include_str!("../../../migrations/headoffice/sqlite/0001_accept.sql"),
    include_str!("../../../migrations/headoffice/sqlite/0002_project.sql"),
    include_str!("../../../migrations/headoffice/sqlite/0003_relay.sql"),
    include_str!("../../../migrations/headoffice/sqlite/0004_by_staff.sql"),
];

/// Runs what is missing, all of it or nothing.
pub(super) fn migrate(
    connection: &mut Connection,
    path: &Path,
    application_id: i32,
) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let number = |name: &str| {
        transaction.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i32>(0))
    };
    let version = number("user_version")?;
    let known = MIGRATIONS.len() as i32;
    let tables: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let fresh = version == 0 && tables == 0;
    if !fresh && number("application_id")? != application_id {
        return Err(StoreError::Foreign(path.into()));
    }
    if version > known {
        return Err(StoreError::Newer {
            found: version,
            known,
        });
    }
    for script in MIGRATIONS.iter().skip(version.unsigned_abs() as usize) {
        transaction.execute_batch(script)?;
    }
    if version != known {
        transaction.pragma_update(None, "application_id", application_id)?;
        transaction.pragma_update(None, "user_version", known)?;
    }
    Ok(transaction.commit()?)
}
