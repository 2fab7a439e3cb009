//! Walking through what was issued.

use reseal_lifecycle::certificate::{Certificate, CertificateStatus, Revocation};
use reseal_lifecycle::import;
use reseal_lifecycle::issued::IssuedStore as _;

use super::World;
use super::sample::{self, in_days, now};
use crate::sql;
use crate::sql::tests::{migrated, query_plan};

#[tokio::test]
async fn a_9_every_certificate_that_stands_is_read_once_and_no_other() {
    let world = World::new().await;
    let mut expected = Vec::new();
    for number in 1..=5 {
        let certificate = world.import(sample::certificate("acme", number)).await;
        expected.push(certificate.id);
        for other in [
            Certificate {
                issuer: import::ISSUER.to_owned(),
                ..sample::certificate("acme", 100 + number)
            },
            Certificate {
                not_after: in_days(-1),
                ..sample::certificate("rival", 200 + number)
            },
        ] {
            world.import(other).await;
        }
    }
    let revoked = Certificate {
        stored_status: CertificateStatus::Revoked,
        revocation: Some(Revocation {
            at: now(),
            reason: None,
            note: None,
        }),
        ..sample::certificate("rival", 300)
    };
    let revoked = world.import(revoked).await;
    expected.push(revoked.id);

    let mut found = Vec::new();
    let mut last = 0;
    loop {
        let page = world
            .store
            .issued("embedded", last, now(), 2)
            .await
            .unwrap();
        let Some(end) = page.last() else { break };
        last = end.certificate;
        found.extend(page);
    }
    let ids: Vec<i64> = found.iter().map(|one| one.certificate).collect();
    assert_eq!(ids, expected);
    assert!(
        found
            .iter()
            .all(|one| one.is_revoked == (one.certificate == revoked.id))
    );
    assert_eq!(found[0].der, world.certificate(expected[0]).await.der);
}

#[test]
fn a_9_the_walk_reads_by_number_and_sorts_nothing() {
    let (_folder, connection) = migrated();
    let plan = query_plan(&connection, sql::certificate::SELECT_ISSUED);
    assert!(
        plan[0].contains("certificate USING INTEGER PRIMARY KEY (rowid>?)"),
        "{plan:?}"
    );
    assert!(!plan.iter().any(|step| step.contains("TEMP")), "{plan:?}");
}
