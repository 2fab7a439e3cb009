//! Table `process_billable`.

super::statements! {
    /// process, action, product, quantity
    INSERT = "INSERT INTO process_billable (process, action, product, quantity) VALUES ($1, $2, $3, $4)";
}
