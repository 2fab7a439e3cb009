//! What the document says about the calls around certificates.

use reseal_lifecycle::query::CertificateField;
use schemars::json_schema;
use serde_json::{Value, json};

use super::auth_key::AuthKeyBody;
use super::csr::CsrBody;
use super::dry_run::DryRunBody;
use super::wire::{CertificateBody, FIELDS};
use crate::body::syntax::Text;
use crate::openapi::Operation;
use crate::processes::InfoBody;
use crate::quote::QuoteBody;

const TAG: &str = "Certificates";

const CSR: &str = include_str!("example.csr");
const CERTIFICATE: &str = include_str!("example.crt");

/// The fields that request, reissue and renew have in common.
const ORDER: &[(&str, &str)] = &[
    ("csr", "The signing request, PEM or base64 of the DER."),
    ("domainName", "The common name, instead of the CSR's."),
    (
        "san",
        "Further names, instead of the CSR's. An empty list is not the same as none: it also drops the free `www` name.",
    ),
    ("organization", "Instead of the CSR's O."),
    ("department", "Checked, and not in certificates any more."),
    ("state", "Instead of the CSR's ST."),
    ("address", "Street and number."),
    ("postalCode", "Instead of the CSR's."),
    ("city", "Instead of the CSR's L."),
    ("coc", "Number at the chamber of commerce."),
    (
        "language",
        "Language of mails and their pages; by default that of the country.",
    ),
    (
        "uniqueValue",
        "Mixed into what is to be published, instead of a random value.",
    ),
    (
        "authKey",
        "Whether to prove control by a key that was published before.",
    ),
    ("approver", "Who answers for the organization."),
    ("approver.voice", "Telephone, such as `+31.384530759`."),
    (
        "dcv",
        "How control of each name is to be proved; by default by DNS.",
    ),
    ("dcv.commonName", "The name."),
    ("dcv.type", "How."),
    (
        "dcv.email",
        "Where the mail goes: needed with `EMAIL`, and ignored otherwise.",
    ),
];

const BILLABLES: &[(&str, &str)] = &[
    ("period", "Months."),
    (
        "billables",
        "Charges that are agreed to; without it, all are.",
    ),
    (
        "billables.quantity",
        "How many at most; 1 when it is absent.",
    ),
    ("saEmail", "Where the subscriber agreement goes."),
];

fn with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [ORDER, BILLABLES, more].concat()
}

/// What an order is answered with.
fn ordered(operation: Operation) -> Operation {
    operation
        .flag(
            "quote",
            "Checks everything, changes nothing, and answers with the price.",
        )
        .flag("dryRun", "Looks at everything there is to look at, changes nothing, and answers with what the call would do; not together with `quote`.")
        .made(
            200,
            "Nothing was done: the price, with `quote=true`; the whole plan, with `dryRun=true`.",
            |generator| {
                let quote = generator.subschema_for::<QuoteBody<'static>>();
                let plan = generator.subschema_for::<DryRunBody<'static>>();
                json_schema!({"anyOf": [quote, plan]})
            },
        )
        .json::<InfoBody<'static>>(201, "The certificate was issued within the call.")
        .about_process()
        .json::<InfoBody<'static>>(202, "Something is to be proved first: the process goes on.")
        .about_process()
}

fn order() -> Value {
    json!({
        "csr": CSR,
        "dcv": [{"commonName": "www.example.nl", "type": "DNS"}],
    })
}

pub(crate) fn list() -> Operation {
    Operation::new(TAG, "listCertificates", "List certificates")
        .list::<CertificateField, CertificateBody<'static>>("Those that the key may see.", FIELDS)
}

pub(crate) fn get() -> Operation {
    Operation::new(TAG, "getCertificate", "Get a certificate")
        .selected::<CertificateBody<'static>>("The certificate.", FIELDS)
}

pub(crate) fn list_below_customer() -> Operation {
    Operation::new(
        TAG,
        "listCertificatesOfCustomer",
        "List certificates, by an older path",
    )
    .list::<CertificateField, CertificateBody<'static>>("Those of the customer.", FIELDS)
    .deprecated()
}

pub(crate) fn get_below_customer() -> Operation {
    Operation::new(
        TAG,
        "getCertificateOfCustomer",
        "Get a certificate, by an older path",
    )
    .selected::<CertificateBody<'static>>("The certificate.", FIELDS)
    .deprecated()
}

