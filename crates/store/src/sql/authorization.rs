//! Table `domain_authorization`.

super::statements! {
    /// customer, adn, method, obtained, process
    INSERT = "INSERT INTO domain_authorization (customer, adn, method, obtained, process) \
        VALUES ($1, $2, $3, $4, $5)";
    /// customer, adn → id, method, obtained, process; of each method the newest first
    SELECT_BY_NAME = "SELECT id, method, obtained, process FROM domain_authorization \
        WHERE customer = $1 AND adn = $2 ORDER BY method DESC, obtained DESC, id DESC";
}
