-- Keys of calls (`Idempotency-Key`), and what became of each call. Rows are forgotten after a day.
CREATE TABLE idempotency_key (
    -- A call that comes late must not meet the row of another: numbers are not used again.
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    customer    TEXT NOT NULL REFERENCES customer (handle),
    -- SHA-256 of the key.
    key         BLOB NOT NULL CHECK (length(key) = 32),
    -- SHA-256 over path, query and body.
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    taken       INTEGER NOT NULL,
    -- The process that the call opened, written in the commit that opens it.
    process     INTEGER REFERENCES process (id),
    -- The answer; NULL until it is known. Headers are a JSON list of pairs.
    status      INTEGER,
    headers     TEXT,
    body        BLOB,
    UNIQUE (customer, key)
) STRICT;

CREATE INDEX idempotency_key_taken ON idempotency_key (taken);
CREATE INDEX idempotency_key_process ON idempotency_key (process) WHERE process IS NOT NULL;
