-- The printer's spool: one row a job, so that after any power cut it is known whether a byte of it can have left.
-- A row is `accepted` when the job is handed to the printer's thread, `started` (durable) before its first byte
-- leaves, then ends as `done`, `failed` (nothing of it was sent) or `unknown`. `evidence` says what proves the end.
-- `kind` is 0 for receipts and their copies, whose `job_no` is the till's; 1 for papers of the staff.

CREATE TABLE print_job (
    journal_no       INTEGER NOT NULL REFERENCES journal (journal_no),
    kind             INTEGER NOT NULL CHECK (kind IN (0, 1)),
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
