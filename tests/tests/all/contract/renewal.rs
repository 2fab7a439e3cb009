//! `/v2/ssl/certificates/{id}/renew` (contract.md sections 4.3, 5.2 and 6.2).

use jiff::{SignedDuration, Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::{Value, json};

use crate::support::csr::{csr, self_signed_until};
use crate::support::http::Reply;
use crate::support::server::Server;

/// A certificate whose subscription of one month can be renewed: it is five days old.
fn renewable(product: &str, names: &[&str]) -> (Server, i64) {
    let mut server = Server::start();
    let id = buy(&server, product, names);
    server.restart_at("+5d");
    (server, id)
}

fn buy(server: &Server, product: &str, names: &[&str]) -> i64 {
    let body = json!({"customer": "alice", "product": product, "period": 1, "csr": csr(names)});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    server.finish(&reply)
}

fn renew(server: &Server, id: i64, body: &Value) -> Reply {
    server
        .alice
        .post(&format!("/v2/ssl/certificates/{id}/renew"), body)
}

fn renewal(names: &[&str], period: u32) -> Value {
    json!({"csr": csr(names), "period": period})
}

fn certificate(server: &Server, id: i64) -> Value {
    let path = format!("/v2/ssl/certificates/{id}");
    server.alice.get(&path).expect(200)
}

fn date(certificate: &Value, field: &str) -> Timestamp {
    certificate[field].as_str().unwrap().parse().unwrap()
}

fn later(start: Timestamp, months: i64) -> Timestamp {
    let start = start.to_zoned_datetime(TimeZone::UTC);
    start.checked_add(months.months()).unwrap().timestamp()
}

#[test]
fn a_renewal_with_fresh_proofs_answers_201_and_its_subscription_begins_where_the_old_one_ends() {
    let (server, old) = renewable("ssl_dv", &["reseal.dev"]);
    let before = certificate(&server, old);
    let path = format!("/v2/ssl/certificates/{old}/renew/");
    let reply = server.alice.post(&path, &renewal(&["reseal.dev"], 12));
    let info = reply.expect(201);
    let new = info["certificateId"].as_i64().unwrap();
    let location = format!("/v2/ssl/certificates/{new}");
    assert_eq!(reply.header("location"), Some(&*location));
    assert_eq!(info["commonName"], "reseal.dev");

    let (after, old_now) = (certificate(&server, new), certificate(&server, old));
    assert_eq!(
        (&old_now["status"], &after["status"]),
        (&json!("RENEWED"), &json!("ACTIVE"))
    );
    assert_eq!(
        old_now["subscriptionEndDate"],
        before["subscriptionEndDate"]
    );
    let old_end = date(&before, "subscriptionEndDate");
    assert_eq!(
        date(&after, "subscriptionEndDate"),
        later(old_end, 12),
        "{after}"
    );
    // The certificate begins now, and lasts as long as the profile allows and not as long as was paid for.
    let start = date(&after, "startDate");
    assert!(start < old_end && date(&after, "expiryDate") < date(&after, "subscriptionEndDate"));
    let days = date(&after, "expiryDate").duration_since(start).as_hours() / 24;
    assert!((40..200).contains(&days), "{after}");

    let process = server
        .alice
        .get(&format!("/v2/processes/{}", reply.process()))
        .expect(200);
    assert_eq!(
        (&process["type"], &process["action"], &process["status"]),
        (&json!("certificate"), &json!("renew"), &json!("COMPLETED"))
    );
    assert_eq!(process["command"]["certificateId"], old);
    assert_eq!(process["command"]["period"], 12);
    assert_eq!(after["process"], reply.process());

    // Replaced once and for all; the new one goes on within the new subscription.
    let message = |reply: Reply| {
        let answer = reply.refused(400, "ObjectStatusProhibitsOperation");
        answer["message"].as_str().unwrap().to_owned()
    };
    let said = message(renew(&server, old, &renewal(&["reseal.dev"], 12)));
    assert!(
        said.contains("RENEWED") && said.contains(&new.to_string()),
        "{said}"
    );
    let path = |id: i64| format!("/v2/ssl/certificates/{id}/reissue");
    let body = json!({"csr": csr(&["reseal.dev"])});
    let said = message(server.alice.post(&path(old), &body));
    assert!(
        said.contains("RENEWED") && said.contains(&new.to_string()),
        "{said}"
    );
    let reissued = server.alice.post(&path(new), &body).expect(201);
    let reissued = certificate(&server, reissued["certificateId"].as_i64().unwrap());
    assert_eq!(
        reissued["subscriptionEndDate"],
        after["subscriptionEndDate"]
    );
}

#[test]
fn a_renewal_is_offered_in_the_window_before_the_end_and_after_it() {
    let mut server = Server::start();
    let id = server.certificate();
    let end = date(&certificate(&server, id), "subscriptionEndDate");
    let body = renewal(&["reseal.dev"], 12);
    let answer = renew(&server, id, &body).refused(400, "ObjectStatusProhibitsOperation");
    let from = end - SignedDuration::from_hours(30 * 24);
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains(&format!("{from:.0}")), "{message}");
    let path = format!("/v2/ssl/certificates/{id}/renew?quote=true");
    server
        .alice
        .post(&path, &body)
        .refused(400, "ObjectStatusProhibitsOperation");

    let to = |moment: Timestamp| {
        let seconds = moment.duration_since(Timestamp::now()).as_secs();
        format!("+{seconds}s")
    };
    let hour = SignedDuration::from_hours(1);
    server.restart_at(&to(from - hour));
    server
        .alice
        .post(&path, &body)
        .refused(400, "ObjectStatusProhibitsOperation");
    server.restart_at(&to(from + hour));
    server.alice.post(&path, &body).expect(200);

    // What has ended long ago does not go on: a new term begins with the certificate.
    server.restart_at("+400d");
    assert_eq!(certificate(&server, id)["status"], "EXPIRED");
    let reply = renew(&server, id, &body);
    let new = server.finish(&reply);
    let new = certificate(&server, new);
    let begin = Timestamp::now() + SignedDuration::from_hours(400 * 24);
    let end = date(&new, "subscriptionEndDate");
    let off = end.duration_since(later(begin, 12)).abs();
    assert!(off < SignedDuration::from_mins(10), "{new}");
}

