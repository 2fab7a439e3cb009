-- Which key a serial number was given up with, so that it is found when that is compromised. Certificates know theirs.
ALTER TABLE crl_entry ADD COLUMN spki_sha256 BYTEA CHECK (length(spki_sha256) = 32);

CREATE INDEX crl_entry_key ON crl_entry (spki_sha256) WHERE spki_sha256 IS NOT NULL;
