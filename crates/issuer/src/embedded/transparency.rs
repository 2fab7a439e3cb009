//! Signing what logs see, and what carries their promises (P-8, P-10).
//!
//! Both are derived from the certificate that was recorded and linted, are linted again in their own form, and are
//! compared with it, or with each other, by reading them anew: nothing that differs is signed.

use jiff::Timestamp;
use reseal_lifecycle::issuer::{IssuerError, Prepared};
use reseal_pki::{
    certificate::{assemble, verify_signed},
    lint::{lint_logged, lint_precertificate},
    transparency::{Sct, correspond, entry_tbs, logged_tbs, precertificate_tbs},
};

use super::issuer::{EmbeddedIssuer, refused};

impl EmbeddedIssuer {
    /// The precertificate of `prepared`, DER.
    pub(super) async fn precertified(&self, prepared: &Prepared) -> Result<Vec<u8>, IssuerError> {
        let recorded = prepared.linted.tbs();
        let tbs = precertificate_tbs(recorded).map_err(different)?;
        let context = self.context(prepared.validation, prepared.signing_time);
        let linted = lint_precertificate(tbs, &context).map_err(|findings| refused(&findings))?;
        let entry = entry_tbs(&assemble(linted.tbs(), linted.algorithm(), &[]));
        if entry.map_err(different)? != recorded {
            return Err(different("the precertificate is not what was recorded"));
        }
        self.signed(linted).await
    }

    /// The certificate of `prepared` with `scts`, DER, once it is proved to be `precertificate` without its poison.
    pub(super) async fn logged(
        &self,
        prepared: &Prepared,
        precertificate: &[u8],
        scts: &[Sct],
        now: Timestamp,
    ) -> Result<Vec<u8>, IssuerError> {
        verify_signed(precertificate, self.issuing().public_key())
            .map_err(|error| different(format!("the precertificate: {error}")))?;
        let tbs = logged_tbs(prepared.linted.tbs(), scts).map_err(different)?;
        let context = self.context(prepared.validation, now);
        let linted = lint_logged(tbs, &context).map_err(|findings| refused(&findings))?;
        let unsigned = assemble(linted.tbs(), linted.algorithm(), &[]);
        correspond(precertificate, &unsigned).map_err(different)?;
        let der = self.signed(linted).await?;
        correspond(precertificate, &der).map_err(different)?;
        Ok(der)
    }
}

fn different(error: impl std::fmt::Display) -> IssuerError {
    IssuerError::Lint(format!("P-10: {error}"))
}