#[test]
fn a_renewal_with_a_name_to_prove_answers_202_and_keeps_others_out_meanwhile() {
    let (server, old) = renewable("ssl_dv_md", &["reseal.dev", "reseal.net"]);
    let body = renewal(&["reseal.dev", "reseal.org"], 3);
    let reply = renew(&server, old, &body);
    let info = reply.expect(202);
    assert_eq!(info.get("certificateId"), None);
    let process = reply.process();
    assert_eq!(
        reply.header("location"),
        Some(&*format!("/v2/processes/{process}"))
    );

    let said = renew(&server, old, &body).refused(400, "ObjectExists");
    assert!(
        said["message"]
            .as_str()
            .unwrap()
            .contains(&process.to_string()),
        "{said}"
    );
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let reissue = json!({"csr": csr(&["reseal.dev"])});
    server
        .alice
        .post(&path, &reissue)
        .refused(400, "ObjectExists");
    assert_eq!(
        server
            .alice
            .delete(&format!("/v2/processes/{process}"))
            .status,
        200
    );
    assert_eq!(certificate(&server, old)["status"], "ACTIVE");

    let reply = renew(&server, old, &body);
    let new = server.finish(&reply);
    assert_eq!(
        certificate(&server, new)["san"],
        json!(["reseal.dev", "reseal.org"])
    );
    // A name was left out, yet the old certificate was paid for to its end: nothing revokes it.
    let timeline = server
        .alice
        .get(&format!("/v2/processes/{}/timeline", reply.process()))
        .expect(200);
    let replaced = timeline["entities"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["event"] == "replaced")
        .unwrap();
    assert_eq!(
        (&replaced["status"], &replaced["revocationScheduledAt"]),
        (&json!("RENEWED"), &Value::Null)
    );
    let told = server.alice.get("/v2/customers/alice/notifications").text();
    assert!(
        told.contains("The renewal of the certificate for reseal.dev was accepted"),
        "{told}"
    );
}

