//! What a name has to show, and where: the place of each proof, and the challenge that it is given there.
//! Pure.

use jiff::Timestamp;
use reseal_pki::csr::Csr;
use reseal_pki::name::NamePolicy;
use reseal_validation::challenge::{Challenge, ChallengeScheme, TokenParts};

use super::plan::domain_of;
use crate::process::{NameProof, Work};
use crate::product::DcvType;

/// Parts of the challenges' contents.
pub(super) struct Tokens<'a> {
    pub(super) scheme: ChallengeScheme,
    pub(super) csr: &'a Csr,
    pub(super) unique_value: Option<&'a str>,
    pub(super) random: &'a str,
    pub(super) domain: &'a str,
}

/// Chooses the Authorization Domain Name of every open proof that has no challenge yet, so that one record or mail serves
/// as many names of the set as it may: DNS looks at the highest name of the set above this one, EMAIL at the
/// domain of the address, or where that is published (D-17), FILE at the name itself (D-21). A challenge keeps the name
/// that it was made for: met there, it says nothing about what is above (N-20).
pub(super) fn share_domain_names(proofs: &mut [NameProof], policy: &NamePolicy) {
    let by_dns: Vec<String> = proofs
        .iter()
        .filter(|proof| proof.method == DcvType::Dns && !proof.is_proved())
        .map(|proof| proof.name.fqdn().to_owned())
        .collect();
    let lacks_challenge = |proof: &&mut NameProof| !proof.is_proved() && proof.challenge.is_none();
    for proof in proofs.iter_mut().filter(lacks_challenge) {
        proof.adn = match proof.method {
            DcvType::File => proof.name.fqdn().to_owned(),
            DcvType::Email => match (&proof.contact, &proof.email) {
                (Some(contact), _) => contact.adn.clone(),
                (None, Some(email)) => domain_of(email).to_owned(),
                (None, None) => proof.name.fqdn().to_owned(),
            },
            DcvType::Dns => proof
                .name
                .authorization_domain_names(true, policy)
                .into_iter()
                .filter(|adn| by_dns.contains(adn))
                .min_by_key(String::len)
                .unwrap_or_else(|| proof.name.fqdn().to_owned()),
        };
    }
}

/// Gives every open DNS and FILE proof its challenge. One that has it keeps it; names that share a record
/// share its contents.
pub(super) fn fill_challenges(proofs: &mut [NameProof], tokens: &Tokens<'_>) {
    // Only a Request Token rests on its hash; a Random Value needs none.
    let hash = if tokens.scheme.is_single_use() {
        tokens.csr.token_hash_hex()
    } else {
        tokens.csr.sha256_hex()
    };
    let md5 = tokens.csr.md5_hex();
    let parts = TokenParts {
        scheme: tokens.scheme,
        md5_hex: &md5,
        hash_hex: &hash,
        unique_value: tokens.unique_value,
        random: tokens.random,
        domain: tokens.domain,
    };
    for index in 0..proofs.len() {
        let proof = &proofs[index];
        if proof.is_proved() || proof.challenge.is_some() {
            continue;
        }
        let open = proofs.iter().filter(|other| !other.is_proved());
        let mut alike = open.filter(|other| other.method == proof.method && other.adn == proof.adn);
        let shared = alike.find_map(|other| other.challenge.as_ref());
        let challenge = match (proof.method, shared) {
            (DcvType::Email, _) => None,
            (_, Some(same)) => Some(same.clone()),
            (DcvType::Dns, None) => Some(Challenge::dns(&parts, &proof.adn)),
            (DcvType::File, None) => Some(Challenge::file(&parts, proof.name.fqdn())),
        };
        proofs[index].challenge = challenge;
    }
}

/// Takes every challenge back, to be made anew with `random`.
pub(super) fn renew_challenges(work: &mut Work, random: String, now: Timestamp) {
    for proof in &mut work.proofs {
        proof.challenge = None;
        proof.last_look = None;
    }
    work.random = random;
    work.challenges_created = now;
}

#[cfg(test)]
mod tests {
    use reseal_pki::name::DnsName;

    use super::*;
    use crate::process::{ProofState, sample};

    fn proof(name: &str, method: DcvType) -> NameProof {
        let mut proof = sample::work(false).proofs.remove(0);
        proof.name = DnsName::parse(name, &NamePolicy::default()).unwrap();
        proof.method = method;
        proof
    }

    /// Places, and a challenge for each open DNS proof that has none, as long as each stands where its proof says.
    fn placed(proofs: &mut [NameProof]) -> Vec<&str> {
        share_domain_names(proofs, &NamePolicy::default());
        for proof in proofs.iter_mut() {
            if proof.method != DcvType::Dns || proof.is_proved() {
                continue;
            }
            let challenge = proof.challenge.get_or_insert_with(|| Challenge::Dns {
                record: format!("_x.{}.", proof.adn),
                contents: "contents.".to_owned(),
            });
            assert_eq!(challenge.authorization_domain_name(), proof.adn);
        }
        proofs.iter().map(|proof| &*proof.adn).collect()
    }

    #[test]
    fn n_20_names_share_the_highest_one_that_is_proved_in_the_same_way() {
        let mut proofs = [
            proof("a.reseal.net", DcvType::Dns),
            proof("*.reseal.net", DcvType::Dns),
            proof("b.reseal.net", DcvType::File),
            proof("reseal.dev", DcvType::File),
            proof("a.reseal.dev", DcvType::Dns),
        ];
        let expected = [
            "reseal.net",
            "reseal.net",
            "b.reseal.net",
            "reseal.dev",
            "a.reseal.dev",
        ];
        assert_eq!(placed(&mut proofs), expected);
    }

    #[test]
    fn n_20_n_24_a_challenge_stays_with_the_name_that_it_was_made_for() {
        let mut proofs = [
            proof("reseal.net", DcvType::File),
            proof("a.reseal.net", DcvType::Dns),
        ];
        let apart = ["reseal.net", "a.reseal.net"];
        assert_eq!(placed(&mut proofs), apart);
        // The customer changes the method of the one above; or what proved that is distrusted.
        proofs[0].method = DcvType::Dns;
        assert_eq!(placed(&mut proofs), apart);
        let mut proofs = [
            proof("reseal.net", DcvType::Dns),
            proof("a.reseal.net", DcvType::Dns),
        ];
        proofs[0].state = sample::work(true).proofs.remove(0).state;
        assert_eq!(placed(&mut proofs), apart);
        proofs[0].state = ProofState::Waiting;
        assert_eq!(placed(&mut proofs), apart);
    }
}
