//! Tables `domain_authorization` and `reliance`.

/// Columns of a whole row, in the order in which they are read.
pub(crate) const COLUMNS: &str =
    "id, customer, adn, method, only_itself, obtained, process, witnesses, alias, distrusted";

super::statements! {
    /// customer, adn, method, only_itself, obtained, process, witnesses, alias
    INSERT = "INSERT INTO domain_authorization \
        (customer, adn, method, only_itself, obtained, process, witnesses, alias) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// customer, adn → rows that may be relied on; of each method and reach the newest first
    SELECT_BY_NAME = "SELECT id, customer, adn, method, only_itself, obtained, process, witnesses, alias, distrusted \
        FROM domain_authorization \
        WHERE customer = $1 AND adn = $2 AND distrusted IS NULL ORDER BY method DESC, only_itself DESC, obtained DESC, id DESC";
    /// certificate, name, customer, adn, method, obtained: of equal proofs the one that reaches farther
    INSERT_RELIANCE = "INSERT INTO reliance (certificate, name, proof) SELECT $1, $2, id FROM domain_authorization \
        WHERE customer = $3 AND adn = $4 AND method = $5 AND obtained = $6 ORDER BY only_itself LIMIT 1";
    /// customer → 1 if a proof of the customer's may not be relied on
    SELECT_DISTRUSTED_OF = "SELECT 1 FROM domain_authorization WHERE customer = $1 AND distrusted IS NOT NULL LIMIT 1";
    /// customer, adn, method, obtained → 1 if that proof may not be relied on
    IS_DISTRUSTED = "SELECT 1 FROM domain_authorization \
        WHERE customer = $1 AND adn = $2 AND method = $3 AND obtained = $4 AND distrusted IS NOT NULL LIMIT 1";
    /// now, proof
    DISTRUST = "UPDATE domain_authorization SET distrusted = $1 WHERE id = $2 AND distrusted IS NULL";
    /// certificate → proof
    SELECT_GROUNDS = "SELECT DISTINCT proof FROM reliance WHERE certificate = $1 ORDER BY proof";
    /// proof → certificate, name
    SELECT_RELIANCE = "SELECT certificate, name FROM reliance WHERE proof = $1 ORDER BY certificate, name";
}
