-- Precertificates that were signed: each counts as an issued certificate, whether or not there is ever one with its serial
-- number. None leaves this table.

CREATE TABLE precertificate (
    id      INTEGER PRIMARY KEY,
    process INTEGER NOT NULL REFERENCES process (id),
    serial  BLOB NOT NULL UNIQUE,
    issuer  TEXT NOT NULL,
    der     BLOB NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE INDEX precertificate_process ON precertificate (process);
