//! What is asked of a store that has grown.

use super::super::fill::{Filled, host};

/// Things that one query is asked about, where there are so many.
const SPREAD: usize = 4_096;
/// Connections that read single things, and connections that read lists.
const READERS: usize = 8;
const LISTERS: usize = 2;
/// Rows before a deep page.
const DEEP: usize = 100_000;

/// The same question about different things.
pub(super) struct Query {
    pub(super) what: &'static str,
    pub(super) connections: usize,
    pub(super) paths: Vec<String>,
}

/// Everything but reissues.
pub(super) fn queries(filled: &Filled) -> Vec<Query> {
    let own: Vec<_> = filled.large_customers().collect();
    let stride = (own.len() / SPREAD).max(1);
    let some: Vec<_> = own.iter().step_by(stride).copied().collect();
    let newest: Vec<_> = some
        .iter()
        .filter(|(_, slot)| slot.is_newest())
        .copied()
        .collect();
    let single = |what, paths| Query {
        what,
        connections: READERS,
        paths,
    };
    let middle = own.get(own.len() / 2).map_or(0, |(id, _)| *id);
    let mut queries = vec![
        single(
            "GET certificate",
            newest
                .iter()
                .map(|(id, _)| format!("/v2/ssl/certificates/{id}"))
                .collect(),
        ),
        single(
            "GET process",
            some.iter()
                .map(|(id, _)| format!("/v2/processes/{id}"))
                .collect(),
        ),
        single(
            "certificates of a name",
            newest
                .iter()
                .map(|(_, slot)| list(&format!("domainName={}", host(slot))))
                .collect(),
        ),
        pages("first page", ""),
        pages("first page, no total", "total=false"),
        pages(
            "page behind a number",
            &format!("id%3Alt={middle}&total=false"),
        ),
        pages("page at offset 1,000", "offset=1000&total=false"),
        pages("count of all", "limit=0"),
        pages("first page of ACTIVE", "status=ACTIVE"),
        pages("the same, no total", "status=ACTIVE&total=false"),
        pages("first ten REVOKED", "limit=10&status=REVOKED&total=false"),
        pages("end within a week", &expiry()),
        Query {
            what: "processes, first page",
            connections: LISTERS,
            paths: vec!["/v2/processes?limit=100".to_owned(); LISTERS],
        },
    ];
    if own.len() > DEEP {
        let offset = format!("offset={DEEP}&total=false");
        queries.push(pages("page at offset 100,000", &offset));
    }
    queries
}

fn pages(what: &'static str, query: &str) -> Query {
    Query {
        what,
        connections: LISTERS,
        paths: vec![list(query); LISTERS],
    }
}

fn list(query: &str) -> String {
    let limit = if query.contains("limit=") {
        ""
    } else {
        "limit=100&"
    };
    format!("/v2/ssl/certificates?{limit}{query}")
        .trim_end_matches('&')
        .to_owned()
}

/// Certificates that end in the week after next, the soonest first.
fn expiry() -> String {
    let day = jiff::SignedDuration::from_hours(24);
    let now = jiff::Timestamp::now();
    format!(
        "expiryDate%3Agte={:.0}&expiryDate%3Alt={:.0}&order=expiryDate&total=false",
        now + day * 7,
        now + day * 14
    )
}
