-- Customers, certificates and processes: what a reissue needs.
--
-- Moments are milliseconds since 1970 in UTC. Numbers that customers see are never used twice, not even
-- after rows were deleted: hence AUTOINCREMENT.

CREATE TABLE customer (
    handle  TEXT PRIMARY KEY NOT NULL,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    customer    TEXT NOT NULL REFERENCES customer (handle),
    login       TEXT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('customer', 'operator')),
    secret_hash BLOB NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    created     INTEGER NOT NULL,
    revoked     INTEGER
) STRICT;

CREATE TABLE subscription (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    customer       TEXT NOT NULL REFERENCES customer (handle),
    product        TEXT NOT NULL,
    starts         INTEGER NOT NULL,
    ends           INTEGER NOT NULL,
    months         INTEGER NOT NULL,
    paid_names     INTEGER NOT NULL,
    paid_wildcards INTEGER NOT NULL
) STRICT;

CREATE TABLE process (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Raised by every step: a step that was decided on an older version is refused.
    version            INTEGER NOT NULL,
    customer           TEXT NOT NULL REFERENCES customer (handle),
    opened_by          TEXT NOT NULL,
    action             TEXT NOT NULL,
    identifier         TEXT NOT NULL,
    -- The certificate it starts from. No reference to certificate: the two tables point at each other.
    source             INTEGER,
    subscription       INTEGER REFERENCES subscription (id),
    certificate        INTEGER,
    created            INTEGER NOT NULL,
    updated            INTEGER NOT NULL,
    status             TEXT NOT NULL,
    open               INTEGER NOT NULL CHECK (open IN (0, 1)),
    requires_attention INTEGER NOT NULL CHECK (requires_attention IN (0, 1)),
    -- When a worker is to look at it; no worker may take it before lease_until.
    next_run           INTEGER,
    lease_until        INTEGER,
    state              TEXT NOT NULL,
    command            TEXT NOT NULL
) STRICT;

-- The rule "one open process a certificate" (a certificate's successors share its subscription).
CREATE UNIQUE INDEX process_open ON process (subscription) WHERE open = 1;
CREATE INDEX process_due ON process (next_run) WHERE next_run IS NOT NULL;
CREATE INDEX process_attention ON process (requires_attention, customer) WHERE requires_attention = 1;
CREATE INDEX process_customer ON process (customer);
CREATE INDEX process_status ON process (customer, status);
CREATE INDEX process_identifier ON process (identifier);

CREATE TABLE certificate (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    customer             TEXT NOT NULL REFERENCES customer (handle),
    process              INTEGER NOT NULL REFERENCES process (id),
    subscription         INTEGER NOT NULL REFERENCES subscription (id),
    product              TEXT NOT NULL,
    validation           TEXT NOT NULL,
    certificate_type     TEXT NOT NULL,
    -- EXPIRED follows from not_after. (A check with IN makes SQLite build a scratch table for each row written.)
    status               TEXT NOT NULL CHECK (status <> 'EXPIRED'),
    domain_name          TEXT NOT NULL,
    -- JSON list; certificate_name holds the same names for searching.
    names                TEXT NOT NULL,
    organization         TEXT,
    country              TEXT,
    state                TEXT,
    city                 TEXT,
    postal_code          TEXT,
    street               TEXT,
    coc                  TEXT,
    issuer               TEXT NOT NULL,
    serial               BLOB NOT NULL,
    not_before           INTEGER NOT NULL,
    not_after            INTEGER NOT NULL,
    subscription_end     INTEGER NOT NULL,
    key_algorithm        TEXT NOT NULL,
    key_size             INTEGER NOT NULL,
    spki_sha256          BLOB NOT NULL CHECK (length(spki_sha256) = 32),
    fingerprint          BLOB NOT NULL CHECK (length(fingerprint) = 32),
    predecessor          INTEGER REFERENCES certificate (id),
    -- No reference: setting one within its own table would be checked in both directions.
    successor            INTEGER,
    revoked_at           INTEGER,
    revocation_reason    TEXT,
    revocation_note      TEXT,
    revocation_scheduled INTEGER,
    csr                  BLOB,
    der                  BLOB NOT NULL
) STRICT;

-- Several customers may import the same certificate.
CREATE UNIQUE INDEX certificate_fingerprint ON certificate (fingerprint, customer);
CREATE INDEX certificate_serial ON certificate (serial, customer);
-- Whether a key belongs to another customer is one look to each side of the asking one's entries.
CREATE INDEX certificate_key ON certificate (spki_sha256, customer);
CREATE INDEX certificate_process ON certificate (process);
CREATE INDEX certificate_subscription ON certificate (subscription);
CREATE INDEX certificate_customer ON certificate (customer);
-- In the order of the list, and with all that counting needs.
CREATE INDEX certificate_status ON certificate (customer, status, id, not_after);
CREATE INDEX certificate_domain_name ON certificate (domain_name);
CREATE INDEX certificate_expiry ON certificate (not_after);
CREATE INDEX certificate_revocation ON certificate (revocation_scheduled)
    WHERE revocation_scheduled IS NOT NULL;

CREATE TABLE certificate_name (
    certificate INTEGER NOT NULL REFERENCES certificate (id),
    name        TEXT NOT NULL,
    PRIMARY KEY (certificate, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX certificate_name_name ON certificate_name (name);

-- What happened, in the order it was written: step is the version the process had afterwards.
CREATE TABLE event (
    process INTEGER NOT NULL REFERENCES process (id),
    step    INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    PRIMARY KEY (process, step, ordinal)
) STRICT, WITHOUT ROWID;

-- AUTHORIZATION is a reserved word in PostgreSQL, so the table says of what.
CREATE TABLE domain_authorization (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    customer TEXT NOT NULL REFERENCES customer (handle),
    adn      TEXT NOT NULL,
    method   TEXT NOT NULL,
    obtained INTEGER NOT NULL,
    process  INTEGER NOT NULL REFERENCES process (id)
) STRICT;

CREATE INDEX domain_authorization_adn ON domain_authorization (customer, adn, method, obtained);

-- Serials are recorded before anything is signed under them, and never leave this table.
CREATE TABLE reservation (
    id      INTEGER PRIMARY KEY,
    process INTEGER NOT NULL REFERENCES process (id),
    serial  BLOB NOT NULL UNIQUE,
    issuer  TEXT NOT NULL,
    tbs     BLOB NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE INDEX reservation_process ON reservation (process);

CREATE TABLE mail_token (
    hash    BLOB PRIMARY KEY NOT NULL CHECK (length(hash) = 32),
    process INTEGER NOT NULL REFERENCES process (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocked_key (
    spki_sha256 BLOB PRIMARY KEY NOT NULL CHECK (length(spki_sha256) = 32),
    reason      TEXT NOT NULL,
    created     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row that a health check writes to.
CREATE TABLE heartbeat (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    beats INTEGER NOT NULL
) STRICT;

INSERT INTO heartbeat (id, beats) VALUES (1, 0);
