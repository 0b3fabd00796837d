-- Money that moved by card, one row a movement: each payment, each payment taken back, each refund. Written in the same
-- transaction as the event that tells of it, so the figures for comparing with the terminal need no reading of events.
-- `attempt` is the till's number in its journal. A give-back names the payment it belongs to by the attempt that brought
-- it and, where a sale has it, the sale's random visit id, which is unique across journals.

CREATE TABLE card_movement (
    movement_no   INTEGER PRIMARY KEY,
    journal_no    INTEGER NOT NULL REFERENCES journal (journal_no),
    attempt       INTEGER NOT NULL CHECK (attempt >= 1),
    kind          TEXT    NOT NULL CHECK (kind IN ('payment', 'reversal', 'refund')),
    of_attempt    INTEGER CHECK ((of_attempt IS NULL) = (kind = 'payment')),
    visit_id      TEXT,
    amount_minor  INTEGER NOT NULL CHECK (amount_minor > 0),
    currency      TEXT    NOT NULL CHECK (length(currency) = 3),
    moved_ms      INTEGER NOT NULL,
    UNIQUE (journal_no, attempt)
) STRICT;
CREATE INDEX card_movement_by_payment ON card_movement (visit_id, of_attempt) WHERE of_attempt IS NOT NULL;

-- The terminal's day as it was closed, or was not: what the terminal said and what the journal had by then, compared
-- and kept as JSON. `last_movement_no` is the last movement of that day; a day begins after that of the last row that
-- says 'closed'.

CREATE TABLE terminal_day (
    day_no            INTEGER PRIMARY KEY,
    journal_no        INTEGER NOT NULL REFERENCES journal (journal_no),
    attempt           INTEGER NOT NULL CHECK (attempt >= 1),
    outcome           TEXT    NOT NULL CHECK (outcome IN ('closed', 'refused', 'not_started', 'unknown')),
    ended_ms          INTEGER NOT NULL,
    last_movement_no  INTEGER NOT NULL CHECK (last_movement_no >= 0),
    report            TEXT    NOT NULL CHECK (json_valid(report)),
    UNIQUE (journal_no, attempt)
) STRICT;

-- What an earlier version took by card since its last Z report; when the terminal's day began was not known then.
INSERT INTO card_movement (journal_no, attempt, kind, visit_id, amount_minor, currency, moved_ms)
SELECT journal_no, attempt, 'payment', visit_id, amount_minor, currency, completed_ms
FROM (SELECT sale.journal_no, tender.attempt, sale.visit_id, tender.amount_minor, sale.currency, sale.completed_ms
      FROM sale_tender AS tender JOIN sale USING (sale_no)
      WHERE tender.kind = 'card' AND tender.amount_minor > 0 AND tender.attempt >= 1
        AND sale_no > coalesce((SELECT last_sale_no FROM z_report ORDER BY journal_no DESC, number DESC LIMIT 1), 0)
      GROUP BY sale.journal_no, tender.attempt
      ORDER BY sale_no, tender_no);
