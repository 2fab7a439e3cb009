//! What is wrong with a request, collected while it is read.

use std::fmt::Write as _;

use reseal_lifecycle::{Error, Violation};

use crate::error::{Failure, MOST_VIOLATIONS};

/// Unknown or mistyped properties that are named in one answer.
const MOST_PROPERTIES: usize = 50;

/// What is wrong with a request, so far. The answer stays short however much it is.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Paths of properties that are unknown or of another JSON type, with the problem.
    properties: Vec<(String, &'static str)>,
    further_properties: usize,
    violations: Vec<Violation>,
    further_violations: usize,
}

impl Findings {
    /// Notes a broken restriction.
    pub(crate) fn violation(&mut self, violation: Violation) {
        if self.violations.len() < MOST_VIOLATIONS {
            self.violations.push(violation);
        } else {
            self.further_violations += 1;
        }
    }

    /// Notes a property that is unknown or has another JSON type.
    pub(super) fn property(&mut self, path: String, problem: &'static str) {
        if self.properties.len() < MOST_PROPERTIES {
            self.properties.push((path, problem));
        } else {
            self.further_properties += 1;
        }
    }

    /// Whether all is well. Unknown properties come before broken restrictions (design decision 3).
    pub(crate) fn settle(self) -> Result<(), Failure> {
        if let Some((first, _)) = self.properties.first() {
            let first = first.clone();
            return Err(Failure::unrecognized(first, self.property_message()));
        }
        if self.violations.is_empty() {
            return Ok(());
        }
        let mut error = Error::constraint(self.violations);
        if self.further_violations > 0 {
            let _ = write!(
                error.message,
                "; {} more are not listed",
                self.further_violations
            );
        }
        Err(error.into())
    }

    fn property_message(&self) -> String {
        let mut message = String::new();
        for (path, problem) in &self.properties {
            let separator = if message.is_empty() { "" } else { "; " };
            let _ = write!(message, "{separator}`{path}` {problem}");
        }
        if self.further_properties > 0 {
            let _ = write!(message, "; and {} more", self.further_properties);
        }
        message
    }
}
