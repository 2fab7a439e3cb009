-- Of the entries that no list has shown there are few, and of all there may be millions. As with SQLite.
DROP INDEX crl_entry_unlisted;
CREATE INDEX crl_entry_unlisted ON crl_entry (listed, issuer, ending) WHERE listed IS NULL;
