//! A database that is locked, full or broken: answers that say so, and nothing half written.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::database::is_postgres;
use crate::support::http::{Reply, exchange, exchange_in_trouble, request};
use crate::support::server::Server;

/// How long a server takes at most to write what waited.
const PATIENCE: Duration = Duration::from_secs(15);

/// A refusal that is not the caller's fault, and when to come back.
#[track_caller]
fn unavailable(reply: &Reply) {
    refused_for_now(reply, "nothing was changed");
}

/// The same, and what it says of that.
#[track_caller]
fn refused_for_now(reply: &Reply, in_vain: &str) {
    let answer = reply.refused(503, "ProviderUnavailable");
    let message = answer["message"].as_str().unwrap();
    assert!(message.contains(in_vain), "{answer}");
    let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(reply.header("x-process-id"), None);
}

fn rows(server: &Server) -> Vec<(String, i64)> {
    let database = server.database();
    [
        "process",
        "event",
        "certificate",
        "certificate_name",
        "reservation",
        "subscription",
        "domain_authorization",
        "mail_token",
    ]
    .into_iter()
    .map(|table| {
        let query = format!("SELECT count(*) FROM {table}");
        (table.to_owned(), database.number(&query))
    })
    .collect()
}

/// The answer to a reissue by a server that can write again, and turns away while older writes still wait.
fn accepted_in_time(server: &Server, reissue: &str) -> Reply {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let reply = server.alice.call_in_trouble("POST", reissue, &body());
        if reply.status != 503 || Instant::now() > deadline {
            return reply;
        }
        // It was not even begun.
        refused_for_now(&reply, "nothing was done");
        thread::sleep(Duration::from_millis(50));
    }
}

fn body() -> Vec<u8> {
    json!({"csr": csr(&["reseal.dev"])})
        .to_string()
        .into_bytes()
}

#[test]
fn a_locked_database_is_503_and_leaves_nothing() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}");
    let before = rows(&server);
    let lock = server.database().hold_up();
    let import =
        json!({"customer": "alice", "certificate": crate::support::csr::self_signed("x.dev")});
    let order =
        json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["other.dev"])});
    let reissue = format!("{path}/reissue");
    let calls: [(&str, &str, Vec<u8>); 4] = [
        ("POST", &reissue, body()),
        (
            "POST",
            "/v2/ssl/certificates",
            order.to_string().into_bytes(),
        ),
        ("POST", "/v2/ssl/import", import.to_string().into_bytes()),
        ("DELETE", &path, Vec::new()),
    ];
    thread::scope(|scope| {
        let waiting: Vec<_> = calls
            .iter()
            .map(|(method, path, body)| {
                scope.spawn(|| server.alice.call_in_trouble(method, path, body))
            })
            .collect();
        let ready = scope.spawn(|| {
            exchange_in_trouble(server.alice.address, &request("GET", "/readyz", &[], b""))
        });
        // Reading goes on, and so does what needs no database.
        assert_eq!(server.alice.get(&path).expect(200)["status"], "ACTIVE");
        let health = request("GET", "/healthz", &[], b"");
        assert_eq!(exchange(server.alice.address, &health).status, 200);
        for call in waiting {
            unavailable(&call.join().unwrap());
        }
        unavailable(&ready.join().unwrap());
    });
    drop(lock);
    assert_eq!(rows(&server), before);
    accepted_in_time(&server, &reissue).expect(201);
    let ready = request("GET", "/readyz", &[], b"");
    assert_eq!(exchange(server.alice.address, &ready).status, 200);
}