#[test]
fn a_renewal_has_its_own_price_and_pays_for_all_names() {
    let mut server = Server::start();
    server.extend_product(
        "ssl_dv_md",
        "prices = { request = 500, renew = 400, extra_domain = 100 }",
    );
    server.restart_at("");
    let names = ["a.dev", "b.dev", "c.dev", "d.dev", "e.dev", "f.dev"];
    let id = buy(&server, "ssl_dv_md", &names);
    server.restart_at("+5d");
    let path = format!("/v2/ssl/certificates/{id}/renew?quote=true");
    let before = server.traces();
    let quote = server.alice.post(&path, &renewal(&names, 24)).expect(200);
    assert_eq!(quote["command"], "RenewCertificateCommand");
    assert_eq!(
        quote["quote"],
        json!({"total": 1000, "currency": "EUR", "billables": [
            {"product": "ssl_dv_md", "action": "RENEW", "quantity": 1, "amount": 800, "refundable": false, "total": 800},
            {"product": "ssl_dv_md", "action": "EXTRA_DOMAIN", "quantity": 1, "amount": 200, "refundable": false, "total": 200}
        ]})
    );
    assert_eq!(server.traces(), before);
    assert_eq!(certificate(&server, id)["status"], "ACTIVE");

    let mut body = renewal(&names, 24);
    body["billables"] = json!([{"product": "ssl_dv_md", "action": "RENEW"}]);
    let answer = renew(&server, id, &body);
    let answer = answer.refused(400, "BillableAcknowledgmentNeededException");
    assert_eq!(answer["quote"]["total"], 1000, "{answer}");
    // Without names in the request it is the same certificate again.
    body["billables"] = json!([{"product": "ssl_dv_md", "action": "RENEW"}, {"product": "ssl_dv_md", "action": "EXTRA_DOMAIN"}]);
    let new = renew(&server, id, &body).expect(201)["certificateId"]
        .as_i64()
        .unwrap();
    let path = format!("/v2/ssl/certificates/{new}/reissue?quote=true");
    let quote = server
        .alice
        .post(&path, &json!({"csr": csr(&names)}))
        .expect(200);
    assert_eq!(quote["quote"], json!({"total": 0}));
}

#[test]
fn another_product_takes_over_where_the_catalogue_says_so() {
    let mut server = Server::start();
    server.extend_product("ssl_dv_wc", "renew_from = [\"ssl_dv\"]");
    server.extend_product("ssl_dv_md", "renew_from = [\"ssl_dv\", \"ssl_import\"]");
    server.restart_at("");
    let shown = server.alice.get("/v2/ssl/products/ssl_dv_wc").expect(200);
    assert_eq!(shown["renewFrom"], json!(["ssl_dv"]));
    let id = buy(&server, "ssl_dv", &["reseal.dev"]);
    let last_day = Timestamp::now() + SignedDuration::from_hours(20 * 24);
    let last_day = last_day.to_zoned_datetime(TimeZone::UTC).date();
    let foreign = self_signed_until("elsewhere.dev", last_day);
    let body = json!({"customer": "alice", "certificate": foreign});
    let imported = server.alice.post("/v2/ssl/import", &body);
    let imported: i64 = imported
        .header("location")
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    server.restart_at("+5d");

    let with = |names: &[&str], product: &str| {
        let mut body = renewal(names, 3);
        body["product"] = json!(product);
        body
    };
    renew(&server, id, &with(&["reseal.dev"], "ssl_ghost")).refused(400, "ObjectDoesNotExist");
    renew(&server, id, &with(&["reseal.dev"], "ssl_ev")).violates("product");
    renew(&server, id, &with(&["*.other.dev"], "ssl_dv_wc")).violates("csr");
    let reply = renew(&server, id, &with(&["*.reseal.dev"], "ssl_dv_wc"));
    let new = certificate(&server, server.finish(&reply));
    assert_eq!(
        (&new["product"], &new["certificateType"], &new["domainName"]),
        (
            &json!("ssl_dv_wc"),
            &json!("WILDCARD"),
            &json!("*.reseal.dev")
        )
    );
    assert_eq!(new["san"], json!(["*.reseal.dev", "reseal.dev"]));

    // Issued elsewhere, renewed here; what was paid for elsewhere does not go on.
    let said = renew(&server, imported, &renewal(&["elsewhere.dev"], 3));
    let said = said.refused(400, "ObjectStatusProhibitsOperation");
    assert!(
        said["message"].as_str().unwrap().contains("`product`"),
        "{said}"
    );
    let reply = renew(&server, imported, &with(&["elsewhere.dev"], "ssl_dv_md"));
    let new = certificate(&server, server.finish(&reply));
    let begin = Timestamp::now() + SignedDuration::from_hours(5 * 24);
    let off = date(&new, "subscriptionEndDate").duration_since(later(begin, 3));
    assert!(off.abs() < SignedDuration::from_mins(10), "{new}");
    assert_eq!(certificate(&server, imported)["status"], "RENEWED");
}

