-- Mass reissues (campaigns), and what became of each certificate in them.

CREATE TABLE campaign (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    actor        TEXT NOT NULL,
    created      INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    selection    TEXT NOT NULL,
    key_choice   TEXT NOT NULL,
    deadline     INTEGER NOT NULL,
    -- Reissues an hour; NULL without limit.
    per_issuer   INTEGER,
    per_customer INTEGER,
    status       TEXT NOT NULL,
    ended        INTEGER,
    -- The newest certificate when it began, and up to which one its certificates are collected.
    last         INTEGER NOT NULL,
    through      INTEGER NOT NULL,
    -- The node that works on it, until when.
    owner        TEXT,
    owned_until  INTEGER
) STRICT;

CREATE INDEX campaign_status ON campaign (status);

CREATE TABLE campaign_item (
    campaign    INTEGER NOT NULL REFERENCES campaign (id),
    certificate INTEGER NOT NULL REFERENCES certificate (id),
    customer    TEXT NOT NULL,
    issuer      TEXT NOT NULL,
    urgent      INTEGER NOT NULL,
    -- When its turn comes, 0 as soon as can be. Its place in the pace came with it if it was put off for that.
    due         INTEGER NOT NULL,
    placed      INTEGER NOT NULL,
    outcome     TEXT NOT NULL,
    process     INTEGER REFERENCES process (id),
    successor   INTEGER,
    attempts    INTEGER NOT NULL,
    detail      TEXT,
    updated     INTEGER NOT NULL,
    PRIMARY KEY (campaign, certificate)
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_item_outcome ON campaign_item (campaign, outcome, due, urgent);
CREATE INDEX campaign_item_process ON campaign_item (process) WHERE process IS NOT NULL;
CREATE INDEX campaign_item_certificate ON campaign_item (certificate);
