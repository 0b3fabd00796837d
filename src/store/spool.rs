//! The printer's spool: what was handed to the printer, how far it got, what proves its end.

use rusqlite::{OptionalExtension, params};

use super::engine::Engine;
use super::error::StoreError;
use super::journal::i64_of;

/// Ended jobs that are kept to be looked at.
const KEPT_JOBS: i64 = 2000;

/// What a job prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrintKind {
    /// A receipt or a copy of one; numbered by the till.
    Receipt,
    /// A paper of the staff: report, slip, test page; numbered here.
    Staff,
    /// The claim slip of a card payment in doubt; numbered by the till.
    Slip,
}

impl PrintKind {
    fn code(self) -> i64 {
        match self {
            Self::Receipt => 0,
            Self::Staff => 1,
            Self::Slip => 2,
        }
    }
}

/// A job as it is handed to the printer's thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintJob {
    /// What it prints.
    pub kind: PrintKind,
    /// Its number within its kind, from 1.
    pub job_no: u64,
    /// The receipt, for receipts.
    pub receipt_number: Option<u64>,
    /// 0 for the original.
    pub copy_number: u32,
    /// Its length in bytes.
    pub total_bytes: usize,
    /// SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// Unix milliseconds UTC, untrusted.
    pub accepted_ms: i64,
}

/// How far a job got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrintState {
    /// Not one byte left.
    Accepted,
    /// Bytes may have left; nobody recorded an end.
    Started,
    /// It ran to its end; `evidence` says how sure that is.
    Done,
    /// Not one byte left, and it will not be sent any more.
    Failed,
    /// Nobody can tell.
    Unknown,
}

impl PrintState {
    fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Started => "started",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    fn of_word(word: &str) -> Self {
        match word {
            "accepted" => Self::Accepted,
            "started" => Self::Started,
            "done" => Self::Done,
            "failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// A row of the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpooledJob {
    /// Its number within its kind.
    pub job_no: u64,
    /// How far it got.
    pub state: PrintState,
    /// The printer's counter of cuts before it, where the printer has one.
    pub cuts_before: Option<u32>,
    /// Bytes the printer confirmed, as of the last word stored.
    pub confirmed_bytes: u64,
    /// What proves the end.
    pub evidence: Option<String>,
}

impl Engine {
    /// Records that a job is on its way to the printer's thread, and lets go of rows nobody needs any more.
    ///
    /// # Errors
    /// When the row cannot be written; the job may be printed all the same, its start makes the row again.
    pub fn print_accepted(&mut self, job: &PrintJob) -> Result<(), StoreError> {
        let journal_no = self.journal_no;
        self.spool_write(
            "INSERT INTO print_job (journal_no, kind, job_no, receipt_number, copy_number, total_bytes, digest, state,
                                    accepted_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'accepted', ?8)
             ON CONFLICT DO NOTHING",
            params![
                journal_no,
                job.kind.code(),
                i64_of(job.job_no),
                job.receipt_number.map(i64_of),
                job.copy_number,
                i64_of(job.total_bytes as u64),
                job.digest,
                job.accepted_ms
            ],
        )?;
        self.spool_write(
            "DELETE FROM print_job WHERE journal_no = ?1 AND kind = ?2 AND job_no <= ?3
                                     AND state IN ('done', 'failed', 'unknown')",
            params![journal_no, job.kind.code(), i64_of(job.job_no) - KEPT_JOBS],
        )
        .map(|_| ())
    }

    /// Records that the first byte of a job is about to leave. Durable on return.
    ///
    /// # Errors
    /// When the row cannot be written: then the job must not be sent.
    pub fn print_started(
        &mut self,
        job: &PrintJob,
        cuts_before: Option<u32>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let journal_no = self.journal_no;
        self.spool_write(
            "INSERT INTO print_job (journal_no, kind, job_no, receipt_number, copy_number, total_bytes, digest, state,
                                    cuts_before, accepted_ms, started_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'started', ?8, ?9, ?10)
             ON CONFLICT DO UPDATE SET state = 'started', cuts_before = ?8, started_ms = ?10",
            params![
                journal_no,
                job.kind.code(),
                i64_of(job.job_no),
                job.receipt_number.map(i64_of),
                job.copy_number,
                i64_of(job.total_bytes as u64),
                job.digest,
                cuts_before,
                job.accepted_ms,
                now_ms
            ],
        )
        .map(|_| ())
    }

