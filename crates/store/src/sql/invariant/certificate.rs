//! Certificates, how they follow each other, and what is known of them.

use super::{CUSTOMER, Invariant, Reference, Start, Table, refers};

pub(super) const CERTIFICATE: Table = Table {
    name: "certificate",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[
        CUSTOMER,
        refers("process", "process"),
        refers("subscription", "subscription"),
        refers("predecessor", "certificate"),
        refers("successor", "certificate"),
    ],
    invariants: &[
        Invariant {
            holds: "no two certificates of an issuer have the same serial number",
            otherwise: "revoking one of them would revoke both. This is mis-issuance: stop signing, revoke them, and \
                find out how it came",
            broken: "issuer <> 'import' AND EXISTS (SELECT 1 FROM certificate AS other \
                WHERE other.serial = certificate.serial AND other.issuer = certificate.issuer \
                AND other.id <> certificate.id)",
        },
        Invariant {
            holds: "the serial number of each certificate was reserved for its process, unless an upstream issued it",
            otherwise: "it was not issued by this server's rules, or what it rests on was removed: compare with a backup, \
                and take it for mis-issued unless that explains it",
            broken: "issuer <> 'import' AND NOT EXISTS (SELECT 1 FROM upstream_certificate \
                WHERE upstream_certificate.certificate = certificate.id) AND NOT EXISTS (SELECT 1 FROM reservation \
                WHERE reservation.serial = certificate.serial AND reservation.process = certificate.process \
                AND reservation.issuer = certificate.issuer)",
        },
        Invariant {
            holds: "each certificate is the one result of a completed process",
            otherwise: "a certificate that nobody asked for, or twice: ask the timeline of the process \
                (`GET /v2/processes/ID/timeline`), and revoke what was not asked for",
            broken: "NOT EXISTS (SELECT 1 FROM process WHERE process.id = certificate.process \
                AND process.certificate = certificate.id AND process.status = 'COMPLETED' \
                AND process.customer = certificate.customer AND process.subscription = certificate.subscription \
                AND (process.action = 'import') = (certificate.issuer = 'import') AND process.action <> 'revoke')",
        },
        Invariant {
            holds: "no certificate has two successors, and both say so",
            otherwise: "the chain of reissues is torn: a customer may have two certificates for one, or be shown the \
                wrong one. Keep the newer, revoke the other, and report it",
            broken: "(predecessor IS NOT NULL AND NOT EXISTS (SELECT 1 FROM certificate AS old \
                    WHERE old.id = certificate.predecessor AND old.successor = certificate.id)) \
                OR (successor IS NOT NULL AND NOT EXISTS (SELECT 1 FROM certificate AS new \
                    WHERE new.id = certificate.successor AND new.predecessor = certificate.id))",
        },
        Invariant {
            holds: "a reissue stays in its customer's subscription, a renewal begins another",
            otherwise: "a certificate was taken for another customer's, or paid for twice: see the processes of both",
            broken: "EXISTS (SELECT 1 FROM process WHERE process.id = certificate.process \
                    AND (process.action IN ('reissue', 'renew')) <> (certificate.predecessor IS NOT NULL)) \
                OR (predecessor IS NOT NULL AND NOT EXISTS (SELECT 1 FROM certificate AS old \
                    JOIN process ON process.id = certificate.process \
                    WHERE old.id = certificate.predecessor AND process.source = old.id \
                    AND old.id < certificate.id AND old.customer = certificate.customer \
                    AND (process.action = 'reissue') = (old.subscription = certificate.subscription)))",
        },
        Invariant {
            holds: "what is REISSUED or RENEWED has such a successor, what is ACTIVE has none",
            otherwise: "customers are shown a wrong status: the timeline of the successor's process says what happened",
            broken: "status NOT IN ('ACTIVE', 'REVOKED', 'REISSUED', 'RENEWED') \
                OR (status = 'ACTIVE' AND successor IS NOT NULL) \
                OR (status IN ('REISSUED', 'RENEWED') AND NOT EXISTS (SELECT 1 FROM certificate AS new \
                    JOIN process ON process.id = new.process WHERE new.id = certificate.successor \
                    AND (process.action = 'reissue') = (certificate.status = 'REISSUED')))",
        },
        Invariant {
            holds: "what is REVOKED has a date and waits for no further revocation, nothing else has one",
            otherwise: "whether it is revoked is not certain: its list decides for the world (`reseal ca crl`). Revoke it \
                if in doubt",
            broken: "(status = 'REVOKED') <> (revoked_at IS NOT NULL) \
                OR (revoked_at IS NOT NULL AND revocation_scheduled IS NOT NULL) \
                OR (revoked_at IS NULL AND (revocation_reason IS NOT NULL OR revocation_note IS NOT NULL)) \
                OR (revoked_at IS NOT NULL AND issuer = 'import')",
        },
        Invariant {
            holds: "each revoked certificate that has not expired is on its way to a list, or on it",
            otherwise: "the world does not hear of the revocation: report it, and add the row before the next list is \
                signed",
            broken: "revoked_at IS NOT NULL AND issuer <> 'import' AND not_after >= :now \
                AND NOT EXISTS (SELECT 1 FROM upstream_certificate \
                    WHERE upstream_certificate.certificate = certificate.id) \
                AND NOT EXISTS (SELECT 1 FROM crl_entry WHERE crl_entry.issuer = certificate.issuer \
                    AND crl_entry.ending = substr(certificate.serial, length(certificate.serial), 1) \
                    AND crl_entry.serial = certificate.serial AND crl_entry.revoked_at = certificate.revoked_at \
                    AND crl_entry.reason IS NOT DISTINCT FROM certificate.revocation_reason \
                    AND crl_entry.not_after = certificate.not_after)",
        },
    ],
};

