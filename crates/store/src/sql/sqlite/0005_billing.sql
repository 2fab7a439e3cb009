-- What was bought: places for names in a subscription, and the charges of a process.

-- Until here the numbers of names and of wildcards among them were kept; all those count as included.
ALTER TABLE subscription RENAME COLUMN paid_names TO included_names;
ALTER TABLE subscription RENAME COLUMN paid_wildcards TO extra_wildcards;
UPDATE subscription SET extra_wildcards = 0;
ALTER TABLE subscription ADD COLUMN extra_domains INTEGER NOT NULL DEFAULT 0;

-- For lists: a process's state has the same with all that belongs to it.
CREATE TABLE process_billable (
    process  INTEGER NOT NULL REFERENCES process (id),
    action   TEXT NOT NULL,
    product  TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (process, action)
) STRICT, WITHOUT ROWID;

CREATE INDEX process_billable_action ON process_billable (action);
CREATE INDEX process_billable_product ON process_billable (product);
