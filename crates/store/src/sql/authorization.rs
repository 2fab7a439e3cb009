//! Tables `domain_authorization` and `reliance`.

/// Columns of a whole row, in the order in which they are read.
pub(crate) const COLUMNS: &str =
    "id, customer, adn, method, only_itself, obtained, process, witnesses, alias";

super::statements! {
    /// customer, adn, method, only_itself, obtained, process, witnesses, alias
    INSERT = "INSERT INTO domain_authorization \
        (customer, adn, method, only_itself, obtained, process, witnesses, alias) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    /// customer, adn → rows; of each method and reach the newest first
    SELECT_BY_NAME = "SELECT id, customer, adn, method, only_itself, obtained, process, witnesses, alias \
        FROM domain_authorization \
        WHERE customer = $1 AND adn = $2 ORDER BY method DESC, only_itself DESC, obtained DESC, id DESC";
    /// certificate, name, customer, adn, method, obtained: of equal proofs the one that reaches farther
    INSERT_RELIANCE = "INSERT INTO reliance (certificate, name, proof) SELECT $1, $2, id FROM domain_authorization \
        WHERE customer = $3 AND adn = $4 AND method = $5 AND obtained = $6 ORDER BY only_itself LIMIT 1";
    /// proof → certificate, name
    SELECT_RELIANCE = "SELECT certificate, name FROM reliance WHERE proof = $1 ORDER BY certificate, name";
}
