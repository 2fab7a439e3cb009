//! The contract as a table: one row per fact, against a running server. What needs several calls in a row, or time to
//! pass, has tests of its own beside this.

mod row;
mod stage;
mod texts;

// Tables: one line a row, of which rustfmt would make four.
#[rustfmt::skip] mod calls;
#[rustfmt::skip] mod clients;
#[rustfmt::skip] mod conventions;
#[rustfmt::skip] mod endpoints;
#[rustfmt::skip] mod errors;
#[rustfmt::skip] mod keys;
#[rustfmt::skip] mod lists;
#[rustfmt::skip] mod objects;
#[rustfmt::skip] mod processes;
#[rustfmt::skip] mod purchases;
#[rustfmt::skip] mod reissue;
#[rustfmt::skip] mod states;
#[rustfmt::skip] mod vetting;

use std::collections::HashSet;
use std::io::Write as _;
use std::thread;
use std::time::Duration;

use row::Row;
use stage::Stage;

/// Rows that there must be at least.
const FEWEST: usize = 400;

#[test]
fn every_fact_of_the_contract_holds() {
    let mut stage = Stage::set();
    let rows: Vec<Row> = [
        conventions::rows,
        lists::rows,
        errors::rows,
        endpoints::rows,
        reissue::rows,
        purchases::rows,
        calls::rows,
        objects::rows,
        processes::rows,
        states::rows,
        keys::rows,
        vetting::rows,
        clients::rows,
    ]
    .into_iter()
    .flat_map(|rows| rows(&stage))
    .collect();
    let mut facts = HashSet::new();
    for row in &rows {
        assert!(facts.insert(&row.fact), "two rows state `{}`", row.fact);
    }

    let mut problems = Vec::new();
    for row in &rows {
        problems.extend(problem(&mut stage, row));
    }
    // Not by `print!`, which a test that passes keeps to itself.
    let report = format!(
        "contract table: {} rows, {} failed\n",
        rows.len(),
        problems.len()
    );
    std::io::stderr().write_all(report.as_bytes()).unwrap();
    assert!(problems.is_empty(), "{report}\n{}", problems.join("\n"));
    assert!(rows.len() >= FEWEST, "only {} rows", rows.len());
}

fn problem(stage: &mut Stage, row: &Row) -> Option<String> {
    let mut left = row.patience;
    loop {
        let (sent, reply) = stage.send(&row.call);
        let problem = row.problem(&sent, &reply)?;
        if left == 0 {
            return Some(problem);
        }
        left -= 1;
        thread::sleep(Duration::from_millis(100));
    }
}
