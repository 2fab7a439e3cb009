//! Revocation lists and what stands on them.

use jiff::SignedDuration;
use reseal_lifecycle::certificate::{Certificate, Revocation, RevocationReason};
use reseal_lifecycle::compromise::{CompromiseStore as _, KeyBlock};
use reseal_lifecycle::crl::{Crl, CrlAddress, CrlState, CrlStore as _, Publication, Revoked};
use reseal_lifecycle::import;
use reseal_lifecycle::process::Action;
use reseal_lifecycle::store::{Change, LostSerial, StoreError};

use super::sample::{self, in_days, now};
use super::*;
use crate::database::{Connection, params};
use crate::migrate::{self, SQLITE};
use crate::sql;

const EMBEDDED: &str = "embedded";

impl World {
    /// Stores certificate `number`, issued here unless told otherwise, and revokes it.
    async fn revoked(
        &self,
        number: u64,
        issuer: &str,
        reason: Option<RevocationReason>,
    ) -> Revoked {
        let certificate = Certificate {
            issuer: issuer.to_owned(),
            ..sample::certificate("acme", number)
        };
        let certificate = self.import(certificate).await;
        let revocation = Revocation {
            at: now(),
            reason,
            note: None,
        };
        let (process, events) = sample::process("acme", Action::Revoke, None);
        let change = Change {
            revocation: Some((certificate.id, revocation)),
            ..Change::new(process, events)
        };
        self.store.open(change).await.unwrap();
        Revoked {
            serial: certificate.serial,
            at: now(),
            reason,
            not_after: certificate.not_after,
            listed: false,
        }
    }
}

fn publication(name: &str, number: u64, replaces: Option<u64>) -> Publication {
    let state = CrlState {
        name: name.to_owned(),
        number,
        this_update: in_days(0),
        next_update: in_days(7),
        entries: 1,
        addresses: vec![CrlAddress {
            url: "http://ca.example/crl/a/0.crl".to_owned(),
            used: now(),
        }],
    };
    Publication {
        crl: Crl {
            state,
            der: vec![0x30; 300],
        },
        replaces,
        listed: Vec::new(),
    }
}

#[tokio::test]
async fn r_11_a_serial_without_a_certificate_is_listed_like_a_revoked_one() {
    let world = World::new().await;
    let lost = LostSerial {
        issuer: EMBEDDED.to_owned(),
        serial: vec![1, 2, 3],
        at: now(),
        not_after: in_days(199),
    };
    let change = Change {
        lost: Some(lost.clone()),
        ..sample::opening("acme", None)
    };
    world.store.open(change).await.unwrap();
    assert_eq!(world.store.unlisted_endings(EMBEDDED).await.unwrap(), [3]);
    let entry = Revoked {
        serial: lost.serial,
        at: lost.at,
        reason: Some(RevocationReason::Superseded),
        not_after: lost.not_after,
        listed: false,
    };
    assert_eq!(world.store.revoked(EMBEDDED, 3).await.unwrap(), [entry]);
}

#[tokio::test]
async fn x_3_a_reason_that_changes_while_the_list_is_signed_waits_for_the_next_list() {
    let world = World::new().await;
    let superseded = Some(RevocationReason::Superseded);
    let entry = world.revoked(1, EMBEDDED, superseded).await;
    // This list was made before it was proved that the key is compromised, and comes after.
    let late = Publication {
        listed: vec![(entry.serial.clone(), superseded)],
        ..publication("7", 1, None)
    };
    let key = sample::certificate("acme", 1).spki_sha256;
    let day = SignedDuration::from_hours(24);
    let block = KeyBlock::certain(vec![key], "found", "house/op", now(), day);
    world.store.block_keys(block).await.unwrap();
    world
        .store
        .publish_crls(EMBEDDED, vec![late], "reseal")
        .await
        .unwrap();
    let ending = *entry.serial.last().unwrap();
    assert_eq!(
        world.store.unlisted_endings(EMBEDDED).await.unwrap(),
        [ending]
    );
}

#[tokio::test]
async fn x_7_a_revocation_waits_for_its_list_until_one_has_shown_it() {
    let world = World::new().await;
    let store = &world.store;
    let entry = world
        .revoked(1, EMBEDDED, Some(RevocationReason::Superseded))
        .await;
    let ending = *entry.serial.last().unwrap();
    assert_eq!(store.unlisted_endings(EMBEDDED).await.unwrap(), [ending]);
    assert_eq!(
        store.revoked(EMBEDDED, ending).await.unwrap(),
        std::slice::from_ref(&entry)
    );

    let first = Publication {
        listed: vec![(entry.serial.clone(), entry.reason)],
        ..publication("a/0", 7, None)
    };
    store
        .publish_crls(EMBEDDED, vec![first.clone()], "reseal")
        .await
        .unwrap();
    assert_eq!(store.crl("a/0").await.unwrap(), Some(first.crl.clone()));
    assert_eq!(store.crl_states().await.unwrap(), [first.crl.state]);
    assert!(store.unlisted_endings(EMBEDDED).await.unwrap().is_empty());
    assert!(store.revoked(EMBEDDED, ending).await.unwrap()[0].listed);

    // A list that does not show it any more makes nobody forget it.
    let second = publication("a/0", 8, Some(7));
    store
        .publish_crls(EMBEDDED, vec![second], "reseal")
        .await
        .unwrap();
    let known = store.revoked(EMBEDDED, ending).await.unwrap();
    assert_eq!(known[0].serial, entry.serial);
}

