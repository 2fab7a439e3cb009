//! Lists: filters, search, order and paging of contract.md section 1.4 as SQL.
//!
//! The text is put together from constants of this module only; whatever came from a caller is a bound
//! parameter. Parameters appear in the text in the order of their numbers (see [`crate::sql`]), for SQLite as `?1`: it
//! takes `$1` for a name, and looks through all names for each.
//!
//! - `condition`: one filter → one condition
//! - `pattern`: `like` patterns and substrings
//! - `authorization`, `blocked_key`, `certificate`, `notification`, `process`, `validation`: which field is which column

mod authorization;
mod blocked_key;
mod certificate;
mod condition;
mod notification;
mod pattern;
mod process;
mod selection;
mod validation;

use jiff::Timestamp;
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::query::{Field, Query};
use reseal_lifecycle::store::StoreError;

use crate::database::{Dialect, Value};

use condition::Conditions;

/// Where a field's value is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    /// An expression over the row.
    Plain(&'static str),
    /// A column with one of the values that [`Elements`] have, by whose index it is found.
    OneOf(&'static str, Elements),
    /// Nothing is ever kept for it.
    Absent,
    /// Many values in a table of their own.
    Many(Elements),
    /// The status of a certificate, which depends on the moment.
    CertificateStatus,
    /// A hash or serial number that is kept as bytes and shown in hex.
    Hash(&'static str),
    /// A word that a row either has or has not: the condition that it has it, and the word.
    Flag(&'static str, &'static str),
}

/// A field's values where a row has many: a list fulfils a condition when one of them does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Elements {
    /// Where they are.
    table: &'static str,
    /// The column there that refers to the row's id.
    owner: &'static str,
    /// That id.
    id: &'static str,
    /// The column there with the value.
    value: &'static str,
    /// What rows are sorted by.
    order: &'static str,
}

/// All names of a certificate; its domain name is one of them.
const CERTIFICATE_NAMES: Elements = Elements {
    table: "certificate_name",
    owner: "certificate",
    id: "certificate.id",
    value: "name",
    order: "names",
};

/// A list's table and fields.
trait Listed: Field {
    const TABLE: &'static str;
    const COLUMNS: &'static str;
    /// The same where documents are not wanted.
    const LEAN_COLUMNS: &'static str = Self::COLUMNS;

    /// Whether rows are never removed and never another customer's.
    const ONLY_GROWS: bool = false;

    fn column(self) -> Column;

    /// Whether there are rows without a value in the field.
    fn may_be_absent(self) -> bool;

    /// The table, as `dialect` has to be told.
    fn table(_dialect: Dialect) -> &'static str {
        Self::TABLE
    }
}

/// The two statements of a list request.
#[derive(Debug)]
pub(crate) struct Select {
    /// Reads the rows of the page.
    pub(crate) rows: String,
    /// Its parameters.
    pub(crate) row_values: Vec<Value>,
    /// Counts the rows of all pages.
    pub(crate) count: String,
    /// Counts those of them with numbers above one more parameter.
    pub(crate) count_behind: String,
    /// How many of the parameters counting takes, from the first on.
    pub(crate) count_values: usize,
    /// Whose rows these are, where they are all that there are, and only become more.
    pub(crate) whole: Option<Whole>,
    /// Most rows on the page.
    pub(crate) limit: Option<u32>,
    /// Rows before the page.
    pub(crate) offset: u64,
    /// Whether the number of all rows is wanted.
    pub(crate) total: bool,
}

impl Select {
    /// The parameters that counting takes.
    pub(crate) fn count_values(&self) -> &[Value] {
        &self.row_values[..self.count_values]
    }
}

/// All rows of a table, or all of one customer's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Whole {
    pub(crate) table: &'static str,
    pub(crate) customer: Option<String>,
}

/// A list of certificates, statuses as they are at `now`.
pub(crate) fn certificates(
    dialect: Dialect,
    scope: &Scope,
    query: &reseal_lifecycle::query::CertificateQuery,
    now: Timestamp,
) -> Result<Select, StoreError> {
    select(dialect, scope, query, now)
}

/// The certificates of a campaign, statuses as they are at `now`.
pub(crate) fn selection(
    dialect: Dialect,
    query: &reseal_lifecycle::query::SelectionQuery,
    now: Timestamp,
) -> Result<Select, StoreError> {
    select(dialect, &Scope::Everything, query, now)
}

/// A list of processes.
pub(crate) fn processes(
    dialect: Dialect,
    scope: &Scope,
    query: &reseal_lifecycle::query::ProcessQuery,
) -> Result<Select, StoreError> {
    // No field of a process depends on the moment.
    select(dialect, scope, query, Timestamp::UNIX_EPOCH)
}

/// A list of open validations.
pub(crate) fn validations(
    dialect: Dialect,
    query: &reseal_lifecycle::query::ValidationQuery,
) -> Result<Select, StoreError> {
    // No field of a process depends on the moment.
    select(dialect, &Scope::Everything, query, Timestamp::UNIX_EPOCH)
}

