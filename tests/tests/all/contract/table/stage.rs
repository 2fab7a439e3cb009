//! The server that every row calls, with objects in every state that a row speaks of.

use serde_json::{Value, json};

use super::row::{Call, Who};
use crate::support::csr::{self, csr};
use crate::support::http::{Reply, exchange_in_trouble, request};
use crate::support::server::Server;

/// Prices of the multi-domain product; everything else is free.
const PRICES: &str =
    "prices = { request = 500, renew = 400, extra_domain = 100 }\nrenew_from = [\"ssl_dv\"]";
/// Later than the window for renewing what was bought for a month opens.
const NOW: &str = "+5d";

pub(super) struct Stage {
    server: Server,
    /// The newest certificate of the chain that rows reissue again and again.
    latest: i64,
    /// A certificate of `reseal.dev` that was reissued, and its successor, issued within the call.
    pub(super) old: i64,
    pub(super) new: i64,
    /// The successor and the completed process that led to it, as they are shown.
    pub(super) shown: Value,
    pub(super) reissue: i64,
    pub(super) revoked: i64,
    pub(super) imported: i64,
    /// What was imported.
    pub(super) foreign: Value,
    /// Bought for a month, so that it can be renewed.
    pub(super) monthly: i64,
    /// Of the products for several names, for a wildcard.
    pub(super) many: i64,
    pub(super) wildcard: i64,
    /// Reissued certificates that a row may revoke.
    pub(super) spare: Vec<i64>,
    /// Processes that wait: for a record, for a file, for a mail, for an organization.
    pub(super) dns: i64,
    pub(super) file: i64,
    pub(super) email: i64,
    pub(super) organization: i64,
    /// The same with extended validation.
    pub(super) extended: i64,
    /// A certificate of an organization that was checked, and the process that led to it.
    pub(super) vetted: i64,
    pub(super) vetting: i64,
    /// A certificate with a reissue that waits, and the process of that.
    pub(super) busy: i64,
    pub(super) open: i64,
    pub(super) cancelled: i64,
    /// The newest notification of alice's.
    pub(super) notification: i64,
    /// The CSR of `new`.
    pub(super) csr: String,
}

/// A request for `names` of `product`, without more than it takes.
pub(super) fn order(product: &str, names: &[&str]) -> Value {
    json!({"customer": "alice", "product": product, "period": 12, "csr": csr(names)})
}

/// `body` with `field` set.
pub(super) fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

/// What an organization says of itself.
pub(super) fn organization_of(mut body: Value) -> Value {
    let said = json!({
        "organization": "Reseal B.V.", "address": "Plein 1", "postalCode": "8011 AA", "city": "Zwolle",
        "state": "Overijssel", "country": "NL", "coc": "1234567",
        "approver": {"firstName": "Ada", "lastName": "Bakker", "email": "ada@org.dev", "voice": "+31.384530759"},
    });
    for (field, value) in said.as_object().unwrap() {
        body[field] = value.clone();
    }
    body
}

