//! What somebody could do to a database, and what is said of it.

pub(super) const SERIAL: &str = "no two certificates of an issuer have the same serial number";
pub(super) const RESERVED: &str = "the serial number of each certificate was reserved for its process, unless an upstream issued it";
pub(super) const RESULT: &str = "each certificate is the one result of a completed process";
pub(super) const SUCCESSORS: &str = "no certificate has two successors, and both say so";
pub(super) const CHAIN: &str =
    "a reissue stays in its customer's subscription, a renewal begins another";
pub(super) const STATUS: &str =
    "what is REISSUED or RENEWED has such a successor, what is ACTIVE has none";
pub(super) const REVOKED: &str =
    "what is REVOKED has a date and waits for no further revocation, nothing else has one";
pub(super) const LISTED: &str =
    "each revoked certificate that has not expired is on its way to a list, or on it";
pub(super) const ENTRIES: &str = "each entry for a revocation list is for a revoked certificate, or for a serial number that was lost";
pub(super) const LOST_BLOCKED: &str =
    "each serial number that was lost with a blocked key is revoked because of that";
pub(super) const BLOCKED: &str =
    "each valid certificate with a blocked key is revoked or about to be";
pub(super) const PROOFS: &str = "each certificate rests on proofs of its own customer";
pub(super) const DUTIES: &str =
    "each certificate that must be revoked is revoked, or a moment for it is set";
pub(super) const ONE_RESULT: &str =
    "each completed process that issues has exactly one certificate, no other has one";
pub(super) const OPEN: &str = "no two open processes are of one subscription";
pub(super) const SOURCE: &str = "each reissue, renewal and revocation starts from a certificate of its customer, in its subscription";
pub(super) const REVOCATION: &str = "what a completed revocation is about is revoked";
pub(super) const WAITS: &str = "no process has ended and waits for a worker";
pub(super) const TWICE: &str = "no serial number was reserved twice";
pub(super) const PRECERTIFIED: &str = "each precertificate has a serial number that its process reserved, and is the only one with it";
pub(super) const KEYS: &str =
    "each call with an Idempotency-Key opened a process of its own, and only one";
pub(super) const STEPS: &str = "no event is of a step that its process has not taken";
pub(super) const PENDING: &str = "each process that waits for an operator is open";
pub(super) const OBTAINED: &str =
    "each proof of a name is of the customer whose process obtained it";
pub(super) const VETTED: &str =
    "each approval about an organization is of the customer whose process it was given to";
pub(super) const TOLD: &str =
    "each notification tells a customer of its own processes and certificates";
pub(super) const NOTES: &str = "each note is an event of its process";
pub(super) const CAMPAIGN: &str = "what a campaign says of each certificate is what became of it";
pub(super) const AGREES: &str = "what is stored beside the state of each process agrees with it";
pub(super) const ACCOUNTED: &str = "each reserved serial number was issued, is about to be, or was given up on record and is revoked";
pub(super) const UPSTREAM_ORDER: &str =
    "each certificate of an upstream was ordered there by its process";
pub(super) const UPSTREAM_TOLD: &str =
    "of each revoked certificate of an upstream the upstream was told, or will be";
pub(super) const UPSTREAM_DONE: &str = "what an upstream has to revoke is done, or waits to be told, and is revoked here if it is stored";
pub(super) const DNS_RECORD: &str =
    "what was published in the DNS for a process is removed once that has ended";
pub(super) const REFERENCES: &str = "every row leads to rows that are there";