/// A list of blocked keys.
pub(crate) fn blocked_keys(
    dialect: Dialect,
    query: &reseal_lifecycle::query::BlockedKeyQuery,
) -> Result<Select, StoreError> {
    // No field of a key depends on the moment.
    select(dialect, &Scope::Everything, query, Timestamp::UNIX_EPOCH)
}

/// A list of proofs.
pub(crate) fn authorizations(
    dialect: Dialect,
    query: &reseal_lifecycle::query::AuthorizationQuery,
) -> Result<Select, StoreError> {
    // No field of a proof depends on the moment.
    select(dialect, &Scope::Everything, query, Timestamp::UNIX_EPOCH)
}

/// A list of notifications.
pub(crate) fn notifications(
    dialect: Dialect,
    scope: &Scope,
    query: &reseal_lifecycle::query::NotificationQuery,
) -> Result<Select, StoreError> {
    // No field of a notification depends on the moment.
    select(dialect, scope, query, Timestamp::UNIX_EPOCH)
}

fn select<F: Listed>(
    dialect: Dialect,
    scope: &Scope,
    query: &Query<F>,
    now: Timestamp,
) -> Result<Select, StoreError> {
    let sorted_by = query.order.iter().map(|(field, _)| *field);
    let by_end = sorted_by
        .chain(query.filters.iter().map(|filter| filter.field))
        .any(|field| field.column() == Column::Plain("not_after"));
    let mut conditions = Conditions::new(dialect, now, by_end);
    if let Scope::Customer(handle) = scope {
        conditions.customer(handle);
    }
    for filter in &query.filters {
        conditions.filter(filter)?;
    }
    if let Some(text) = &query.text {
        conditions.search::<F>(text);
    }
    let (filter, mut values) = conditions.finish();
    let table = F::table(dialect);
    let columns = if query.documents {
        F::COLUMNS
    } else {
        F::LEAN_COLUMNS
    };
    let count = format!("SELECT COUNT(*) FROM {table} WHERE {filter}");
    let count_values = values.len();
    let behind = parameter(dialect, count_values + 1);
    let count_behind = format!("{count} AND id > {behind}");
    let is_whole = F::ONLY_GROWS && query.filters.is_empty() && query.text.is_none();
    let whole = is_whole.then(|| Whole {
        table,
        customer: match scope {
            Scope::Everything => None,
            Scope::Customer(handle) => Some(handle.clone()),
        },
    });
    let order = order(dialect, &query.order, now, &mut values);
    values.push(Value::Integer(query.limit.map_or(i64::MAX, i64::from)));
    values.push(Value::Integer(
        i64::try_from(query.offset).unwrap_or(i64::MAX),
    ));
    let (limit, offset) = (values.len() - 1, values.len());
    let (limit, offset) = (parameter(dialect, limit), parameter(dialect, offset));
    let rows = format!(
        "SELECT {columns} FROM {table} WHERE {filter} ORDER BY {order} LIMIT {limit} OFFSET {offset}"
    );
    Ok(Select {
        rows,
        row_values: values,
        count,
        count_behind,
        count_values,
        whole,
        limit: query.limit,
        offset: query.offset,
        total: query.total,
    })
}

/// How the text refers to the parameter of that number.
fn parameter(dialect: Dialect, number: usize) -> String {
    match dialect {
        Dialect::Sqlite => format!("?{number}"),
        Dialect::Postgres => format!("${number}"),
    }
}

/// The sort keys; ties and an empty list: newest first.
fn order<F: Listed>(
    dialect: Dialect,
    keys: &[(F, bool)],
    now: Timestamp,
    values: &mut Vec<Value>,
) -> String {
    let mut seen: Vec<F> = Vec::new();
    let mut terms = Vec::new();
    for &(field, descending) in keys {
        // Once sorted by a field, sorting by it again changes nothing.
        if seen.contains(&field) {
            continue;
        }
        seen.push(field);
        let expression = match field.column() {
            Column::Absent => continue,
            Column::Plain(expression) | Column::OneOf(expression, _) | Column::Hash(expression) => {
                expression.to_owned()
            }
            Column::Flag(condition, _) => format!("CASE WHEN {condition} THEN 1 ELSE 0 END"),
            Column::Many(elements) => elements.order.to_owned(),
            Column::CertificateStatus => {
                values.push(Value::Integer(now.as_millisecond()));
                condition::certificate_status(&parameter(dialect, values.len()))
            }
        };
        let direction = if descending { "DESC" } else { "ASC" };
        // What has no value comes first, as in SQLite. Indexes are in the other order: only where it matters.
        let absent = match dialect {
            Dialect::Postgres if field.may_be_absent() && descending => " NULLS LAST",
            Dialect::Postgres if field.may_be_absent() => " NULLS FIRST",
            _ => "",
        };
        terms.push(format!("{expression} {direction}{absent}"));
    }
    if !seen.contains(&F::ID) {
        terms.push("id DESC".to_owned());
    }
    terms.join(", ")
}
