//! The benchmarks that measure a server: how fast it is does not matter here.

use std::process::Command;

use crate::support::database;
use crate::support::server::binary;

#[test]
fn the_benchmark_measures_over_the_database_that_it_is_given() {
    if !database::is_postgres() {
        return;
    }
    let url = database::empty();
    let bench = || {
        let mut bench = Command::new(binary());
        bench.args(["bench", "--seconds", "1", "--json", "--database", &url]);
        bench.output().unwrap()
    };
    let output = bench();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let version = report["database"].as_str().unwrap();
    assert!(version.starts_with("PostgreSQL 1"), "{version}");
    assert!(report["startMs"].as_f64().unwrap() > 0.0, "{report}");
    assert!(report["restBytes"].as_u64().unwrap() > 0, "{report}");
    for row in report["rows"].as_array().unwrap() {
        let figures = &row["figures"];
        assert!(figures["serverCpuMs"].is_f64(), "{row}");
        assert!(figures["databaseCpuMs"].is_f64(), "{row}");
    }
    // It is not empty any more, and is left as it is.
    let again = bench();
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8_lossy(&again.stderr);
    assert!(
        said.contains("is the database of a server already"),
        "{said}"
    );
}

#[test]
fn x_7_what_many_revoked_certificates_cost_is_measured_beside_a_server_without_them() {
    // It makes stores of its own, in files.
    if database::is_postgres() {
        return;
    }
    let mut bench = Command::new(binary());
    bench.args([
        "bench",
        "revoked",
        "--entries",
        "2k",
        "--seconds",
        "1",
        "--json",
    ]);
    let output = bench.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let sides = report["revoked"].as_array().unwrap();
    let entries = |side: &serde_json::Value| side["furtherEntries"].as_u64().unwrap();
    assert_eq!(sides.iter().map(entries).collect::<Vec<_>>(), [0, 2000]);
    for side in sides {
        let rounds = side["rounds"].as_array().unwrap();
        assert_eq!(rounds.len(), 4, "{side}");
        for round in rounds {
            assert!(round["callsPerSecond"].as_f64().unwrap() > 0.0, "{round}");
        }
    }
}
