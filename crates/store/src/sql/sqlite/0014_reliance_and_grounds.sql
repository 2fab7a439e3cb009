-- Which proofs certificates rest on, so that everything that was validated in one way can be found (rules.md X-13); and
-- why they must be revoked.

-- Where the contents of a TXT record stood, when an alias led there from the record's own name; else NULL.
ALTER TABLE domain_authorization ADD COLUMN alias TEXT;

-- One row for each name of a certificate that this server issued.
CREATE TABLE reliance (
    proof       INTEGER NOT NULL REFERENCES domain_authorization (id),
    certificate INTEGER NOT NULL REFERENCES certificate (id),
    name        TEXT NOT NULL,
    PRIMARY KEY (proof, certificate, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX reliance_certificate ON reliance (certificate);

-- Certificates from before: what they rest on stands in the ticket of their process. A ticket has the moment to the
-- nanosecond, a proof to the millisecond.
INSERT INTO reliance (proof, certificate, name)
    SELECT MIN(proof.id), certificate.id, json_extract(ground.value, '$.name')
    FROM certificate
    JOIN event ON event.process = certificate.process
        AND json_extract(event.kind, '$.event') = 'reserved'
        AND upper(json_extract(event.kind, '$.serial')) = hex(certificate.serial)
    JOIN json_each(event.kind, '$.ticket.names') AS ground
    JOIN domain_authorization AS proof ON proof.customer = certificate.customer
        AND proof.adn = json_extract(ground.value, '$.adn')
        AND proof.method = json_extract(ground.value, '$.method')
        AND ABS(proof.obtained - (julianday(json_extract(ground.value, '$.obtained')) - 2440587.5) * 86400000) < 2
    GROUP BY certificate.id, json_extract(ground.value, '$.name');

-- Why a certificate must be revoked, as the rules have it (X-1, X-2); `cause` are the words beside it. Until now there was
-- one ground only.
ALTER TABLE revocation_duty ADD COLUMN ground TEXT NOT NULL DEFAULT 'key-compromise';
