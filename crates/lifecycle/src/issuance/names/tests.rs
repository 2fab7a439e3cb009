use reseal_pki::csr::Csr;
use reseal_pki::name::NamePolicy;

use super::*;
use crate::product::{Catalogue, DEFAULT_CATALOGUE};

fn csr(common_name: &str, names: &[&str]) -> Csr {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = rcgen::CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if !common_name.is_empty() {
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, common_name);
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let request = params.serialize_request(&key).unwrap();
    Csr::parse(&request.pem().unwrap()).unwrap()
}

/// Resolves and returns either the names or the violated fields.
fn resolve_with(
    product: &str,
    csr: &Csr,
    domain_name: Option<&str>,
    san: Option<&[&str]>,
    previous: Option<(&str, &[&str])>,
) -> Result<Vec<String>, Vec<String>> {
    let catalogue = Catalogue::from_toml(DEFAULT_CATALOGUE).unwrap();
    let request = CertificateRequest {
        domain_name: domain_name.map(str::to_owned),
        san: san.map(|san| san.iter().map(ToString::to_string).collect()),
        ..CertificateRequest::default()
    };
    let policy = NamePolicy::default();
    let old: Option<(&str, Vec<String>)> =
        previous.map(|(name, all)| (name, all.iter().map(ToString::to_string).collect()));
    resolve(&Sources {
        request: &request,
        csr,
        product: catalogue.get(product).unwrap(),
        policy: &policy,
        previous: old.as_ref().map(|(name, all)| (*name, all.as_slice())),
    })
    .map(|set| {
        set.names
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect()
    })
    .map_err(|violations| {
        violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    })
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn n_25_single_domain_gains_its_counterpart_unless_san_is_empty() {
    let bare = csr("reseal.net", &[]);
    let got = |san| resolve_with("ssl_dv", &bare, None, san, None);
    assert_eq!(got(None), Ok(strings(&["reseal.net", "www.reseal.net"])));
    assert_eq!(got(Some(&[])), Ok(strings(&["reseal.net"])));
    let www = csr("www.reseal.net", &[]);
    assert_eq!(
        resolve_with("ssl_dv", &www, None, None, None),
        Ok(strings(&["www.reseal.net", "reseal.net"]))
    );
    let wildcard = csr("*.reseal.net", &[]);
    assert_eq!(
        resolve_with("ssl_dv_wc", &wildcard, None, None, None),
        Ok(strings(&["*.reseal.net", "reseal.net"]))
    );
}

#[test]
fn nasty_083_a_name_added_on_a_single_domain_product_is_refused() {
    let csr = csr("reseal.net", &[]);
    assert_eq!(
        resolve_with(
            "ssl_dv",
            &csr,
            None,
            Some(&["reseal.net", "other.net"]),
            None
        ),
        Err(strings(&["san[1]"]))
    );
}

#[test]
fn nasty_086_wildcards_need_a_product_for_them() {
    let wildcard = csr("*.reseal.net", &[]);
    assert_eq!(
        resolve_with("ssl_dv", &wildcard, None, None, None),
        Err(strings(&["csr"]))
    );
    assert_eq!(
        resolve_with("ssl_ev_md", &wildcard, None, None, None),
        Err(strings(&["csr"]))
    );
    assert_eq!(
        resolve_with("ssl_dv_md", &wildcard, None, None, None),
        Ok(strings(&["*.reseal.net"]))
    );
}

#[test]
fn c_9_domain_name_and_san_replace_what_the_csr_says() {
    let csr = csr("one.net", &["two.net", "three.net"]);
    assert_eq!(
        resolve_with("ssl_dv_md", &csr, None, None, None),
        Ok(strings(&["one.net", "two.net", "three.net"]))
    );
    assert_eq!(
        resolve_with(
            "ssl_dv_md",
            &csr,
            Some("new.net"),
            Some(&["four.net", "four.net"]),
            None
        ),
        Ok(strings(&["new.net", "four.net"]))
    );
}

#[test]
fn a_multi_domain_reissue_never_drops_names_silently() {
    let csr = csr("one.net", &[]);
    assert_eq!(
        resolve_with(
            "ssl_dv_md",
            &csr,
            None,
            None,
            Some(("one.net", &["one.net", "two.net"]))
        ),
        Ok(strings(&["one.net", "two.net"]))
    );
}

#[test]
fn a_single_domain_reissue_moves_only_between_www_and_bare() {
    let (www, other) = (csr("www.one.net", &[]), csr("other.net", &[]));
    let previous = Some(("one.net", &["one.net"][..]));
    assert_eq!(
        resolve_with("ssl_dv", &www, None, None, previous),
        Ok(strings(&["www.one.net", "one.net"]))
    );
    assert_eq!(
        resolve_with("ssl_dv", &other, None, None, previous),
        Err(strings(&["csr"]))
    );
}

#[test]
fn n_17_more_names_than_the_product_takes_are_counted() {
    let csr = csr("one.net", &[]);
    let many: Vec<String> = (0..250).map(|number| format!("n{number}.net")).collect();
    let listed: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(
        resolve_with("ssl_dv_md", &csr, None, Some(&listed), None),
        Err(strings(&["san"]))
    );
    assert!(resolve_with("ssl_dv_md", &csr, None, Some(&listed[..249]), None).is_ok());
}

#[test]
fn n_17_a_huge_list_is_refused_at_once() {
    let csr = csr("reseal.dev", &[]);
    for prefix in ["", "*."] {
        let names: Vec<String> = (0..60_000)
            .map(|index| format!("{prefix}n{index}.reseal.dev"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let begun = std::time::Instant::now();
        let refused = resolve_with("ssl_dv_md", &csr, None, Some(&names), None).unwrap_err();
        assert_eq!(refused.len(), 2);
        assert_eq!(refused, ["san", "san"]);
        // Comparing each with each takes twice as long at least.
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }
}
