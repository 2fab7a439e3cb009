-- Why no other certificate may take this one's place: it stands whatever else the certificate is revoked for later.
ALTER TABLE revocation_duty ADD COLUMN bar TEXT;
UPDATE revocation_duty SET bar = cause WHERE reason IN ('PRIVILEGE_WITHDRAWN', 'CESSATION_OF_OPERATION');