pub(super) const CERTIFICATE_NAME: Table = Table {
    name: "certificate_name",
    key: "certificate",
    start: Start::Number,
    row: "certificate, name",
    references: &[refers("certificate", "certificate")],
    invariants: &[],
};

pub(super) const CRL_ENTRY: Table = Table {
    name: "crl_entry",
    key: "issuer",
    start: Start::Text,
    row: "issuer, serial",
    references: &[],
    invariants: &[Invariant {
        holds: "each entry for a revocation list is for a revoked certificate, or for a serial number that was lost",
        otherwise: "a list tells the world that a certificate is revoked which is in force here, or unknown: revoke it \
            here too, what a list has shown cannot be taken back",
        broken: "ending <> substr(serial, length(serial), 1) \
            OR (NOT EXISTS (SELECT 1 FROM certificate WHERE certificate.serial = crl_entry.serial \
                    AND certificate.issuer = crl_entry.issuer AND certificate.revoked_at IS NOT NULL) \
                AND NOT EXISTS (SELECT 1 FROM reservation WHERE reservation.serial = crl_entry.serial \
                    AND reservation.issuer = crl_entry.issuer AND NOT EXISTS (SELECT 1 FROM certificate \
                        WHERE certificate.serial = reservation.serial AND certificate.issuer = reservation.issuer)))",
    }],
};

pub(super) const BLOCKED_KEY: Table = Table {
    name: "blocked_key",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[],
    invariants: &[
        Invariant {
            holds: "each valid certificate with a blocked key is revoked or about to be",
            otherwise: "a certificate for a compromised key is in force: revoke it (`reseal key block` schedules that for \
                all with the key)",
            broken: "EXISTS (SELECT 1 FROM certificate WHERE certificate.spki_sha256 = blocked_key.spki_sha256 \
                AND certificate.issuer <> 'import' AND certificate.not_after >= :now \
                AND certificate.revoked_at IS NULL AND certificate.revocation_scheduled IS NULL)",
        },
        Invariant {
            holds: "each serial number that was lost with a blocked key is revoked because of that",
            otherwise: "a list gives another reason: `reseal key block` corrects it",
            broken: "EXISTS (SELECT 1 FROM crl_entry WHERE crl_entry.spki_sha256 = blocked_key.spki_sha256 \
                AND crl_entry.reason IS DISTINCT FROM 'KEY_COMPROMISE')",
        },
    ],
};

