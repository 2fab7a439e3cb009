//! The scripts that write into documents.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn insert(file: &Path, name: &str, text: &str) -> Output {
    let mut insert = Command::new(root().join("scripts/insert"));
    let mut insert = insert.arg(file).arg(name);
    insert = insert.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut running = insert.spawn().unwrap();
    let mut stdin = running.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    running.wait_with_output().unwrap()
}

#[test]
fn a_table_is_put_between_its_marks_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("document.md");
    let page = |table: &str| {
        format!(
            "before\n<!-- bench:one -->\nleft\n<!-- /bench:one -->\n\
             <!-- bench:two -->\n{table}<!-- /bench:two -->\nafter\n"
        )
    };
    fs::write(&file, page("old\nold\n")).unwrap();
    let new = "| a \\| & b |\n| --- |\n";
    for _ in 0..2 {
        let output = insert(&file, "two", new);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let expected = page(&format!("\n{new}\n"));
        assert_eq!(fs::read_to_string(&file).unwrap(), expected);
    }
    // Whatever is not one pair of marks is refused, and nothing is lost.
    let open = page("") + "<!-- bench:three -->\n";
    let twice = page("") + &page("");
    for (text, name) in [(page(""), "none"), (open, "three"), (twice, "two")] {
        fs::write(&file, &text).unwrap();
        let output = insert(&file, name, new);
        assert!(!output.status.success(), "{text}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("<!-- bench:{name} -->")), "{said}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "a temporary file stayed behind");
}

#[test]
fn every_table_of_the_benchmark_has_its_place_in_the_document() {
    let script = fs::read_to_string(root().join("scripts/bench")).unwrap();
    let document = fs::read_to_string(root().join("docs/performance.md")).unwrap();
    let all = script
        .lines()
        .find_map(|line| line.split_once("|| wanted=(")?.1.strip_suffix(')'))
        .unwrap();
    let tables: Vec<&str> = all.split_whitespace().chain(["machine"]).collect();
    assert!(tables.len() > 2, "{tables:?}");
    for table in tables {
        for mark in ["", "/"].map(|end| format!("<!-- {end}bench:{table} -->")) {
            assert_eq!(
                document.lines().filter(|line| *line == mark).count(),
                1,
                "{mark}"
            );
        }
    }
}
