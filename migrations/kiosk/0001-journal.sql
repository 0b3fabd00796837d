-- What a kiosk must never lose: its identity, its journal, its sales and the state of its till.
-- Every table is STRICT. Money is integer minor units of the row's currency; quantities are thousandths;
-- times are Unix milliseconds UTC as the kiosk's own (untrusted) clock gave them; dates are ISO text.

-- Who this file is. One row. `file_inode` and `machine` tell a copied file from a restarted kiosk: when they no
-- longer match, a new journal is opened, so no sequence number is ever given twice (sync-and-reliability.md §2.1).
-- `copied` is set to 1 inside every backup, so a restored backup opens a new journal too.
CREATE TABLE identity (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    created_ms  INTEGER NOT NULL,
    file_inode  INTEGER NOT NULL,
    machine     TEXT    NOT NULL,
    copied      INTEGER NOT NULL DEFAULT 0 CHECK (copied IN (0, 1))
) STRICT;

-- How this kiosk is known to head office. No row: not enrolled; the kiosk sells all the same.
-- `key_path` names the file of the private key; the key itself is never in the database.
CREATE TABLE enrolment (
    id               INTEGER PRIMARY KEY CHECK (id = 1),
    device_id        TEXT    NOT NULL,
    store_id         TEXT    NOT NULL,
    head_office_url  TEXT    NOT NULL,
    head_office_key  BLOB    NOT NULL,
    key_path         TEXT    NOT NULL,
    enrolled_ms      INTEGER NOT NULL
) STRICT;

-- Every journal this file has carried. The one with the highest `journal_no` is open; older ones only drain.
CREATE TABLE journal (
    journal_no  INTEGER PRIMARY KEY,
    journal_id  TEXT    NOT NULL UNIQUE,
    opened_ms   INTEGER NOT NULL,
    reason      TEXT    NOT NULL CHECK (reason IN ('new', 'copied', 'restored', 'forked'))
) STRICT;

-- The head of each lane (0 money, 1 touchpoints, 2 diagnostics).
-- `next_seq` is the sequence number the next event gets; `chain` the chain value of the last one (32 bytes).
-- `stored_upto` is durable at head office, `safe_upto` is in its backup too; only events up to `safe_upto` may go.
-- `pruned_upto` and `pruned_chain` say where the kept events begin, so the chain can still be checked from there.
CREATE TABLE lane (
    journal_no    INTEGER NOT NULL REFERENCES journal (journal_no),
    lane          INTEGER NOT NULL CHECK (lane BETWEEN 0 AND 2),
    next_seq      INTEGER NOT NULL CHECK (next_seq >= 1),
    chain         BLOB    NOT NULL CHECK (length(chain) = 32),
    stored_upto   INTEGER NOT NULL DEFAULT 0 CHECK (stored_upto >= 0 AND stored_upto < next_seq),
    safe_upto     INTEGER NOT NULL DEFAULT 0 CHECK (safe_upto >= 0 AND safe_upto <= stored_upto),
    pruned_upto   INTEGER NOT NULL DEFAULT 0 CHECK (pruned_upto >= 0 AND pruned_upto <= safe_upto),
    pruned_chain  BLOB    NOT NULL CHECK (length(pruned_chain) = 32),
    PRIMARY KEY (journal_no, lane)
) STRICT, WITHOUT ROWID;

-- The events. `bytes` are the canonical bytes, stored once and never serialised again.
-- `chain` = SHA-256("tpj1" || chain of seq - 1 || bytes).
CREATE TABLE event (
    journal_no  INTEGER NOT NULL,
    lane        INTEGER NOT NULL,
    seq         INTEGER NOT NULL CHECK (seq >= 1),
    written_ms  INTEGER NOT NULL,
    chain       BLOB    NOT NULL CHECK (length(chain) = 32),
    bytes       BLOB    NOT NULL,
    PRIMARY KEY (journal_no, lane, seq),
    FOREIGN KEY (journal_no, lane) REFERENCES lane (journal_no, lane)
) STRICT, WITHOUT ROWID;

-- The last durable state of the till, written in the same transaction as the facts that led to it. One row.
CREATE TABLE till_state (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    written_ms  INTEGER NOT NULL,
    body        TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;

-- Small facts of the program itself, one JSON value each.
CREATE TABLE setting (
    key    TEXT PRIMARY KEY,
    value  TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID;
