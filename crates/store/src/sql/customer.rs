//! Table `customer`.

super::statements! {
    /// handle, created
    INSERT = "INSERT INTO customer (handle, created) VALUES ($1, $2)";
    /// → handle, created
    SELECT_ALL = "SELECT handle, created FROM customer ORDER BY handle";
    /// handle → 1
    EXISTS = "SELECT 1 FROM customer WHERE handle = $1";
}
