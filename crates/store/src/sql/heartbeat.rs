//! Table `heartbeat`.

super::statements! {
    /// The cheapest write there is.
    BEAT = "UPDATE heartbeat SET beats = beats + 1 WHERE id = 1";
    /// → beats
    SELECT = "SELECT beats FROM heartbeat WHERE id = 1";
}
