-- TXT records that hooks publish in the DNS, a row from before a record can be seen there until it has been removed; and
-- keys that are to take the place of accounts' keys at upstreams.

CREATE TABLE dns_record (
    process    INTEGER NOT NULL REFERENCES process (id),
    hook       TEXT NOT NULL,
    name       TEXT NOT NULL,
    value      TEXT NOT NULL,
    created    INTEGER NOT NULL,
    -- When it is to be removed; NULL while the process is open.
    due        INTEGER,
    -- 1 when it is to be removed a second time: somebody may have been about to publish it when the process ended.
    again      INTEGER NOT NULL DEFAULT 0,
    attempts   INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    PRIMARY KEY (process, hook, name, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX dns_record_name ON dns_record (name);
CREATE INDEX dns_record_due ON dns_record (due) WHERE due IS NOT NULL;

-- The private key that the upstream has been told of, or will be, encrypted. It becomes `sealed` once the upstream knows it.
ALTER TABLE upstream_account ADD COLUMN next BLOB;
