//! Table `watch`, and what is looked for in the calendar.

super::statements! {
    /// name → ends, subject
    SELECT = "SELECT ends, subject FROM watch WHERE name = $1";
    /// name, ends, subject: the first time only
    INSERT = "INSERT INTO watch (name, ends, subject) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    /// ends, subject; name, ends and subject before
    MOVE = "UPDATE watch SET ends = $1, subject = $2 WHERE name = $3 AND ends = $4 AND subject = $5";
    /// ends and subject to start behind, last end, limit → ids of certificates
    SELECT_CERTIFICATES = "SELECT id FROM certificate WHERE (not_after, id) > ($1, $2) AND not_after <= $3 \
        AND status = 'ACTIVE' ORDER BY not_after, id LIMIT $4";
    /// The same of bought subscriptions → ids
    SELECT_SUBSCRIPTIONS = "SELECT id FROM subscription WHERE (ends, id) > ($1, $2) AND ends <= $3 \
        AND months > 0 ORDER BY ends, id LIMIT $4";
}
