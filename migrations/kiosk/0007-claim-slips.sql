-- The spool also holds claim slips of card payments in doubt: `kind` 2, whose `job_no` is the till's, as for receipts.
-- SQLite cannot change a CHECK, so the table is made anew.

CREATE TABLE print_job_new (
    journal_no       INTEGER NOT NULL REFERENCES journal (journal_no),
    kind             INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
    job_no           INTEGER NOT NULL CHECK (job_no >= 1),
    receipt_number   INTEGER,
    copy_number      INTEGER NOT NULL CHECK (copy_number >= 0),
    total_bytes      INTEGER NOT NULL CHECK (total_bytes >= 0),
    digest           BLOB    NOT NULL CHECK (length(digest) = 32),
    state            TEXT    NOT NULL CHECK (state IN ('accepted', 'started', 'done', 'failed', 'unknown')),
    cuts_before      INTEGER,
    confirmed_bytes  INTEGER NOT NULL DEFAULT 0,
    evidence         TEXT,
    accepted_ms      INTEGER NOT NULL,
    started_ms       INTEGER,
    ended_ms         INTEGER,
    PRIMARY KEY (journal_no, kind, job_no)
) STRICT, WITHOUT ROWID;
INSERT INTO print_job_new SELECT * FROM print_job;
DROP TABLE print_job;
ALTER TABLE print_job_new RENAME TO print_job;