pub(crate) fn request() -> Operation {
    let mut example = order();
    example["customer"] = "acme".into();
    example["product"] = "ssl_dv".into();
    example["period"] = 12.into();
    let operation = Operation::new(TAG, "requestCertificate", "Order a certificate")
        .body(
            super::request::read,
            &with(&[
                ("customer", "For whom."),
                ("product", "What."),
                ("country", "Instead of the CSR's C."),
                ("saLanguage", "The older word for `language`."),
            ]),
        )
        .example(example);
    ordered(operation)
}

pub(crate) fn reissue() -> Operation {
    let operation = Operation::new(TAG, "reissueCertificate", "Replace a certificate within its term")
        .details("A new certificate for the rest of the subscription, perhaps with another key or other names. Names whose proof is still good need no new one.")
        .body(super::fields::read, ORDER)
        .example(order());
    ordered(operation)
}

pub(crate) fn renew() -> Operation {
    let mut example = order();
    example["period"] = 12.into();
    let operation = Operation::new(TAG, "renewCertificate", "Buy a further term")
        .body(
            super::renew::read,
            &with(&[(
                "product",
                "Instead of the present one, which must be in its `renewFrom`.",
            )]),
        )
        .example(example);
    ordered(operation)
}

pub(crate) fn revoke() -> Operation {
    Operation::new(TAG, "revokeCertificate", "Revoke a certificate")
        .body(
            super::revoke::read,
            &[("reason", "Why, such as `KEY_COMPROMISE`.")],
        )
        .body_is_optional()
        .example(json!({"reason": "SUPERSEDED"}))
        .answer(200, "It is revoked.")
        .about_process()
        .answer(202, "It is being revoked.")
        .about_process()
}

pub(crate) fn download() -> Operation {
    let words = json!({"type": "string", "enum": super::download::FORMATS, "default": "ZIP"});
    Operation::new(TAG, "downloadCertificate", "Download a certificate")
        .details("`ZIP` is base64 text, everything else PEM: `CRT` the certificate, `CA` its issuer, `CA_BUNDLE` all issuers, `PKCS7` all of them together, `CSR` the request.")
        .query("format", &words, "What.")
        .media(200, "The file.", "application/octet-stream")
}

pub(crate) fn import() -> Operation {
    Operation::new(
        TAG,
        "importCertificate",
        "Take in a certificate from elsewhere",
    )
    .details("It is listed and watched from then on; it cannot be reissued.")
    .body(
        super::import::read,
        &[
            ("customer", "Whose it is."),
            ("certificate", "PEM or base64 of the DER."),
            ("csr", "The request it was issued for."),
            ("coc", "Number at the chamber of commerce."),
            (
                "domainName",
                "The name that it is listed by, instead of its common name.",
            ),
        ],
    )
    .example(json!({"customer": "acme", "certificate": CERTIFICATE}))
    .answer(201, "It is listed.")
    .about_process()
}

pub(crate) fn decode_csr() -> Operation {
    Operation::new(TAG, "decodeCsr", "Show what a CSR holds")
        .details("Whether or not a certificate could be issued for it.")
        .body(super::csr::read, &[("csr", "PEM or base64 of the DER.")])
        .example(json!({"csr": CSR}))
        .json::<CsrBody<'static>>(200, "Its contents.")
}

pub(crate) fn auth_key() -> Operation {
    Operation::new(TAG, "makeAuthKey", "Make a key that proves control")
        .details("Published at every name, it proves them all in the call that asks for the certificate with `authKey`.")
        .body(
            super::auth_key::read,
            &[
                ("product", "What will be ordered."),
                ("csr", "The request that will be sent, PEM or base64 of the DER."),
            ],
        )
        .example(json!({"product": "ssl_dv", "csr": CSR}))
        .json::<AuthKeyBody>(200, "The key.")
}

pub(crate) fn approver_addresses() -> Operation {
    let mut name = Text::Domain.schema();
    name["example"] = "example.nl".into();
    Operation::new(
        TAG,
        "listApproverAddresses",
        "List addresses that may approve",
    )
    .details("The constructed ones, then those that the DNS names: CAA `contactemail` and TXT `_validation-contactemail`.")
    .path("name", name)
    .query("product", &json!({"type": "string"}), "For this product.")
    .json::<Vec<String>>(200, "The addresses.")
}
