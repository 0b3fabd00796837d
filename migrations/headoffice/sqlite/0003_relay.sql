-- The payment relay: what was asked for, what the bank side says came in, and what people decided about the rest.
-- Facts only. Where an order stands (paid, under, late, …) is derived from its credits and is stored nowhere.

-- One bank account at one provider. Named in the settings; this row keeps its history together when it is renamed.
CREATE TABLE payment_account (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    account_number TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Transfers of the bank's list from long before this are history, not odd.
    first_seen_ms INTEGER NOT NULL,
    UNIQUE (provider, account_number)
) STRICT;

-- Which stores use it, as the settings say; written anew at each start. No row: every store without an own account.
CREATE TABLE payment_account_store (
    account INTEGER NOT NULL REFERENCES payment_account (id),
    store TEXT NOT NULL,
    PRIMARY KEY (account, store)
) STRICT, WITHOUT ROWID;

CREATE TABLE offer (
    order_code TEXT PRIMARY KEY CHECK (length(order_code) = 9),
    account INTEGER NOT NULL REFERENCES payment_account (id),
    device TEXT NOT NULL REFERENCES device (id),
    attempt TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    created_ms INTEGER NOT NULL,
    -- The screen's countdown ends about here; NULL when the kiosk did not say.
    open_until_ms INTEGER,
    -- Money is looked for until here, and is late after it.
    watch_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX offer_to_watch ON offer (account, watch_until_ms);

CREATE TABLE offer_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    order_code TEXT NOT NULL REFERENCES offer (order_code),
    -- asked: the provider is about to be asked for a code. made: it has one. refused: it never will.
    -- withdrawn: the kiosk took the offer back. cancelled: the provider did too. ended: the last look was answered.
    kind TEXT NOT NULL CHECK (kind IN ('asked', 'made', 'refused', 'withdrawn', 'cancelled', 'ended')),
    at_ms INTEGER NOT NULL,
    -- With made: the code to draw and whom it pays. With refused: why.
    qr TEXT,
    payee_bin TEXT,
    payee_account TEXT,
    payee_name TEXT,
    detail TEXT CHECK (length(detail) <= 300),
    UNIQUE (order_code, kind)
) STRICT;

-- Prefixes of the order codes of an account: what memos are searched for.
CREATE TABLE order_prefix (
    account INTEGER NOT NULL REFERENCES payment_account (id),
    prefix TEXT NOT NULL CHECK (length(prefix) = 2),
    PRIMARY KEY (account, prefix)
) STRICT, WITHOUT ROWID;

-- Transfers the bank side credited, each once however often and by whichever way it is told.
-- Nothing about the payer but what reconciling needs: the transfer's text and the bank's reference.
CREATE TABLE credit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES payment_account (id),
    reference TEXT NOT NULL CHECK (length(reference) BETWEEN 1 AND 128),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    memo TEXT NOT NULL CHECK (length(memo) <= 500),
    -- The order as the provider itself knows it.
    provider_order TEXT,
    -- The bank's clock, untrusted; NULL when it cannot be read.
    bank_ms INTEGER,
    seen_ms INTEGER NOT NULL,
    -- push, poll or import
    source TEXT NOT NULL,
    UNIQUE (account, reference)
) STRICT;

-- The same reference told again with other money. Never a second credit, never a correction: a person looks.
CREATE TABLE credit_conflict (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    credit INTEGER NOT NULL REFERENCES credit (id),
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    seen_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    UNIQUE (credit, amount_minor, currency)
) STRICT;

