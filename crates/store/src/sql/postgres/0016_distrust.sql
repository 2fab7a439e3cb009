-- When a proof turned out to be worth nothing: the method failed, or whoever proved had no right to the name. Nothing may
-- be signed on it any more; what was signed stays found by it.

ALTER TABLE domain_authorization ADD COLUMN distrusted BIGINT;

CREATE INDEX domain_authorization_distrusted ON domain_authorization (customer, adn, method, obtained)
    WHERE distrusted IS NOT NULL;