    /// Records how many bytes the printer confirmed.
    ///
    /// # Errors
    /// When the row cannot be written; nothing depends on it but what a person can read later.
    pub fn print_confirmed(
        &mut self,
        kind: PrintKind,
        job_no: u64,
        bytes: u64,
    ) -> Result<(), StoreError> {
        let journal_no = self.journal_no;
        self.spool_write(
            "UPDATE print_job SET confirmed_bytes = ?4
             WHERE kind = ?2 AND job_no = ?3 AND confirmed_bytes < ?4 AND journal_no <= ?1",
            params![journal_no, kind.code(), i64_of(job_no), i64_of(bytes)],
        )
        .map(|_| ())
    }

    /// Records how a job ended and what proves it.
    ///
    /// # Errors
    /// When the row cannot be written: after a restart the job is then in doubt.
    pub fn print_ended(
        &mut self,
        kind: PrintKind,
        job_no: u64,
        state: PrintState,
        evidence: &str,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let journal_no = self.journal_no;
        self.spool_write(
            "UPDATE print_job SET state = ?4, evidence = ?5, ended_ms = ?6
             WHERE kind = ?2 AND job_no = ?3 AND journal_no <= ?1",
            params![
                journal_no,
                kind.code(),
                i64_of(job_no),
                state.word(),
                evidence,
                now_ms
            ],
        )
        .map(|_| ())
    }

    /// The spool's row of a job, if it was ever handed to the printer. The till counts its jobs on when a new journal is
    /// opened in the same file, so a job is looked for in every journal, the newest first.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn spooled(&self, kind: PrintKind, job_no: u64) -> Result<Option<SpooledJob>, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT job_no, state, cuts_before, confirmed_bytes, evidence FROM print_job
                 WHERE journal_no <= ?1 AND kind = ?2 AND job_no = ?3 ORDER BY journal_no DESC LIMIT 1",
            )
            .and_then(|mut select| {
                select
                    .query_row(
                        params![self.journal_no, kind.code(), i64_of(job_no)],
                        |row| {
                            Ok(SpooledJob {
                                job_no: row.get::<_, i64>(0)?.unsigned_abs(),
                                state: PrintState::of_word(&row.get::<_, String>(1)?),
                                cuts_before: row.get(2)?,
                                confirmed_bytes: row.get::<_, i64>(3)?.unsigned_abs(),
                                evidence: row.get(4)?,
                            })
                        },
                    )
                    .optional()
            })
            .map_err(|error| self.sql(&error))
    }

    /// Whether a job had begun and nobody recorded an end: its torn paper may hang out of the printer.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn has_torn_print(&self) -> Result<bool, StoreError> {
        self.connection
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM print_job WHERE state = 'started')",
                [],
                |row| row.get(0),
            )
            .map_err(|error| self.sql(&error))
    }

    /// Jobs nobody will end any more are in doubt from now on (called once, after a restart).
    ///
    /// # Errors
    /// When the rows cannot be written.
    pub fn doubt_torn_prints(&mut self, now_ms: i64) -> Result<(), StoreError> {
        self.spool_write(
            "UPDATE print_job SET state = 'unknown', evidence = 'restart', ended_ms = ?1 WHERE state = 'started'",
            params![now_ms],
        )
        .map(|_| ())
    }

    /// The number of the next paper of the staff.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn next_staff_paper(&self) -> Result<u64, StoreError> {
        self.connection
            .query_row(
                "SELECT coalesce(max(job_no), 0) + 1 FROM print_job WHERE kind = 1",
                [],
                |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
            )
            .map_err(|error| self.sql(&error))
    }

    fn spool_write(
        &mut self,
        statement: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<usize, StoreError> {
        self.reopen_if_failed()?;
        let written = self
            .connection
            .prepare_cached(statement)
            .and_then(|mut statement| statement.execute(values));
        match written {
            Ok(rows) => {
                self.after_write();
                Ok(rows)
            }
            Err(error) => {
                let error = self.sql(&error);
                self.note_failure(&error);
                Err(error)
            }
        }
    }
}