#[tokio::test]
async fn imported_certificates_never_come_on_a_list() {
    let world = World::new().await;
    let entry = world.revoked(1, import::ISSUER, None).await;
    let ending = *entry.serial.last().unwrap();
    for issuer in [EMBEDDED, import::ISSUER] {
        assert!(
            world
                .store
                .revoked(issuer, ending)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            world
                .store
                .unlisted_endings(issuer)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn x_7_of_two_servers_one_stores_the_next_list_and_numbers_stay_their_own() {
    let world = World::new().await;
    let entry = world.revoked(1, EMBEDDED, None).await;
    let publish = |publications| world.store.publish_crls(EMBEDDED, publications, "reseal");
    publish(vec![publication("a/0", 7, None)]).await.unwrap();
    for stale in [
        publication("a/0", 8, None),
        publication("a/0", 8, Some(6)),
        publication("b/0", 8, Some(7)),
    ] {
        // The good one beside it must not be stored either, nor the mark.
        let beside = Publication {
            listed: vec![(entry.serial.clone(), entry.reason)],
            ..publication("a/1", 7, None)
        };
        let error = publish(vec![beside, stale]).await.unwrap_err();
        assert!(matches!(error, StoreError::Stale), "{error}");
        assert_eq!(world.store.crl("a/1").await.unwrap(), None);
        assert_eq!(
            world.store.unlisted_endings(EMBEDDED).await.unwrap().len(),
            1
        );
    }
    publish(vec![publication("a/0", 8, Some(7))]).await.unwrap();
    let newest = world.store.crl("a/0").await.unwrap().unwrap();
    assert_eq!(newest.state.number, 8);
}

#[test]
fn what_was_revoked_before_lists_were_kept_comes_on_one() {
    let connection = Connection::sqlite(rusqlite::Connection::open_in_memory().unwrap());
    migrate::run(&connection, &SQLITE[..2]).unwrap();
    connection
        .batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
        .unwrap();
    for (number, issuer, revoked) in [
        (1_u8, EMBEDDED, "5"),
        (2, EMBEDDED, "NULL"),
        (3, import::ISSUER, "5"),
    ] {
        let insert = format!(
            "INSERT INTO certificate (customer, process, subscription, product, validation, certificate_type, \
             status, domain_name, names, issuer, serial, not_before, not_after, subscription_end, \
             key_algorithm, key_size, spki_sha256, fingerprint, revoked_at, revocation_reason, der) \
             VALUES ('acme', 1, 1, '', '', '', 'REVOKED', '', '[]', '{issuer}', x'0a0b{number:02x}', 0, 9, 9, '', \
             1, x'00', x'{number:02x}', {revoked}, 'SUPERSEDED', x'')"
        );
        connection.batch(&insert).unwrap();
    }
    migrate::run(&connection, SQLITE).unwrap();
    let select =
        "SELECT issuer, ending, serial, revoked_at, reason, not_after, listed FROM crl_entry";
    let rows = connection.many(select, params![], |row| {
        Ok((
            row.get::<String>(0)?,
            row.get::<Vec<u8>>(1)?,
            row.get::<Vec<u8>>(2)?,
            row.get::<i64>(3)?,
            row.get::<String>(4)?,
            row.get::<i64>(5)?,
            row.get::<Option<i64>>(6)?,
        ))
    });
    let expected = (
        EMBEDDED.to_owned(),
        vec![1],
        vec![10, 11, 1],
        5,
        "SUPERSEDED".to_owned(),
        9,
        None,
    );
    assert_eq!(rows.unwrap(), [expected]);
}

/// Looked for twice a second: among all entries ever listed it must find the few that are not, and nothing else.
#[tokio::test]
async fn x_7_what_no_list_has_shown_is_found_without_reading_what_lists_have_shown() {
    let world = World::sqlite().await;
    let connection = rusqlite::Connection::open(world.path()).unwrap();
    let explain = format!("EXPLAIN QUERY PLAN {}", sql::crl::SELECT_UNLISTED);
    let mut explain = connection.prepare(&explain).unwrap();
    let plan = explain.query_map((EMBEDDED, [0_u8; 0]), |row| row.get::<_, String>(3));
    let plan: Vec<String> = plan.unwrap().map(Result::unwrap).collect();
    let index = "SEARCH crl_entry USING COVERING INDEX crl_entry_unlisted (listed=? AND issuer=? AND ending>?)";
    assert_eq!(plan, [index]);
}

#[tokio::test]
async fn endings_of_entries_that_no_list_has_shown_are_told_once_each_and_by_issuer() {
    let world = World::new().await;
    assert_eq!(
        world.store.unlisted_endings(EMBEDDED).await.unwrap(),
        [] as [u8; 0]
    );
    for (process, serial) in [[1, 9], [2, 9], [3, 4], [4, 255], [5, 0]]
        .into_iter()
        .enumerate()
    {
        let change = Change {
            lost: Some(LostSerial {
                issuer: if process == 3 { "another" } else { EMBEDDED }.to_owned(),
                serial: serial.to_vec(),
                at: now(),
                not_after: in_days(199),
            }),
            ..sample::opening("acme", None)
        };
        world.store.open(change).await.unwrap();
    }
    assert_eq!(
        world.store.unlisted_endings(EMBEDDED).await.unwrap(),
        [0, 4, 9]
    );
    assert_eq!(
        world.store.unlisted_endings("another").await.unwrap(),
        [255]
    );
    assert_eq!(
        world.store.unlisted_endings("nobody").await.unwrap(),
        [] as [u8; 0]
    );
}
