-- What customers are told, and how far the calendar has been looked through.

-- No references: a row is written in the commit that writes what it tells of, and may outlive it.
CREATE TABLE notification (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    customer       TEXT NOT NULL,
    occasion       TEXT NOT NULL,
    subject_status TEXT NOT NULL,
    fired          INTEGER NOT NULL,
    message        TEXT NOT NULL,
    reason         TEXT,
    process        INTEGER,
    status_detail  TEXT,
    certificate    INTEGER,
    domain_name    TEXT NOT NULL,
    product        TEXT,
    validation     TEXT,
    expires        INTEGER,
    payload        TEXT NOT NULL,
    read_at        INTEGER,
    acknowledged   INTEGER,
    delivered      INTEGER,
    -- 1 while it waits for the customer's webhook; NULL when there is none, or when it was delivered.
    waiting        INTEGER
) STRICT;

CREATE INDEX notification_customer ON notification (customer);
CREATE INDEX notification_unread ON notification (customer, id) WHERE acknowledged IS NULL;
CREATE INDEX notification_waiting ON notification (customer, id) WHERE waiting = 1;

-- Everything that ends up to the moment, and at the moment up to the number, was told of.
CREATE TABLE watch (
    name    TEXT PRIMARY KEY NOT NULL,
    ends    INTEGER NOT NULL,
    subject INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX subscription_end ON subscription (ends);

-- Where a customer's notifications are sent. The secret is encrypted under a key outside of the database.
CREATE TABLE webhook (
    customer     TEXT PRIMARY KEY NOT NULL REFERENCES customer (handle),
    url          TEXT NOT NULL,
    login        TEXT,
    sealed       BLOB NOT NULL,
    created      INTEGER NOT NULL,
    -- Attempts that failed since the last success, and when to try again.
    failures     INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    last_error   TEXT,
    lease_until  INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_due ON webhook (next_attempt);
