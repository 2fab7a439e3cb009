-- What is kept of CAs elsewhere that issue in our place: accounts, orders, the chains that certificates came with, and
-- revocations that they have yet to carry out.

CREATE TABLE upstream_account (
    issuer    TEXT NOT NULL,
    directory TEXT NOT NULL,
    -- The private key, encrypted.
    sealed    BLOB NOT NULL,
    -- NULL until the upstream has answered.
    url       TEXT,
    created   INTEGER NOT NULL,
    PRIMARY KEY (issuer, directory)
) STRICT, WITHOUT ROWID;

CREATE TABLE upstream_order (
    url     TEXT PRIMARY KEY,
    issuer  TEXT NOT NULL,
    process INTEGER NOT NULL REFERENCES process (id),
    placed  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX upstream_order_process ON upstream_order (process);

CREATE TABLE upstream_chain (
    -- SHA-256 of `certificates`.
    digest       BLOB PRIMARY KEY,
    -- The issuing one first, a JSON list of DER in base64.
    certificates TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE upstream_certificate (
    certificate INTEGER PRIMARY KEY REFERENCES certificate (id),
    chain       BLOB NOT NULL REFERENCES upstream_chain (digest)
) STRICT;

CREATE TABLE upstream_revocation (
    -- SHA-256 of the certificate.
    fingerprint BLOB PRIMARY KEY,
    issuer      TEXT NOT NULL,
    -- NULL for one that was never stored here.
    certificate INTEGER REFERENCES certificate (id),
    der         BLOB NOT NULL,
    reason      TEXT,
    created     INTEGER NOT NULL,
    -- When the upstream is told next; NULL once it is done.
    due         INTEGER,
    done        INTEGER,
    attempts    INTEGER NOT NULL,
    last_error  TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX upstream_revocation_due ON upstream_revocation (due) WHERE due IS NOT NULL;
