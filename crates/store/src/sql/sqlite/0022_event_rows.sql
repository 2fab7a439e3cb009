-- Events as rows with a key beside them. Kept in their key's own tree, what was seen of the DNS did not fit on the page of
-- a key: nearly each look took a page of its own for its last few bytes, and inner pages held evidence.

-- What refers to events is put aside while there are none.
CREATE TABLE note_aside AS SELECT process, step, ordinal FROM note;
DROP TABLE note;

CREATE TABLE event_row (
    process INTEGER NOT NULL REFERENCES process (id),
    step    INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    PRIMARY KEY (process, step, ordinal)
) STRICT;

INSERT INTO event_row (process, step, ordinal, at, kind)
    SELECT process, step, ordinal, at, kind FROM event ORDER BY process, step, ordinal;
DROP TABLE event;
ALTER TABLE event_row RENAME TO event;

CREATE TABLE note (
    process INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (process, step, ordinal),
    FOREIGN KEY (process, step, ordinal) REFERENCES event (process, step, ordinal)
) STRICT, WITHOUT ROWID;

INSERT INTO note (process, step, ordinal) SELECT process, step, ordinal FROM note_aside;
DROP TABLE note_aside;

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'what happened is never changed');
END;

CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event
WHEN (SELECT pruning FROM audit_checkpoint WHERE id = 1) = 0
BEGIN
    SELECT RAISE(ABORT, 'what happened is never removed');
END;
