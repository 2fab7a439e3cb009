//! The life of an order as a billing module drives it, in plain HTTP: from the list of products over years of reissues
//! to the revocation. Each step uses what the steps before were answered with, and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::Server;

const NAME: &str = "shop.dev";
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The module and the server, whose clock goes on as the journey does.
struct Module {
    server: Server,
    now: Timestamp,
}

impl Module {
    fn get(&self, path: &str) -> Value {
        self.server.alice.get(path).expect(200)
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.server.alice.post(path, body)
    }

    /// The one certificate that the process of an order led to.
    #[track_caller]
    fn certificate_of(&self, process: i64) -> Value {
        let list = self.get(&format!("/v2/ssl/certificates/?process%3Aeq={process}"));
        assert_eq!(list["entities"].as_array().unwrap().len(), 1, "{list}");
        list["entities"][0].clone()
    }

    /// Lets time pass until `moment`.
    fn sleep_until(&mut self, moment: Timestamp) {
        let seconds = moment.duration_since(Timestamp::now()).as_secs();
        self.server.restart_at(&format!("+{seconds}s"));
        self.now = moment;
    }

    /// Asks for the key, and shows it at every name, as the module does before each call that uses it.
    fn show_key(&self, request: &str) -> String {
        let key = self.post(
            "/v2/ssl/authkey",
            &json!({"product": "ssl_dv", "csr": request}),
        );
        let key = key.expect(200);
        assert!(moment(&key, "validity") > self.now, "{key}");
        let key = key["authKey"].as_str().unwrap().to_owned();
        for name in [NAME, "www.shop.dev"] {
            self.server.dns.clear(name);
            self.server.dns.txt(name, &key);
        }
        key
    }

    /// Orders by key and, when that is refused by anything but what the module takes as final, without one.
    fn ask(&self, path: &str, mut body: Value) -> Reply {
        body["authKey"] = json!(true);
        body["dcv"] = json!([
            {"commonName": NAME, "type": "DNS", "email": null},
            {"commonName": "www.shop.dev", "type": "DNS", "email": null},
        ]);
        let reply = self.post(path, &body);
        if reply.status != 400 {
            return reply;
        }
        let refusal = reply.json();
        assert_ne!(refusal["type"], "ConstraintViolationException", "{refusal}");
        assert_ne!(refusal["type"], "ObjectExists", "{refusal}");
        body["authKey"] = json!(false);
        self.post(path, &body)
    }
}

fn moment(object: &Value, field: &str) -> Timestamp {
    object[field].as_str().unwrap().parse().unwrap()
}

/// The archive as the module opens it: base64, then the first file below `Linux/`, whose name says which domain it is.
fn bundle_in(download: &str) -> String {
    let bytes = STANDARD.decode(download.trim()).unwrap();
    let number = |at: usize, length: usize| {
        bytes[at..at + length]
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    };
    // A local file header (APPNOTE.TXT section 4.3.7); nothing is compressed.
    assert_eq!((number(0, 4), number(8, 2)), (0x0403_4b50, 0));
    let (size, name, extra) = (number(22, 4), number(26, 2), number(28, 2));
    let start = 30 + name + extra;
    assert_eq!(&bytes[30..30 + name], b"Linux/shop_dev.ca-bundle");
    String::from_utf8(bytes[start..start + size].to_vec()).unwrap()
}

