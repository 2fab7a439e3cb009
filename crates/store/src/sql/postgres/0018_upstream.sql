-- What is kept of CAs elsewhere that issue in our place: accounts, orders, the chains that certificates came with, and
-- revocations that they have yet to carry out.

CREATE TABLE upstream_account (
    issuer    TEXT COLLATE "C" NOT NULL,
    directory TEXT COLLATE "C" NOT NULL,
    -- The private key, encrypted.
    sealed    BYTEA NOT NULL,
    -- NULL until the upstream has answered.
    url       TEXT COLLATE "C",
    created   BIGINT NOT NULL,
    PRIMARY KEY (issuer, directory)
);

CREATE TABLE upstream_order (
    url     TEXT COLLATE "C" PRIMARY KEY,
    issuer  TEXT COLLATE "C" NOT NULL,
    process BIGINT NOT NULL REFERENCES process (id),
    placed  BIGINT NOT NULL
);

CREATE INDEX upstream_order_process ON upstream_order (process);

CREATE TABLE upstream_chain (
    -- SHA-256 of `certificates`.
    digest       BYTEA PRIMARY KEY,
    -- The issuing one first, a JSON list of DER in base64.
    certificates TEXT COLLATE "C" NOT NULL
);

CREATE TABLE upstream_certificate (
    certificate BIGINT PRIMARY KEY REFERENCES certificate (id),
    chain       BYTEA NOT NULL REFERENCES upstream_chain (digest)
);

CREATE TABLE upstream_revocation (
    -- SHA-256 of the certificate.
    fingerprint BYTEA PRIMARY KEY,
    issuer      TEXT COLLATE "C" NOT NULL,
    -- NULL for one that was never stored here.
    certificate BIGINT REFERENCES certificate (id),
    der         BYTEA NOT NULL,
    reason      TEXT COLLATE "C",
    created     BIGINT NOT NULL,
    -- When the upstream is told next; NULL once it is done.
    due         BIGINT,
    done        BIGINT,
    attempts    BIGINT NOT NULL,
    last_error  TEXT COLLATE "C"
);

CREATE INDEX upstream_revocation_due ON upstream_revocation (due) WHERE due IS NOT NULL;
