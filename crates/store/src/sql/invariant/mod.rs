//! What has to hold of every row, whatever happened to the server or to the database's: what `reseal doctor --deep`
//! looks for. Most of it is enforced by the schema or by the writes; a damaged disk, a restored backup, a hand that
//! repaired something, or a mistake of ours would be seen here.
//!
//! Each table is walked along a column that an index is sorted by, a range after the other, so that no statement looks at
//! more than one range and whatever its rows lead to.
//!
//! - `certificate`: certificates and their chains
//! - `process`: processes, serial numbers, calls
//! - `around`: everything else

mod around;
mod certificate;
mod process;

/// A table, and what has to hold of its rows.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The column that it is walked along.
    pub(crate) key: &'static str,
    /// What values that column has.
    pub(crate) start: Start,
    /// The columns that tell which row it is.
    pub(crate) row: &'static str,
    pub(crate) references: &'static [Reference],
    pub(crate) invariants: &'static [Invariant],
}

/// What is before all values of a column.
#[derive(Clone, Copy)]
pub(crate) enum Start {
    Number,
    Text,
    Bytes,
}

/// A column whose values, unless NULL, have to be in another table.
pub(crate) struct Reference {
    pub(crate) column: &'static str,
    pub(crate) table: &'static str,
    pub(crate) key: &'static str,
}

/// Something that has to hold of each row of a table.
pub(crate) struct Invariant {
    /// In words.
    pub(crate) holds: &'static str,
    /// What it means when it does not, and what is to be done.
    pub(crate) otherwise: &'static str,
    /// True of the rows of which it does not. `:now` stands for the present moment.
    pub(crate) broken: &'static str,
}

/// Every table that refers to another or of which something has to hold.
pub(crate) const TABLES: &[Table] = &[
    certificate::CERTIFICATE,
    certificate::CERTIFICATE_NAME,
    certificate::CRL_ENTRY,
    certificate::BLOCKED_KEY,
    certificate::RELIANCE,
    certificate::REVOCATION_DUTY,
    certificate::UPSTREAM_CERTIFICATE,
    certificate::UPSTREAM_REVOCATION,
    process::PROCESS,
    process::RESERVATION,
    process::PRECERTIFICATE,
    process::IDEMPOTENCY_KEY,
    process::EVENT,
    process::PENDING_VALIDATION,
    process::DOMAIN_AUTHORIZATION,
    process::MAIL_TOKEN,
    process::REQUEST_TOKEN,
    process::PROCESS_BILLABLE,
    process::AUTH_KEY,
    process::VETTED_CHECK,
    process::UPSTREAM_ORDER,
    process::DNS_RECORD,
    around::API_KEY,
    around::SUBSCRIPTION,
    around::NOTIFICATION,
    around::NOTE,
    around::WEBHOOK,
    around::CLAIMED_KEY,
    around::CAMPAIGN_ITEM,
];

const fn refers(column: &'static str, table: &'static str) -> Reference {
    Reference {
        column,
        table,
        key: "id",
    }
}

/// The column that says whose a row is.
const CUSTOMER: Reference = Reference {
    column: "customer",
    table: "customer",
    key: "handle",
};

impl Table {
    /// After, how many → the value so many rows further.
    pub(crate) fn select_end(&self) -> String {
        let Self { name, key, .. } = self;
        format!("SELECT {key} FROM {name} WHERE {key} > $1 ORDER BY {key} LIMIT 1 OFFSET $2")
    }

    /// After → the last value.
    pub(crate) fn select_last(&self) -> String {
        let Self { name, key, .. } = self;
        format!("SELECT {key} FROM {name} WHERE {key} > $1 ORDER BY {key} DESC LIMIT 1")
    }

    /// After, through → how many rows there are.
    pub(crate) fn count(&self) -> String {
        let Self { name, key, .. } = self;
        format!("SELECT COUNT(*) FROM {name} WHERE {key} > $1 AND {key} <= $2")
    }

    /// After, through, limit → the columns that tell which rows are broken.
    pub(crate) fn select_broken(&self, broken: &str) -> String {
        let Self { name, key, row, .. } = self;
        format!(
            "SELECT {row} FROM {name} WHERE {name}.{key} > $1 AND {name}.{key} <= $2 AND ({broken}) \
             ORDER BY {name}.{key} LIMIT $3"
        )
    }
}

impl Reference {
    /// True of the rows of `table` that lead nowhere.
    pub(crate) fn broken(&self, table: &Table) -> String {
        let (from, Self { column, table, key }) = (table.name, self);
        format!(
            "{from}.{column} IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {table} AS target WHERE target.{key} = {from}.{column})"
        )
    }
}

impl Invariant {
    /// True of the rows of which it does not hold at `now`, in milliseconds since 1970.
    pub(crate) fn broken(&self, now: i64) -> String {
        self.broken.replace(":now", &now.to_string())
    }
}
