//! The CSR of a request: examined by itself (rules.md section 2), then against what is known of its key.

use reseal_pki::csr::{Csr, CsrError, CsrPolicy};
use reseal_pki::key::KeyPolicy;
use reseal_pki::name::DnsName;

use crate::compromise::KeyBlock;
use crate::customer::Caller;
use crate::error::{Error, Kind, Violation};
use crate::services::Services;

impl Services {
    /// Reads a CSR; the inner error is what is wrong with the text. Private keys that stand in it have left
    /// their owner's hands: they are never certified again, for anybody (C-2, BR 6.1.1.3).
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the store cannot take the key in.
    pub async fn read_csr(
        &self,
        caller: &Caller,
        text: &str,
    ) -> Result<Result<Csr, CsrError>, Error> {
        let outcome = Csr::parse(text);
        if let Err(CsrError::PrivateKey { spki_sha256 }) = &outcome
            && !spki_sha256.is_empty()
        {
            let why = "its private half was sent to this server";
            let (now, delay) = (self.clock.now(), self.settings.revoke_compromised_after);
            let block = KeyBlock::certain(spki_sha256.clone(), why, &caller.user, now, delay);
            self.store.block_keys(block).await?;
        }
        Ok(outcome)
    }
}

/// Parses and checks the CSR; everything that is wrong with it is reported at once.
pub(crate) async fn examine(
    services: &Services,
    caller: &Caller,
    text: &str,
) -> Result<Csr, Error> {
    let csr = services.read_csr(caller, text).await?;
    let csr = csr.map_err(|error| unreadable(&error))?;
    match problems(services, &csr) {
        None => Ok(csr),
        Some(error) => Err(error),
    }
}

/// The refusal of a CSR that cannot be read.
pub(crate) fn unreadable(error: &CsrError) -> Error {
    refused([(error.rule(), error.to_string())])
}

/// What is wrong with a CSR that could be read, under today's rules.
pub(crate) fn problems(services: &Services, csr: &Csr) -> Option<Error> {
    let policy = CsrPolicy {
        keys: KeyPolicy::default(),
        names: &services.settings.names,
        allow_ip: false,
    };
    let found = csr.check(&policy);
    if found.is_empty() {
        return None;
    }
    Some(refused(
        found.iter().map(|error| (error.rule(), error.to_string())),
    ))
}

/// What forbids by today's rules to certify `names` for the key of `csr`. Both were accepted once; since then the program
/// may have learnt of weak keys and public suffixes, and the operator have given up internal names (C-24).
pub(super) fn outlawed(services: &Services, csr: &Csr, names: &[DnsName]) -> Option<Error> {
    let policy = &services.settings.names;
    problems(services, csr).or_else(|| {
        let mut parsed = names
            .iter()
            .map(|name| DnsName::parse(name.as_str(), policy));
        let error = parsed.find_map(Result::err)?;
        let message = format!(
            "A name cannot be certified any more: {error} [{}]",
            error.rule()
        );
        Some(Error::new(Kind::Rule, message))
    })
}

/// Refuses keys that are ours, blocked, or certified for another customer (C-21 to C-23). Asked when a
/// request comes in and again before its certificate is signed (C-24).
pub(crate) async fn check_key(
    services: &Services,
    customer: &str,
    spki_sha256: &[u8; 32],
) -> Result<(), Error> {
    if services.own_keys.contains(spki_sha256) {
        return Err(refused([(
            "C-22",
            "the key belongs to this certification authority: make a key of your own".to_owned(),
        )]));
    }
    let history = services.store.key_history(customer, spki_sha256).await?;
    if history.blocked {
        return Err(key_blocked());
    }
    if history.used_by_another_customer {
        return Err(key_taken());
    }
    Ok(())
}

/// The refusal of a key that is on the list, of everybody's or of the customer's (C-21).
pub(crate) fn key_blocked() -> Error {
    let why = "the key is on the list of blocked keys and will never be certified: make a new key";
    refused([("C-21", why.to_owned())])
}

/// The refusal of a key that is another customer's (C-23).
pub(crate) fn key_taken() -> Error {
    let why = "the key is already certified for somebody else: make a new key";
    refused([("C-23", why.to_owned())])
}

fn refused(problems: impl IntoIterator<Item = (&'static str, String)>) -> Error {
    let violations: Vec<Violation> = problems
        .into_iter()
        .map(|(rule, text)| Violation::new("csr", format!("{text} [{rule}]"), None))
        .collect();
    let texts: Vec<&str> = violations.iter().map(|v| v.message.as_str()).collect();
    Error {
        kind: Kind::InvalidCsr,
        message: format!("The CSR cannot be used: {}", texts.join("; ")),
        violations,
        ..Error::new(Kind::InvalidCsr, "")
    }
}
