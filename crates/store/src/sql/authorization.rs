//! Table `domain_authorization`.

super::statements! {
    /// customer, adn, method, only_itself, obtained, process, witnesses
    INSERT = "INSERT INTO domain_authorization (customer, adn, method, only_itself, obtained, process, witnesses) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    /// customer, adn → id, method, only_itself, obtained, process, witnesses; of each method and reach the newest first
    SELECT_BY_NAME = "SELECT id, method, only_itself, obtained, process, witnesses FROM domain_authorization \
        WHERE customer = $1 AND adn = $2 ORDER BY method DESC, only_itself DESC, obtained DESC, id DESC";
}
