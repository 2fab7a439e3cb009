//! Rules section 11, numbers 24, 25 and 27: what is asked for at the same moment.

use std::thread;

use serde_json::json;

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::Server;

/// Sends everything at the same moment; `with` is made ready before.
fn at_once<T: Sync>(
    with: impl Iterator<Item = T>,
    send: impl Fn(&T) -> Reply + Sync,
) -> Vec<Reply> {
    let with: Vec<T> = with.collect();
    thread::scope(|scope| {
        let send = &send;
        let attempts: Vec<_> = with
            .iter()
            .map(|one| scope.spawn(move || send(one)))
            .collect();
        attempts
            .into_iter()
            .map(|attempt| attempt.join().unwrap())
            .collect()
    })
}

#[test]
fn nasty_024_of_two_reissues_at_once_one_is_accepted() {
    let server = Server::start();
    let id = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let path = format!("/v2/ssl/certificates/{id}/reissue");
    let bodies = (0..8).map(|_| json!({"csr": csr(&["reseal.dev", "new.dev"])}));
    let replies = at_once(bodies, |body| server.alice.post(&path, body));
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 202).count(),
        1
    );
    for reply in replies.iter().filter(|reply| reply.status != 202) {
        reply.refused(400, "ObjectExists");
    }
    let processes = server.alice.get("/v2/processes?action=reissue").expect(200);
    assert_eq!(processes["pagination"]["total"], 1);
}

#[test]
fn r_1_nasty_024_of_reissues_by_reused_proofs_at_once_exactly_one_issues() {
    let server = Server::start();
    let mut id = server.certificate();
    for _ in 0..6 {
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        let bodies = (0..12).map(|_| json!({"csr": csr(&["reseal.dev"])}));
        let replies = at_once(bodies, |body| server.alice.post(&path, body));
        let (issued, refused): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status != 400);
        assert_eq!(issued.len(), 1);
        for reply in &refused {
            let error = reply.json()["type"].clone();
            assert!(
                error == "ObjectExists" || error == "ObjectStatusProhibitsOperation",
                "{error}"
            );
        }
        id = server.finish(&issued[0]);
        let active = server.alice.get("/v2/ssl/certificates?status=ACTIVE");
        assert_eq!(active.expect(200)["pagination"]["total"], 1);
    }
}

#[test]
fn nasty_025_a_reissue_and_a_revocation_at_once_leave_one_consistent_end() {
    for _ in 0..4 {
        let server = Server::start();
        let id = server.certificate();
        let path = format!("/v2/ssl/certificates/{id}");
        let (reissue, revoke) = thread::scope(|scope| {
            let reissue = scope.spawn(|| {
                let body = json!({"csr": csr(&["reseal.dev"])});
                server.alice.post(&format!("{path}/reissue"), &body)
            });
            let revoke = scope.spawn(|| server.alice.delete(&path));
            (reissue.join().unwrap(), revoke.join().unwrap())
        });
        assert_eq!(revoke.status, 200, "{}", revoke.text());
        assert_eq!(server.alice.get(&path).expect(200)["status"], "REVOKED");
        let total =
            server.alice.get("/v2/ssl/certificates").expect(200)["pagination"]["total"].clone();
        if reissue.status == 400 {
            reissue.refused(400, "ObjectStatusProhibitsOperation");
            assert_eq!(total, 1);
        } else {
            // It came first: the revocation is of the old certificate alone.
            let new = server.finish(&reissue);
            let new = server
                .alice
                .get(&format!("/v2/ssl/certificates/{new}"))
                .expect(200);
            assert_eq!((&new["status"], &total), (&json!("ACTIVE"), &json!(2)));
        }
        let body = json!({"csr": csr(&["reseal.dev"])});
        server
            .alice
            .post(&format!("{path}/reissue"), &body)
            .refused(400, "ObjectStatusProhibitsOperation");
    }
}

#[test]
fn x_6_of_revocations_at_once_one_is_accepted_and_the_others_hear_why_not() {
    let server = Server::start();
    for _ in 0..4 {
        let id = server.certificate();
        let path = format!("/v2/ssl/certificates/{id}");
        let replies = at_once(0..8, |_| server.alice.delete(&path));
        let (done, refused): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(done.len(), 1);
        for reply in refused {
            reply.refused(400, "ObjectStatusProhibitsOperation");
        }
    }
}

#[test]
fn nasty_027_a_cancellation_and_a_proof_at_once_have_one_winner() {
    let server = Server::start();
    for round in 0..6 {
        let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&[&format!("r{round}.dev")])});
        let reply = server.alice.post("/v2/ssl/certificates", &body);
        let process = reply.process();
        server.publish(&reply.expect(202));
        let path = format!("/v2/processes/{process}");
        let cancel = thread::scope(|scope| {
            scope.spawn(|| server.alice.post_raw(&format!("{path}/resend"), b""));
            scope.spawn(|| server.alice.delete(&path)).join().unwrap()
        });
        let ended = |body: &serde_json::Value| {
            ["COMPLETED", "CANCELLED"]
                .iter()
                .any(|status| body["status"] == *status)
        };
        let process_body = server.wait_until(&path, ended);
        let found = server
            .alice
            .get(&format!("/v2/ssl/certificates?process={process}"))
            .expect(200);
        if cancel.status == 200 {
            assert_eq!(process_body["status"], "CANCELLED");
            assert_eq!(found["pagination"]["total"], 0);
        } else {
            cancel.refused(400, "ObjectStatusProhibitsOperation");
            assert_eq!(process_body["status"], "COMPLETED");
            assert_eq!(found["pagination"]["total"], 1);
        }
    }
}
