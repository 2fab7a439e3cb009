//! `fields`: answering with a part of an object. Identifying fields are always there.

use axum::response::Response;
use http::StatusCode;
use reseal_lifecycle::Violation;
use serde::Serialize;
use serde_json::Value;

use super::Parameters;
use crate::answer;
use crate::auth::Outcome;
use crate::body::Findings;
use crate::error::Failure;

/// Which fields of an object are wanted; `None` is all of them.
#[derive(Debug)]
pub(crate) struct Selection(Option<Vec<String>>);

impl Selection {
    /// What the parameters ask for. `known` are all fields an object may have, the identifying one first.
    pub(crate) fn read(parameters: &Parameters, known: &[&str], findings: &mut Findings) -> Self {
        let mut names: Vec<String> = Vec::new();
        for name in parameters.fields() {
            if known.contains(&name) {
                names.push(name.to_owned());
            } else {
                let message = format!("must name fields of this object: {}", known.join(", "));
                findings.violation(Violation::new("fields", message, Some(name)));
            }
        }
        if names.is_empty() {
            return Self(None);
        }
        Self::identifying(known, names)
    }

    /// The identifying field and `names`.
    pub(crate) fn identifying(known: &[&str], mut names: Vec<String>) -> Self {
        names.extend(known.first().map(|name| (*name).to_owned()));
        Self(Some(names))
    }

    /// Whether anything is left out.
    pub(crate) fn is_everything(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the field `name` is wanted.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|names| names.iter().any(|wanted| wanted == name))
    }

    /// The selected part of `body`.
    pub(crate) fn of(&self, body: &impl Serialize) -> Result<Value, Failure> {
        let mut value = serde_json::to_value(body).map_err(Failure::internal)?;
        if let Value::Object(object) = &mut value {
            object.retain(|name, _| self.has(name));
        }
        Ok(value)
    }
}

/// Answers with one object, or with the part of it that the query asks for.
pub(crate) fn one(parameters: &Parameters, known: &[&str], body: &impl Serialize) -> Outcome {
    let mut findings = Findings::default();
    let selection = Selection::read(parameters, known, &mut findings);
    findings.settle()?;
    if selection.is_everything() {
        return Ok(answer::json(StatusCode::OK, body));
    }
    Ok::<Response, Failure>(answer::json(StatusCode::OK, &selection.of(body)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KNOWN: &[&str] = &["id", "status", "san"];

    #[test]
    fn the_identifying_field_is_always_there() {
        let body = json!({"id": 1, "status": "ACTIVE", "san": []});
        let select = |query: &str| {
            let mut findings = Findings::default();
            let selection = Selection::read(&Parameters::parse(query), KNOWN, &mut findings);
            findings.settle().map(|()| selection.of(&body).unwrap())
        };
        assert_eq!(select("").unwrap(), body);
        assert_eq!(select("fields=").unwrap(), body);
        assert_eq!(
            select("fields=status").unwrap(),
            json!({"id": 1, "status": "ACTIVE"})
        );
        assert!(select("fields=status,constructor").is_err());
    }
}
