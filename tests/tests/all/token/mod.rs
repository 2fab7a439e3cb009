//! A CA whose keys are in a token: SoftHSM stands for one. It is asked for everything that a CA signs, taken away, brought
//! back, made to hang, and given keys that were made in files.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod issuing;
mod migration;
mod outage;
mod pin;
mod slot;

use crate::support::database;
use crate::support::dns_stub::DnsStub;
use crate::support::soft_hsm::SoftHsm;
use crate::world::house::House;

/// A house that finds a token in its environment.
struct Installation {
    hsm: SoftHsm,
    dns: DnsStub,
    house: House,
    database: String,
    further: &'static str,
}

impl Installation {
    /// Nothing is made yet. New keys are `key`: `software` or `pkcs11`; `further` are tables of the configuration.
    fn bare(key: &str, further: &'static str) -> Self {
        let (hsm, dns) = (SoftHsm::new(), DnsStub::start());
        let house = House::empty("", hsm.environment());
        let one = Self {
            hsm,
            dns,
            house,
            database: database::fresh(),
            further,
        };
        one.configure(key);
        one
    }

    /// The same, initialized.
    fn new(key: &str, further: &'static str) -> Self {
        let mut one = Self::bare(key, further);
        one.house.settle();
        one
    }

    fn configure(&self, key: &str) {
        self.configure_with(&self.hsm.table(key));
    }

    /// With another table `ca`.
    fn configure_with(&self, ca: &str) {
        // Certificates point to an address that stays the same, though the server's port does not.
        self.house.configure(&format!(
            "[server]\npublic_url = \"http://ca.reseal.dev\"\n[dcv]\nresolvers = [\"{}\"]\ndnssec = \"off\"\n\
             allow_networks = [\"127.0.0.0/8\"]\n[limits]\nenabled = false\n{}{}{}",
            self.dns.address,
            ca,
            self.further,
            self.database,
        ));
    }
}
