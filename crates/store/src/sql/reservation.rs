//! Table `reservation`.

super::statements! {
    /// process, serial, issuer, tbs, created
    INSERT = "INSERT INTO reservation (process, serial, issuer, tbs, created) VALUES ($1, $2, $3, $4, $5)";
    /// process → serial, issuer, tbs, created of its newest reservation
    SELECT_BY_PROCESS = "SELECT serial, issuer, tbs, created FROM reservation \
        WHERE process = $1 ORDER BY id DESC LIMIT 1";
    /// serial → tbs
    SELECT_TBS = "SELECT tbs FROM reservation WHERE serial = $1";
}
