//! `reseal csr check FILE`: the server's own checks of a request, before it is sent.

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use reseal_pki::csr::{Csr, CsrPolicy};
use reseal_pki::key::KeyPolicy;
use reseal_pki::name::NamePolicy;

use crate::console;
use crate::wire_up;

/// More than the server takes; enough to say so.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Checks the request in `file` and explains what was found; leaves with 1 when it would be refused.
pub(crate) fn run(
    file: &Path,
    data: Option<&Path>,
    config: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let text = read(file)?;
    let config = super::configuration(data, config)?;
    let names = wire_up::name_policy(&config);
    let report = examine(&text, &names);
    for line in report.lines {
        console::line(line);
    }
    Ok(if report.acceptable {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Report {
    lines: Vec<String>,
    acceptable: bool,
}

fn examine(text: &str, names: &NamePolicy) -> Report {
    let csr = match Csr::parse(text) {
        Ok(csr) => csr,
        Err(error) => {
            return Report {
                lines: vec![
                    format!("refused [{}]: the request {error}", error.rule()),
                    "not acceptable: it cannot be read".to_owned(),
                ],
                acceptable: false,
            };
        }
    };
    let policy = CsrPolicy {
        keys: KeyPolicy::default(),
        names,
        allow_ip: false,
    };
    let mut lines = describe(&csr);
    let problems = csr.check(&policy);
    lines.extend(
        csr.warnings()
            .into_iter()
            .map(|warning| format!("note: {warning}")),
    );
    lines.extend(
        problems
            .iter()
            .map(|problem| format!("refused [{}]: {problem}", problem.rule())),
    );
    lines.push(match problems.len() {
        0 => "acceptable: the server would take this request".to_owned(),
        1 => "not acceptable: 1 problem".to_owned(),
        several => format!("not acceptable: {several} problems"),
    });
    Report {
        lines,
        acceptable: problems.is_empty(),
    }
}

fn describe(csr: &Csr) -> Vec<String> {
    let key = csr.public_key();
    let subject = csr.subject().text.clone();
    let or_none = |text: String| {
        if text.is_empty() {
            "(none)".to_owned()
        } else {
            text
        }
    };
    vec![
        format!("subject:   {}", or_none(subject)),
        format!("names:     {}", or_none(csr.dns_names().join(", "))),
        format!(
            "key:       {} {} bits",
            key.algorithm().name(),
            key.size_bits()
        ),
        format!("signature: {}", csr.signature_hash_name()),
        format!("SHA-256:   {}", csr.sha256_hex()),
    ]
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let outcome = if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(LARGEST_FILE)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LARGEST_FILE).read_to_end(&mut bytes))
    };
    outcome.with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
