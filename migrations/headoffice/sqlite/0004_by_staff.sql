-- Transfers on a person's word, and how the tax law treats goods without a rate.

-- Projection. absent where there is a rate; exempt (không chịu thuế) and not_declared (không kê khai) are no rate of zero.
ALTER TABLE sale_line ADD COLUMN tax_treatment TEXT;
ALTER TABLE sale_tax ADD COLUMN treatment TEXT;
CREATE INDEX sale_tender_of_attempt ON sale_tender (device, attempt);

-- Projection. Staff saw a transfer in the bank's own app; the attempt counts as paid, and the bank has not said so.
CREATE TABLE by_staff (
    device TEXT NOT NULL,
    attempt TEXT NOT NULL,
    journal TEXT NOT NULL,
    seq INTEGER NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    -- The bank's reference as staff typed it.
    reference TEXT NOT NULL,
    wall_ms INTEGER NOT NULL,
    -- What the kiosk knows to have come, by the bank's or staff's word.
    arrived_minor INTEGER NOT NULL,
    -- Staff looked it up and it had not come.
    is_missing INTEGER NOT NULL CHECK (is_missing IN (0, 1)),
    PRIMARY KEY (device, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX by_staff_open ON by_staff (wall_ms);

-- Which credit is the transfer that staff saw: the same reference, amount and account. A credit is one transfer, so a
-- reference shown twice settles one of them.
CREATE TABLE by_staff_match (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    credit INTEGER NOT NULL UNIQUE REFERENCES credit (id),
    device TEXT NOT NULL,
    attempt TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    UNIQUE (device, attempt)
) STRICT;
CREATE TRIGGER by_staff_match_is_never_changed BEFORE UPDATE ON by_staff_match
BEGIN SELECT RAISE(ABORT, 'matches are never changed'); END;
CREATE TRIGGER by_staff_match_is_never_deleted BEFORE DELETE ON by_staff_match
BEGIN SELECT RAISE(ABORT, 'matches are never deleted'); END;
-- What people decided about a transfer that the bank does not have. The newest row holds; the older ones stay.
CREATE TABLE by_staff_decision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    attempt TEXT NOT NULL,
    -- closed: somebody knows what became of it. reopened: it is to be looked at again.
    decision TEXT NOT NULL CHECK (decision IN ('closed', 'reopened')),
    note TEXT NOT NULL DEFAULT '' CHECK (length(note) <= 200),
    decided_by TEXT NOT NULL CHECK (length(decided_by) BETWEEN 1 AND 60),
    at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX by_staff_decision_newest ON by_staff_decision (device, attempt, id);
CREATE TRIGGER by_staff_decision_is_never_changed BEFORE UPDATE ON by_staff_decision
BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END;
CREATE TRIGGER by_staff_decision_is_never_deleted BEFORE DELETE ON by_staff_decision
BEGIN SELECT RAISE(ABORT, 'decisions are never deleted'); END;
CREATE INDEX credit_by_plain_reference ON credit (upper(replace(reference, ' ', '')));

-- Up to when the bank's list of an account is known here, head office's clock: what was booked before and is not here
-- did not come.
CREATE TABLE list_reach (
    account INTEGER PRIMARY KEY REFERENCES payment_account (id),
    until_ms INTEGER NOT NULL
) STRICT;
