//! What is PostgreSQL's own: that it takes every statement, and finds its way by the same indexes. Nothing is tested
//! here unless the tests run against it.

use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::query::{
    BlockedKeyQuery, CertificateField as C, CertificateQuery, FilterValue, NotificationQuery,
    Operator, ProcessField as P, ProcessQuery, ValidationQuery,
};

use super::hands::Hands;
use super::lists::{filter, text};
use super::sample::now;
use super::{World, cluster};
use crate::database::Dialect;
use crate::{list, sql};

async fn hands() -> Option<Hands> {
    if !cluster::is_wanted() {
        return None;
    }
    Some(World::new().await.hands())
}

fn prepare(hands: &Hands, name: &str, sql: &str) {
    let prepared = hands.batch(&format!("PREPARE statement AS {sql}; DEALLOCATE statement"));
    prepared.unwrap_or_else(|error| panic!("{name}: {error}\n{sql}"));
}

/// By its name and its certificate alone: whoever answers in its place is refused.
#[test]
fn a_server_on_the_network_has_to_prove_who_it_is() {
    if !cluster::is_wanted() {
        return;
    }
    let cluster = cluster::Cluster::get();
    let database = cluster.create_database("template1");
    let address = format!("postgres://reseal@localhost:{}/{database}", cluster.port);
    let roots = cluster.folder.join("server.pem");
    let roots = roots.display();
    let open = |parameters: &str| {
        let url = format!("{address}?{parameters}");
        let source = crate::Source::Postgres(crate::PostgresUrl::parse(&url, None).unwrap());
        crate::SqlStore::open(&source).map(|_| Hands::on(&source))
    };
    let hands = open(&format!("sslmode=verify-full&sslrootcert={roots}")).unwrap();
    let secured = "SELECT ssl::INT FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(hands.rows(secured, &[], |row| row.get::<i64>(0)), [1]);
    for unknown in ["sslmode=verify-full", "sslmode=require", "sslmode=prefer"] {
        let Err(error) = open(unknown) else {
            panic!("{unknown}")
        };
        assert!(
            error.to_string().contains("invalid peer certificate"),
            "{error}"
        );
    }
    // The certificate is for `localhost`.
    let other = address.replace("localhost", "127.0.0.1");
    let other = format!("{other}?sslmode=verify-full&sslrootcert={roots}");
    let other = crate::Source::Postgres(crate::PostgresUrl::parse(&other, None).unwrap());
    let Err(error) = crate::SqlStore::open(&other) else {
        panic!("another name")
    };
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

#[test]
fn a_database_that_cannot_hold_every_text_is_refused() {
    if !cluster::is_wanted() {
        return;
    }
    let cluster = cluster::Cluster::get();
    let made =
        "CREATE DATABASE latin ENCODING LATIN1 LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0";
    assert!(cluster.psql("postgres", made).status.success());
    let url = crate::PostgresUrl::parse(&cluster.url("latin"), None).unwrap();
    let Err(error) = crate::SqlStore::open(&crate::Source::Postgres(url)) else {
        panic!("opened")
    };
    assert!(error.to_string().contains("encoded in LATIN1"), "{error}");
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let Some(hands) = hands().await else { return };
    for (name, sql) in sql::tests::all() {
        prepare(&hands, name, sql);
    }
}

#[tokio::test]
async fn every_list_can_be_prepared() {
    let Some(hands) = hands().await else { return };
    let everything = Scope::Everything;
    super::list_plans::every_list(Dialect::Postgres, |select| {
        prepare(&hands, "list", &select.rows);
        prepare(&hands, "count", &select.count);
    });
    let dialect = Dialect::Postgres;
    for select in [
        list::validations(dialect, &ValidationQuery::default()),
        list::blocked_keys(dialect, &BlockedKeyQuery::default()),
        list::certificates(dialect, &everything, &CertificateQuery::default(), now()),
    ] {
        prepare(&hands, "list", &select.unwrap().rows);
    }
}

/// With no rows every plan is as good as any other: sequential scans and sorts are made unattractive, and whatever is
/// left of them has no index.
#[tokio::test]
async fn common_lists_are_served_from_an_index() {
    let Some(hands) = hands().await else { return };
    hands
        .batch("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan")
        .unwrap();
    let plan = |select: &list::Select| -> String {
        let values = vec!["NULL"; select.row_values.len()].join(", ");
        hands
            .batch(&format!("PREPARE listed AS {}", select.rows))
            .unwrap();
        let lines = hands.rows(&format!("EXPLAIN EXECUTE listed({values})"), &[], |row| {
            row.get::<String>(0)
        });
        hands.batch("DEALLOCATE listed").unwrap();
        lines.join("\n")
    };
    let own = Scope::Customer("acme".to_owned());
    for (filters, expected) in [
        (vec![], "certificate_customer"),
        (
            vec![filter(C::Process, Operator::Eq, &[FilterValue::Integer(1)])],
            "certificate_process",
        ),
        (
            vec![filter(C::Fingerprint, Operator::Eq, &[text("00")])],
            "certificate_fingerprint",
        ),
        (
            vec![filter(C::ProviderId, Operator::Eq, &[text("00")])],
            "certificate_serial",
        ),
    ] {
        let query = CertificateQuery {
            filters,
            ..CertificateQuery::default()
        };
        let plan = plan(&list::certificates(Dialect::Postgres, &own, &query, now()).unwrap());
        assert!(plan.contains(expected), "{query:?}: {plan}");
        assert!(!plan.contains("Seq Scan"), "{plan}");
        // Without rows it is as good as those that follow.
        hands
            .batch("DROP INDEX IF EXISTS certificate_customer, certificate_status, certificate_customer_expiry; SET enable_sort = on")
            .unwrap();
    }
    hands.batch("SET enable_sort = off").unwrap();
    for (filters, expected) in [
        (vec![], "process_customer"),
        (
            vec![filter(P::Status, Operator::Eq, &[text("RUNNING")])],
            "process_status",
        ),
        (
            vec![filter(P::DetailStatus, Operator::NotNull, &[])],
            "process_attention",
        ),
    ] {
        let query = ProcessQuery {
            filters,
            ..ProcessQuery::default()
        };
        let plan = plan(&list::processes(Dialect::Postgres, &own, &query).unwrap());
        assert!(plan.contains(expected), "{query:?}: {plan}");
        assert!(!plan.contains("Sort"), "{plan}");
        hands
            .batch("DROP INDEX IF EXISTS process_customer")
            .unwrap();
    }
    let newest =
        list::notifications(Dialect::Postgres, &own, &NotificationQuery::default()).unwrap();
    let plan = plan(&newest);
    assert!(
        plan.contains("notification_customer") && !plan.contains("Sort"),
        "{plan}"
    );
}

#[tokio::test]
async fn the_program_behind_the_store_is_told_with_one_of_its_processes() {
    let sqlite = World::sqlite().await.store.program().await.unwrap();
    assert!(sqlite.version.starts_with("SQLite 3."), "{sqlite:?}");
    assert_eq!(sqlite.process, None);
    if !cluster::is_wanted() {
        return;
    }
    // Its connections, and with them that process, live as long as it does.
    let world = World::new().await;
    let program = world.store.program().await.unwrap();
    assert!(program.version.starts_with("PostgreSQL 1"), "{program:?}");
    let file = format!("/proc/{}/comm", program.process.unwrap());
    assert_eq!(std::fs::read_to_string(file).unwrap(), "postgres\n");
}
