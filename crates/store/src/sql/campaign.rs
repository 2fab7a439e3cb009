//! Tables `campaign` and `campaign_item`. Rows read have the columns of [`COLUMNS`] and [`ITEM_COLUMNS`].

macro_rules! columns {
    () => {
        "id, actor, created, reason, selection, key_choice, deadline, per_issuer, per_customer, status, ended, last, through"
    };
}

macro_rules! item_columns {
    () => {
        "certificate, customer, issuer, urgent, outcome, process, successor, placed, attempts, detail, updated"
    };
}

super::statements! {
    /// actor, created, reason, selection, key, deadline, per issuer, per customer, status → id
    INSERT = "INSERT INTO campaign (actor, created, reason, selection, key_choice, deadline, per_issuer, per_customer, \
        status, last, through) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
        (SELECT COALESCE(MAX(id), 0) FROM certificate), 0)";
    /// id → row
    SELECT = concat!("SELECT ", columns!(), " FROM campaign WHERE id = $1");
    /// → rows, the newest first
    SELECT_ALL = concat!("SELECT ", columns!(), " FROM campaign ORDER BY id DESC");
    /// id → outcome, how many
    COUNT = "SELECT outcome, COUNT(*) FROM campaign_item WHERE campaign = $1 GROUP BY outcome";
    /// id → status
    SELECT_STATUS = "SELECT status FROM campaign WHERE id = $1";
    /// id, status → 1 if it has that
    HAS_STATUS = "SELECT 1 FROM campaign WHERE id = $1 AND status = $2";
    /// status, ended, id
    SET_STATUS = "UPDATE campaign SET status = $1, ended = $2 WHERE id = $3";
    /// status → ids
    SELECT_BY_STATUS = "SELECT id FROM campaign WHERE status = $1 ORDER BY id";
    /// owner, until, id, now; unless another node works on it
    CLAIM = "UPDATE campaign SET owner = $1, owned_until = $2 WHERE id = $3 \
        AND (owner IS NULL OR owner = $1 OR owned_until <= $4)";
    /// Lets any node work on any campaign.
    RELEASE_ALL = "UPDATE campaign SET owner = NULL, owned_until = NULL WHERE owner IS NOT NULL";
    /// through, id
    SET_THROUGH = "UPDATE campaign SET through = $1 WHERE id = $2 AND through < $1";
    /// campaign, certificate, customer, issuer, urgent, outcome, updated; once
    INSERT_ITEM = "INSERT INTO campaign_item (campaign, certificate, customer, issuer, urgent, due, placed, outcome, \
        attempts, updated) VALUES ($1, $2, $3, $4, $5, 0, 0, $6, 0, $7) ON CONFLICT (campaign, certificate) DO NOTHING";
    /// campaign, outcome, now, limit → rows, those whose time came first, then the most urgent
    SELECT_DUE = concat!("SELECT ", item_columns!(), " FROM campaign_item WHERE campaign = $1 AND outcome = $2 \
        AND due <= $3 ORDER BY due, urgent, certificate LIMIT $4");
    /// campaign, outcome, now → issuer, customer, the last moment put off to
    SELECT_PLACES = "SELECT issuer, customer, MAX(due) FROM campaign_item WHERE campaign = $1 AND outcome = $2 \
        AND due > $3 GROUP BY issuer, customer";
    /// due, campaign, certificate, outcome
    PUT_OFF = "UPDATE campaign_item SET due = $1, placed = 1 WHERE campaign = $2 AND certificate = $3 AND outcome = $4";
    /// due, detail, updated, campaign, certificate, outcome
    RETRY = "UPDATE campaign_item SET due = $1, detail = $2, updated = $3, attempts = attempts + 1 \
        WHERE campaign = $4 AND certificate = $5 AND outcome = $6";
    /// new outcome, successor, detail, updated, campaign, certificate, outcome that it must have
    END = "UPDATE campaign_item SET outcome = $1, successor = $2, detail = $3, updated = $4 \
        WHERE campaign = $5 AND certificate = $6 AND outcome = $7";
    /// new outcome, process, updated, campaign, certificate, outcome that it must have
    OPEN = "UPDATE campaign_item SET outcome = $1, process = $2, detail = NULL, updated = $3 \
        WHERE campaign = $4 AND certificate = $5 AND outcome = $6";
    /// new outcome, successor, detail, updated, process, outcome that it must have
    CLOSE = "UPDATE campaign_item SET outcome = $1, successor = $2, detail = $3, updated = $4 \
        WHERE process = $5 AND outcome = $6";
    /// new outcome, successor, updated, certificate, outcome that it must have
    SETTLE = "UPDATE campaign_item SET outcome = $1, successor = $2, updated = $3 \
        WHERE certificate = $4 AND outcome = $5";
    /// status, certificate, three outcomes → created, deadline
    SELECT_WINDOW = "SELECT created, deadline FROM campaign WHERE status = $1 AND EXISTS (SELECT 1 FROM campaign_item \
        WHERE campaign = campaign.id AND certificate = $2 AND (outcome = $3 OR outcome = $4 OR outcome = $5))";
    /// campaign, certificate before, limit → rows by certificate
    SELECT_ITEMS = concat!("SELECT ", item_columns!(), " FROM campaign_item WHERE campaign = $1 AND certificate > $2 \
        ORDER BY certificate LIMIT $3");
    /// campaign, outcome, outcome, outcome → 1 if there is an item with any of them
    HAS_UNFINISHED = "SELECT 1 FROM campaign WHERE id = $1 AND (\
        EXISTS (SELECT 1 FROM campaign_item WHERE campaign = id AND outcome = $2) \
        OR EXISTS (SELECT 1 FROM campaign_item WHERE campaign = id AND outcome = $3) \
        OR EXISTS (SELECT 1 FROM campaign_item WHERE campaign = id AND outcome = $4))";
}