pub(super) const RELIANCE: Table = Table {
    name: "reliance",
    key: "proof",
    start: Start::Number,
    row: "proof, certificate, name",
    references: &[
        refers("proof", "domain_authorization"),
        refers("certificate", "certificate"),
    ],
    invariants: &[Invariant {
        holds: "each certificate rests on proofs of its own customer",
        otherwise: "a name was certified for somebody who did not prove it: this is mis-issuance, revoke it within a day",
        broken: "EXISTS (SELECT 1 FROM certificate \
            JOIN domain_authorization ON domain_authorization.id = reliance.proof \
            WHERE certificate.id = reliance.certificate AND certificate.customer <> domain_authorization.customer)",
    }],
};

pub(super) const UPSTREAM_CERTIFICATE: Table = Table {
    name: "upstream_certificate",
    key: "certificate",
    start: Start::Number,
    row: "certificate",
    references: &[
        refers("certificate", "certificate"),
        Reference {
            column: "chain",
            table: "upstream_chain",
            key: "digest",
        },
    ],
    invariants: &[
        Invariant {
            holds: "each certificate of an upstream was ordered there by its process",
            otherwise: "nobody here asked for it: compare with a backup, and ask the upstream for the order",
            broken: "NOT EXISTS (SELECT 1 FROM certificate \
                JOIN upstream_order ON upstream_order.process = certificate.process \
                    AND upstream_order.issuer = certificate.issuer \
                WHERE certificate.id = upstream_certificate.certificate)",
        },
        Invariant {
            holds: "of each revoked certificate of an upstream the upstream was told, or will be",
            otherwise: "the world does not hear of the revocation: have the upstream revoke it, and report it",
            broken: "EXISTS (SELECT 1 FROM certificate WHERE certificate.id = upstream_certificate.certificate \
                AND certificate.revoked_at IS NOT NULL AND certificate.not_after >= :now \
                AND NOT EXISTS (SELECT 1 FROM upstream_revocation \
                    WHERE upstream_revocation.fingerprint = certificate.fingerprint))",
        },
    ],
};

pub(super) const UPSTREAM_REVOCATION: Table = Table {
    name: "upstream_revocation",
    key: "fingerprint",
    start: Start::Bytes,
    row: "fingerprint",
    references: &[refers("certificate", "certificate")],
    invariants: &[Invariant {
        holds: "what an upstream has to revoke is done, or waits to be told, and is revoked here if it is stored",
        otherwise: "the upstream revoked what is in force here, or is not told: report it, and revoke the certificate",
        broken: "(due IS NULL) = (done IS NULL) OR EXISTS (SELECT 1 FROM certificate \
            WHERE certificate.fingerprint = upstream_revocation.fingerprint AND certificate.revoked_at IS NULL)",
    }],
};

pub(super) const REVOCATION_DUTY: Table = Table {
    name: "revocation_duty",
    key: "certificate",
    start: Start::Number,
    row: "certificate",
    references: &[refers("certificate", "certificate")],
    invariants: &[Invariant {
        holds: "each certificate that must be revoked is revoked, or a moment for it is set",
        otherwise: "a deadline will be missed: revoke it (`reseal revocation list` shows by when)",
        broken: "EXISTS (SELECT 1 FROM certificate WHERE certificate.id = revocation_duty.certificate \
            AND certificate.not_after >= :now \
            AND certificate.revoked_at IS NULL AND certificate.revocation_scheduled IS NULL)",
    }],
};
