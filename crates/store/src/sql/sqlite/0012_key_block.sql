-- Blocked keys as a list: in the order in which they came, with who blocked them. And what must be revoked because of
-- them.

CREATE TABLE listed_key (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    spki_sha256 BLOB NOT NULL UNIQUE CHECK (length(spki_sha256) = 32),
    reason      TEXT NOT NULL,
    actor       TEXT NOT NULL,
    created     INTEGER NOT NULL
) STRICT;

INSERT INTO listed_key (spki_sha256, reason, actor, created)
    SELECT spki_sha256, reason, 'reseal', created FROM blocked_key ORDER BY created;

DROP TABLE blocked_key;
ALTER TABLE listed_key RENAME TO blocked_key;

-- Nobody takes a key off the list.
CREATE TRIGGER blocked_key_stays BEFORE DELETE ON blocked_key
BEGIN
    SELECT RAISE(ABORT, 'a blocked key stays blocked');
END;

-- Certificates that must be revoked, since when that is known, and by when it has to be done (BR 4.9.1.1). The row stays
-- when it is done.
CREATE TABLE revocation_duty (
    certificate INTEGER PRIMARY KEY NOT NULL REFERENCES certificate (id),
    received    INTEGER NOT NULL,
    deadline_24h INTEGER NOT NULL,
    deadline_5d INTEGER NOT NULL,
    -- The one of the two that counts.
    deadline    INTEGER NOT NULL,
    -- Reason code that the list will show, and the words beside it.
    reason      TEXT,
    cause       TEXT NOT NULL
) STRICT;
