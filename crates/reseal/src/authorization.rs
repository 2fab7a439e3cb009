//! `reseal authorization …`: which proofs of control there are, which certificates rest on them, and which of them
//! are worth nothing.

use std::path::Path;

use anyhow::bail;
use reseal_lifecycle::authorization::{AuthorizationStore as _, Distrust, Relied};
use reseal_lifecycle::query::{
    AuthorizationField as Field, AuthorizationQuery, Filter, FilterValue, Operator,
};
use reseal_pki::corroboration::tally;
use serde_json::{Value, json};

use crate::args::Wanted;
use crate::console;
use crate::house::House;

/// Proofs read at once.
const PAGE: u32 = 1000;

/// Lists every proof that is `wanted`, the oldest first.
pub(crate) async fn list(
    data: &Path,
    config: Option<&Path>,
    wanted: &Wanted,
    as_json: bool,
) -> anyhow::Result<()> {
    let house = House::open(data, config)?;
    let mut pages = Pages::of(wanted);
    loop {
        let found = pages.next(&house).await?;
        for relied in &found {
            console::line(if as_json {
                object(relied).to_string()
            } else {
                line(relied)
            });
        }
        if found.is_empty() {
            return Ok(());
        }
    }
}

/// Says that every proof that is `wanted` is worth nothing.
pub(crate) async fn distrust(
    data: &Path,
    config: Option<&Path>,
    wanted: &Wanted,
    reason: &str,
) -> anyhow::Result<()> {
    if filters(wanted).is_empty() {
        bail!(
            "say which proofs, such as `--method` with `--since`: without a condition it would be all of them"
        );
    }
    let house = House::open(data, config)?;
    let mut pages = Pages::of(wanted);
    let (mut new, mut all) = (0, 0);
    loop {
        let found = pages.next(&house).await?;
        if found.is_empty() {
            break;
        }
        all += found.len();
        let distrust = Distrust {
            proofs: found.iter().map(|relied| relied.proof.id).collect(),
            reason: reason.to_owned(),
            actor: console::actor(),
            at: house.clock.now(),
        };
        new += house.store.distrust(distrust).await?;
    }
    console::line(format!("{all} proofs, {new} of them trusted until now"));
    Ok(())
}

/// A walk over the proofs that are wanted, by their numbers.
struct Pages {
    filters: Vec<Filter<Field>>,
    last: i64,
}

impl Pages {
    fn of(wanted: &Wanted) -> Self {
        Self {
            filters: filters(wanted),
            last: 0,
        }
    }

    /// The next of them; none at the end.
    async fn next(&mut self, house: &House) -> anyhow::Result<Vec<Relied>> {
        let mut query = AuthorizationQuery {
            filters: self.filters.clone(),
            order: vec![(Field::Id, false)],
            limit: Some(PAGE),
            total: false,
            ..AuthorizationQuery::default()
        };
        let behind = FilterValue::Integer(self.last);
        query
            .filters
            .push(filter(Field::Id, Operator::Gt, vec![behind]));
        let found = house.store.find_authorizations(&query).await?.entities;
        if let Some(relied) = found.last() {
            self.last = relied.proof.id;
        }
        Ok(found)
    }
}

fn filters(wanted: &Wanted) -> Vec<Filter<Field>> {
    let mut filters = Vec::new();
    if !wanted.methods.is_empty() {
        let sections = wanted.methods.iter().map(|method| method.br_section());
        let sections = sections.map(|section| FilterValue::Text(section.to_owned()));
        filters.push(filter(Field::Method, Operator::In, sections.collect()));
    }
    for (field, text) in [
        (Field::Customer, &wanted.customer),
        (Field::Adn, &wanted.adn),
        (Field::Name, &wanted.name),
        (Field::Alias, &wanted.alias),
    ] {
        let Some(text) = text else { continue };
        let operator = if text.contains('%') {
            Operator::Like
        } else {
            Operator::Eq
        };
        let text = FilterValue::Text(text.clone());
        filters.push(filter(field, operator, vec![text]));
    }
    for (field, is_wanted) in [
        (Field::Alias, wanted.via_alias),
        (Field::Reach, wanted.pruned),
    ] {
        if is_wanted {
            filters.push(filter(field, Operator::NotNull, Vec::new()));
        }
    }
    if let Some(certificate) = wanted.certificate {
        let id = FilterValue::Integer(certificate);
        filters.push(filter(Field::Certificate, Operator::Eq, vec![id]));
    }
    for (operator, moment) in [(Operator::Gte, wanted.since), (Operator::Lt, wanted.until)] {
        if let Some(moment) = moment {
            let moment = FilterValue::Date(moment);
            filters.push(filter(Field::ObtainedDate, operator, vec![moment]));
        }
    }
    filters
}

fn filter(field: Field, operator: Operator, values: Vec<FilterValue>) -> Filter<Field> {
    Filter {
        field,
        operator,
        values,
    }
}

/// With tabs between; `-` for what there is none of.
fn line(relied: &Relied) -> String {
    let Relied {
        proof,
        certificates,
    } = relied;
    let certificates: Vec<String> = certificates
        .iter()
        .map(|(certificate, name)| format!("{certificate} {name}"))
        .collect();
    let or_dash = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    let seen_by = match proof.witnesses.as_slice() {
        [] => String::new(),
        witnesses => tally(witnesses),
    };
    [
        proof.id.to_string(),
        format!("{:.0}", proof.obtained),
        proof.method.br_section().to_owned(),
        proof.customer.clone(),
        proof.adn.clone(),
        or_dash(proof.alias.clone().unwrap_or_default()),
        proof.process.to_string(),
        or_dash(seen_by),
        or_dash(certificates.join(", ")),
        or_dash(
            proof
                .distrusted
                .map(|at| format!("{at:.0}"))
                .unwrap_or_default(),
        ),
    ]
    .join("\t")
}

fn object(relied: &Relied) -> Value {
    let proof = &relied.proof;
    let mut object = json!({
        "id": proof.id,
        "obtainedDate": format!("{:.3}", proof.obtained),
        "method": proof.method,
        "customer": proof.customer,
        "adn": proof.adn,
        "onlyItself": proof.only_itself,
        "process": proof.process,
        "perspectives": proof.witnesses,
        "certificates": relied
            .certificates
            .iter()
            .map(|(certificate, name)| json!({"certificateId": certificate, "name": name}))
            .collect::<Value>(),
    });
    if let Some(alias) = &proof.alias {
        object["alias"] = alias.as_str().into();
    }
    if let Some(at) = proof.distrusted {
        object["distrustedDate"] = format!("{at:.0}").into();
    }
    object
}
