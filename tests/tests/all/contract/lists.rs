//! Lists (contract.md sections 1.4, 4.5, 4.9, 4.10 and 5.8): every field with every operator, and every way to
//! write what is wanted.

mod fields;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::Server;

use Type::{Date, Integer, Text, Texts, Word};
use fields::{LISTS, OPERATORS, Type, offered};

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            all.push(char::from(byte));
        } else {
            let _ = write!(all, "%{byte:02X}");
        }
        all
    })
}

/// A certificate with a revocation and a reissue behind it, and a process that waits.
fn server() -> Server {
    let mut server = Server::start();
    server.extend_product("ssl_dv_md", "prices = { request = 500 }");
    server.restart_at("");
    let first = server.certificate();
    let path = format!("/v2/ssl/certificates/{first}/reissue");
    let body = json!({"csr": csr(&["reseal.dev"]), "coc": "1234567"});
    server.alice.post(&path, &body).expect(201);
    let revoked = server.order("ssl_dv_md", &csr(&["a.dev", "b.dev"]));
    let path = format!("/v2/ssl/certificates/{revoked}");
    let headers = ["Content-Type: application/json"];
    let body = br#"{"reason":"no longer needed, 100% sure"}"#;
    assert_eq!(
        server.alice.call("DELETE", &path, &headers, body).status,
        200
    );
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["waits.dev"])});
    let waiting = server.alice.post("/v2/ssl/certificates", &body).process();
    server.wait_for(waiting, "SUSPENDED");
    server
}

fn entities(reply: &Reply) -> Vec<Value> {
    reply.expect(200)["entities"].as_array().unwrap().clone()
}

#[test]
fn every_field_takes_the_operators_of_its_type_and_no_others() {
    let server = server();
    let mut rows = 0;
    for (list, fields) in LISTS {
        for (field, kind) in fields {
            let value = match kind {
                Text | Texts => "a",
                Date => "2026-11-24T12:00:00+01:00",
                Integer => "1",
                Word(word) => word,
            };
            for operator in OPERATORS {
                let path = format!("{list}?{field}%3A{operator}={}", encoded(value));
                let reply = server.alice.get(&path);
                if offered(operator, *kind) {
                    reply.expect(200);
                } else {
                    reply.violates(&format!("{field}:{operator}"));
                }
                rows += 1;
            }
            // What is sorted by can be anything; the default operator is `eq`.
            server
                .alice
                .get(&format!("{list}?order=-{field}&{field}={}", encoded(value)))
                .expect(200);
        }
    }
    assert!(rows > 1000, "{rows}");
}

#[test]
fn what_is_shown_is_found_by_what_is_shown() {
    let server = server();
    for (list, fields) in LISTS {
        let id = if list.ends_with("products") {
            "product"
        } else {
            "id"
        };
        let all = || entities(&server.alice.get(&format!("{list}?limit=250")));
        assert!(all().len() > 2, "{list}");
        for mut entity in all() {
            loop {
                let wrong = fields.iter().flat_map(|(field, kind)| {
                    let list = Searched {
                        server: &server,
                        path: list,
                        id,
                    };
                    list.wrong_about(&entity, field, *kind)
                });
                let wrong: Vec<String> = wrong.collect();
                let same = |one: &Value| one[id] == entity[id];
                let now = all().into_iter().find(same).unwrap();
                if now == entity {
                    assert!(wrong.is_empty(), "{list}: {wrong:?}");
                    break;
                }
                // A process that waits was looked at meanwhile, and shows other things.
                entity = now;
            }
        }
    }
}

/// A list that is asked for entities with certain values.
struct Searched<'a> {
    server: &'a Server,
    path: &'a str,
    /// The field by which entities are told apart.
    id: &'a str,
}