impl Stage {
    pub(super) fn set() -> Self {
        let mut server = Server::start();
        server.extend_product("ssl_dv_md", PRICES);
        server.restart_at("");
        let alice = &server.alice;
        let buy = |body: &Value| server.finish(&alice.post("/v2/ssl/certificates", body));
        let again = |id: i64, name: &str| {
            let path = format!("/v2/ssl/certificates/{id}/reissue");
            alice.post(&path, &json!({"csr": csr(&[name])})).expect(201)["certificateId"]
                .as_i64()
                .unwrap()
        };
        let open = |body: &Value| alice.post("/v2/ssl/certificates", body).process();

        let old = buy(&order("ssl_dv", &["reseal.dev"]));
        let text = csr(&["reseal.dev"]);
        let path = format!("/v2/ssl/certificates/{old}/reissue");
        let reissued = alice.post(&path, &json!({ "csr": text }));
        let new = reissued.expect(201)["certificateId"].as_i64().unwrap();
        let mut spare = vec![buy(&order("ssl_dv", &["chain.dev"]))];
        for _ in 0..6 {
            spare.push(again(spare[spare.len() - 1], "chain.dev"));
        }
        let latest = spare.pop().unwrap();
        let revoked = buy(&order("ssl_dv", &["gone.dev"]));
        assert_eq!(
            alice
                .delete(&format!("/v2/ssl/certificates/{revoked}"))
                .status,
            200
        );
        let import = json!({"customer": "alice", "certificate": csr::self_signed("elsewhere.dev")});
        let imported = id_in(
            alice
                .post("/v2/ssl/import", &import)
                .header("location")
                .unwrap(),
        );
        let monthly = buy(&with(order("ssl_dv", &["monthly.dev"]), "period", 1));
        let many = buy(&order("ssl_dv_md", &["many.dev", "more.dev"]));
        let wildcard = buy(&order("ssl_dv_wc", &["*.wild.dev"]));

        let dcv = |name: &str, method: &str| json!([{"commonName": name, "type": method, "email": format!("admin@{name}")}]);
        let by = |name: &str, method: &str| {
            open(&with(order("ssl_dv", &[name]), "dcv", dcv(name, method)))
        };
        let (dns, file, email) = (
            by("dns.dev", "DNS"),
            by("file.dev", "FILE"),
            by("email.dev", "EMAIL"),
        );
        let organization = open(&organization_of(order("ssl_ov", &["org.dev"])));
        let asked = alice.post(
            "/v2/ssl/certificates",
            &organization_of(order("ssl_ov", &["vetted.dev"])),
        );
        let vetting = asked.process();
        let approve = format!("/v2/validations/{vetting}/approve");
        server.operator.post(&approve, &json!({})).expect(200);
        let vetted = server.finish(&asked);
        let busy = buy(&order("ssl_dv_md", &["busy.dev"]));
        let extended = open(&organization_of(order("ssl_ev", &["extended.dev"])));
        let path = format!("/v2/ssl/certificates/{busy}/reissue");
        let waits = json!({"csr": csr(&["busy.dev", "unproved.dev"])});
        let open_reissue = alice.post(&path, &waits).process();
        let cancelled = by("cancelled.dev", "DNS");
        for process in [dns, file, email, open_reissue, cancelled] {
            server.wait_for(process, "SUSPENDED");
        }
        assert_eq!(
            alice.delete(&format!("/v2/processes/{cancelled}")).status,
            200
        );

        let reissue = reissued.process();
        server.restart_at(NOW);
        let shown = server
            .alice
            .get(&format!("/v2/ssl/certificates/{new}"))
            .expect(200);
        let told = server
            .alice
            .get("/v2/customers/alice/notifications?limit=1")
            .expect(200);
        Self {
            latest,
            old,
            new,
            shown,
            reissue,
            revoked,
            imported,
            foreign: import,
            monthly,
            many,
            wildcard,
            spare,
            dns,
            file,
            email,
            organization,
            extended,
            vetted,
            vetting,
            busy,
            open: open_reissue,
            cancelled,
            notification: told["entities"][0]["id"].as_i64().unwrap(),
            csr: text,
            server,
        }
    }

    /// A header with a key of alice's that was revoked.
    pub(super) fn revoked_key(&self) -> String {
        format!(
            "Authorization: ApiKey {}",
            self.server.with_revoked_key().key
        )
    }

    /// A header with alice's key, under any scheme.
    pub(super) fn key_as(&self, scheme: &str) -> String {
        format!("Authorization: {scheme} {}", self.server.alice.key)
    }

    pub(super) fn key(&self) -> &str {
        &self.server.alice.key
    }

    /// Carries out a call; the answer is the call as it was sent and what came back.
    pub(super) fn send(&mut self, call: &Call) -> (Call, Reply) {
        let mut sent = call.clone();
        sent.path = call.path.replace("{latest}", &self.latest.to_string());
        let key = self
            .key_of(call.who)
            .map(|key| format!("Authorization: ApiKey {key}"));
        let headers: Vec<&str> = key
            .iter()
            .chain(&sent.headers)
            .map(String::as_str)
            .collect();
        let bytes = request(sent.method, &sent.path, &headers, &sent.body);
        let reply = exchange_in_trouble(self.server.alice.address, &bytes);
        if call.path.contains("{latest}") && reply.status == 201 {
            self.latest = reply.json()["certificateId"].as_i64().unwrap();
        }
        (sent, reply)
    }

    fn key_of(&self, who: Who) -> Option<&str> {
        match who {
            Who::Alice => Some(&self.server.alice.key),
            Who::Bob => Some(&self.server.bob.key),
            Who::Operator => Some(&self.server.operator.key),
            Who::Nobody => None,
        }
    }
}

/// The id at the end of a path.
fn id_in(path: &str) -> i64 {
    path.rsplit('/').next().unwrap().parse().unwrap()
}
