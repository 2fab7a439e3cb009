//! Whether every rule of `docs/rules.md` has a test that bears its number. A rule may be without one only when the
//! document says why.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Hostile inputs, numbered from 1; the 146th is 86a, which the test of 86 holds as well.
const HOSTILE_INPUTS: u16 = 145;

#[test]
fn every_rule_has_a_test_or_a_reason() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let book = fs::read_to_string(root.join("docs/rules.md")).unwrap();
    let mut tested = Tested::default();
    for folder in ["crates", "tests", "tools"] {
        for file in sources(&root.join(folder)) {
            for name in test_names(&fs::read_to_string(file).unwrap()) {
                tested.note(&name);
            }
        }
    }
    let mut problems = Vec::new();
    let rules = rules(&book);
    let mut excused = 0;
    for (rule, reason) in &rules {
        match (tested.rules.contains(rule), reason.is_empty()) {
            (false, true) => problems.push(format!("{rule} has neither a test nor a reason")),
            (true, false) => problems.push(format!("{rule} has a test, and a reason for none")),
            (_, true) => {}
            (_, false) => excused += 1,
        }
    }
    for rule in tested
        .rules
        .iter()
        .filter(|rule| !rules.contains_key(*rule))
    {
        problems.push(format!("{rule} has a test and is not in the book"));
    }
    let without = inputs_without_test(&book);
    for number in 1..=HOSTILE_INPUTS {
        if tested.inputs.contains(&number) == without.contains(&number) {
            problems.push(format!(
                "hostile input {number}: a test or a reason, not both or neither"
            ));
        }
    }
    let report = format!(
        "rules with a test: {} of {}, {excused} with a reason for none; hostile inputs with a test: {} of {HOSTILE_INPUTS}\n",
        rules.len() - excused,
        rules.len(),
        tested.inputs.len(),
    );
    // Past the capture of the test's output: whoever runs the tests sees the count.
    std::io::stderr().write_all(report.as_bytes()).unwrap();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(rules.len() > 150, "{} rules were read", rules.len());
}

/// The numbers that names of tests bear.
#[derive(Default)]
struct Tested {
    rules: BTreeSet<String>,
    inputs: BTreeSet<u16>,
}

impl Tested {
    /// Reads the front of a name such as `d_28_nasty_125_txt…`, `v_1_and_v_2_…`, `nasty_101_to_105_…`.
    fn note(&mut self, name: &str) {
        let mut words = name.split('_').peekable();
        while let Some(word) = words.next() {
            let numbered = |word: Option<&&str>| word.and_then(|word| word.parse::<u16>().ok());
            match word {
                "and" => {}
                "nasty" => {
                    let mut last = None;
                    while let Some(number) = numbered(words.peek()) {
                        words.next();
                        self.inputs.insert(number);
                        last = Some(number);
                    }
                    if words.peek() == Some(&"to") {
                        words.next();
                        if let (Some(from), Some(to)) = (last, numbered(words.peek())) {
                            words.next();
                            self.inputs.extend(from..=to);
                        }
                    }
                }
                _ if word.len() == 1 => match numbered(words.peek()) {
                    Some(number) => {
                        words.next();
                        self.rules
                            .insert(format!("{}-{number}", word.to_ascii_uppercase()));
                    }
                    None => break,
                },
                _ => break,
            }
        }
    }
}

/// Names of the functions under a test attribute.
fn test_names(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            continue;
        }
        let function = line
            .strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("fn ");
        if let (true, Some(function)) = (is_test, function) {
            let end = function.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
            names.push(function[..end.unwrap_or(function.len())].to_owned());
        }
        is_test &= line.is_empty() || line.starts_with("//");
    }
    names
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Cargo marks the folders that it builds in.
        if path.is_dir() && !path.join("CACHEDIR.TAG").exists() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The rules of the book, each with the reason why it has no test, if it has none.
fn rules(book: &str) -> BTreeMap<String, String> {
    cells(book)
        .filter_map(|cells| match cells.as_slice() {
            [rule, _, reason] if rule.contains('-') && !rule.starts_with('-') => {
                Some(((*rule).to_owned(), (*reason).to_owned()))
            }
            _ => None,
        })
        .collect()
}

fn inputs_without_test(book: &str) -> BTreeSet<u16> {
    cells(book)
        .filter_map(|cells| match cells.as_slice() {
            [number, _] => number.parse().ok(),
            _ => None,
        })
        .collect()
}

fn cells(book: &str) -> impl Iterator<Item = Vec<&str>> {
    book.lines().filter_map(|line| {
        let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(inner.split('|').map(str::trim).collect())
    })
}
