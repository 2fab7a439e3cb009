//! Table `mail_token`.

super::statements! {
    /// hash, process
    INSERT = "INSERT INTO mail_token (hash, process) VALUES ($1, $2)";
    /// hash → process
    SELECT_PROCESS = "SELECT process FROM mail_token WHERE hash = $1";
}
