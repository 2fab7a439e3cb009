-- TXT records that hooks publish in the DNS, a row from before a record can be seen there until it has been removed; and
-- keys that are to take the place of accounts' keys at upstreams.

CREATE TABLE dns_record (
    process    BIGINT NOT NULL REFERENCES process (id),
    hook       TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    created    BIGINT NOT NULL,
    -- When it is to be removed; NULL while the process is open.
    due        BIGINT,
    -- 1 when it is to be removed a second time: somebody may have been about to publish it when the process ended.
    again      BIGINT NOT NULL DEFAULT 0,
    attempts   BIGINT NOT NULL DEFAULT 0,
    last_error TEXT COLLATE "C",
    PRIMARY KEY (process, hook, name, value)
);

CREATE INDEX dns_record_name ON dns_record (name);
CREATE INDEX dns_record_due ON dns_record (due) WHERE due IS NOT NULL;

-- The private key that the upstream has been told of, or will be, encrypted. It becomes `sealed` once the upstream knows it.
ALTER TABLE upstream_account ADD COLUMN next BYTEA;
