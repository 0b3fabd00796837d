-- What is on sale lives in files of its own beside this one (content-addressed, never changed once built);
-- here is only which of them is in use, and what the shop has sold.

-- The catalogue in use and the one before it, kept so an unhealthy one can be rolled back.
CREATE TABLE catalogue (
    slot      TEXT PRIMARY KEY CHECK (slot IN ('current', 'previous')),
    file      TEXT    NOT NULL,
    items     INTEGER NOT NULL CHECK (items >= 0),
    built_ms  INTEGER NOT NULL,
    source    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- How often an item was on a sale, per business date: ranks the search and fills the page of best sellers.
CREATE TABLE item_sold (
    business_date  TEXT    NOT NULL,
    item_code      TEXT    NOT NULL,
    times          INTEGER NOT NULL CHECK (times > 0),
    PRIMARY KEY (business_date, item_code)
) STRICT, WITHOUT ROWID;

-- Signed, versioned snapshots from head office (configuration, prices, promotions, staff, registry, questions).
-- staged: received and checked, waits for the attract screen · applied: in use · previous: kept for roll-back ·
-- rejected: was unhealthy, kept so that it is not fetched again.
CREATE TABLE snapshot (
    kind         TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    version      INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('staged', 'applied', 'previous', 'rejected')),
    received_ms  INTEGER NOT NULL,
    body         BLOB    NOT NULL,
    PRIMARY KEY (kind, digest)
) STRICT;
CREATE UNIQUE INDEX snapshot_in_use ON snapshot (kind, state) WHERE state IN ('staged', 'applied', 'previous');

-- Head office's signed receipt for the newest block it took of each lane: the shop can prove what it delivered.
CREATE TABLE block_receipt (
    journal_no   INTEGER NOT NULL,
    lane         INTEGER NOT NULL,
    stored_upto  INTEGER NOT NULL,
    received_ms  INTEGER NOT NULL,
    body         BLOB    NOT NULL,
    PRIMARY KEY (journal_no, lane),
    FOREIGN KEY (journal_no, lane) REFERENCES lane (journal_no, lane)
) STRICT, WITHOUT ROWID;
