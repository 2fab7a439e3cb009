//! Request Tokens without a timestamp: whoever has the CSR can compute them, so each is good for one request and never
//! again (BR 1.6.1, D-5, D-8). The store keeps those that were given out, and refuses a second one in its commit.

use aws_lc_rs::digest;
use reseal_validation::ChallengeScheme;

use super::draft::Draft;
use crate::error::{Error, Violation};
use crate::process::{NameProof, Work};
use crate::services::Services;

/// What a token of `csr` and `unique_value` is known by: the same for all that the DNS, which knows no case, would take
/// for the same.
fn fingerprint(csr: &[u8], unique_value: Option<&str>) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(digest::digest(&digest::SHA256, csr).as_ref());
    context.update(
        unique_value
            .unwrap_or_default()
            .to_ascii_lowercase()
            .as_bytes(),
    );
    let mut fingerprint = [0; 32];
    fingerprint.copy_from_slice(context.finish().as_ref());
    fingerprint
}

fn asks_for_one(scheme: ChallengeScheme, proofs: &[NameProof]) -> bool {
    let waits = |proof: &NameProof| !proof.is_proved() && proof.challenge.is_some();
    scheme.is_single_use() && proofs.iter().any(waits)
}

/// The token that customers are asked to publish for `work`, if its challenges are made so.
pub(super) fn given_out(work: &Work) -> Option<[u8; 32]> {
    asks_for_one(work.scheme, &work.proofs)
        .then(|| fingerprint(&work.order.csr, work.unique_value.as_deref()))
}

/// What a token has proved, it must not prove again: from now on challenges hold a Random Value.
pub(super) fn retire(work: &mut Work) {
    if work.scheme.is_single_use() {
        work.scheme = ChallengeScheme::Default;
        for proof in work.proofs.iter_mut().filter(|proof| !proof.is_proved()) {
            proof.challenge = None;
            proof.last_look = None;
        }
    }
}

/// The refusal of a token that was given out before.
pub(crate) fn used_before(unique_value: Option<&str>) -> Error {
    let message = "a challenge made of this CSR and `uniqueValue` was used before, and serves once: give another \
                   `uniqueValue`, or a new CSR [D-8]";
    Error::constraint(vec![Violation::new("uniqueValue", message, unique_value)])
}

impl Services {
    /// Refuses a request whose token was given out before; the commit that would give it out does so again.
    pub(super) async fn check_token(
        &self,
        draft: &Draft<'_>,
        proofs: &[NameProof],
    ) -> Result<(), Error> {
        let unique_value = draft.request.unique_value.as_deref();
        if asks_for_one(draft.product.challenge, proofs)
            && self
                .store
                .request_token_exists(&fingerprint(draft.csr.der(), unique_value))
                .await?
        {
            return Err(used_before(unique_value));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::sample;

    #[test]
    fn d_5_d_8_a_token_is_known_by_csr_and_salt_whatever_the_case() {
        let one = fingerprint(b"csr", Some("Salt"));
        assert_eq!(one, fingerprint(b"csr", Some("sALT")));
        for (csr, salt) in [
            (&b"csr"[..], None),
            (b"csr", Some("Salt2")),
            (b"csR", Some("Salt")),
        ] {
            assert_ne!(one, fingerprint(csr, salt));
        }
        assert_eq!(fingerprint(b"csr", None), fingerprint(b"csr", Some("")));
    }

    #[test]
    fn d_5_a_token_that_has_served_gives_way_to_a_random_value() {
        let mut work = sample::work(false);
        work.scheme = ChallengeScheme::SectigoLike;
        assert_eq!(given_out(&work), None, "nothing is to be published yet");
        work.proofs[0].challenge = Some(reseal_validation::Challenge::Dns {
            record: "_a.reseal.net.".to_owned(),
            contents: "b.c.dcv.invalid.".to_owned(),
        });
        assert!(given_out(&work).is_some());
        retire(&mut work);
        assert_eq!(work.proofs[0].challenge, None);
        assert_eq!(given_out(&work), None);
        assert_eq!(work.scheme, ChallengeScheme::Default);
    }
}
