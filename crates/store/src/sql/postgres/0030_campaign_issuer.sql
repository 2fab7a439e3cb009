-- A campaign asks for what is due issuer by issuer: one whose pace is used up keeps none of the others waiting.
DROP INDEX campaign_item_outcome;
CREATE INDEX campaign_item_outcome ON campaign_item (campaign, outcome, issuer, due, urgent);

-- How often a certificate was judged anew because its process had failed.
ALTER TABLE campaign_item ADD COLUMN reopened BIGINT NOT NULL DEFAULT 0;
