-- Proofs of control over names, as far as they came later than the first ones.

-- A persistent record proves either its own name alone, or also what is below.
ALTER TABLE domain_authorization ADD COLUMN only_itself INTEGER NOT NULL DEFAULT 0;

DROP INDEX domain_authorization_adn;
CREATE INDEX domain_authorization_adn
    ON domain_authorization (customer, adn, method, only_itself, obtained);

-- Challenges that follow from a CSR and a salt alone: each is given to one process and never to another. What it is
-- known by: SHA-256 over the hash of the CSR and the salt in lower case.
CREATE TABLE request_token (
    fingerprint BLOB PRIMARY KEY NOT NULL CHECK (length(fingerprint) = 32),
    process     INTEGER NOT NULL REFERENCES process (id)
) STRICT, WITHOUT ROWID;
