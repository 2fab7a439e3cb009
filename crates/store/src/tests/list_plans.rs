//! Lists that are meant to hurt, and what the engine makes of all others.

use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::query::{
    AuthorizationField as A, AuthorizationQuery, CertificateField as C, CertificateQuery,
    Field as _, FieldKind, FilterValue, NotificationField as N, NotificationQuery, Operator,
    ProcessField as P, ProcessQuery,
};
use reseal_lifecycle::store::Store as _;

use super::World;
use super::lists::{certificates, filter, text};
use super::sample::{in_days, now};
use crate::database::Dialect;
use crate::list;
use crate::sql::tests::query_plan;

/// Whatever fits into a request line is answered, never a fault.
#[tokio::test]
async fn nasty_lists_are_answered() {
    let world = certificates().await;
    let scope = Scope::Customer("acme".to_owned());
    let many = vec![filter(C::DomainName, Operator::Ne, &[text("x")]); 5000];
    let dates: Vec<_> = (0..3000)
        .map(|day| FilterValue::Date(in_days(day)))
        .collect();
    let numbers = vec![FilterValue::Integer(1); 20_000];
    for (filters, search, expected) in [
        (many, None, 5),
        (vec![filter(C::ExpiryDate, Operator::In, &dates)], None, 3),
        (vec![filter(C::Id, Operator::In, &numbers)], None, 1),
        (
            vec![filter(
                C::DomainName,
                Operator::Like,
                &[text(&"%a".repeat(30_000))],
            )],
            None,
            0,
        ),
        (
            vec![filter(
                C::DomainName,
                Operator::Like,
                &[text(&"%".repeat(60_000))],
            )],
            None,
            5,
        ),
        (
            vec![filter(C::San, Operator::Like, &[text(&"%a".repeat(900))])],
            None,
            0,
        ),
        (vec![], Some("\0'\"\\%_".to_owned()), 0),
        (vec![], Some("x".repeat(60_000)), 0),
    ] {
        let query = CertificateQuery {
            filters,
            text: search,
            ..CertificateQuery::default()
        };
        let page = world
            .store
            .certificates(&scope, &query, now())
            .await
            .unwrap();
        assert_eq!(page.entities.len(), expected);
    }
}

/// A list for each field and each operator that the contract gives it.
pub(super) fn every_list(dialect: Dialect, mut give: impl FnMut(list::Select)) {
    use Operator::{Eq, Gt, Gte, In, Like, Lt, Lte, Ne, NotIn, NotLike, NotNull, Null};
    for operator in [
        Eq, Ne, Like, NotLike, Gt, Lt, Gte, Lte, Null, NotNull, In, NotIn,
    ] {
        let fits = |kind| {
            match kind {
                FieldKind::Text | FieldKind::TextList | FieldKind::Enumeration => Some(text("X")),
                FieldKind::Integer => Some(FilterValue::Integer(1)),
                FieldKind::Date => Some(FilterValue::Date(now())),
            }
            .filter(|_| {
                !matches!(
                    (kind, operator),
                    (FieldKind::Integer | FieldKind::Date, Like | NotLike)
                )
            })
        };
        for field in C::ALL {
            let Some(value) = fits(field.kind()) else {
                continue;
            };
            let filters = vec![filter(*field, operator, &[value.clone(), value]); 2];
            let query = CertificateQuery {
                filters,
                order: vec![(*field, false)],
                ..CertificateQuery::default()
            };
            give(list::certificates(dialect, &Scope::Everything, &query, now()).unwrap());
        }
        for field in P::ALL {
            let Some(value) = fits(field.kind()) else {
                continue;
            };
            let filters = vec![filter(*field, operator, &[value.clone(), value]); 2];
            let query = ProcessQuery {
                filters,
                order: vec![(*field, false)],
                ..ProcessQuery::default()
            };
            give(list::processes(dialect, &Scope::Everything, &query).unwrap());
        }
        for field in A::ALL {
            let Some(value) = fits(field.kind()) else {
                continue;
            };
            let filters = vec![filter(*field, operator, &[value.clone(), value]); 2];
            let query = AuthorizationQuery {
                filters,
                order: vec![(*field, false)],
                ..AuthorizationQuery::default()
            };
            give(list::authorizations(dialect, &query).unwrap());
        }
        for field in N::ALL {
            let Some(value) = fits(field.kind()) else {
                continue;
            };
            let filters = vec![filter(*field, operator, &[value.clone(), value]); 2];
            let query = NotificationQuery {
                filters,
                order: vec![(*field, false)],
                ..NotificationQuery::default()
            };
            give(list::notifications(dialect, &Scope::Everything, &query).unwrap());
        }
    }
}

