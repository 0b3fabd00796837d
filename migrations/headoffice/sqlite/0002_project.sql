-- Projections: made from blocks in the order they were stored, and only from them.

CREATE TABLE projection (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    -- The version of the program's reading rules; another version reads everything again.
    rules INTEGER NOT NULL,
    -- The last block read.
    cursor INTEGER NOT NULL
) STRICT;

CREATE TABLE sale (
    device TEXT NOT NULL,
    sale TEXT NOT NULL,
    journal TEXT NOT NULL,
    seq INTEGER NOT NULL,
    receipt_number TEXT NOT NULL,
    business_date TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_minor INTEGER NOT NULL,
    rounding_minor INTEGER NOT NULL,
    line_count INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    PRIMARY KEY (device, sale)
) STRICT, WITHOUT ROWID;
CREATE INDEX sale_by_day ON sale (business_date, wall_ms);

CREATE TABLE sale_line (
    device TEXT NOT NULL,
    sale TEXT NOT NULL,
    position INTEGER NOT NULL,
    item_code TEXT NOT NULL,
    gtin TEXT,
    name TEXT NOT NULL,
    quantity_milli INTEGER NOT NULL,
    unit_price_minor INTEGER NOT NULL,
    discount_minor INTEGER NOT NULL,
    total_minor INTEGER NOT NULL,
    tax_rate_basis_points INTEGER NOT NULL,
    PRIMARY KEY (device, sale, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE sale_tender (
    device TEXT NOT NULL,
    sale TEXT NOT NULL,
    position INTEGER NOT NULL,
    method TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    attempt TEXT,
    PRIMARY KEY (device, sale, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE sale_tax (
    device TEXT NOT NULL,
    sale TEXT NOT NULL,
    position INTEGER NOT NULL,
    rate_basis_points INTEGER NOT NULL,
    net_minor INTEGER NOT NULL,
    tax_minor INTEGER NOT NULL,
    PRIMARY KEY (device, sale, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE refund (
    device TEXT NOT NULL,
    refund TEXT NOT NULL,
    sale TEXT NOT NULL,
    business_date TEXT NOT NULL,
    method TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    PRIMARY KEY (device, refund)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    device TEXT NOT NULL,
    attempt TEXT NOT NULL,
    sale TEXT,
    method TEXT,
    currency TEXT,
    amount_minor INTEGER,
    -- intended, sent, approved, declined, unknown, resolved_approved, resolved_declined, resolved_reversed
    state TEXT NOT NULL,
    journal TEXT NOT NULL,
    seq INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    PRIMARY KEY (device, attempt)
) STRICT, WITHOUT ROWID;

-- One row for each sale whose shopper was asked; face is NULL when nothing was tapped.
CREATE TABLE tap (
    device TEXT NOT NULL,
    sale TEXT NOT NULL,
    local_date TEXT NOT NULL,
    face INTEGER CHECK (face BETWEEN 0 AND 4),
    scale_id TEXT,
    skipped TEXT,
    journal TEXT NOT NULL,
    seq INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    PRIMARY KEY (device, sale)
) STRICT, WITHOUT ROWID;
CREATE INDEX tap_by_day ON tap (local_date);

CREATE TABLE reason (
    device TEXT NOT NULL,
    sale TEXT NOT NULL,
    touchpoint TEXT NOT NULL,
    chosen INTEGER NOT NULL CHECK (chosen IN (0, 1)),
    local_date TEXT NOT NULL,
    PRIMARY KEY (device, sale, touchpoint)
) STRICT, WITHOUT ROWID;

CREATE TABLE visit (
    device TEXT NOT NULL,
    visit TEXT NOT NULL,
    local_date TEXT NOT NULL,
    items INTEGER NOT NULL,
    sold INTEGER NOT NULL,
    help_calls INTEGER NOT NULL,
    PRIMARY KEY (device, visit)
) STRICT, WITHOUT ROWID;
CREATE INDEX visit_by_day ON visit (local_date);

CREATE TABLE device_state (
    device TEXT NOT NULL,
    part TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT,
    journal TEXT NOT NULL,
    seq INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    PRIMARY KEY (device, part)
) STRICT, WITHOUT ROWID;

-- A business day the kiosk worked: it opened it, sold, or met a shopper.
CREATE TABLE device_day (
    device TEXT NOT NULL,
    business_date TEXT NOT NULL,
    journal TEXT NOT NULL,
    sales INTEGER NOT NULL,
    last_received_ms INTEGER NOT NULL,
    PRIMARY KEY (device, business_date, journal)
) STRICT, WITHOUT ROWID;

-- How far each lane has reached: the local date of its last event, and when that was received.
CREATE TABLE lane_reach (
    device TEXT NOT NULL,
    journal TEXT NOT NULL,
    lane INTEGER NOT NULL,
    local_date TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (device, journal, lane)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_tally (
    device TEXT NOT NULL,
    lane INTEGER NOT NULL,
    kind TEXT NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (device, lane, kind)
) STRICT, WITHOUT ROWID;

-- Events that were kept but could not be read by these rules, or contradict themselves.
CREATE TABLE quarantine (
    device TEXT NOT NULL,
    journal TEXT NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (device, journal, lane, seq)
) STRICT, WITHOUT ROWID;
