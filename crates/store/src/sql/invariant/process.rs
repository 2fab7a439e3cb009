//! Processes, the serial numbers they reserved, the calls that opened them, and what they left behind.

use super::{CUSTOMER, Invariant, Start, Table, refers};

const PROCESS_OF: super::Reference = refers("process", "process");

pub(super) const PROCESS: Table = Table {
    name: "process",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[
        CUSTOMER,
        refers("subscription", "subscription"),
        refers("source", "certificate"),
        refers("certificate", "certificate"),
    ],
    invariants: &[
        Invariant {
            holds: "each completed process that issues has exactly one certificate, no other has one",
            otherwise: "what a customer was told is not what is stored: compare with a backup and the audit log before \
                anything is issued again",
            broken: "(status = 'COMPLETED' AND action <> 'revoke') <> (certificate IS NOT NULL) \
                OR (certificate IS NOT NULL AND NOT EXISTS (SELECT 1 FROM certificate AS own \
                    WHERE own.id = process.certificate AND own.process = process.id)) \
                OR EXISTS (SELECT 1 FROM certificate AS other WHERE other.process = process.id \
                    AND other.id IS DISTINCT FROM process.certificate)",
        },
        Invariant {
            holds: "no two open processes are of one subscription",
            otherwise: "a certificate could be reissued twice: cancel one (`DELETE /v2/processes/ID`)",
            broken: "open = 1 AND EXISTS (SELECT 1 FROM process AS other WHERE other.subscription = process.subscription \
                AND other.open = 1 AND other.id <> process.id)",
        },
        Invariant {
            holds: "each reissue, renewal and revocation starts from a certificate of its customer, in its subscription",
            otherwise: "it would replace what is not the customer's: cancel it if it is open, and see what it led to if \
                it is not",
            broken: "action IN ('reissue', 'renew', 'revoke') AND NOT EXISTS (SELECT 1 FROM certificate AS old \
                WHERE old.id = process.source AND old.customer = process.customer \
                AND (old.subscription = process.subscription \
                    OR (process.action = 'renew' AND process.status = 'COMPLETED')))",
        },
        Invariant {
            holds: "what a completed revocation is about is revoked",
            otherwise: "the customer was told that it is revoked: revoke it",
            broken: "action = 'revoke' AND status = 'COMPLETED' AND EXISTS (SELECT 1 FROM certificate AS old \
                WHERE old.id = process.source AND old.revoked_at IS NULL)",
        },
        Invariant {
            holds: "no process has ended and waits for a worker",
            otherwise: "harmless, and not written by this program: report it",
            broken: "open = 0 AND next_run IS NOT NULL",
        },
    ],
};

pub(super) const RESERVATION: Table = Table {
    name: "reservation",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[PROCESS_OF],
    invariants: &[Invariant {
        holds: "no serial number was reserved twice",
        otherwise: "two certificates may have it: stop signing, and find out how it came",
        broken: "EXISTS (SELECT 1 FROM reservation AS other WHERE other.serial = reservation.serial \
            AND other.id <> reservation.id)",
    }],
};

pub(super) const PRECERTIFICATE: Table = Table {
    name: "precertificate",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[PROCESS_OF],
    invariants: &[Invariant {
        holds: "each precertificate has a serial number that its process reserved, and is the only one with it",
        otherwise: "something was signed that nobody decided about: put the serial number on its list by hand and record \
            the incident; then find out how it came",
        broken: "NOT EXISTS (SELECT 1 FROM reservation WHERE reservation.serial = precertificate.serial \
                AND reservation.process = precertificate.process AND reservation.issuer = precertificate.issuer) \
            OR EXISTS (SELECT 1 FROM precertificate AS other WHERE other.serial = precertificate.serial \
                AND other.id <> precertificate.id)",
    }],
};

