-- As with SQLite; here each change of a certificate's status wrote to this index as well.
DROP INDEX certificate_domain_name;

-- A process is about 2.5 KB wide, beyond what is kept in its row unasked: it was compressed, in vain since most of it is a
-- request in base64, and kept elsewhere.
ALTER TABLE process SET (toast_tuple_target = 8160);