impl Searched<'_> {
    fn finds(&self, entity: &Value, query: &str) -> bool {
        let path = format!("{}?limit=250&{query}", self.path);
        let found = entities(&self.server.alice.get(&path));
        found.iter().any(|one| one[self.id] == entity[self.id])
    }

    /// Filters on what `entity` shows in `field` that do not find it, or do though they should not.
    fn wrong_about(&self, entity: &Value, field: &str, kind: Type) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut expect = |query: String, expected: bool| {
            if self.finds(entity, &query) != expected {
                wrong.push(query);
            }
        };
        let shown = match (field, &entity[field]) {
            ("detailStatus", _) => return wrong,
            ("billableAction", _) => &entity["billables"][0]["action"],
            ("billableProduct", _) => &entity["billables"][0]["product"],
            ("billableQuantity", _) => &entity["billables"][0]["quantity"],
            (_, Value::Array(values)) => values.first().unwrap_or(&Value::Null),
            (_, value) => value,
        };
        let is_there = !shown.is_null();
        expect(format!("{field}%3Anull=x"), !is_there);
        expect(format!("{field}%3Anot_null="), is_there);
        if !is_there {
            return wrong;
        }
        let text = shown
            .as_str()
            .map_or_else(|| shown.to_string(), str::to_owned);
        let value = encoded(&text);
        for (operator, expected) in [
            ("eq", true),
            ("ne", false),
            ("not_in", false),
            ("in", true),
            ("like", true),
            ("not_like", false),
            ("gte", true),
            ("lte", true),
        ] {
            // A comma would separate.
            let separates = operator.ends_with("in") && text.contains(',');
            if operator == "eq" || offered(operator, kind) && !separates {
                expect(format!("{field}%3A{operator}={value}"), expected);
            }
        }
        if kind == Text {
            let part: String = text.chars().skip(1).collect();
            expect(format!("{field}%3Alike=%25{}", encoded(&part)), true);
            // Words that all have in common are not looked for.
            if !["notificationType", "processType", "type"].contains(&field) {
                expect(format!("q={}", encoded(&part.to_uppercase())), true);
            }
        }
        wrong
    }
}

#[test]
fn filters_are_joined_and_may_be_repeated() {
    let server = server();
    let count = |query: &str| {
        let reply = server.alice.get(&format!("/v2/ssl/certificates?{query}"));
        reply.expect(200)["pagination"]["total"].clone()
    };
    for (query, expected) in [
        ("", 3),
        ("status=REISSUED", 1),
        ("status%3Ain=REISSUED%2CREVOKED", 2),
        ("status:in=reissued,%20revoked", 2),
        ("status%3Anot_in=REISSUED&status%3Anot_in=REVOKED", 1),
        ("status%3Anot_in=REISSUED,REVOKED", 1),
        ("status%3Ane=ACTIVE&status%3Ane=REVOKED", 1),
        ("status=ACTIVE&status=REVOKED", 0),
        ("san=b.dev&san=a.dev", 1),
        ("san%3Alike=www.%25&san=reseal.dev", 2),
        ("san%3Anot_in=a.dev", 2),
        ("id%3Agt=1&id%3Alt=3", 1),
        ("id%3Agte=1&id%3Alte=3&q=b.dev", 1),
        ("q=reseal&status=REVOKED", 0),
        ("q=status%3AACTIVE", 0),
        ("coc=1234567", 1),
        ("coc%3Anull=&organization%3Anull", 2),
        ("domainName%3Alike=RESEAL%25", 2),
        ("domainName%3Alike=reseal", 0),
        ("domainName%3Alike=_eseal.dev", 0),
        ("domainName%3Anot_like=%25.dev", 0),
    ] {
        assert_eq!(count(query), expected, "{query}");
    }
}

#[test]
fn orders_apply_one_after_the_other() {
    let server = server();
    let ids = |query: &str| -> Vec<i64> {
        entities(&server.alice.get(&format!("/v2/ssl/certificates?{query}")))
            .iter()
            .map(|one| one["id"].as_i64().unwrap())
            .collect()
    };
    for (query, expected) in [
        ("", [3, 2, 1]),
        ("order=id", [1, 2, 3]),
        ("order=-id&order=status", [3, 2, 1]),
        ("order=domainName&order=id", [3, 1, 2]),
        ("order=domainName&order=-id", [3, 2, 1]),
        ("order=-domainName&order=id", [1, 2, 3]),
        ("order=-domainName,id", [1, 2, 3]),
        ("order=-domainName%2Cid", [1, 2, 3]),
        // ACTIVE, REISSUED, REVOKED
        ("order=status", [2, 1, 3]),
        // Ties: newest first.
        ("order=publicKeySize", [3, 2, 1]),
    ] {
        assert_eq!(ids(query), expected, "{query}");
    }
    for wrong in ["order=nosuch", "order=--id", "order=id&order=-nosuch"] {
        let path = format!("/v2/ssl/certificates?{wrong}");
        server.alice.get(&path).violates("order");
    }
}

#[test]
fn fields_are_selected_in_every_spelling_and_the_identifying_one_is_always_there() {
    let server = server();
    for (list, id, one, other) in [
        ("/v2/ssl/certificates", "id", "status", "domainName"),
        ("/v2/processes", "id", "status", "identifier"),
        ("/v2/ssl/products", "product", "brand", "name"),
        (
            "/v2/customers/alice/notifications",
            "id",
            "message",
            "eventType",
        ),
    ] {
        for spelling in [
            format!("fields={one},{other}"),
            format!("fields={one}%2C%20{other}"),
            format!("fields={one}&fields={other}"),
            format!("fields={one},{id}&fields={other}"),
            format!("fields%5B0%5D={one}&fields%5B1%5D={other}"),
            format!("fields[]={one}&fields[]={other}"),
            format!("fields[7]={one}&fields={other},"),
        ] {
            for path in [
                format!("{list}?{spelling}"),
                format!("{list}/?{spelling}&total=false"),
            ] {
                for entity in entities(&server.alice.get(&path)) {
                    let mut keys: Vec<_> = entity.as_object().unwrap().keys().collect();
                    keys.sort_unstable();
                    let mut expected = [id, one, other];
                    expected.sort_unstable();
                    assert_eq!(keys, expected, "{path}");
                }
            }
        }
        let path = format!("{list}?fields={one},nosuch");
        server.alice.get(&path).violates("fields");
    }
}

