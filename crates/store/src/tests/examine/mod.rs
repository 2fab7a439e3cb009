//! What `reseal doctor --deep` finds in the store: nothing where nothing is wrong, and each thing that somebody broke.

mod damages;
mod sound;

use std::collections::BTreeSet;

use super::World;
use super::audit::intruder;
use super::sample::now;
use crate::database::Dialect;
use crate::sql::invariant::TABLES;
use crate::{Checked, SqlStore};
use damages::{ACCOUNTED, AGREES, DAMAGES, REFERENCES, TWICE};
pub(super) use sound::sound;

fn examine(world: &World) -> Vec<Checked> {
    let look = |moment: &crate::Moment<'_>| {
        let mut all = moment.rows(now(), &mut |_, _| {})?;
        all.push(moment.processes(&mut |_, _| {})?);
        all.push(moment.reservations(now())?);
        Ok(all)
    };
    SqlStore::at_one_moment(&world.source, look).unwrap()
}

/// What is wrong: which check says so, and of which rows.
fn broken(world: &World) -> Vec<(&'static str, Vec<String>)> {
    let broken = examine(world).into_iter().filter(|check| check.broken > 0);
    broken.map(|check| (check.holds, check.named)).collect()
}

#[tokio::test]
async fn where_nothing_is_wrong_nothing_is_found() {
    let world = sound().await;
    assert_eq!(broken(&world), []);
    // Whatever could be wrong was looked at.
    for check in examine(&world) {
        assert!(check.rows > 0, "{}", check.holds);
    }
}

#[tokio::test]
async fn whatever_somebody_breaks_is_found_and_named() {
    let mut tried = BTreeSet::new();
    for (damage, holds, row) in DAMAGES {
        // The conditions are the same text for both, and making a database of PostgreSQL's takes a while.
        if !tried.insert(*holds) && super::cluster::is_wanted() {
            continue;
        }
        let world = sound().await;
        intruder(&world).batch(damage).unwrap();
        let found = broken(&world);
        let named = found.iter().find(|(check, _)| check == holds);
        assert!(
            named.is_some_and(|(_, rows)| rows.iter().any(|named| named.contains(row))),
            "{damage}\n{holds}: {row}\n{found:#?}"
        );
    }
}

#[tokio::test]
async fn a_serial_that_was_reserved_twice_is_found() {
    let world = sound().await;
    let hands = intruder(&world);
    let damage = match hands.dialect() {
        Dialect::Sqlite => {
            "CREATE TABLE copy AS SELECT * FROM reservation; DROP TABLE reservation;
             ALTER TABLE copy RENAME TO reservation;"
        }
        Dialect::Postgres => "ALTER TABLE reservation DROP CONSTRAINT reservation_serial_key;",
    };
    hands.batch(damage).unwrap();
    let same = "UPDATE reservation SET serial = (SELECT serial FROM reservation WHERE process = 3) WHERE process = 6";
    hands.batch(same).unwrap();
    let found = broken(&world);
    let twice = found.iter().find(|(check, _)| *check == TWICE);
    let rows = ["reservation 2", "reservation 4"].map(str::to_owned);
    assert_eq!(twice, Some(&(TWICE, rows.to_vec())), "{found:#?}");
}

#[test]
fn each_check_has_somebody_who_breaks_it() {
    let known: BTreeSet<&str> = TABLES
        .iter()
        .flat_map(|table| table.invariants)
        .map(|invariant| invariant.holds)
        .chain([AGREES, ACCOUNTED])
        .collect();
    let tried = DAMAGES.iter().map(|(_, holds, _)| *holds);
    assert_eq!(known, tried.chain([TWICE]).collect());
}

#[tokio::test]
async fn a_row_that_leads_nowhere_is_found_in_every_table() {
    for table in TABLES {
        let world = sound().await;
        let hands = intruder(&world);
        let (name, row) = (table.name, table.row);
        for reference in table.references {
            let column = reference.column;
            let nowhere = match reference.table {
                "customer" => "'nobody'",
                "upstream_chain" if hands.dialect() == Dialect::Postgres => "'\\x00'::bytea",
                "upstream_chain" => "X'00'",
                _ => "999999",
            };
            let damage = format!(
                "UPDATE {name} SET {column} = {nowhere} WHERE ({row}) IN \
                 (SELECT {row} FROM {name} WHERE {column} IS NOT NULL ORDER BY {row} LIMIT 1)"
            );
            assert_eq!(hands.execute(&damage, &[]).unwrap(), 1, "{damage}");
        }
        let found = broken(&world);
        let named = found.iter().find(|(check, _)| *check == REFERENCES);
        for reference in table.references {
            let end = format!("({})", reference.column);
            let is_it = |row: &String| row.starts_with(&format!("{name} ")) && row.ends_with(&end);
            assert!(
                named.is_some_and(|(_, rows)| rows.iter().any(is_it)),
                "{name} {end}\n{found:#?}"
            );
        }
    }
}

/// What the schema ties together is looked at, whether or not the database sees to it.
#[test]
fn every_foreign_key_is_among_what_is_looked_at() {
    let (_folder, connection) = crate::sql::tests::migrated();
    let mut select = connection
        .prepare(
            "SELECT m.name, f.\"from\", f.\"table\" FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) AS f \
             WHERE m.type = 'table'",
        )
        .unwrap();
    let keys = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let keys: Vec<(String, String, String)> = keys.unwrap().map(Result::unwrap).collect();
    assert!(keys.len() > 30);
    for (table, column, target) in keys {
        // Three columns together: an invariant of its own.
        if table == "note" && target == "event" {
            continue;
        }
        let known = TABLES.iter().filter(|known| known.name == table);
        let mut references = known.flat_map(|known| known.references);
        assert!(
            references.any(|reference| reference.column == column && reference.table == target),
            "{table}.{column} → {target}"
        );
    }
}

/// However many rows there are, a statement looks at one range and at what its rows lead to.
#[test]
fn no_statement_looks_at_more_than_a_range() {
    let (_folder, connection) = crate::sql::tests::migrated();
    for table in TABLES {
        let mut statements = vec![table.select_end(), table.select_last(), table.count()];
        let references = table.references.iter();
        statements.extend(references.map(|one| table.select_broken(&one.broken(table))));
        let invariants = table.invariants.iter();
        statements.extend(invariants.map(|one| table.select_broken(&one.broken(0))));
        for statement in statements {
            for step in crate::sql::tests::query_plan(&connection, &statement) {
                assert!(
                    !step.starts_with("SCAN") && !step.contains("TEMP B-TREE"),
                    "{step}\n{statement}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_others_write_meanwhile_is_not_seen() {
    let world = sound().await;
    let count = |checks: &[Checked]| checks.iter().map(|check| check.rows).sum::<u64>();
    let before = examine(&world);
    let hands = world.hands();
    let both = SqlStore::at_one_moment(&world.source, |moment| {
        let first = moment.rows(now(), &mut |_, _| {})?;
        hands
            .batch("UPDATE certificate SET successor = NULL WHERE id = 2")
            .unwrap();
        Ok((first, moment.rows(now(), &mut |_, _| {})?))
    });
    let (first, second) = both.unwrap();
    assert_eq!(first, second);
    assert!(count(&first) < count(&before));
    assert_ne!(broken(&world), []);
}
