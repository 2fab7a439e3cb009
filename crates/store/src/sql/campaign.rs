//! Tables `campaign` and `campaign_item`. Rows read have the columns of [`COLUMNS`] and [`ITEM_COLUMNS`].

macro_rules! columns {
    () => {
        "id, actor, created, reason, selection, key_choice, deadline, per_issuer, per_customer, status, ended, last, through"
    };
}

macro_rules! item_columns {
    () => {
        "certificate, customer, issuer, urgent, due, placed, outcome, process, successor, attempts, detail, updated"
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
    /// campaign, outcome, issuer before → the next issuer of items with that outcome
    SELECT_ISSUER = "SELECT issuer FROM campaign_item WHERE campaign = $1 AND outcome = $2 AND issuer > $3 \
        ORDER BY issuer LIMIT 1";
    /// campaign, outcome, issuer, limit → rows of those that were never put off, the most urgent first
    SELECT_FRESH = concat!("SELECT ", item_columns!(), " FROM campaign_item WHERE campaign = $1 AND outcome = $2 \
        AND issuer = $3 AND due = 0 ORDER BY urgent LIMIT $4");
    /// campaign, outcome, issuer, now, limit → rows of those whose time has come again, the longest waiting first
    SELECT_RETURNED = concat!("SELECT ", item_columns!(), " FROM campaign_item WHERE campaign = $1 AND outcome = $2 \
        AND issuer = $3 AND due > 0 AND due <= $4 ORDER BY due LIMIT $5");
    /// campaign, outcome, issuer, limit: what waits for its place in the pace is due as soon as can be
    FORGET_PLACES = "UPDATE campaign_item SET due = 0, placed = 0 WHERE campaign = $1 AND certificate IN \
        (SELECT certificate FROM campaign_item WHERE campaign = $1 AND outcome = $2 AND issuer = $3 AND due > 0 \
            AND placed = 1 LIMIT $4)";
    /// campaign, outcome, limit → certificates
    SELECT_WITH_OUTCOME = "SELECT certificate FROM campaign_item WHERE campaign = $1 AND outcome = $2 LIMIT $3";
    /// due, campaign, certificate, outcome, urgency as read: unless it was hastened meanwhile
    PUT_OFF = "UPDATE campaign_item SET due = $1, placed = 1 \
        WHERE campaign = $2 AND certificate = $3 AND outcome = $4 AND urgent = $5";
    /// due, detail, updated, failures, campaign, certificate, outcome
    RETRY = "UPDATE campaign_item SET due = $1, placed = 0, detail = $2, updated = $3, attempts = attempts + $4 \
        WHERE campaign = $5 AND certificate = $6 AND outcome = $7";
    /// new outcome, successor, detail, updated, campaign, certificate, outcome that it must have
    END = "UPDATE campaign_item SET outcome = $1, successor = $2, detail = $3, updated = $4 \
        WHERE campaign = $5 AND certificate = $6 AND outcome = $7";
    /// new outcome, updated, campaign, certificate, outcome that it must have
    MISS = "UPDATE campaign_item SET outcome = $1, updated = $2 \
        WHERE campaign = $3 AND certificate = $4 AND outcome = $5";
    /// new outcome, process, updated, campaign, certificate, outcome that it must have
    OPEN = "UPDATE campaign_item SET outcome = $1, process = $2, detail = NULL, updated = $3 \
        WHERE campaign = $4 AND certificate = $5 AND outcome = $6";
    /// process, outcome, now, status → 1 if its campaign has time, and not that status
    HAS_TIME = "SELECT 1 FROM campaign_item JOIN campaign ON campaign.id = campaign_item.campaign \
        WHERE process = $1 AND outcome = $2 AND deadline > $3 AND status <> $4";
    /// new outcome, due, detail, updated, process, outcome that it must have, how often at most: its process has failed
    REOPEN = "UPDATE campaign_item SET outcome = $1, due = $2, placed = 0, detail = $3, updated = $4, \
        attempts = attempts + 1, reopened = reopened + 1 WHERE process = $5 AND outcome = $6 AND reopened < $7";
    /// moment, certificate, outcome: it stops being of use then, and waits for no place in the pace
    HASTEN = "UPDATE campaign_item SET urgent = $1, due = CASE WHEN placed = 1 THEN 1 ELSE due END \
        WHERE certificate = $2 AND outcome = $3 AND urgent > $1";
    /// new outcome, successor, detail, updated, process, outcome that it must have
    CLOSE = "UPDATE campaign_item SET outcome = $1, successor = $2, detail = $3, updated = $4 \
        WHERE process = $5 AND outcome = $6";
    /// new outcome, successor, updated, certificate, outcome that it must have
    SETTLE = "UPDATE campaign_item SET outcome = $1, successor = $2, updated = $3 \
        WHERE certificate = $4 AND outcome = $5";
    /// certificate → created, deadline, outcome of campaigns that want it replaced, or wanted it until they ended
    SELECT_WINDOW = "SELECT created, deadline, outcome FROM campaign_item JOIN campaign ON campaign.id = campaign \
        WHERE certificate = $1 AND status <> $2 AND successor IS NULL";
    /// campaign, certificate before, limit → rows by certificate
    SELECT_ITEMS = concat!("SELECT ", item_columns!(), " FROM campaign_item WHERE campaign = $1 AND certificate > $2 \
        ORDER BY certificate LIMIT $3");
    /// campaign, outcome, outcome, outcome → 1 if there is an item with any of them
    HAS_UNFINISHED = "SELECT 1 FROM campaign WHERE id = $1 AND (\
        EXISTS (SELECT 1 FROM campaign_item WHERE campaign = id AND outcome = $2) \
        OR EXISTS (SELECT 1 FROM campaign_item WHERE campaign = id AND outcome = $3) \
        OR EXISTS (SELECT 1 FROM campaign_item WHERE campaign = id AND outcome = $4))";
}
