//! Prices, quotes and acknowledgments (contract.md sections 1.6, 1.7 and 5.5).

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::server::Server;

const PRICES: &str = "prices = { request = 1000, renew = 900, extra_domain = { 1 = 50, 3 = 60, 6 = 80, 12 = 100, \
                      24 = 180, 36 = 250 }, extra_wildcard = 700 }\ncurrency = \"USD\"";

fn server() -> Server {
    let mut server = Server::start();
    server.extend_product("ssl_dv_md", PRICES);
    server.restart_at("");
    server
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("n{index}.dev")).collect()
}

fn csr_for(names: &[String]) -> String {
    csr(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

fn order(names: &[String], period: u32) -> Value {
    json!({"customer": "alice", "product": "ssl_dv_md", "period": period, "csr": csr_for(names)})
}

fn billable(action: &str, quantity: i64, amount: i64) -> Value {
    json!({"product": "ssl_dv_md", "action": action, "quantity": quantity, "amount": amount,
        "refundable": false, "total": quantity * amount})
}

/// The price of a reissue of certificate `id` for `names`.
fn reissue_quote(server: &Server, id: i64, names: &[String]) -> Value {
    let path = format!("/v2/ssl/certificates/{id}/reissue?quote=true");
    let answer = server.alice.post(&path, &json!({"csr": csr_for(names)}));
    answer.expect(200)["quote"].clone()
}

fn reissue(server: &Server, id: i64, names: &[String]) -> i64 {
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let reply = server.alice.post(&path, &json!({"csr": csr_for(names)}));
    server.finish(&reply)
}

#[test]
fn a_quote_of_a_request_names_every_charge_and_leaves_no_trace() {
    let server = server();
    let before = server.traces();
    let mut all = names(7);
    all.push("*.w.dev".to_owned());
    for (period, request, domain, wildcard) in [
        (1, 1000, 50, 700),
        (12, 1000, 100, 700),
        (24, 2000, 180, 1400),
    ] {
        let quote = server
            .alice
            .post("/v2/ssl/certificates?quote=true", &order(&all, period))
            .expect(200);
        let total = request + 2 * domain + wildcard;
        let billables = json!([
            billable("REQUEST", 1, request),
            billable("EXTRA_DOMAIN", 2, domain),
            billable("EXTRA_WILDCARD", 1, wildcard)
        ]);
        assert_eq!(
            quote,
            json!({"command": "RequestCertificateCommand",
                "quote": {"total": total, "currency": "USD", "billables": billables}})
        );
    }
    assert_eq!(server.traces(), before);
}

#[test]
fn what_is_free_has_a_total_and_nothing_else() {
    let server = server();
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let quote = server
        .alice
        .post("/v2/ssl/certificates/?quote=true", &body)
        .expect(200);
    assert_eq!(quote["quote"], json!({"total": 0}));
    let id = server.order("ssl_dv_md", &csr_for(&names(2)));
    assert_eq!(reissue_quote(&server, id, &names(5)), json!({"total": 0}));
}

#[test]
fn r_2_a_reissue_is_charged_for_added_names_and_only_once() {
    let mut server = server();
    let first = server.order("ssl_dv_md", &csr_for(&names(5)));
    let quote = reissue_quote(&server, first, &names(7));
    assert_eq!(
        quote["billables"],
        json!([billable("EXTRA_DOMAIN", 2, 100)])
    );
    // A quote buys nothing.
    assert_eq!(reissue_quote(&server, first, &names(7)), quote);

    let path = format!("/v2/ssl/certificates/{first}/reissue");
    let body = json!({"csr": csr_for(&names(7))});
    let reply = server.alice.post(&path, &body);
    reply.expect(202);
    let process = format!("/v2/processes/{}", reply.process());
    let shown = server.alice.get(&process).expect(200);
    assert_eq!(
        shown["billables"],
        json!([billable("EXTRA_DOMAIN", 2, 100)])
    );
    // What did not come about was not bought.
    assert_eq!(server.alice.delete(&process).status, 200);
    assert_eq!(reissue_quote(&server, first, &names(7)), quote);

    let second = reissue(&server, first, &names(7));
    let third = reissue(&server, second, &names(1));
    server.restart_at("");
    assert_eq!(reissue_quote(&server, third, &names(7))["total"], 0);
    let quote = reissue_quote(&server, third, &names(8));
    assert_eq!(
        quote["billables"],
        json!([billable("EXTRA_DOMAIN", 1, 100)])
    );
    // A place for a domain is none for a wildcard.
    let wildcards: Vec<String> = names(7).iter().map(|name| format!("*.{name}")).collect();
    let quote = reissue_quote(&server, third, &wildcards);
    assert_eq!(
        quote["billables"],
        json!([billable("EXTRA_WILDCARD", 2, 700)])
    );
}

#[test]
fn processes_are_found_by_what_they_are_charged() {
    let server = server();
    let bought = server
        .alice
        .post("/v2/ssl/certificates", &order(&names(7), 12));
    let bought = bought.process();
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let free = server.alice.post("/v2/ssl/certificates", &body).process();
    for (filter, expected) in [
        ("billableAction=EXTRA_DOMAIN", vec![bought]),
        ("billableAction=request", vec![bought]),
        ("billableAction=RENEW", vec![]),
        ("billableAction%3Ain=RENEW,REQUEST", vec![bought]),
        (
            "billableAction%3Anot_in=RENEW&billableAction%3Anot_in=REQUEST",
            vec![free],
        ),
        ("billableAction%3Alike=EXTRA%25", vec![bought]),
        ("billableAction%3Anot_like=EXTRA%25", vec![free]),
        ("billableProduct=ssl_dv_md", vec![bought]),
        ("billableProduct%3Anull=", vec![free]),
        ("billableProduct%3Anot_null=", vec![bought]),
        ("billableQuantity%3Agte=2", vec![bought]),
        ("billableQuantity%3Agt=2", vec![]),
        ("billableQuantity%3Ane=2", vec![free]),
        ("billableProvider%3Anull=", vec![free, bought]),
        ("order=billableAction", vec![free, bought]),
        ("order=-billableQuantity", vec![bought, free]),
        ("q=ssl_dv_md", vec![bought]),
    ] {
        let list = server
            .alice
            .get(&format!("/v2/processes?{filter}"))
            .expect(200);
        let found: Vec<_> = list["entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["id"])
            .collect();
        assert_eq!(json!(found), json!(expected), "{filter}");
    }
    let selected = server
        .alice
        .get(&format!("/v2/processes/{bought}?fields=billables,error"))
        .expect(200);
    assert_eq!(selected.as_object().unwrap().len(), 2, "{selected}");
}

#[test]
fn billables_are_never_demanded_and_hold_when_they_are_given() {
    let server = server();
    let with = |billables: Value| {
        let mut body = order(&names(7), 12);
        body["billables"] = billables;
        server.alice.post("/v2/ssl/certificates", &body)
    };
    let acknowledge = |action: &str, quantity: i64| json!({"product": "ssl_dv_md", "action": action, "quantity": quantity});
    let before = server.traces();
    for too_little in [
        json!([acknowledge("REQUEST", 1)]),
        json!([acknowledge("REQUEST", 1), acknowledge("EXTRA_DOMAIN", 1)]),
        json!([acknowledge("REQUEST", 1), {"product": "ssl_dv_md", "action": "EXTRA_DOMAIN"}]),
        json!([acknowledge("RENEW", 1), acknowledge("EXTRA_DOMAIN", 2)]),
        json!([{"product": "ssl_dv", "action": "REQUEST"}, acknowledge("EXTRA_DOMAIN", 2)]),
    ] {
        let answer = with(too_little);
        let answer = answer.refused(400, "BillableAcknowledgmentNeededException");
        assert_eq!(answer["quote"]["total"], 1200, "{answer}");
        assert_eq!(answer["quote"]["currency"], "USD");
        assert_eq!(answer["billables"], answer["quote"]["billables"]);
        assert_eq!(answer["billables"][1], billable("EXTRA_DOMAIN", 2, 100));
    }
    assert_eq!(server.traces(), before);
    for enough in [
        json!(null),
        json!([]),
        json!([{"product": "ssl_dv_md", "action": "REQUEST"}, acknowledge("EXTRA_DOMAIN", 9), acknowledge("TRANSFER", 1)]),
    ] {
        let reply = with(enough);
        reply.expect(202);
    }
}

#[test]
fn the_shape_of_billables_is_checked() {
    let server = Server::start();
    let with = |billables: Value| {
        let mut body = order(&names(1), 12);
        body["billables"] = billables;
        server.alice.post("/v2/ssl/certificates?quote=true", &body)
    };
    with(json!([{"action": "REQUEST"}])).violates("billables[0].product");
    with(json!([{"product": "x"}])).violates("billables[0].action");
    with(json!([{"product": "x", "action": "BUY"}])).violates("billables[0].action");
    with(json!([{"product": "x", "action": "RENEW", "quantity": 0}]))
        .violates("billables[0].quantity");
    for (wrong, property) in [
        (json!({}), "billables"),
        (json!(["REQUEST"]), "billables[0]"),
        (
            json!([{"product": "x", "action": "RENEW", "quantity": "1"}]),
            "billables[0].quantity",
        ),
        (
            json!([{"product": "x", "action": "RENEW", "price": 1}]),
            "billables[0].price",
        ),
    ] {
        let answer = with(wrong);
        let answer = answer.refused(400, "UnrecognizedPropertyException");
        assert_eq!(answer["property"], property, "{answer}");
    }
    let id = server.certificate();
    let answer = server.alice.post(
        &format!("/v2/ssl/certificates/{id}/reissue"),
        &json!({"csr": csr(&["reseal.dev"]), "billables": []}),
    );
    answer.refused(400, "UnrecognizedPropertyException");
}
