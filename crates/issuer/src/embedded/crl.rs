//! Revocation lists: one for each share of the intermediate's certificates, one for the root.
//!
//! The root's key is opened for its list alone, and closed again.

use jiff::{SignedDuration, Timestamp};
use reseal_lifecycle::crl::{Coverage, CrlOrder, CrlScope};
use reseal_lifecycle::issuer::IssuerError;
use reseal_pki::crl::{CrlContent, CrlLimits, LintedCrl, crl_tbs, lint_crl};
use reseal_pki::profile::IssuingAuthority;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::CrlDistributionPoints;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};

use super::authority::OpenError;
use super::issuer::{CRL_SHARDS, EmbeddedIssuer, refused};

/// Name of the root's list.
const ROOT: &str = "root";

impl EmbeddedIssuer {
    /// Every list: the shares of the intermediate by number, then the root's.
    pub(super) fn scopes(&self) -> Vec<CrlScope> {
        let shards = (0..CRL_SHARDS).map(|shard| CrlScope {
            name: format!("{}/{shard}", self.id()),
            address: self.shard_url(shard),
            coverage: Coverage::Subscribers,
            endings: (0..=u8::MAX)
                .filter(|ending| ending % CRL_SHARDS == shard)
                .collect(),
            in_use: self.is_current(),
            until: self.issuing().not_after(),
        });
        // All intermediates have one root, and one of them sees to its list.
        let root = self.root_crl_url().filter(|_| self.is_current());
        let root = root.map(|address| CrlScope {
            name: ROOT.to_owned(),
            address,
            coverage: Coverage::Authorities,
            endings: Vec::new(),
            in_use: true,
            until: self.root().not_after(),
        });
        shards.chain(root).collect()
    }

    /// Where the intermediate's certificate says that the root's list is.
    fn root_crl_url(&self) -> Option<String> {
        let certificate =
            x509_cert::Certificate::from_der(self.issuing().certificate_der()).ok()?;
        let points = certificate.tbs_certificate().get_extension().ok()??;
        let (_, CrlDistributionPoints(points)) = points;
        points.into_iter().find_map(|point| {
            let Some(DistributionPointName::FullName(names)) = point.distribution_point else {
                return None;
            };
            names.into_iter().find_map(|name| match name {
                GeneralName::UniformResourceIdentifier(url) => Some(url.as_str().to_owned()),
                _ => None,
            })
        })
    }

    pub(super) async fn signed_crl(&self, order: CrlOrder) -> Result<Vec<u8>, IssuerError> {
        if order.name == ROOT {
            return self.signed_root_crl(order).await;
        }
        let shard = order
            .name
            .strip_prefix(self.id())
            .and_then(|rest| rest.strip_prefix('/')?.parse::<u8>().ok())
            .filter(|shard| *shard < CRL_SHARDS)
            .ok_or_else(|| unknown(&order.name))?;
        // A list that misses an entry, or has another's, misleads: what was handed in is held against the name.
        let strays = |serial: &[u8]| serial.last().is_none_or(|last| last % CRL_SHARDS != shard);
        if let Some(stray) = order.entries.iter().find(|entry| strays(&entry.serial)) {
            return Err(IssuerError::Lint(format!(
                "X-8: `{}` does not belong on the list `{}`",
                hex::encode(&stray.serial),
                order.name
            )));
        }
        let linted = linted(self.issuing(), &order, Coverage::Subscribers)?;
        let signature = self.key()?.sign(linted.tbs()).await;
        Ok(linted.finish(&signature.map_err(unavailable)?))
    }

    async fn signed_root_crl(&self, mut order: CrlOrder) -> Result<Vec<u8>, IssuerError> {
        // It is for everything that the root issued, so that it names no part.
        order.addresses.clear();
        let linted = linted(self.root(), &order, Coverage::Authorities)?;
        let opener = self.root_key().clone();
        // Opening a key takes a while on purpose.
        let key = tokio::task::spawn_blocking(move || opener.open())
            .await
            .map_err(unavailable)?
            .map_err(|error: OpenError| {
                IssuerError::Refused(format!(
                    "the root's key is needed for its list and does not open: {error}; bring it back and run \
                     `reseal ca crl root --sign`"
                ))
            })?;
        let signature = key.sign(linted.tbs()).await.map_err(unavailable)?;
        Ok(linted.finish(&signature))
    }
}

fn linted(
    issuer: &IssuingAuthority,
    order: &CrlOrder,
    coverage: Coverage,
) -> Result<LintedCrl, IssuerError> {
    let content = CrlContent {
        number: order.number,
        this_update: order.this_update,
        next_update: order.next_update,
        addresses: &order.addresses,
        entries: &order.entries,
    };
    let tbs = crl_tbs(issuer, &content).map_err(|error| IssuerError::Lint(error.to_string()))?;
    let limits = CrlLimits {
        issuer,
        previous: order.previous,
        signing_time: signing_time(order),
        longest: coverage.longest(),
        addresses: &order.addresses,
    };
    lint_crl(tbs, &limits).map_err(|findings| refused(&findings))
}

/// thisUpdate is the beginning of the second of signing.
fn signing_time(order: &CrlOrder) -> Timestamp {
    order
        .this_update
        .saturating_add(SignedDuration::from_millis(999))
        .unwrap_or(order.this_update)
}

fn unknown(name: &str) -> IssuerError {
    let shown: String = name.chars().take(100).collect();
    IssuerError::Refused(format!("there is no list `{shown}`"))
}

fn unavailable(error: impl std::fmt::Display) -> IssuerError {
    IssuerError::Unavailable(error.to_string())
}
