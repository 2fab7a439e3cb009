-- Of the entries that no list has shown there are few, and of all there may be millions. With the column in front SQLite
-- takes this index, where it had taken the key of the table and read every entry.
DROP INDEX crl_entry_unlisted;
CREATE INDEX crl_entry_unlisted ON crl_entry (listed, issuer, ending) WHERE listed IS NULL;
