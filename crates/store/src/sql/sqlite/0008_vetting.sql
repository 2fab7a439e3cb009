-- What operators decide about organizations, and the record of who decided what.

-- A row for each open process with a check that nobody has approved.
CREATE TABLE pending_validation (
    process INTEGER PRIMARY KEY REFERENCES process (id)
) STRICT;

INSERT INTO pending_validation (process)
    SELECT id FROM process
    WHERE open = 1 AND json_extract(state, '$.work.organization.state') IN ('waiting', 'attention');

-- Approved checks of organizations, for later certificates of the same customer.
CREATE TABLE vetted_check (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    customer     TEXT NOT NULL REFERENCES customer (handle),
    organization TEXT NOT NULL,
    kind         TEXT NOT NULL,
    -- JSON: what the approval is about.
    facts        TEXT NOT NULL,
    obtained     INTEGER NOT NULL,
    process      INTEGER NOT NULL REFERENCES process (id),
    -- Since when nothing may rely on it.
    withdrawn    INTEGER
) STRICT;

CREATE INDEX vetted_check_organization ON vetted_check (customer, organization, obtained)
    WHERE withdrawn IS NULL;

-- Who did what, to what, when and why.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    reason TEXT,
    note   TEXT,
    -- JSON object with further facts.
    detail TEXT NOT NULL
) STRICT;

CREATE INDEX audit_object ON audit (object);

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
