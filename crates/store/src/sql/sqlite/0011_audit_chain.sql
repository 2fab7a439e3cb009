-- The audit log as a chain: each entry holds the hash of the one before it, and its own.

DROP TRIGGER audit_is_never_changed;
DROP TRIGGER audit_is_never_shortened;
DROP INDEX audit_object;

-- What was recorded before goes through the program, which appends it to the chain and drops this table.
ALTER TABLE audit RENAME TO unchained_audit;

-- Numbers are given by the program, without gaps.
CREATE TABLE audit (
    id       INTEGER PRIMARY KEY NOT NULL,
    at       INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    action   TEXT NOT NULL,
    object   TEXT NOT NULL,
    reason   TEXT,
    note     TEXT,
    -- JSON object with further facts.
    detail   TEXT NOT NULL,
    -- The entry of a process's step: the events it is about, and SHA-256 over them. NULL in other entries.
    step     INTEGER,
    ordinal  INTEGER,
    events   INTEGER,
    digest   BLOB,
    -- Hash of the entry before, and of this one over all its columns and that.
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash     BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- The entries of steps are found from the log's side only.
CREATE INDEX audit_object ON audit (object) WHERE step IS NULL;

-- What retention has removed: everything up to an entry, whose hash the first entry that is left holds.
CREATE TABLE audit_checkpoint (
    id      INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    through INTEGER NOT NULL,
    hash    BLOB NOT NULL CHECK (length(hash) = 32),
    -- 1 only inside the commit that removes.
    pruning INTEGER NOT NULL
) STRICT;

INSERT INTO audit_checkpoint (id, through, hash, pruning) VALUES (1, 0, zeroblob(32), 0);

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
WHEN (SELECT pruning FROM audit_checkpoint WHERE id = 1) = 0
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'what happened is never changed');
END;

CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
WHEN (SELECT pruning FROM audit_checkpoint WHERE id = 1) = 0
BEGIN
    SELECT RAISE(ABORT, 'what happened is never removed');
END;
