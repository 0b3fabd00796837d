-- Completed sales, written in the same transaction as their journal events. The journal is the proof; these rows are
-- for the counter itself: reprint, refund, close of day. `body` is the whole sale as JSON, for an exact copy.
-- Receipt numbers are contiguous per journal.

CREATE TABLE sale (
    sale_no         INTEGER PRIMARY KEY,
    journal_no      INTEGER NOT NULL REFERENCES journal (journal_no),
    receipt_number  INTEGER NOT NULL,
    visit_id        TEXT    NOT NULL,
    business_date   TEXT    NOT NULL,
    completed_ms    INTEGER NOT NULL,
    currency        TEXT    NOT NULL CHECK (length(currency) = 3),
    subtotal_minor  INTEGER NOT NULL,
    discount_minor  INTEGER NOT NULL,
    deposit_minor   INTEGER NOT NULL,
    rounding_minor  INTEGER NOT NULL,
    total_minor     INTEGER NOT NULL,
    body            TEXT    NOT NULL CHECK (json_valid(body)),
    UNIQUE (journal_no, receipt_number)
) STRICT;
CREATE INDEX sale_by_day ON sale (business_date, sale_no);

-- What was bought. `net_minor` is after discounts, with or without VAT as the shop's prices are.
CREATE TABLE sale_line (
    sale_no           INTEGER NOT NULL REFERENCES sale (sale_no),
    line_no           INTEGER NOT NULL,
    item_code         TEXT    NOT NULL,
    name              TEXT    NOT NULL,
    quantity_milli    INTEGER NOT NULL,
    unit_price_minor  INTEGER NOT NULL,
    discount_minor    INTEGER NOT NULL,
    net_minor         INTEGER NOT NULL,
    deposit_minor     INTEGER NOT NULL,
    basis_points      INTEGER NOT NULL,
    PRIMARY KEY (sale_no, line_no)
) STRICT, WITHOUT ROWID;

-- How it was paid. `attempt` is the till's number of the attempt that succeeded; 0 where there is none.
CREATE TABLE sale_tender (
    sale_no       INTEGER NOT NULL REFERENCES sale (sale_no),
    tender_no     INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    amount_minor  INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    PRIMARY KEY (sale_no, tender_no)
) STRICT, WITHOUT ROWID;

-- VAT per rate, computed on the rate's total.
CREATE TABLE sale_tax (
    sale_no       INTEGER NOT NULL REFERENCES sale (sale_no),
    basis_points  INTEGER NOT NULL,
    base_minor    INTEGER NOT NULL,
    tax_minor     INTEGER NOT NULL,
    gross_minor   INTEGER NOT NULL,
    PRIMARY KEY (sale_no, basis_points)
) STRICT, WITHOUT ROWID;
