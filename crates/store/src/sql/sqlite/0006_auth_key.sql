-- Values that customers publish before they ask for a certificate. Made for one customer, product and CSR.
CREATE TABLE auth_key (
    id       INTEGER PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customer (handle),
    product  TEXT NOT NULL,
    -- SHA-256 over the CSR's DER.
    csr      BLOB NOT NULL CHECK (length(csr) = 32),
    token    TEXT NOT NULL,
    created  INTEGER NOT NULL,
    -- The process that used it, written in the commit that opens it: used up when that led to a certificate.
    process  INTEGER REFERENCES process (id)
) STRICT;

CREATE INDEX auth_key_csr ON auth_key (csr, customer, product);
CREATE INDEX auth_key_created ON auth_key (created);
CREATE INDEX auth_key_process ON auth_key (process) WHERE process IS NOT NULL;
