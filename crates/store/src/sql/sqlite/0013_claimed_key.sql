-- Keys that are compromised as a customer says, without proof: refused to that customer, and to nobody else.
CREATE TABLE claimed_key (
    spki_sha256 BLOB NOT NULL CHECK (length(spki_sha256) = 32),
    customer    TEXT NOT NULL REFERENCES customer (handle),
    reason      TEXT NOT NULL,
    actor       TEXT NOT NULL,
    created     INTEGER NOT NULL,
    PRIMARY KEY (spki_sha256, customer)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER claimed_key_stays BEFORE DELETE ON claimed_key
BEGIN
    SELECT RAISE(ABORT, 'a blocked key stays blocked');
END;
