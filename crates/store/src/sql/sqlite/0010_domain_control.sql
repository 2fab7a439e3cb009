-- Proofs of control over names, as far as they came later than the first ones.

-- A persistent record proves either its own name alone, or also what is below.
ALTER TABLE domain_authorization ADD COLUMN only_itself INTEGER NOT NULL DEFAULT 0;

DROP INDEX domain_authorization_adn;
CREATE INDEX domain_authorization_adn
    ON domain_authorization (customer, adn, method, only_itself, obtained);