/// Every operator that the contract gives a kind of field makes a statement that the engine takes.
#[tokio::test]
async fn every_field_with_every_operator_can_be_prepared() {
    let world = World::sqlite().await;
    let connection = rusqlite::Connection::open(world.path()).unwrap();
    let mut prepared = 0;
    every_list(Dialect::Sqlite, |select| {
        connection
            .prepare(&select.rows)
            .unwrap_or_else(|error| panic!("{error}\n{}", select.rows));
        let count = connection.prepare(&select.count).unwrap();
        assert_eq!(count.parameter_count(), select.count_values);
        prepared += 1;
    });
    assert!(prepared > 500, "{prepared}");
}

/// Proofs are searched through in the order of their numbers, a page behind the other: without a sort for each page.
#[tokio::test]
async fn x_13_a_search_of_proofs_sorts_nothing() {
    let world = World::sqlite().await;
    let connection = rusqlite::Connection::open(world.path()).unwrap();
    let query = AuthorizationQuery {
        filters: vec![
            filter(A::Method, Operator::In, &[text("a"), text("b")]),
            filter(A::Alias, Operator::NotNull, &[]),
            filter(A::ObtainedDate, Operator::Gte, &[FilterValue::Date(now())]),
            filter(A::Id, Operator::Gt, &[FilterValue::Integer(1)]),
        ],
        order: vec![(A::Id, false)],
        ..AuthorizationQuery::default()
    };
    let plan = query_plan(
        &connection,
        &list::authorizations(Dialect::Sqlite, &query).unwrap().rows,
    );
    let expected = "SEARCH domain_authorization USING INTEGER PRIMARY KEY (rowid>?)";
    assert_eq!(plan, [expected]);
}

