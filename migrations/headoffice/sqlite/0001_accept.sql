-- What kiosks sent and who they are. Blocks are the only truth; everything in 0002 can be made again from them.

CREATE TABLE identity (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- Ed25519 seed of this head office. In the database so that a restored backup keeps its identity.
    seed BLOB NOT NULL CHECK (length(seed) = 32)
) STRICT;

CREATE TABLE store (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 120),
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE device (
    id TEXT PRIMARY KEY,
    store INTEGER NOT NULL REFERENCES store (id),
    name TEXT NOT NULL,
    public_key BLOB NOT NULL UNIQUE CHECK (length(public_key) = 32),
    enrolled_ms INTEGER NOT NULL,
    revoked_ms INTEGER
) STRICT, WITHOUT ROWID;

-- Only the SHA-256 of a code is kept: whoever reads the database cannot enrol.
CREATE TABLE enrolment_code (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    store INTEGER NOT NULL REFERENCES store (id),
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER,
    device TEXT REFERENCES device (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact (
    device TEXT PRIMARY KEY REFERENCES device (id),
    last_ms INTEGER NOT NULL,
    app TEXT NOT NULL,
    boot TEXT NOT NULL,
    mono_ms INTEGER NOT NULL,
    -- The kiosk's wall clock minus ours.
    skew_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE head (
    device TEXT NOT NULL REFERENCES device (id),
    journal TEXT NOT NULL,
    lane INTEGER NOT NULL CHECK (lane BETWEEN 0 AND 2),
    next_seq INTEGER NOT NULL DEFAULT 1 CHECK (next_seq >= 1),
    chain BLOB NOT NULL DEFAULT (zeroblob(32)) CHECK (length(chain) = 32),
    -- Also in a backup up to here.
    safe_upto INTEGER NOT NULL DEFAULT 0,
    -- The highest sequence the kiosk ever said it has.
    known_upto INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (device, journal, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE block (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL REFERENCES device (id),
    journal TEXT NOT NULL,
    lane INTEGER NOT NULL CHECK (lane BETWEEN 0 AND 2),
    first_seq INTEGER NOT NULL CHECK (first_seq >= 1),
    last_seq INTEGER NOT NULL CHECK (last_seq >= first_seq),
    prev BLOB NOT NULL CHECK (length(prev) = 32),
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    received_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (device, journal, lane, first_seq)
) STRICT;

-- Storing a block and moving its lane's head is one statement: there is no moment between them.
CREATE TRIGGER block_moves_head AFTER INSERT ON block
BEGIN
    INSERT INTO head (device, journal, lane, next_seq, chain, known_upto)
    VALUES (NEW.device, NEW.journal, NEW.lane, NEW.last_seq + 1, NEW.chain, NEW.last_seq)
    ON CONFLICT (device, journal, lane) DO UPDATE SET
        next_seq = excluded.next_seq,
        chain = excluded.chain,
        known_upto = max(known_upto, excluded.known_upto);
END;

CREATE TRIGGER block_is_never_changed BEFORE UPDATE ON block
BEGIN
    SELECT RAISE(ABORT, 'blocks are never changed');
END;

CREATE TRIGGER block_is_never_deleted BEFORE DELETE ON block
BEGIN
    SELECT RAISE(ABORT, 'blocks are never deleted');
END;

-- Blocks that contradict what is stored: evidence of a clone, a rolled-back disk or tampering.
CREATE TABLE fork_block (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    device TEXT NOT NULL REFERENCES device (id),
    journal TEXT NOT NULL,
    lane INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Keys that open the dashboard. Only digests: the keys are 128 random bits, so a plain SHA-256 is enough.
CREATE TABLE viewer_key (
    digest BLOB PRIMARY KEY CHECK (length(digest) = 32),
    name TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
