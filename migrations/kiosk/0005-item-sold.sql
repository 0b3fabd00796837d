-- How far `item_sold` counts: sales up to this one are in it. It is brought up in an idle moment, not with the sale.
-- The databases before this one counted every sale at once.

CREATE TABLE item_sold_upto (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    sale_no  INTEGER NOT NULL CHECK (sale_no >= 0)
) STRICT;
INSERT INTO item_sold_upto (id, sale_no) SELECT 1, coalesce(max(sale_no), 0) FROM sale;
