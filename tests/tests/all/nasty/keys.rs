//! Rules section 11, numbers 35, 42 and 53 to 55: keys that are somebody else's, exposed or compromised.

use std::fs;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use rcgen::KeyPair;
use serde_json::{Value, json};

use super::Target;
use crate::support::csr::{csr, stored, with_key};
use crate::support::http::Client;
use crate::support::server::Server;

#[track_caller]
fn revoke(client: &Client, path: &str, reason: &str) {
    let body = json!({"reason": reason}).to_string();
    let headers = ["Content-Type: application/json"];
    let reply = client.call("DELETE", path, &headers, body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
}

#[test]
fn nasty_035_a_key_whose_private_half_was_sent_is_never_certified() {
    let bob = json!({"customer": "bob", "product": "ssl_dv", "period": 12});
    for way in ["reissue", "quote", "decodecsr", "import"] {
        let target = Target::start();
        let key = KeyPair::generate().unwrap();
        let secret = key.serialize_pem();
        let server = &target.server;
        let order = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": secret});
        let import = json!({"customer": "alice", "certificate": "x", "csr": secret});
        match way {
            "reissue" => target.reissue_with(&secret).bad_csr_by("C-2"),
            "quote" => server
                .alice
                .post("/v2/ssl/certificates?quote=true", &order)
                .bad_csr_by("C-2"),
            "decodecsr" => server
                .alice
                .post("/v2/ssl/decodecsr", &json!({"csr": secret}))
                .bad_csr(),
            _ => server
                .alice
                .post("/v2/ssl/import", &import)
                .refused(400, "ConstraintViolationException"),
        };
        target.is_untouched();
        let csr = with_key(&key, &["reseal.dev"]);
        target.reissue_with(&csr).bad_csr_by("C-21");
        let mut order = bob.clone();
        order["csr"] = csr.into();
        server
            .bob
            .post("/v2/ssl/certificates", &order)
            .bad_csr_by("C-21");
    }
}

#[test]
fn nasty_042_a_copied_request_helps_nobody_but_the_holder_of_its_key() {
    let server = Server::start();
    let copied = stored("csr/ec-256.pem");
    let order = |customer: &str, csr: &str| json!({"customer": customer, "product": "ssl_dv", "period": 12, "csr": csr});
    // Whoever sends it has to prove the names himself.
    let reply = server
        .alice
        .post("/v2/ssl/certificates", &order("alice", &copied));
    let info = reply.expect(202);
    assert_eq!(info["commonName"], "www.reseal.dev");
    server.finish(&reply);
    // Once certified for one customer, the key is refused to another (C-23).
    let reply = server
        .bob
        .post("/v2/ssl/certificates", &order("bob", &copied));
    reply.bad_csr_by("C-23");
}

#[test]
fn nasty_053_the_authoritys_own_keys_are_not_certified() {
    let target = Target::start();
    for name in ["root.key", "intermediate.key"] {
        let key = own_key(&target.server, name);
        target
            .reissue_with(&with_key(&key, &["reseal.dev"]))
            .bad_csr_by("C-22");
    }
    target.is_untouched();
}

/// What only the server's owner can do: opens a key file with the unlock key beside it.
fn own_key(server: &Server, name: &str) -> KeyPair {
    let folder = server.data().join("ca");
    let unlock = fs::read_to_string(folder.join("unlock.key")).unwrap();
    let unlock = hex::decode(unlock.trim()).unwrap();
    let file: Value = serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap();
    let bytes = |field: &str| hex::decode(file[field].as_str().unwrap()).unwrap();
    let nonce: [u8; NONCE_LEN] = bytes("nonce").try_into().unwrap();
    let mut sealed = bytes("ciphertext");
    let header = Aad::from(file["header"].to_string());
    let opened = RandomizedNonceKey::new(&AES_256_GCM, &unlock)
        .unwrap()
        .open_in_place(Nonce::from(&nonce), header, &mut sealed)
        .unwrap();
    KeyPair::try_from(&*opened).unwrap()
}

#[test]
fn nasty_054_055_a_compromised_key_is_refused_to_everybody_in_the_same_words() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let first = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let second = server.order("ssl_dv", &csr(&["other.dev"]));
    revoke(
        &server.alice,
        &format!("/v2/ssl/certificates/{first}"),
        "KEY_COMPROMISE",
    );
    let found = json!({"keys": [key.public_key_pem()], "reason": "found in public"});
    server.operator.post("/v2/blocked-keys", &found).expect(200);
    let refused = |client: &Client, customer: &str| {
        let csr = with_key(&key, &["reseal.dev"]);
        let body = json!({"customer": customer, "product": "ssl_dv", "period": 12, "csr": csr});
        client
            .post("/v2/ssl/certificates", &body)
            .bad_csr_by("C-21")
    };
    assert_eq!(refused(&server.alice, "alice"), refused(&server.bob, "bob"));
    // Another certificate can be reissued, but not with that key.
    let path = format!("/v2/ssl/certificates/{second}/reissue");
    let same = json!({"csr": with_key(&key, &["other.dev"])});
    server.alice.post(&path, &same).bad_csr_by("C-21");
    // A reason is not a field of a reissue: compromise is told by revoking.
    let reason = json!({"csr": csr(&["other.dev"]), "reason": "KEY_COMPROMISE"});
    let answer = server.alice.post(&path, &reason);
    let answer = answer.refused(400, "UnrecognizedPropertyException");
    assert_eq!(answer["property"], "reason");
    server
        .alice
        .post(&path, &json!({"csr": csr(&["other.dev"])}))
        .expect(201);
}

#[test]
fn an_import_neither_tells_of_anothers_certificate_nor_takes_its_key() {
    let server = Server::start();
    let key = KeyPair::generate().unwrap();
    let id = server.order("ssl_dv", &with_key(&key, &["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{id}");
    let pem = server.alice.get(&path).expect(200)["certificate"].clone();
    let import = |client: &Client, customer: &str| {
        client.post(
            "/v2/ssl/import",
            &json!({"customer": customer, "certificate": pem}),
        )
    };
    let taken = import(&server.bob, "bob");
    assert_eq!(taken.status, 201, "{}", taken.text());
    import(&server.bob, "bob").refused(400, "ObjectExists");
    import(&server.alice, "alice").refused(400, "ObjectExists");
    // What was issued elsewhere is revoked elsewhere: else a stranger could block the key.
    let imported = taken.header("location").unwrap();
    let body = br#"{"reason":"KEY_COMPROMISE"}"#;
    let headers = ["Content-Type: application/json"];
    let reply = server.bob.call("DELETE", imported, &headers, body);
    reply.refused(400, "ObjectStatusProhibitsOperation");
    let body = json!({"csr": with_key(&key, &["reseal.dev"])});
    server
        .alice
        .post(&format!("{path}/reissue"), &body)
        .expect(201);
}
