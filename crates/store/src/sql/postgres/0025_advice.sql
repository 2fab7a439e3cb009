-- When an upstream wants a certificate replaced (RFC 9773).

-- When it is asked next; NULL when it is not asked any more.
ALTER TABLE upstream_certificate ADD COLUMN ask BIGINT DEFAULT 0;
-- How often it was asked in vain since it last answered.
ALTER TABLE upstream_certificate ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE upstream_certificate ADD COLUMN window_start BIGINT;
ALTER TABLE upstream_certificate ADD COLUMN window_end BIGINT;
-- Where people find out why.
ALTER TABLE upstream_certificate ADD COLUMN explanation TEXT COLLATE "C";

CREATE INDEX upstream_certificate_ask ON upstream_certificate (ask) WHERE ask IS NOT NULL;