#[test]
fn every_violation_of_a_renewal_is_reported() {
    let (server, id) = renewable("ssl_dv", &["reseal.dev"]);
    let answer = renew(
        &server,
        id,
        &json!({"product": "", "saEmail": "x", "approver": {}}),
    );
    let answer = answer.refused(400, "ConstraintViolationException");
    let fields: Vec<_> = answer["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    for field in ["csr", "period", "product", "saEmail", "approver.email"] {
        assert!(fields.contains(&field), "{field} is missing in {fields:?}");
    }
    renew(&server, id, &renewal(&["reseal.dev"], 5)).violates("period");
    renew(&server, id, &renewal(&["elsewhere.dev"], 12)).violates("csr");
    for (field, value) in [
        ("country", json!("NL")),
        ("customer", json!("alice")),
        ("period", json!("12")),
        ("period", json!(12.0)),
        ("renewFrom", json!("2026-01-01")),
    ] {
        let mut body = renewal(&["reseal.dev"], 12);
        body[field] = value;
        let answer = renew(&server, id, &body);
        let answer = answer.refused(400, "UnrecognizedPropertyException");
        assert_eq!(answer["property"], field, "{answer}");
    }
    let path = format!("/v2/ssl/certificates/{id}/renew");
    server
        .alice
        .post_raw(&path, b"")
        .refused(400, "InvalidMessage");
    let quote = server
        .alice
        .post(&format!("{path}?quote=yes"), &renewal(&["reseal.dev"], 12));
    quote.violates("quote");
    // Accepted as the SDKs send it.
    let mut body = renewal(&["reseal.dev"], 12);
    for (field, value) in [
        ("saEmail", json!("office@reseal.dev")),
        ("language", json!("NL")),
        ("authKey", json!(false)),
        ("san", json!([])),
        (
            "dcv",
            json!([{"commonName": "reseal.dev", "type": "DNS", "email": null}]),
        ),
    ] {
        body[field] = value;
    }
    let new = renew(&server, id, &body).expect(201)["certificateId"]
        .as_i64()
        .unwrap();
    assert_eq!(certificate(&server, new)["san"], json!(["reseal.dev"]));
}

#[test]
fn what_is_anothers_looks_like_what_never_was_and_the_revoked_is_not_renewed() {
    let (server, id) = renewable("ssl_dv", &["reseal.dev"]);
    let body = renewal(&["reseal.dev"], 12);
    let call = |id: i64| {
        server
            .bob
            .post(&format!("/v2/ssl/certificates/{id}/renew"), &body)
    };
    let (foreign, unknown) = (call(id), call(id + 1000));
    foreign.refused(400, "ObjectDoesNotExist");
    assert_eq!(foreign.body, unknown.body);
    assert_eq!(
        server
            .alice
            .delete(&format!("/v2/ssl/certificates/{id}"))
            .status,
        200
    );
    let said = renew(&server, id, &body).refused(400, "ObjectStatusProhibitsOperation");
    assert!(
        said["message"].as_str().unwrap().contains("REVOKED"),
        "{said}"
    );
}

#[test]
fn a_certificate_revoked_while_its_renewal_waits_is_not_replaced() {
    let (server, id) = renewable("ssl_dv_md", &["reseal.dev"]);
    let reply = renew(&server, id, &renewal(&["reseal.dev", "new.dev"], 3));
    let info = reply.expect(202);
    let process = reply.process();
    assert_eq!(
        server
            .alice
            .delete(&format!("/v2/ssl/certificates/{id}"))
            .status,
        200
    );
    server.fails_for_its_revoked_certificate(&info, process);
}

/// Whoever answers for a certificate is not asked for anew, however good the proofs at hand are.
#[test]
fn an_approver_is_carried_over_though_nothing_has_to_be_proved() {
    let mut server = Server::start();
    server.change_catalogue(|catalogue| {
        catalogue.replace("required_fields = []", "required_fields = [\"approver\"]")
    });
    server.restart_at("+0d");
    let mut body =
        json!({"customer": "alice", "product": "ssl_dv", "period": 1, "csr": csr(&["reseal.dev"])});
    server
        .alice
        .post("/v2/ssl/certificates", &body)
        .violates("approver");
    body["approver"] = json!({"firstName": "Ada", "lastName": "L", "email": "ada@reseal.dev", "voice": "+31.384530759"});
    let first = server.finish(&server.alice.post("/v2/ssl/certificates", &body));
    let path = format!("/v2/ssl/certificates/{first}/reissue");
    let reissued = server
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
    let second = reissued.expect(201)["certificateId"].as_i64().unwrap();
    server.restart_at("+5d");
    renew(&server, second, &renewal(&["reseal.dev"], 1)).expect(201);
}