#[test]
fn a_full_disk_is_503_and_what_was_answered_before_is_there() {
    // Here it is the server's own files that cannot grow, and those of PostgreSQL are not.
    if is_postgres() {
        return;
    }
    let mut server = Server::start();
    let mut id = server.certificate();
    let before = rows(&server);
    server.restart_with_files_up_to(1024 * 1024);
    let mut answered = 0;
    let refused = loop {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        let reply = server.alice.call_in_trouble("POST", &path, &body());
        match reply.status {
            201 => id = reply.json()["certificateId"].as_i64().unwrap(),
            // Refused, or accepted and the end could not be written any more.
            _ => break reply,
        }
        answered += 1;
        assert!(answered < 2000, "the disk never filled");
    };
    let mut imported = 0;
    if refused.status == 202 {
        // What is smaller may still find room.
        let reply = loop {
            let import = import();
            let reply = server
                .alice
                .call_in_trouble("POST", "/v2/ssl/import", &import);
            if reply.status != 201 || imported > 50 {
                break reply;
            }
            imported += 1;
        };
        unavailable(&reply);
    } else {
        unavailable(&refused);
    }
    assert!(answered > 0, "the disk was full from the start");
    let current = server
        .alice
        .get(&format!("/v2/ssl/certificates/{id}"))
        .expect(200);
    assert_eq!(current["status"], "ACTIVE", "reading goes on");

    server.restart_at("");
    server.wait_until("/v2/processes?status%3Anot_in=COMPLETED", |open: &Value| {
        open["pagination"]["total"] == 0
    });
    let sound = server.database().value("PRAGMA integrity_check");
    assert_eq!(sound.as_deref(), Some("ok"));
    let count = |rows: &[(String, i64)], table: &str| {
        rows.iter().find(|(name, _)| name == table).unwrap().1
    };
    let after = rows(&server);
    let accepted = answered + i64::from(refused.status == 202);
    assert_eq!(
        count(&after, "process") - count(&before, "process"),
        accepted + imported
    );
    assert_eq!(
        count(&after, "certificate") - count(&before, "certificate"),
        accepted + imported
    );
    assert_eq!(
        count(&after, "reservation") - count(&before, "reservation"),
        accepted
    );
    let newest = server
        .alice
        .get("/v2/ssl/certificates?status=ACTIVE&product=ssl_dv")
        .expect(200);
    assert_eq!(newest["pagination"]["total"], 1, "{newest}");
    let path = format!(
        "/v2/ssl/certificates/{}/reissue",
        newest["entities"][0]["id"]
    );
    server.alice.post_raw(&path, &body()).expect(201);
}

fn import() -> Vec<u8> {
    let certificate = crate::support::csr::self_signed("x.dev");
    json!({"customer": "alice", "certificate": certificate})
        .to_string()
        .into_bytes()
}

#[test]
fn a_fault_of_ours_is_500_and_tells_a_reference_and_nothing_else() {
    let server = Server::start();
    let id = server.certificate();
    let path = format!("/v2/ssl/certificates/{id}");
    server
        .database()
        .run("ALTER TABLE certificate RENAME COLUMN serial TO lost");
    for (method, path, body) in [
        ("GET", path.clone(), Vec::new()),
        ("GET", "/v2/ssl/certificates".to_owned(), Vec::new()),
        ("POST", format!("{path}/reissue"), body()),
    ] {
        let reply = server.alice.call_in_trouble(method, &path, &body);
        let answer = reply.refused(500, "InternalSRSError");
        let message = answer["message"].as_str().unwrap();
        let reference = reply.header("x-request-id").unwrap();
        assert_eq!(message, format!("Internal failure, reference {reference}"));
        assert_eq!(answer.as_object().unwrap().len(), 2, "{answer}");
    }
    // The others are served.
    server.alice.get("/v2/processes").expect(200);
    server.alice.get("/v2/ssl/products").expect(200);
}

#[test]
fn a_mail_folder_that_cannot_be_written_delays_and_does_not_fail() {
    let server = Server::start();
    let folder = server.data().join("mail");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::write(&folder, "in the way").unwrap();
    let dcv = json!([{"commonName": "reseal.dev", "type": "EMAIL", "email": "admin@reseal.dev"}]);
    let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev"]), "dcv": dcv});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    reply.expect(202);
    let process = format!("/v2/processes/{}", reply.process());
    let failed = |timeline: &Value| timeline.to_string().contains("mailFailed");
    server.wait_until(&format!("{process}/timeline"), failed);
    std::fs::remove_file(&folder).unwrap();
    thread::sleep(Duration::from_millis(100));
    server.alice.post_raw(&format!("{process}/resend"), b"");
    server.wait_for_link(1);
}
