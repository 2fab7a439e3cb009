-- What remote perspectives said about proofs, and whether certificates rest on what several networks saw.

-- JSON: each perspective that was asked for the same look, with its region and whether it saw the same. NULL when
-- nobody was asked.
ALTER TABLE domain_authorization ADD COLUMN witnesses TEXT;

-- NULL for foreign certificates.
ALTER TABLE certificate ADD COLUMN mpic TEXT;

UPDATE certificate SET mpic = 'not_performed' WHERE issuer <> 'import';