#[test]
fn every_field_of_the_contract_can_be_selected() {
    let server = server();
    for (list, fields) in [
        (
            "/v2/ssl/certificates",
            "id,process,product,validationType,certificateType,domainName,organization,department,city,state,postalCode,country,coc,addressLine,providerId,startDate,expiryDate,subscriptionEndDate,contact,san,status,publicKeyAlgorithm,publicKeySize,csr,certificate,fingerprint",
        ),
        (
            "/v2/processes",
            "id,user,customer,status,statusDetail,resumeTypes,createdDate,updatedDate,startedDate,type,identifier,action,reservation,transaction,refund,command,billables,error",
        ),
        (
            "/v2/processes/1/info",
            "commonName,requiresAttention,certificateId,oneTimeLink,validations,notes",
        ),
        (
            "/v2/ssl/products",
            "product,brand,name,validationType,certificateType,features,requiredFields,optionalFields,periods,warranty,issueTime,renewalWindow,includedDomains,maxDomains,renewFrom",
        ),
        (
            "/v2/customers/alice/notifications",
            "id,fireDate,readDate,acknowledgeDate,deliveryDate,message,reason,customer,process,eventType,notificationType,isAsync,payload,processType,processIdentifier,statusDetail,subjectStatus,transferType,expiryDate,domainName,certificateId",
        ),
    ] {
        server
            .alice
            .get(&format!("{list}?fields={fields}"))
            .expect(200);
        for field in fields.split(',') {
            server
                .alice
                .get(&format!("{list}?fields={field}"))
                .expect(200);
        }
    }
}

#[test]
fn pages_counts_and_exports() {
    let server = server();
    for (list, fields) in LISTS {
        let id = fields[0].0;
        let get = |query: &str| server.alice.get(&format!("{list}?{query}")).expect(200);
        let total = get("")["pagination"]["total"].as_u64().unwrap();
        assert!(total > 2, "{list}");
        assert_eq!(
            get("limit=0"),
            json!({"entities": [], "pagination": {"limit": 0, "offset": 0, "total": total}}),
            "{list}"
        );
        assert_eq!(
            get("limit=0&total=false"),
            json!({"entities": [], "pagination": {"limit": 0, "offset": 0}}),
            "{list}"
        );
        let page = get("limit=2&offset=1&total=false");
        assert_eq!(
            page["pagination"],
            json!({"limit": 2, "offset": 1}),
            "{list}"
        );
        assert_eq!(page["entities"].as_array().unwrap().len(), 2, "{list}");
        assert_eq!(
            page["entities"][0],
            get("limit=1&offset=1&total=true")["entities"][0]
        );
        let past = get("offset=1000");
        assert_eq!(
            past["pagination"],
            json!({"limit": 10, "offset": 1000, "total": total})
        );
        assert_eq!(past["entities"], json!([]));

        let export = get("export=true");
        let exported = export["entities"].as_array().unwrap();
        assert_eq!(exported.len() as u64, total, "{list}");
        for entity in exported {
            assert_eq!(
                entity.as_object().unwrap().keys().collect::<Vec<_>>(),
                [id],
                "{list}"
            );
        }
        let more = get(&format!("export=true&fields={}&order=-{id}", fields[1].0));
        assert_eq!(
            more["entities"].as_array().unwrap().len() as u64,
            total,
            "{list}"
        );
        assert!(
            more["entities"][0].as_object().unwrap().len() <= 2,
            "{more}"
        );
        get("export=false&limit=1&offset=1");
        for (wrong, field) in [
            ("export=true&limit=1", "limit"),
            ("export=true&offset=0", "offset"),
            ("export=yes", "export"),
            ("total=0", "total"),
            ("limit=251", "limit"),
            ("limit=-1", "limit"),
            ("offset=-1", "offset"),
            ("offset=1.5", "offset"),
            ("colour=red", "colour"),
            ("colour%3Ain=red", "colour:in"),
        ] {
            server.alice.get(&format!("{list}?{wrong}")).violates(field);
        }
        get("limit=250");
    }
}