/// What somebody does, which check finds it, and in which row. What else it breaks is not listed.
pub(super) const DAMAGES: &[(&str, &str, &str)] = &[
    (
        "UPDATE precertificate SET issuer = 'other'",
        PRECERTIFIED,
        "precertificate 1",
    ),
    (
        "DELETE FROM upstream_order",
        UPSTREAM_ORDER,
        "upstream_certificate 6",
    ),
    (
        "DELETE FROM upstream_revocation",
        UPSTREAM_TOLD,
        "upstream_certificate 6",
    ),
    (
        "UPDATE dns_record SET due = NULL",
        DNS_RECORD,
        "dns_record 2",
    ),
    (
        "UPDATE upstream_revocation SET done = 0",
        UPSTREAM_DONE,
        "upstream_revocation ",
    ),
    (
        "UPDATE upstream_revocation SET due = NULL",
        UPSTREAM_DONE,
        "upstream_revocation ",
    ),
    (
        "UPDATE certificate SET serial = (SELECT old.serial FROM certificate AS old WHERE old.id = 3) WHERE id = 4",
        SERIAL,
        "certificate 4",
    ),
    (
        "UPDATE reservation SET process = 2 WHERE process = 3",
        RESERVED,
        "certificate 3",
    ),
    (
        "UPDATE reservation SET issuer = 'other' WHERE process = 3",
        RESERVED,
        "certificate 3",
    ),
    (
        "UPDATE process SET certificate = NULL WHERE id = 2",
        RESULT,
        "certificate 2",
    ),
    (
        "UPDATE process SET status = 'FAILED' WHERE id = 2",
        RESULT,
        "certificate 2",
    ),
    (
        "UPDATE process SET customer = 'rival' WHERE id = 2",
        RESULT,
        "certificate 2",
    ),
    (
        "UPDATE certificate SET issuer = 'import' WHERE id = 3",
        RESULT,
        "certificate 3",
    ),
    // A second successor of certificate 2.
    (
        "UPDATE certificate SET predecessor = 2 WHERE id = 4",
        SUCCESSORS,
        "certificate 4",
    ),
    (
        "UPDATE certificate SET successor = 4 WHERE id = 2",
        SUCCESSORS,
        "certificate 2",
    ),
    (
        "UPDATE certificate SET successor = NULL WHERE id = 2",
        SUCCESSORS,
        "certificate 3",
    ),
    (
        "UPDATE certificate SET subscription = 1 WHERE id = 3",
        CHAIN,
        "certificate 3",
    ),
    (
        "UPDATE certificate SET subscription = 2 WHERE id = 4",
        CHAIN,
        "certificate 4",
    ),
    (
        "UPDATE certificate SET customer = 'rival' WHERE id = 3",
        CHAIN,
        "certificate 3",
    ),
    (
        "UPDATE certificate SET predecessor = NULL WHERE id = 3",
        CHAIN,
        "certificate 3",
    ),
    (
        "UPDATE process SET source = 1 WHERE id = 3",
        CHAIN,
        "certificate 3",
    ),
    (
        "UPDATE certificate SET status = 'ACTIVE' WHERE id = 3",
        STATUS,
        "certificate 3",
    ),
    (
        "UPDATE certificate SET status = 'REISSUED' WHERE id = 3",
        STATUS,
        "certificate 3",
    ),
    (
        "UPDATE certificate SET status = 'RENEWED' WHERE id = 4",
        STATUS,
        "certificate 4",
    ),
    (
        "UPDATE certificate SET status = 'GONE' WHERE id = 4",
        STATUS,
        "certificate 4",
    ),
    (
        "UPDATE certificate SET status = 'REVOKED' WHERE id = 3",
        REVOKED,
        "certificate 3",
    ),
    (
        "UPDATE certificate SET revoked_at = NULL WHERE id = 2",
        REVOKED,
        "certificate 2",
    ),
    (
        "UPDATE certificate SET revocation_scheduled = 7 WHERE id = 2",
        REVOKED,
        "certificate 2",
    ),
    (
        "UPDATE certificate SET revocation_reason = 'SUPERSEDED' WHERE id = 3",
        REVOKED,
        "certificate 3",
    ),
    (
        "DELETE FROM crl_entry WHERE not_after < 1805000000000",
        LISTED,
        "certificate 2",
    ),
    (
        "UPDATE crl_entry SET reason = NULL",
        LISTED,
        "certificate 2",
    ),
    (
        "UPDATE crl_entry SET revoked_at = revoked_at + 1",
        LISTED,
        "certificate 2",
    ),
    (
        "UPDATE certificate SET status = 'REISSUED', revoked_at = NULL, revocation_reason = NULL WHERE id = 2",
        ENTRIES,
        "crl_entry embedded/",
    ),
    (
        "DELETE FROM reservation WHERE process = 6",
        ENTRIES,
        "crl_entry embedded/",
    ),
    (
        "UPDATE blocked_key SET spki_sha256 = (SELECT spki_sha256 FROM certificate WHERE id = 4)",
        BLOCKED,
        "blocked_key 1",
    ),
    (
        "UPDATE blocked_key SET spki_sha256 = (SELECT spki_sha256 FROM crl_entry WHERE spki_sha256 IS NOT NULL)",
        LOST_BLOCKED,
        "blocked_key 1",
    ),
    (
        "UPDATE reliance SET proof = 2",
        PROOFS,
        "reliance 2/2/reseal-sample.com",
    ),
    (
        "UPDATE revocation_duty SET certificate = 4",
        DUTIES,
        "revocation_duty 4",
    ),
    (
        "UPDATE process SET certificate = NULL WHERE id = 3",
        ONE_RESULT,
        "process 3",
    ),
    (
        "UPDATE process SET certificate = 2 WHERE id = 3",
        ONE_RESULT,
        "process 3",
    ),
    (
        "UPDATE process SET certificate = 4 WHERE id = 6",
        ONE_RESULT,
        "process 6",
    ),
    (
        "UPDATE certificate SET process = 6 WHERE id = 4",
        ONE_RESULT,
        "process 6",
    ),
    (
        "DROP INDEX process_open; UPDATE process SET open = 1, subscription = 3 WHERE id = 3",
        OPEN,
        "process 3",
    ),
    (
        "UPDATE process SET source = NULL WHERE id = 6",
        SOURCE,
        "process 6",
    ),
    (
        "UPDATE process SET source = 5 WHERE id = 6",
        SOURCE,
        "process 6",
    ),
    (
        "UPDATE process SET subscription = 1 WHERE id = 6",
        SOURCE,
        "process 6",
    ),
    (
        "UPDATE certificate SET status = 'REISSUED', revoked_at = NULL, revocation_reason = NULL WHERE id = 2",
        REVOCATION,
        "process 5",
    ),
    (
        "UPDATE process SET next_run = 7 WHERE id = 2",
        WAITS,
        "process 2",
    ),
    (
        "UPDATE idempotency_key SET process = 2 WHERE process = 3",
        KEYS,
        "idempotency_key 1",
    ),
    (
        "UPDATE process SET version = 0 WHERE id = 2",
        STEPS,
        "event 2/1/0",
    ),
    (
        "UPDATE pending_validation SET process = 2",
        PENDING,
        "pending_validation 2",
    ),
    (
        "UPDATE domain_authorization SET customer = 'rival' WHERE id = 1",
        OBTAINED,
        "domain_authorization 1",
    ),
    (
        "UPDATE vetted_check SET customer = 'rival'",
        VETTED,
        "vetted_check 1",
    ),
    (
        "UPDATE notification SET customer = 'rival' WHERE process = 3",
        TOLD,
        "notification ",
    ),
    (
        "DELETE FROM event WHERE process = 6 AND kind LIKE '%hello%'",
        NOTES,
        "note 6/",
    ),
    (
        "UPDATE campaign_item SET successor = 4 WHERE certificate = 2",
        CAMPAIGN,
        "campaign_item 1/2",
    ),
    (
        "UPDATE campaign_item SET process = 2 WHERE certificate = 4",
        CAMPAIGN,
        "campaign_item 1/4",
    ),
    (
        "UPDATE process SET status = 'COMPLETED' WHERE id = 7",
        AGREES,
        "process 7: it is listed as COMPLETED",
    ),
    (
        "UPDATE process SET open = 0 WHERE id = 7",
        AGREES,
        "process 7: it is ",
    ),
    (
        "UPDATE process SET requires_attention = 1 WHERE id = 7",
        AGREES,
        "process 7: it is ",
    ),
    (
        "UPDATE process SET state = '{}' WHERE id = 2",
        AGREES,
        "process 2: it cannot be read",
    ),
    // Signed, perhaps, and forgotten.
    (
        "DELETE FROM crl_entry WHERE not_after > 1805000000000",
        ACCOUNTED,
        "it is not revoked",
    ),
    (
        "DELETE FROM audit WHERE action = 'incident.abandoned'",
        ACCOUNTED,
        "no incident is on record",
    ),
    (
        "UPDATE reservation SET process = 2 WHERE process = 7",
        ACCOUNTED,
        "process 2 has no certificate with it",
    ),
];
