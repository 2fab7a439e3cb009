//! What the customer is told to publish for an upstream (rules.md D-36). Pure.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reseal_pki::method::Method;
use reseal_pki::name::DnsName;
use reseal_validation::challenge::{ACME_DIRECTORY, Challenge};

use crate::event::{Event, EventKind};
use crate::process::{NameProof, ProofState, Way, Work};
use crate::product::DcvType;
use crate::upstream::Validated;

/// Gives every open proof the challenge of its method, as far as the upstream is known to offer it. Each name is proved
/// by itself.
pub(in crate::issuance) fn fill(work: &mut Work) {
    for proof in work.proofs.iter_mut().filter(|proof| !proof.is_proved()) {
        proof.name.fqdn().clone_into(&mut proof.adn);
        let order = work.upstream.as_ref();
        let asked = order.and_then(|order| order.authorization(&proof.name));
        let way = asked.and_then(|asked| asked.way(proof.method));
        proof.challenge = way.map(|way| challenge(&proof.name, way));
    }
}

fn challenge(name: &DnsName, way: &Way) -> Challenge {
    match way.offer.method {
        DcvType::Dns | DcvType::Email => {
            let hash = digest(&SHA256, way.key_authorization.as_bytes());
            Challenge::Txt {
                record: format!("_acme-challenge.{}.", name.fqdn()),
                contents: URL_SAFE_NO_PAD.encode(hash),
            }
        }
        DcvType::File => Challenge::File {
            host: name.fqdn().to_owned(),
            path: format!("{ACME_DIRECTORY}{}", way.offer.token),
            contents: way.key_authorization.clone(),
        },
    }
}

/// Marks a name that the upstream has accepted: now, or before (`reused`).
pub(super) fn accepted(
    proof: &mut NameProof,
    validated: Option<Validated>,
    reused: bool,
    now: Timestamp,
) -> Event {
    // As the upstream has it: what was proved there before may have been proved otherwise.
    let (by, at) = validated.map_or((proof.method, None), |validated| {
        (validated.method, validated.at)
    });
    let (method, adn) = (method(by), proof.name.fqdn().to_owned());
    proof.state = ProofState::Proved {
        method,
        adn: adn.clone(),
        obtained: at.map_or(now, |at| at.min(now)),
        reused,
        witnesses: Vec::new(),
    };
    let name = proof.name.as_str().to_owned();
    Event::new(now, EventKind::Proved { name, adn, method })
}

/// The BR method by which the upstream validates (D-1).
fn method(dcv: DcvType) -> Method {
    match dcv {
        DcvType::File => Method::AcmeHttp,
        DcvType::Dns | DcvType::Email => Method::DnsChange,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::sample;
    use crate::process::{UpstreamAuthorization, UpstreamOrder};
    use crate::upstream::Offer;

    fn way(method: DcvType) -> Way {
        Way {
            offer: Offer {
                method,
                url: "https://ca.example/challenge/1".to_owned(),
                token: "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA".to_owned(),
            },
            key_authorization:
                "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA.nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"
                    .to_owned(),
        }
    }

    fn work(method: DcvType, ways: Vec<Way>) -> Work {
        let mut work = sample::work(false);
        work.proofs[0].method = method;
        work.upstream = Some(UpstreamOrder {
            authorizations: vec![UpstreamAuthorization {
                name: work.order.common_name.clone(),
                url: "https://ca.example/authorization/1".to_owned(),
                ways,
                told: None,
                times: 0,
            }],
            ..sample::order()
        });
        fill(&mut work);
        work
    }

    #[test]
    fn d_36_a_dns_challenge_is_the_hash_of_the_key_authorization() {
        let work = work(DcvType::Dns, vec![way(DcvType::File), way(DcvType::Dns)]);
        let Some(Challenge::Txt { record, contents }) = &work.proofs[0].challenge else {
            panic!("{:?}", work.proofs[0].challenge)
        };
        assert_eq!(record, "_acme-challenge.reseal.net.");
        // As `openssl dgst -sha256` has it.
        assert_eq!(contents, "NGwKoXBgCT8JhEa0bK7AwfSqHyu_ZWeugV07fLGIVq0");
    }

    #[test]
    fn d_36_a_file_challenge_lies_under_its_token() {
        let work = work(DcvType::File, vec![way(DcvType::File)]);
        let Some(Challenge::File {
            host,
            path,
            contents,
        }) = &work.proofs[0].challenge
        else {
            panic!("{:?}", work.proofs[0].challenge)
        };
        assert_eq!(host, "reseal.net");
        assert_eq!(
            path,
            "/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
        );
        assert!(contents.ends_with(".nP1qzpXGymHBrUEepNY9HCsQk7K8KhOypzEt62jcerQ"));
    }

    #[test]
    fn what_the_upstream_does_not_offer_is_not_shown() {
        assert_eq!(
            work(DcvType::File, vec![way(DcvType::Dns)]).proofs[0].challenge,
            None
        );
    }
}