/// What is asked for every day must not read or sort a whole table.
#[tokio::test]
async fn common_lists_are_served_from_an_index() {
    let world = World::sqlite().await;
    let connection = rusqlite::Connection::open(world.path()).unwrap();
    let plan = |select: &list::Select| -> String {
        let mut explain = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {}", select.rows))
            .unwrap();
        let rows = explain.query_map(rusqlite::params_from_iter(&select.row_values), |row| {
            row.get::<_, String>(3)
        });
        rows.unwrap()
            .collect::<Result<Vec<_>, _>>()
            .unwrap()
            .join("; ")
    };
    let own = Scope::Customer("acme".to_owned());
    let everything = Scope::Everything;
    for (scope, filters, expected) in [
        (&own, vec![], "certificate_customer"),
        (&everything, vec![], "SCAN certificate"),
        (
            &own,
            vec![filter(C::Process, Operator::Eq, &[FilterValue::Integer(1)])],
            "certificate_process",
        ),
        (
            &own,
            vec![filter(C::DomainName, Operator::Eq, &[text("a")])],
            "certificate_name_name",
        ),
        (
            &own,
            vec![filter(C::Status, Operator::Eq, &[text("ACTIVE")])],
            "certificate_status",
        ),
        (
            &own,
            vec![
                filter(C::ExpiryDate, Operator::Gte, &[FilterValue::Date(now())]),
                filter(
                    C::ExpiryDate,
                    Operator::Lt,
                    &[FilterValue::Date(in_days(7))],
                ),
            ],
            "certificate_customer_expiry (customer=? AND not_after>? AND not_after<?)",
        ),
        (
            &own,
            vec![
                filter(C::Status, Operator::Eq, &[text("ACTIVE")]),
                filter(
                    C::ExpiryDate,
                    Operator::Lt,
                    &[FilterValue::Date(in_days(7))],
                ),
            ],
            "certificate_customer_expiry (customer=? AND not_after>? AND not_after<?)",
        ),
        (
            &own,
            vec![filter(C::Id, Operator::Eq, &[FilterValue::Integer(1)])],
            "INTEGER PRIMARY KEY",
        ),
        (
            &own,
            vec![filter(C::San, Operator::Eq, &[text("a")])],
            "certificate_name_name",
        ),
        (
            &own,
            vec![filter(C::Fingerprint, Operator::Eq, &[text("00")])],
            "certificate_fingerprint",
        ),
        (
            &own,
            vec![filter(C::ProviderId, Operator::Eq, &[text("00")])],
            "certificate_serial",
        ),
    ] {
        let query = CertificateQuery {
            filters,
            ..CertificateQuery::default()
        };
        let plan = plan(&list::certificates(Dialect::Sqlite, scope, &query, now()).unwrap());
        assert!(plan.contains(expected), "{query:?}: {plan}");
        let sorts = plan.contains("TEMP B-TREE");
        assert!(
            !sorts
                || !matches!(
                    expected,
                    "certificate_customer" | "certificate_status" | "SCAN certificate"
                ),
            "{plan}"
        );
    }
    let soonest_first = CertificateQuery {
        order: vec![(C::ExpiryDate, false)],
        ..CertificateQuery::default()
    };
    let select = list::certificates(Dialect::Sqlite, &own, &soonest_first, now()).unwrap();
    let expected = [
        "SEARCH certificate USING INDEX certificate_customer_expiry (customer=?)",
        // Of those that end in the same millisecond.
        "USE TEMP B-TREE FOR LAST TERM OF ORDER BY",
    ];
    assert_eq!(plan(&select), expected.join("; "));
    let all = CertificateQuery::default();
    for (scope, expected) in [
        (
            &own,
            "COVERING INDEX certificate_customer (customer=? AND rowid>?)",
        ),
        (&everything, "INTEGER PRIMARY KEY (rowid>?)"),
    ] {
        let select = list::certificates(Dialect::Sqlite, scope, &all, now()).unwrap();
        let plan = query_plan(&connection, &select.count_behind).join("; ");
        assert!(plan.contains(expected), "{plan}");
    }
    for (scope, filters, expected) in [
        (&own, vec![], "process_customer"),
        (
            &own,
            vec![filter(P::Status, Operator::Eq, &[text("RUNNING")])],
            "process_status",
        ),
        (
            &own,
            vec![filter(P::Identifier, Operator::Eq, &[text("a")])],
            "process_identifier",
        ),
        (
            &own,
            vec![filter(P::BillableAction, Operator::Eq, &[text("RENEW")])],
            "process_billable_action",
        ),
        (
            &own,
            vec![filter(P::BillableProduct, Operator::Eq, &[text("a")])],
            "process_billable_product",
        ),
        (
            &own,
            vec![filter(P::DetailStatus, Operator::NotNull, &[])],
            "process_attention",
        ),
        (
            &everything,
            vec![filter(P::DetailStatus, Operator::NotNull, &[])],
            "process_attention",
        ),
    ] {
        let query = ProcessQuery {
            filters,
            ..ProcessQuery::default()
        };
        let plan = plan(&list::processes(Dialect::Sqlite, scope, &query).unwrap());
        assert!(plan.contains(expected), "{query:?}: {plan}");
    }
    let newest = list::notifications(Dialect::Sqlite, &own, &NotificationQuery::default()).unwrap();
    let plan = plan(&newest);
    assert!(
        plan.contains("notification_customer") && !plan.contains("TEMP B-TREE"),
        "{plan}"
    );
}