#[test]
fn r_6_a_billing_module_orders_reissues_renews_and_revokes() {
    let mut module = Module {
        server: Server::start(),
        now: Timestamp::now(),
    };

    // Setting a product up: pages of ten until they end, and what the module reads of each.
    let (mut offset, mut products) = (0, Vec::new());
    loop {
        let page = module.get(&format!(
            "/v2/ssl/products/?limit=10&offset={offset}&certificateType%3Ane=ACME_SUBSCRIPTION"
        ));
        products.extend(page["entities"].as_array().unwrap().clone());
        if page["pagination"]["total"].as_i64().unwrap() < offset {
            break;
        }
        offset += 10;
    }
    let product = products
        .iter()
        .find(|one| one["product"] == "ssl_dv")
        .unwrap();
    assert!(
        product["features"]
            .as_array()
            .unwrap()
            .contains(&json!("REISSUE"))
    );
    let optional = product["optionalFields"].as_array().unwrap();
    assert!(optional.contains(&json!("authKey")));
    assert!(product["periods"].as_array().unwrap().contains(&json!(12)));

    // The order. It is tried by key before anything shows one, and goes on without.
    let request = csr(&[NAME]);
    let decoded = module
        .post("/v2/ssl/decodecsr", &json!({ "csr": request }))
        .expect(200);
    assert_eq!(decoded["commonName"], NAME);
    let order = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": request});
    let reply = module.ask("/v2/ssl/certificates/", order);
    let info = reply.expect(202);
    let process = reply.process();
    assert_eq!(info.get("certificateId"), None);
    let seen = module.get(&format!("/v2/processes/{process}"));
    assert_eq!(
        (&seen["identifier"], &seen["status"]),
        (&json!(NAME), &json!("SUSPENDED"))
    );
    assert_eq!(
        module.get("/v2/processes/?limit=0")["pagination"]["total"],
        1
    );

    // The customer is shown what to publish, publishes it, and says so.
    let info = module.get(&format!("/v2/processes/{process}/info"));
    module.server.publish(&info);
    let resent = module
        .server
        .alice
        .post_raw(&format!("/v2/processes/{process}/resend"), b"");
    assert_eq!(resent.status, 200, "{}", resent.text());
    module.server.wait_for(process, "COMPLETED");
    let mut certificate = module.certificate_of(process);
    assert_eq!(certificate["status"], "ACTIVE");
    let bought_until = moment(&certificate, "subscriptionEndDate");

    // Delivered as the module opens it.
    let deliver = |module: &Module, certificate: &Value| {
        let path = format!(
            "/v2/ssl/certificates/{}/download?format=ZIP",
            certificate["id"]
        );
        let reply = module.server.alice.get(&path);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(
            bundle_in(&reply.text())
                .matches("BEGIN CERTIFICATE")
                .count(),
            2
        );
        assert!(
            certificate["certificate"]
                .as_str()
                .unwrap()
                .contains("BEGIN CERTIFICATE")
        );
    };
    deliver(&module, &certificate);

    // Some days before each end it is reissued by key, within the call, until what was bought is used up.
    let mut reissues = 0;
    while moment(&certificate, "expiryDate") < bought_until {
        let end = moment(&certificate, "expiryDate");
        module.sleep_until(end - DAY * 5);
        let request = csr(&[NAME]);
        let key = module.show_key(&request);
        let path = format!("/v2/ssl/certificates/{}/reissue/", certificate["id"]);
        let reply = module.ask(&path, json!({ "csr": request }));
        let info = reply.expect(201);
        let successor = module.certificate_of(reply.process());
        assert_eq!(successor["id"], info["certificateId"]);
        assert!(!successor.to_string().contains(&key));
        let old = module.get(&format!("/v2/ssl/certificates/{}", certificate["id"]));
        assert_eq!(old["status"], "REISSUED");
        assert_eq!(
            successor["subscriptionEndDate"],
            certificate["subscriptionEndDate"]
        );
        assert!(moment(&successor, "expiryDate") > end);
        certificate = successor;
        deliver(&module, &certificate);
        reissues += 1;
    }
    assert!((1..=3).contains(&reissues), "{reissues}");
    assert_eq!(moment(&certificate, "expiryDate"), bought_until);

    // The last days: the term is renewed, and the new one begins where the old one ends.
    module.sleep_until(bought_until - DAY * 10);
    let request = csr(&[NAME]);
    module.show_key(&request);
    let path = format!("/v2/ssl/certificates/{}/renew/", certificate["id"]);
    let reply = module.ask(&path, json!({"csr": request, "period": 12}));
    reply.expect(201);
    let renewed = module.certificate_of(reply.process());
    let old = module.get(&format!("/v2/ssl/certificates/{}", certificate["id"]));
    assert_eq!(
        (&old["status"], &renewed["status"]),
        (&json!("RENEWED"), &json!("ACTIVE"))
    );
    let term = moment(&renewed, "subscriptionEndDate").duration_since(bought_until);
    assert!((365..=366).contains(&(term.as_hours() / 24)), "{renewed}");
    deliver(&module, &renewed);

    // The customer leaves: no body, no reason.
    let path = format!("/v2/ssl/certificates/{}", renewed["id"]);
    let reply = module.server.alice.delete(&path);
    assert_eq!((reply.status, reply.text().as_str()), (200, ""));
    assert_eq!(module.get(&path)["status"], "REVOKED");
    assert_eq!(
        module.get(&format!("/v2/processes/{}", reply.process()))["action"],
        "revoke"
    );
    let shown = module.server.verify_audit();
    assert!(shown.starts_with("as it was written"), "{shown}");
}