-- Which order a credit is for. Made at once when it is certain, later when the order becomes known later.
CREATE TABLE credit_match (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    credit INTEGER NOT NULL UNIQUE REFERENCES credit (id),
    order_code TEXT NOT NULL REFERENCES offer (order_code),
    -- provider, memo or person
    how TEXT NOT NULL,
    -- It became known after the withdrawal or after the watching had ended.
    late INTEGER NOT NULL CHECK (late IN (0, 1)),
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX credit_of_order ON credit_match (order_code, id);

-- Credits somebody has to look at: without an order, or late, doubled, too much, too little. A work list, made from
-- the facts above and below; a decision takes a credit off it.
CREATE TABLE review (
    credit INTEGER PRIMARY KEY REFERENCES credit (id),
    account INTEGER NOT NULL REFERENCES payment_account (id),
    unmatched INTEGER NOT NULL CHECK (unmatched IN (0, 1)),
    seen_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX review_unmatched ON review (account, unmatched, seen_ms);

-- What people decided about a credit. The newest row of a credit holds; the older ones stay.
CREATE TABLE settlement (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    credit INTEGER NOT NULL REFERENCES credit (id),
    -- given_back, voucher, for_sale, not_ours, reopened
    decision TEXT NOT NULL CHECK (decision IN ('given_back', 'voucher', 'for_sale', 'not_ours', 'reopened')),
    -- The sale or the order it is for, a refund's reference. No names.
    note TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 200),
    decided_by TEXT NOT NULL CHECK (length(decided_by) BETWEEN 1 AND 60),
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX settlement_of_credit ON settlement (credit, id);

-- Notices as they came, each distinct one once, without what they say of the payer.
CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER NOT NULL REFERENCES payment_account (id),
    at_ms INTEGER NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes INTEGER NOT NULL,
    -- credited, known, conflict, no_credit, or why it was refused
    verdict TEXT NOT NULL,
    detail TEXT NOT NULL CHECK (length(detail) <= 300),
    -- NULL when it was refused: nobody knows whose data that is.
    body TEXT CHECK (length(body) <= 8192),
    UNIQUE (account, sha256)
) STRICT;
CREATE INDEX notice_by_time ON notice (account, at_ms);

-- How far the provider's list has been read. Moves in the same transaction as the credits of the page.
CREATE TABLE poll_cursor (
    account INTEGER PRIMARY KEY REFERENCES payment_account (id),
    cursor TEXT NOT NULL,
    at_ms INTEGER NOT NULL
) STRICT;

CREATE TRIGGER offer_is_never_changed BEFORE UPDATE ON offer
BEGIN SELECT RAISE(ABORT, 'offers are never changed'); END;
CREATE TRIGGER offer_is_never_deleted BEFORE DELETE ON offer
BEGIN SELECT RAISE(ABORT, 'offers are never deleted'); END;
CREATE TRIGGER offer_event_is_never_changed BEFORE UPDATE ON offer_event
BEGIN SELECT RAISE(ABORT, 'events of offers are never changed'); END;
CREATE TRIGGER offer_event_is_never_deleted BEFORE DELETE ON offer_event
BEGIN SELECT RAISE(ABORT, 'events of offers are never deleted'); END;
CREATE TRIGGER credit_is_never_changed BEFORE UPDATE ON credit
BEGIN SELECT RAISE(ABORT, 'credits are never changed'); END;
CREATE TRIGGER credit_is_never_deleted BEFORE DELETE ON credit
BEGIN SELECT RAISE(ABORT, 'credits are never deleted'); END;
CREATE TRIGGER credit_conflict_is_never_changed BEFORE UPDATE ON credit_conflict
BEGIN SELECT RAISE(ABORT, 'conflicts are never changed'); END;
CREATE TRIGGER credit_conflict_is_never_deleted BEFORE DELETE ON credit_conflict
BEGIN SELECT RAISE(ABORT, 'conflicts are never deleted'); END;
CREATE TRIGGER credit_match_is_never_changed BEFORE UPDATE ON credit_match
BEGIN SELECT RAISE(ABORT, 'matches are never changed'); END;
CREATE TRIGGER credit_match_is_never_deleted BEFORE DELETE ON credit_match
BEGIN SELECT RAISE(ABORT, 'matches are never deleted'); END;
CREATE TRIGGER settlement_is_never_changed BEFORE UPDATE ON settlement
BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END;
CREATE TRIGGER settlement_is_never_deleted BEFORE DELETE ON settlement
BEGIN SELECT RAISE(ABORT, 'decisions are never deleted'); END;
CREATE TRIGGER notice_is_never_changed BEFORE UPDATE ON notice
BEGIN SELECT RAISE(ABORT, 'notices are never changed'); END;
CREATE TRIGGER notice_is_never_deleted BEFORE DELETE ON notice
BEGIN SELECT RAISE(ABORT, 'notices are never deleted'); END;
