//! Rules section 11, numbers 67 to 97: names and how they are proven.

use serde_json::{Value, json};

use super::Target;
use crate::support::csr::{common_name_only, csr};
use crate::support::http::Reply;
use crate::support::server::Server;

fn order(server: &Server, product: &str, more: &Value) -> Reply {
    let mut body =
        json!({"customer": "alice", "product": product, "period": 12, "csr": csr(&["reseal.dev"])});
    for (field, value) in more.as_object().into_iter().flatten() {
        body[field] = value.clone();
    }
    server.alice.post("/v2/ssl/certificates?quote=true", &body)
}

/// Each as an alternative name in JSON, and as the common name.
#[track_caller]
fn names_refused(names: &[&str]) {
    let target = Target::start();
    for name in names {
        let san = json!({"san": ["reseal.dev", name]});
        order(&target.server, "ssl_dv_md", &san).violates("san[1]");
        target.reissue(&san).violates("san[1]");
        target
            .reissue(&json!({"domainName": name}))
            .violates("domainName");
    }
    target.is_untouched();
}

#[test]
fn nasty_067_upper_case_is_refused_in_json_and_folded_in_a_csr() {
    names_refused(&["EXAMPLE.com"]);
    let server = Server::start();
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": common_name_only("RESEAL.dev")});
    let info = server.alice.post("/v2/ssl/certificates", &body).expect(202);
    assert_eq!(info["commonName"], "reseal.dev");
}

#[test]
fn nasty_068_dots_and_blanks_in_wrong_places_are_refused() {
    names_refused(&["example.com.", ".example.com", "a..b.com", "exam ple.com"]);
}

#[test]
fn nasty_069_names_beyond_ascii_are_refused() {
    names_refused(&["münchen.example", "еxample.com", "example。com"]);
}

#[test]
fn nasty_069_a_name_beyond_ascii_is_answered_with_its_a_label() {
    let target = Target::start();
    let answer = target
        .reissue(&json!({"san": ["münchen.dev"]}))
        .violates("san[0]");
    assert!(
        answer.to_string().contains("xn--mnchen-3ya.dev"),
        "{answer}"
    );
}

#[test]
fn nasty_070_071_broken_a_labels_and_reserved_hyphens_are_refused() {
    names_refused(&[
        "xn--.com",
        "xn--a.com",
        "xn--example-.com",
        "ab--cd.com",
        "xn--99999999999.com",
        // A letter and a combining mark, which NFC would put together.
        "xn--a-ccb.com",
    ]);
}

#[test]
fn nasty_072_073_underscores_hyphens_at_the_edge_and_lengths_are_refused() {
    let long_label = format!("{}.com", "a".repeat(64));
    let long_name = format!("{}com", "abcdefghi.".repeat(26));
    let many_labels = format!("{}com", "a.".repeat(10));
    names_refused(&[
        "_dmarc.example.com",
        "my_host.example.com",
        "-a.com",
        "a-.com",
        &long_label,
        &long_name,
        &many_labels,
    ]);
}

#[test]
fn nasty_074_076_public_suffixes_and_internal_names_are_refused() {
    names_refused(&[
        "*.com",
        "*.co.uk",
        "co.uk",
        "com",
        "localhost",
        "server.local",
        "x.internal",
        "printer.corp",
        "foo.onion",
    ]);
}

#[test]
fn nasty_075_other_wildcards_are_refused() {
    names_refused(&["*.*.example.com", "w*.example.com", "a.*.example.com", "*"]);
}

#[test]
fn nasty_077_078_addresses_and_reverse_names_are_refused() {
    names_refused(&[
        "1.2.0.192.in-addr.arpa",
        "192.0.2.1",
        "0300.0.2.1",
        "3221225985",
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
    ]);
}

#[test]
fn nasty_080_exceptions_of_the_public_suffix_list_count() {
    names_refused(&["*.ck", "foo.ck"]);
    let server = Server::start();
    order(&server, "ssl_dv_md", &json!({"san": ["www.ck"]})).expect(200);
}

#[test]
fn nasty_079_a_private_suffix_is_a_domain_like_others() {
    let server = Server::start();
    let wildcard = json!({"csr": csr(&["*.github.io"])});
    let mut file = wildcard.clone();
    file["dcv"] = json!([{"commonName": "*.github.io", "type": "FILE"}]);
    order(&server, "ssl_dv_wc", &file).violates("dcv[0].type");
    let body = json!({"customer": "alice", "product": "ssl_dv_wc", "period": 12, "csr": csr(&["*.github.io"])});
    let info = server.alice.post("/v2/ssl/certificates", &body).expect(202);
    let record = info["validations"]["dcv"][0]["dnsRecord"].as_str().unwrap();
    assert_eq!(record.split_once('.').unwrap().1, "github.io.", "{info}");
    // Pruning ends at the ICANN suffix and one label: here that is `github.io`, never `io`.
    for (address, status) in [("admin@github.io", 200), ("admin@io.dev", 400)] {
        let dcv = json!([{"commonName": "x.github.io", "type": "EMAIL", "email": address}]);
        let reply = order(
            &server,
            "ssl_dv_md",
            &json!({"csr": csr(&["x.github.io"]), "dcv": dcv}),
        );
        assert_eq!(reply.status, status, "{address}: {}", reply.text());
    }
}

