-- Closed business days. A Z report is written here, durable, before it is printed; it is never changed and never
-- deleted, so a paper that failed can be printed again with the same figures, marked as a copy.
-- `number` is contiguous from 1 in its journal. The boundaries say what it holds: every sale after those of the report
-- before it up to `last_sale_no`, and every event before the three `…_next_seq` of its journal.
-- `summary` is the whole report as JSON. `copies` counts how often it was printed again.

CREATE TABLE z_report (
    journal_no            INTEGER NOT NULL REFERENCES journal (journal_no),
    number                INTEGER NOT NULL CHECK (number >= 1),
    business_date         TEXT    NOT NULL,
    closed_ms             INTEGER NOT NULL,
    last_sale_no          INTEGER NOT NULL CHECK (last_sale_no >= 0),
    money_next_seq        INTEGER NOT NULL CHECK (money_next_seq >= 1),
    touchpoints_next_seq  INTEGER NOT NULL CHECK (touchpoints_next_seq >= 1),
    diagnostics_next_seq  INTEGER NOT NULL CHECK (diagnostics_next_seq >= 1),
    copies                INTEGER NOT NULL DEFAULT 0 CHECK (copies >= 0),
    summary               TEXT    NOT NULL CHECK (json_valid(summary)),
    PRIMARY KEY (journal_no, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER z_report_without_gaps BEFORE INSERT ON z_report
WHEN NEW.number <> 1 + (SELECT coalesce(max(number), 0) FROM z_report WHERE journal_no = NEW.journal_no)
BEGIN
    SELECT RAISE(ABORT, 'Z reports are numbered without gaps');
END;

CREATE TRIGGER z_report_is_kept BEFORE DELETE ON z_report
BEGIN
    SELECT RAISE(ABORT, 'a Z report is never deleted');
END;

CREATE TRIGGER z_report_stands BEFORE UPDATE OF
    journal_no, number, business_date, closed_ms, last_sale_no, money_next_seq, touchpoints_next_seq,
    diagnostics_next_seq, summary ON z_report
BEGIN
    SELECT RAISE(ABORT, 'a Z report is never changed');
END;
