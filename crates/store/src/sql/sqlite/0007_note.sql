-- What customers and the house write to each other about a process.

-- Which events are notes: a process may have thousands of others.
CREATE TABLE note (
    process INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (process, step, ordinal),
    FOREIGN KEY (process, step, ordinal) REFERENCES event (process, step, ordinal)
) STRICT, WITHOUT ROWID;