#[test]
fn nasty_081_duplicates_are_folded() {
    let target = Target::start();
    let body = json!({"san": ["reseal.dev", "www.reseal.dev", "reseal.dev"], "csr": csr(&["RESEAL.dev", "reseal.DEV"])});
    let id = target.reissue(&body).expect(201)["certificateId"].clone();
    let path = format!("/v2/ssl/certificates/{id}");
    let names = target.server.alice.get(&path).expect(200)["san"].clone();
    assert_eq!(names, json!(["reseal.dev", "www.reseal.dev"]));
    let upper = json!({"san": ["reseal.dev", "RESEAL.dev"]});
    order(&target.server, "ssl_dv_md", &upper).violates("san[1]");
}

#[test]
fn nasty_082_more_names_than_the_product_holds_are_refused() {
    let server = Server::start();
    let names: Vec<_> = (0..251)
        .map(|number| format!("n{number}.reseal.dev"))
        .collect();
    let answer = order(&server, "ssl_dv_md", &json!({"san": names})).violates("san");
    let message = answer["violations"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("250") && message.contains("252"),
        "{message}"
    );
}

#[test]
fn nasty_083_a_single_domain_product_takes_no_further_name() {
    let server = Server::start();
    order(&server, "ssl_dv", &json!({"san": ["other.dev"]})).violates("san[0]");
}

#[test]
fn nasty_085_the_common_name_of_a_multi_domain_product_may_come_from_json() {
    let server = Server::start();
    order(&server, "ssl_dv_md", &json!({"domainName": "other.dev"})).expect(200);
}

#[test]
fn nasty_086_a_wildcard_needs_a_product_for_it() {
    let server = Server::start();
    let wildcard = |product| order(&server, product, &json!({"csr": csr(&["*.reseal.dev"])}));
    wildcard("ssl_dv").violates("csr");
    wildcard("ssl_dv_wc").expect(200);
    let reply = order(
        &server,
        "ssl_ev_md",
        &json!({"san": ["reseal.dev", "*.reseal.dev"]}),
    );
    reply.violates("san[1]");
}

#[test]
fn n_19_nasty_086_a_wildcard_and_a_name_below_it_go_together() {
    let target = Target::start();
    let names = json!(["reseal.dev", "*.reseal.dev", "www.reseal.dev"]);
    let reply = target.reissue(&json!({"san": names}));
    // The proof of the parent covers all three (N-20).
    let id = reply.expect(201)["certificateId"].as_i64().unwrap();
    let text = target.server.issued(id);
    assert!(
        text.contains("DNS:*.reseal.dev") && text.contains("DNS:www.reseal.dev"),
        "{text}"
    );
}

#[test]
fn nasty_087_no_free_name_is_put_before_www() {
    let server = Server::start();
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["www.reseal.dev"])});
    let info = server.alice.post("/v2/ssl/certificates", &body).expect(202);
    assert!(!info.to_string().contains("www.www."), "{info}");
}

#[test]
fn nasty_088_a_file_never_proves_a_wildcard() {
    let server = Server::start();
    let body =
        json!({"san": ["*.reseal.dev"], "dcv": [{"commonName": "*.reseal.dev", "type": "FILE"}]});
    order(&server, "ssl_dv_md", &body).violates("dcv[0].type");
}

#[test]
fn nasty_090_091_092_mail_goes_to_constructed_addresses_only() {
    let server = Server::start();
    for email in [
        "admin@www.reseal.dev",
        "ceo@reseal.dev",
        "admin@evil.com",
        "admin+x@reseal.dev",
        "admin@reseal.dev\r\nBcc: x@evil.com",
        "admin@reseal.dev,x@evil.com",
        "<admin@reseal.dev>",
    ] {
        let body = json!({"dcv": [{"commonName": "reseal.dev", "type": "EMAIL", "email": email}]});
        order(&server, "ssl_dv", &body).violates("dcv[0].email");
    }
}

#[test]
fn nasty_095_an_address_is_needed_for_mail_and_ignored_elsewhere() {
    let server = Server::start();
    let choose = |entry: Value| order(&server, "ssl_dv", &json!({"dcv": [entry]}));
    choose(json!({"commonName": "reseal.dev", "type": "EMAIL"})).violates("dcv[0].email");
    choose(json!({"commonName": "reseal.dev", "type": "HTTP"})).violates("dcv[0].type");
    choose(json!({"commonName": "reseal.dev", "type": "DNS", "email": "x"})).expect(200);
}

#[test]
fn d_2_nasty_096_choices_are_for_names_that_are_asked_for_and_one_each() {
    let target = Target::start();
    let choose = |names: &[&str]| {
        let entries = names
            .iter()
            .map(|name| json!({"commonName": name, "type": "DNS"}));
        target.reissue(&json!({"dcv": entries.collect::<Vec<_>>()}))
    };
    choose(&["other.dev"]).violates("dcv[0].commonName");
    choose(&["reseal.dev", "reseal.dev"]).violates("dcv[1].commonName");
    choose(&["reseal.dev", "other.dev", "x.dev"]).refused(400, "ConstraintViolationException");
    target.is_untouched();
    // A name without an entry gets the method it had last time.
    let reply = target.reissue(&json!({"san": ["reseal.dev", "new.dev"], "dcv": [{"commonName": "reseal.dev", "type": "DNS"}]}));
    let info = reply.expect(202);
    assert_eq!(info["validations"]["dcv"][1]["type"], "DNS", "{info}");
}

#[test]
fn nasty_097_unique_values_are_twenty_letters_and_digits() {
    let server = Server::start();
    for value in ["123456789012345678901", "a.b", "🙂"] {
        order(&server, "ssl_dv", &json!({"uniqueValue": value})).violates("uniqueValue");
    }
}
