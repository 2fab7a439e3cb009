//! The list of processes.

use reseal_lifecycle::certificate::Certificate;
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::process::Action;
use reseal_lifecycle::query::{FilterValue, Operator, ProcessField as P, ProcessQuery};
use reseal_lifecycle::store::{Change, Store as _};

use super::World;
use super::lists::{filter, text};
use super::sample::{self, now};

#[tokio::test]
async fn every_operator_of_the_process_list() {
    use FilterValue::{Date, Integer};
    use Operator::{Eq, Gt, In, Like, Lte, Ne, NotNull, Null};
    let world = World::new().await;
    let waiting = {
        let (process, events) = sample::process("acme", Action::Request, None);
        let (process, more) = process
            .update(now(), |work| {
                work.proofs[0].state = reseal_lifecycle::process::ProofState::Waiting;
                Vec::new()
            })
            .unwrap();
        let (process, last) = process.suspend("waits".to_owned(), None, now()).unwrap();
        Change::new(process, [events, more, last].concat())
    };
    world.store.open(waiting).await.unwrap();
    world
        .store
        .open(sample::opening("acme", None))
        .await
        .unwrap();
    world
        .import(Certificate {
            domain_name: "d.example".to_owned(),
            ..sample::certificate("acme", 1)
        })
        .await;
    world
        .store
        .open(sample::opening("rival", None))
        .await
        .unwrap();

    let scope = Scope::Customer("acme".to_owned());
    let attention = "SSL_REQUIRES_ATTENTION";
    for (field, operator, values, expected) in [
        (P::Status, Eq, vec![text("SUSPENDED")], vec![1]),
        (
            P::Status,
            In,
            vec![text("COMPLETED"), text("VALIDATED")],
            vec![3, 2],
        ),
        (P::Status, Ne, vec![text("COMPLETED")], vec![2, 1]),
        (P::DetailStatus, Eq, vec![text(attention)], vec![1]),
        (P::DetailStatus, Eq, vec![text("OTHER")], vec![]),
        (P::DetailStatus, Ne, vec![text(attention)], vec![3, 2]),
        (P::DetailStatus, Like, vec![text("SSL%")], vec![1]),
        (P::DetailStatus, Null, vec![], vec![3, 2]),
        (P::DetailStatus, NotNull, vec![], vec![1]),
        (P::Type, Eq, vec![text("certificate")], vec![3, 2, 1]),
        (P::Type, Like, vec![text("CERT%")], vec![3, 2, 1]),
        (P::Type, Ne, vec![text("certificate")], vec![]),
        (
            P::Identifier,
            Eq,
            vec![text("reseal-sample.com")],
            vec![2, 1],
        ),
        (P::Action, Eq, vec![text("import")], vec![3]),
        (P::CreatedDate, Eq, vec![Date(now())], vec![3, 2, 1]),
        (P::StartedDate, Gt, vec![Date(now())], vec![]),
        (P::UpdatedDate, Lte, vec![Date(now())], vec![3, 2, 1]),
        (P::BillableQuantity, Gt, vec![Integer(0)], vec![]),
        (P::BillableProduct, Null, vec![], vec![3, 2, 1]),
        (P::Id, Eq, vec![Integer(2)], vec![2]),
    ] {
        let query = ProcessQuery {
            filters: vec![filter(field, operator, &values)],
            ..ProcessQuery::default()
        };
        let page = world.store.processes(&scope, &query).await.unwrap();
        let found: Vec<i64> = page.entities.iter().map(|process| process.id).collect();
        assert_eq!(found, expected, "{field:?} {operator:?} {values:?}");
        assert_eq!(page.total, Some(expected.len() as u64));
    }
    let latest = ProcessQuery {
        filters: vec![
            filter(P::Identifier, Eq, &[text("reseal-sample.com")]),
            filter(P::Type, Eq, &[text("certificate")]),
        ],
        order: vec![(P::CreatedDate, true)],
        limit: Some(1),
        ..ProcessQuery::default()
    };
    let page = world.store.processes(&scope, &latest).await.unwrap();
    assert_eq!((page.entities[0].id, page.total), (2, Some(2)));
    let search = ProcessQuery {
        text: Some("d.EXAM".to_owned()),
        ..ProcessQuery::default()
    };
    assert_eq!(
        world
            .store
            .processes(&scope, &search)
            .await
            .unwrap()
            .entities[0]
            .id,
        3
    );
}
