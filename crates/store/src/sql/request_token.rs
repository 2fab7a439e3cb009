//! Table `request_token`.

super::statements! {
    /// fingerprint, process: of a token that no other process was given
    INSERT = "INSERT INTO request_token (fingerprint, process) VALUES ($1, $2) \
        ON CONFLICT (fingerprint) DO UPDATE SET process = excluded.process \
        WHERE request_token.process = excluded.process";
    /// fingerprint → process
    SELECT_PROCESS = "SELECT process FROM request_token WHERE fingerprint = $1";
}