pub(super) const IDEMPOTENCY_KEY: Table = Table {
    name: "idempotency_key",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[CUSTOMER, PROCESS_OF],
    invariants: &[Invariant {
        holds: "each call with an Idempotency-Key opened a process of its own, and only one",
        otherwise: "a repeated call would be answered with another call's process: report it",
        broken: "EXISTS (SELECT 1 FROM idempotency_key AS other WHERE other.process = idempotency_key.process \
                AND other.id <> idempotency_key.id) \
            OR EXISTS (SELECT 1 FROM idempotency_key AS other WHERE other.key = idempotency_key.key \
                AND other.customer = idempotency_key.customer AND other.id <> idempotency_key.id)",
    }],
};

pub(super) const EVENT: Table = Table {
    name: "event",
    key: "process",
    start: Start::Number,
    row: "process, step, ordinal",
    references: &[PROCESS_OF],
    invariants: &[Invariant {
        holds: "no event is of a step that its process has not taken",
        otherwise: "the process was set back to an earlier state: compare with a backup and the audit log",
        broken: "EXISTS (SELECT 1 FROM process WHERE process.id = event.process AND process.version < event.step)",
    }],
};

pub(super) const PENDING_VALIDATION: Table = Table {
    name: "pending_validation",
    key: "process",
    start: Start::Number,
    row: "process",
    references: &[PROCESS_OF],
    invariants: &[Invariant {
        holds: "each process that waits for an operator is open",
        otherwise: "operators are shown what is over: harmless, report it",
        broken: "EXISTS (SELECT 1 FROM process WHERE process.id = pending_validation.process AND process.open = 0)",
    }],
};

pub(super) const DOMAIN_AUTHORIZATION: Table = Table {
    name: "domain_authorization",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[CUSTOMER, PROCESS_OF],
    invariants: &[Invariant {
        holds: "each proof of a name is of the customer whose process obtained it",
        otherwise: "somebody may rely on a proof that is not theirs: see what rests on it (`reseal authorization`)",
        broken: "EXISTS (SELECT 1 FROM process WHERE process.id = domain_authorization.process \
            AND process.customer <> domain_authorization.customer)",
    }],
};

pub(super) const MAIL_TOKEN: Table = Table {
    name: "mail_token",
    key: "hash",
    start: Start::Bytes,
    row: "hash",
    references: &[PROCESS_OF],
    invariants: &[],
};

pub(super) const REQUEST_TOKEN: Table = Table {
    name: "request_token",
    key: "fingerprint",
    start: Start::Bytes,
    row: "fingerprint",
    references: &[PROCESS_OF],
    invariants: &[],
};

pub(super) const PROCESS_BILLABLE: Table = Table {
    name: "process_billable",
    key: "process",
    start: Start::Number,
    row: "process, action",
    references: &[PROCESS_OF],
    invariants: &[],
};

pub(super) const AUTH_KEY: Table = Table {
    name: "auth_key",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[CUSTOMER, PROCESS_OF],
    invariants: &[],
};

pub(super) const VETTED_CHECK: Table = Table {
    name: "vetted_check",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[CUSTOMER, PROCESS_OF],
    invariants: &[Invariant {
        holds: "each approval about an organization is of the customer whose process it was given to",
        otherwise: "somebody may rely on an approval that is not theirs: withdraw it (`reseal validation`)",
        broken: "EXISTS (SELECT 1 FROM process WHERE process.id = vetted_check.process \
            AND process.customer <> vetted_check.customer)",
    }],
};

pub(super) const UPSTREAM_ORDER: Table = Table {
    name: "upstream_order",
    key: "url",
    start: Start::Text,
    row: "url",
    references: &[PROCESS_OF],
    invariants: &[],
};

pub(super) const DNS_RECORD: Table = Table {
    name: "dns_record",
    key: "process",
    start: Start::Number,
    row: "process, name",
    references: &[refers("process", "process")],
    invariants: &[Invariant {
        holds: "what was published in the DNS for a process is removed once that has ended",
        otherwise: "the record stays in the DNS: remove it there by hand",
        broken: "due IS NULL AND EXISTS (SELECT 1 FROM process WHERE process.id = dns_record.process \
            AND process.open = 0)",
    }],
};
