-- Compromised keys come first, then what an upstream was never told: what it refuses again and again delays nothing else.
DROP INDEX upstream_revocation_due;
CREATE INDEX upstream_revocation_due ON upstream_revocation
    (issuer, (CASE WHEN reason = 'KEY_COMPROMISE' THEN 0 WHEN attempts = 0 THEN 1 ELSE 2 END), due)
    WHERE due IS NOT NULL;

-- One upstream's questions are looked for by themselves.
ALTER TABLE upstream_certificate ADD COLUMN issuer TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE upstream_certificate
    SET issuer = (SELECT issuer FROM certificate WHERE certificate.id = upstream_certificate.certificate);
DROP INDEX upstream_certificate_ask;
CREATE INDEX upstream_certificate_ask ON upstream_certificate (issuer, ask) WHERE ask IS NOT NULL;
