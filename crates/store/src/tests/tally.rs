//! The number of all rows is right whatever is remembered of it.

use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::query::CertificateQuery;
use reseal_lifecycle::store::Store as _;

use super::World;
use super::sample::{certificate, now};
use crate::database::Dialect;
use crate::list::Whole;

async fn totals(world: &World) -> [u64; 3] {
    let mut totals = [0; 3];
    let scopes = ["acme", "rival"].map(|handle| Scope::Customer(handle.to_owned()));
    for (scope, total) in scopes.iter().chain([&Scope::Everything]).zip(&mut totals) {
        let query = CertificateQuery {
            limit: Some(0),
            ..CertificateQuery::default()
        };
        let page = world
            .store
            .certificates(scope, &query, now())
            .await
            .unwrap();
        *total = page.total.unwrap();
    }
    totals
}

#[tokio::test]
async fn a_total_counts_what_came_since_it_was_last_asked_for() {
    let world = World::new().await;
    assert_eq!(totals(&world).await, [0, 0, 0]);
    world.import(certificate("acme", 1)).await;
    world.import(certificate("rival", 2)).await;
    assert_eq!(totals(&world).await, [1, 1, 2]);
    for number in 3..7 {
        world.import(certificate("acme", number)).await;
        let found = totals(&world).await;
        assert_eq!(found, [number - 1, 1, number]);
    }
    let whole = Whole {
        table: "certificate",
        customer: Some("acme".to_owned()),
    };
    // Where several write at once, the newest are counted anew each time.
    let expected = match world.store.dialect {
        Dialect::Sqlite => Some((6, 5)),
        Dialect::Postgres => None,
    };
    assert_eq!(world.store.tally.remembered(&whole), expected);
}
