//! Customers, what they are told, and campaigns.

use super::{CUSTOMER, Invariant, Reference, Start, Table, refers};

pub(super) const API_KEY: Table = Table {
    name: "api_key",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[CUSTOMER],
    invariants: &[],
};

pub(super) const SUBSCRIPTION: Table = Table {
    name: "subscription",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[CUSTOMER],
    invariants: &[],
};

pub(super) const NOTIFICATION: Table = Table {
    name: "notification",
    key: "id",
    start: Start::Number,
    row: "id",
    references: &[
        CUSTOMER,
        refers("process", "process"),
        refers("certificate", "certificate"),
    ],
    invariants: &[Invariant {
        holds: "each notification tells a customer of its own processes and certificates",
        otherwise: "somebody was told of what is not theirs: report it",
        broken: "EXISTS (SELECT 1 FROM process WHERE process.id = notification.process \
                AND process.customer <> notification.customer) \
            OR EXISTS (SELECT 1 FROM certificate WHERE certificate.id = notification.certificate \
                AND certificate.customer <> notification.customer)",
    }],
};

pub(super) const NOTE: Table = Table {
    name: "note",
    key: "process",
    start: Start::Number,
    row: "process, step, ordinal",
    references: &[refers("process", "process")],
    invariants: &[Invariant {
        holds: "each note is an event of its process",
        otherwise: "a note was removed from the timeline: compare with a backup and the audit log",
        broken: "NOT EXISTS (SELECT 1 FROM event WHERE event.process = note.process AND event.step = note.step \
            AND event.ordinal = note.ordinal)",
    }],
};

pub(super) const WEBHOOK: Table = Table {
    name: "webhook",
    key: "customer",
    start: Start::Text,
    row: "customer",
    references: &[CUSTOMER],
    invariants: &[],
};

pub(super) const CLAIMED_KEY: Table = Table {
    name: "claimed_key",
    key: "spki_sha256",
    start: Start::Bytes,
    row: "spki_sha256, customer",
    references: &[CUSTOMER],
    invariants: &[],
};

pub(super) const CAMPAIGN_ITEM: Table = Table {
    name: "campaign_item",
    key: "campaign",
    start: Start::Number,
    row: "campaign, certificate",
    references: &[
        Reference {
            column: "campaign",
            table: "campaign",
            key: "id",
        },
        refers("certificate", "certificate"),
        refers("process", "process"),
        refers("successor", "certificate"),
    ],
    invariants: &[Invariant {
        holds: "what a campaign says of each certificate is what became of it",
        otherwise: "its report is wrong: the certificate and its process tell what happened",
        broken: "(outcome = 'REISSUED' AND NOT EXISTS (SELECT 1 FROM certificate AS old \
                WHERE old.id = campaign_item.certificate AND old.successor = campaign_item.successor)) \
            OR (outcome = 'OPEN' AND NOT EXISTS (SELECT 1 FROM process WHERE process.id = campaign_item.process \
                AND process.open = 1 AND process.source = campaign_item.certificate))",
    }],
};
