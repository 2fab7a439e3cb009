//! Taking in a certificate that was issued elsewhere, so that it is listed, watched and answered for.

use reseal_pki::certificate::Certificate as X509;
use reseal_pki::csr::{Csr, CsrError};
use reseal_pki::dn::OrganizationSubject;
use reseal_pki::name::DnsName;
use serde_json::Value;

use crate::certificate::{Certificate, CertificateStatus};
use crate::customer::Caller;
use crate::error::{Error, Kind, Violation};
use crate::event::{Event, EventKind};
use crate::issuance::unreadable;
use crate::price::Allowance;
use crate::process::{Action, Opening, Process};
use crate::product::CertificateType;
use crate::services::Services;
use crate::store::{Change, Issuance, Subscription};

/// Stands as the issuer of imported certificates: nobody here signs for them.
pub const ISSUER: &str = "import";
/// Stands as the product of imported certificates; not in any catalogue.
pub const PRODUCT: &str = "ssl_import";

/// An import, syntax checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportCertificate {
    /// For whom.
    pub customer: String,
    /// The certificate, PEM.
    pub certificate: String,
    /// The CSR it answers.
    pub csr: Option<String>,
    /// Chamber of commerce number.
    pub coc: Option<String>,
    /// Common name to list it under.
    pub domain_name: Option<String>,
    /// The accepted body.
    pub command: Value,
}

impl Services {
    /// Takes in a foreign certificate; the process is over when this returns.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the customer, [`Kind::Constraint`], [`Kind::InvalidCsr`], [`Kind::Exists`].
    pub async fn import(
        &self,
        caller: &Caller,
        import: ImportCertificate,
    ) -> Result<Process, Error> {
        let customer = import.customer.as_str();
        if !caller.scope().admits(customer) || !self.store.customer_exists(customer).await? {
            return Err(Error::not_found(&format!("Customer {customer}")));
        }
        let csr = match import.csr.as_deref() {
            Some(text) => Some(self.read_csr(caller, text).await?),
            None => None,
        };
        let (x509, csr) = read(&import, csr)?;
        // A certificate is public: that another customer has it here too stays between them and us.
        if self
            .store
            .certificate_by_fingerprint(customer, &x509.sha256_fingerprint())
            .await?
            .is_some()
        {
            return Err(Error::new(
                Kind::Exists,
                "This certificate is in the store already",
            ));
        }
        let now = self.clock.now();
        let (domain_name, names) = names_of(&x509, import.domain_name.as_deref());
        let domain_name = domain_name.ok_or_else(|| {
            Error::constraint(vec![Violation::new(
                "domainName",
                "the certificate names no domain: send `domainName`",
                None,
            )])
        })?;
        let opening = Opening {
            customer: customer.to_owned(),
            user: caller.user.clone(),
            action: Action::Import,
            command: import.command.clone(),
            source: None,
            subscription: None,
        };
        let event = EventKind::Imported {
            fingerprint: hex::encode(x509.sha256_fingerprint()),
        };
        let events = vec![Event::new(now, event)];
        let (process, events) = Process::done(opening, domain_name.clone(), events, now);
        let subscription = Subscription {
            id: 0,
            customer: customer.to_owned(),
            product: PRODUCT.to_owned(),
            start: x509.not_before(),
            end: x509.not_after(),
            months: 0,
            allowance: Allowance::default(),
        };
        let mut change = Change::new(process, events);
        change.claim = caller.claim;
        change.issuance = Some(Box::new(Issuance {
            certificate: entity(&import, &x509, csr.as_ref(), domain_name, names),
            subscription: Some(subscription),
            allowance: None,
            replaces: None,
            chain: None,
            is_late: false,
        }));
        Ok(self.store.open(change).await?)
    }
}

/// Both parts parsed; everything that is wrong with them at once. A CSR that nobody can read is refused as in an order,
/// unless there is more to say.
fn read(
    import: &ImportCertificate,
    csr: Option<Result<Csr, CsrError>>,
) -> Result<(X509, Option<Csr>), Error> {
    let mut violations = Vec::new();
    let x509 = X509::from_pem_or_der(&import.certificate)
        .map_err(|error| violations.push(Violation::new("certificate", error.to_string(), None)))
        .ok();
    if x509.as_ref().is_some_and(X509::is_ca) {
        violations.push(Violation::new(
            "certificate",
            "this is a CA certificate: only certificates of servers can be imported",
            None,
        ));
    }
    let csr = match csr.transpose() {
        Ok(csr) => csr,
        Err(error) if violations.is_empty() => return Err(unreadable(&error)),
        Err(error) => {
            violations.push(Violation::new("csr", error.to_string(), None));
            None
        }
    };
    if let (Some(x509), Some(csr)) = (&x509, &csr)
        && csr.public_key().spki_der() != x509.public_key().spki_der()
    {
        violations.push(Violation::new(
            "csr",
            "the CSR is for another key than the certificate",
            None,
        ));
    }
    match x509 {
        Some(x509) if violations.is_empty() => Ok((x509, csr)),
        _ => Err(Error::constraint(violations)),
    }
}

/// Common name and all names: `domainName` takes the common name's place, which then stays as a name.
fn names_of(x509: &X509, domain_name: Option<&str>) -> (Option<String>, Vec<String>) {
    let own = x509
        .common_name()
        .filter(|name| serde_json::from_value::<DnsName>((*name).into()).is_ok())
        .map(str::to_owned);
    let mut names: Vec<String> = Vec::new();
    let dns_names = x509.dns_names();
    for name in domain_name
        .map(str::to_owned)
        .into_iter()
        .chain(own)
        .chain(dns_names.iter().map(ToString::to_string))
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    (names.first().cloned(), names)
}

fn entity(
    import: &ImportCertificate,
    x509: &X509,
    csr: Option<&Csr>,
    domain_name: String,
    names: Vec<String>,
) -> Certificate {
    let certificate_type = match (names.len(), domain_name.starts_with("*.")) {
        (_, true) => CertificateType::Wildcard,
        (0 | 1, false) => CertificateType::SingleDomain,
        _ => CertificateType::MultiDomain,
    };
    Certificate {
        id: 0,
        customer: import.customer.clone(),
        process: 0,
        subscription: 0,
        product: PRODUCT.to_owned(),
        validation: x509.validation_type(),
        certificate_type,
        stored_status: CertificateStatus::Active,
        domain_name,
        names,
        organization: organization_of(x509),
        coc: import.coc.clone(),
        issuer: ISSUER.to_owned(),
        serial: x509.serial_bytes().to_vec(),
        not_before: x509.not_before(),
        not_after: x509.not_after(),
        subscription_end: x509.not_after(),
        key_algorithm: x509.public_key().algorithm().name().to_owned(),
        key_size: x509.public_key().size_bits(),
        spki_sha256: x509.public_key().spki_sha256(),
        fingerprint: x509.sha256_fingerprint(),
        der: x509.der().to_vec(),
        csr: csr.map(|csr| csr.der().to_vec()),
        predecessor: None,
        successor: None,
        revocation: None,
        revocation_scheduled: None,
        mpic: None,
    }
}

fn organization_of(x509: &X509) -> Option<OrganizationSubject> {
    let own = |value: Option<&str>| value.map(str::to_owned);
    Some(OrganizationSubject {
        organization: own(x509.organization())?,
        country: own(x509.country())?,
        state: own(x509.state()),
        locality: own(x509.locality()),
        postal_code: own(x509.postal_code()),
        street: own(x509.street()),
    })
}
