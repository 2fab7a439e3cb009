//! `POST /v2/ssl/certificates` (contract.md section 4.2).

use reseal_lifecycle::issuance::NewCertificate;

use super::fields;
use crate::auth::{Call, Outcome};
use crate::body::syntax::Text;
use crate::body::{Fields, Findings};

/// Months that a period may have at all; the product says which ones it has.
const LONGEST_PERIOD: u32 = 1200;

/// Actions a caller may acknowledge (contract.md section 1.6).
const BILLABLE_ACTIONS: &[&str] = &[
    "CREATE",
    "REQUEST",
    "TRANSFER",
    "RENEW",
    "RESTORE",
    "TRANSFER_RESTORE",
    "UPDATE",
    "REGISTRANT_CHANGE",
    "LOCAL_CONTACT",
    "NEGATIVE_MARKUP",
    "PRIVACY_PROTECT",
    "EXTRA_WILDCARD",
    "EXTRA_DOMAIN",
    "REGISTRY_LOCK",
];

/// Asks for a new certificate.
pub(crate) async fn request(mut call: Call) -> Outcome {
    let body = call.body().await?;
    let parameters = call.query();
    let mut findings = Findings::default();
    let mut reader = Fields::of(&body, &mut findings);
    let mut new = NewCertificate {
        customer: reader.required_text("customer", Text::Handle),
        product: reader.required_text("product", Text::Length(1, 255)),
        period: reader.required_integer("period", 1, LONGEST_PERIOD),
        request: fields::read(&mut reader),
    };
    new.request.country = reader
        .text("country", Text::Country)
        .map(|country| country.to_ascii_uppercase());
    // The older word for `language` (contract.md section 4.2).
    let older = fields::language(&mut reader, "saLanguage");
    new.request.language = new.request.language.or(older);
    // Agreements and charges are settled elsewhere: these are checked and kept with the process.
    reader.text("saEmail", Text::Email);
    reader.objects("billables", acknowledged_billable);
    reader.finish();
    let mode = fields::mode(&parameters, &mut findings);
    let dry_run = parameters.flag("dryRun", false, &mut findings);
    findings.settle()?;
    fields::refuse_dry_run(dry_run)?;

    new.request.command = fields::command(body);
    let answer = call.services().request(&call.caller, new, mode).await?;
    Ok(fields::respond(&answer))
}

fn acknowledged_billable(entry: &mut Fields<'_, '_>) {
    entry.required_text("product", Text::Length(1, 255));
    entry.required_text("action", Text::Word(BILLABLE_ACTIONS));
    entry.integer("quantity", 1, u32::MAX);
}
