-- Each customer has accounts of its own at upstreams: what an account has proved there, it has proved for all that order
-- with it. Those that all customers shared are kept, for revocations that wait to be told, as those of nobody.

ALTER TABLE upstream_account RENAME TO upstream_account_shared;
ALTER INDEX upstream_account_pkey RENAME TO upstream_account_shared_pkey;

CREATE TABLE upstream_account (
    issuer    TEXT COLLATE "C" NOT NULL,
    directory TEXT COLLATE "C" NOT NULL,
    customer  TEXT COLLATE "C" NOT NULL,
    -- The private key, encrypted.
    sealed    BYTEA NOT NULL,
    -- NULL until the upstream has answered.
    url       TEXT COLLATE "C",
    created   BIGINT NOT NULL,
    -- The private key that takes the place of the other once the upstream knows it, encrypted.
    next      BYTEA,
    PRIMARY KEY (issuer, directory, customer)
);

INSERT INTO upstream_account (issuer, directory, customer, sealed, url, created, next)
    SELECT issuer, directory, '', sealed, url, created, next FROM upstream_account_shared;
DROP TABLE upstream_account_shared;

-- Whose account ordered what has to be revoked.
ALTER TABLE upstream_revocation ADD COLUMN customer TEXT COLLATE "C" NOT NULL DEFAULT '';

-- One upstream's are looked for by themselves.
DROP INDEX upstream_revocation_due;
CREATE INDEX upstream_revocation_due ON upstream_revocation (issuer, due) WHERE due IS NOT NULL;
