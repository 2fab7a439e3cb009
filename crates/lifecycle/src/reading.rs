//! Who is calling, and what they may see.

use reseal_pki::name::DnsName;

use crate::audit::SERVER;
use crate::certificate::{Certificate, CertificateId};
use crate::customer::{Caller, Customer, Role, check_handle, hash_key, mint_key};
use crate::error::{Error, Kind, Violation};
use crate::event::Event;
use crate::process::{Process, ProcessId};
use crate::query::{CertificateQuery, Page, ProcessQuery};
use crate::services::Services;

impl Services {
    /// The caller behind an API key.
    ///
    /// # Errors
    /// [`Kind::Unauthenticated`] for a key that is unknown, revoked or not a key at all.
    pub async fn authenticate(&self, key: &str) -> Result<Caller, Error> {
        let refused = || Error::new(Kind::Unauthenticated, "Authentication failed");
        let secret_hash = hash_key(key).ok_or_else(refused)?;
        let key = self
            .store
            .api_key(&secret_hash)
            .await?
            .filter(|key| key.revoked.is_none())
            .ok_or_else(refused)?;
        Ok(Caller {
            user: format!("{}/{}", key.customer, key.login),
            customer: key.customer,
            role: key.role,
            key: key.id,
            claim: None,
            ticket: None,
        })
    }

    /// The same caller, seeing nothing but `customer`'s objects.
    ///
    /// # Errors
    /// [`Kind::NotFound`], the same for a customer that never was and one that the caller may not see.
    pub async fn narrowed(&self, caller: &Caller, customer: &str) -> Result<Caller, Error> {
        let is_there = caller.customer == customer
            || caller.scope().admits(customer) && self.store.customer_exists(customer).await?;
        if !is_there {
            return Err(Error::not_found("Customer"));
        }
        Ok(Caller {
            customer: customer.to_owned(),
            user: caller.user.clone(),
            role: Role::Customer,
            key: caller.key,
            claim: caller.claim,
            ticket: caller.ticket,
        })
    }

    /// Adds a customer.
    ///
    /// # Errors
    /// [`Kind::Constraint`] for a bad handle, [`Kind::Exists`].
    pub async fn create_customer(&self, handle: &str) -> Result<(), Error> {
        check_handle(handle)?;
        let customer = Customer {
            handle: handle.to_owned(),
            created: self.clock.now(),
        };
        Ok(self.store.create_customer(customer, SERVER).await?)
    }

    /// Makes an API key; the answer is its text, which exists nowhere else.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the customer.
    pub async fn create_api_key(
        &self,
        customer: &str,
        login: &str,
        role: Role,
    ) -> Result<String, Error> {
        if !self.store.customer_exists(customer).await? {
            return Err(Error::not_found(&format!("Customer {customer}")));
        }
        let key = mint_key(customer, login)?;
        let now = self.clock.now();
        self.store
            .add_api_key(customer, login, role, key.secret_hash, now, SERVER)
            .await?;
        Ok(key.text)
    }

    /// A certificate of the caller's.
    ///
    /// # Errors
    /// [`Kind::NotFound`], the same for what never was and what is somebody else's.
    pub async fn certificate(
        &self,
        caller: &Caller,
        id: CertificateId,
    ) -> Result<Certificate, Error> {
        self.store
            .certificate(&caller.scope(), id)
            .await?
            .ok_or_else(|| Error::not_found("Certificate"))
    }

    /// The caller's certificates that match.
    pub async fn certificates(
        &self,
        caller: &Caller,
        query: &CertificateQuery,
    ) -> Result<Page<Certificate>, Error> {
        let now = self.clock.now();
        Ok(self.store.certificates(&caller.scope(), query, now).await?)
    }

    /// A process of the caller's.
    ///
    /// # Errors
    /// [`Kind::NotFound`], as for certificates.
    pub async fn process(&self, caller: &Caller, id: ProcessId) -> Result<Process, Error> {
        self.store
            .process(&caller.scope(), id)
            .await?
            .ok_or_else(|| Error::not_found("Process"))
    }

    /// The caller's processes that match.
    pub async fn processes(
        &self,
        caller: &Caller,
        query: &ProcessQuery,
    ) -> Result<Page<Process>, Error> {
        Ok(self.store.processes(&caller.scope(), query).await?)
    }

    /// Everything that happened to a process of the caller's, oldest first.
    pub async fn timeline(&self, caller: &Caller, id: ProcessId) -> Result<Vec<Event>, Error> {
        self.process(caller, id).await?;
        Ok(self.store.timeline(id).await?)
    }

    /// The addresses that may approve a certificate for `domain` (D-14, D-20): constructed ones, then those that the DNS
    /// names.
    ///
    /// # Errors
    /// [`Kind::NotFound`] for the product, [`Kind::Constraint`] for the name, [`Kind::RateLimited`].
    pub async fn approver_addresses(
        &self,
        caller: &Caller,
        domain: &str,
        product: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        if let Some(product) = product
            && self.catalogue.get(product).is_none()
        {
            return Err(Error::new(
                Kind::NotFound,
                format!("Product {product} does not exist"),
            ));
        }
        let policy = &self.settings.names;
        let name = DnsName::parse(domain, policy).map_err(|error| {
            Error::constraint(vec![Violation::new(
                "domainName",
                format!("{error} [{}]", error.rule()),
                Some(domain),
            )])
        })?;
        self.approvers(&caller.customer, &name).await
    }
}
