-- Revocation lists, and what stands on them.

-- A row for each revoked certificate of ours, written with the revocation, until its list is through with it.
-- It lies by issuer and by the last byte of its serial number, which decides on which list it stands: what a
-- list needs is read in one go, and no other table has to be looked at.
CREATE TABLE crl_entry (
    issuer     TEXT NOT NULL,
    ending     BLOB NOT NULL CHECK (length(ending) = 1),
    serial     BLOB NOT NULL,
    revoked_at INTEGER NOT NULL,
    reason     TEXT,
    not_after  INTEGER NOT NULL,
    -- Number of the first list that showed it; NULL while none has.
    listed     INTEGER,
    PRIMARY KEY (issuer, ending, serial)
) STRICT, WITHOUT ROWID;

CREATE INDEX crl_entry_unlisted ON crl_entry (issuer, ending) WHERE listed IS NULL;

INSERT INTO crl_entry (issuer, ending, serial, revoked_at, reason, not_after)
    SELECT issuer, substr(serial, length(serial), 1), serial, revoked_at, revocation_reason, not_after
    FROM certificate WHERE revoked_at IS NOT NULL AND issuer <> 'import';

-- The newest list of each name, as it is served.
CREATE TABLE crl (
    name        TEXT PRIMARY KEY NOT NULL,
    number      INTEGER NOT NULL,
    this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL,
    entries     INTEGER NOT NULL,
    -- JSON list: where certificates look for it, and when the last was issued with that address.
    addresses   TEXT NOT NULL,
    der         BLOB NOT NULL
) STRICT;
