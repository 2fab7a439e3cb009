//! Whether a certificate could be issued again without anybody proving anything.

use jiff::Timestamp;
use reseal_pki::name::DnsName;

use super::plan;
use crate::authorization;
use crate::certificate::Certificate;
use crate::error::Error;
use crate::services::Services;

impl Services {
    /// Whether live proofs cover every name of `certificate` at `now`, as they would for a reissue.
    ///
    /// # Errors
    /// The store cannot answer.
    pub(crate) async fn has_proofs_at_hand(
        &self,
        certificate: &Certificate,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let product = self.catalogue.get(&certificate.product);
        // Whose challenges are good for one request shows them with each.
        if product.is_none_or(|product| product.challenge.is_single_use()) {
            return Ok(false);
        }
        let policy = &self.settings.names;
        let names = certificate
            .names
            .iter()
            .map(|name| DnsName::parse_folded(name, policy));
        let Ok(names) = names.collect::<Result<Vec<_>, _>>() else {
            return Ok(false);
        };
        let adns = plan::candidate_domain_names(&names, policy);
        let mut known = self
            .store
            .authorizations(&certificate.customer, &adns)
            .await?;
        known.retain(|one| {
            self.settings
                .is_corroborated(one.method, &one.witnesses, one.obtained)
        });
        Ok(names
            .iter()
            .all(|name| authorization::find(&known, name, now, policy).is_some()))
    }
}
