//! `/v2/processes/{id}/add-note` (contract.md sections 4.8 and 5.4).

use serde_json::json;

use crate::support::csr::csr;
use crate::support::server::Server;

fn pending(server: &Server) -> i64 {
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let process = server.alice.post("/v2/ssl/certificates", &body).process();
    server.wait_for(process, "SUSPENDED");
    process
}

#[test]
fn notes_go_both_ways_and_are_shown_by_info_and_timeline() {
    let server = Server::start();
    let process = pending(&server);
    let info = format!("/v2/processes/{process}/info");
    assert_eq!(server.alice.get(&info).expect(200).get("notes"), None);
    let path = format!("/v2/processes/{process}/add-note/");
    let reply = server
        .alice
        .post(&path, &json!({"message": " Please hurry.\nThank you. "}));
    assert_eq!((reply.status, reply.body.as_slice()), (200, b"".as_slice()));
    assert_eq!(reply.header("content-type"), None);
    let reply = server.operator.post(&path, &json!({"message": "We do."}));
    assert_eq!(reply.status, 200);

    let notes = server.alice.get(&info).expect(200)["notes"].clone();
    let seen: Vec<_> = notes
        .as_array()
        .unwrap()
        .iter()
        .map(|note| (&note["type"], &note["message"]))
        .collect();
    assert_eq!(
        seen,
        [
            (&json!("OUTGOING"), &json!("Please hurry.\nThank you.")),
            (&json!("INCOMING"), &json!("We do."))
        ]
    );
    assert!(
        notes[0]["createdDate"].as_str().unwrap().ends_with('Z'),
        "{notes}"
    );
    let selected = server
        .alice
        .get(&format!("{info}?fields=notes"))
        .expect(200);
    assert_eq!(
        selected,
        json!({"commonName": "reseal.dev", "notes": notes})
    );

    let timeline = server
        .alice
        .get(&format!("/v2/processes/{process}/timeline"))
        .expect(200);
    let added: Vec<_> = timeline["entities"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["event"] == "noteAdded")
        .collect();
    assert_eq!(added.len(), 2);
    assert!(added[0]["user"].as_str().unwrap().starts_with("alice/"));
    assert_eq!(
        (&added[0]["byHouse"], &added[1]["byHouse"]),
        (&json!(false), &json!(true))
    );

    // The process itself is where it was, and an ended one takes notes too.
    assert_eq!(
        server
            .alice
            .delete(&format!("/v2/processes/{process}"))
            .status,
        200
    );
    let reply = server.alice.post(&path, &json!({"message": "Never mind."}));
    assert_eq!(reply.status, 200);
    assert_eq!(
        server.alice.get(&info).expect(200)["notes"][2]["message"],
        "Never mind."
    );
}

#[test]
fn a_note_has_a_text_of_bounded_length_and_nothing_else() {
    let server = Server::start();
    let process = pending(&server);
    let path = format!("/v2/processes/{process}/add-note");
    let send = |message: &str| server.alice.post(&path, &json!({"message": message}));
    assert_eq!(send(&"é".repeat(2000)).status, 200);
    send(&"é".repeat(2001)).violates("message");
    send("  ").violates("message");
    send("a\u{1b}[31mb").violates("message");
    server.alice.post(&path, &json!({})).violates("message");
    server
        .alice
        .post(&path, &json!({"message": null}))
        .violates("message");
    server
        .alice
        .post_raw(&path, b"")
        .refused(400, "InvalidMessage");
    for (body, property) in [
        (json!({"message": 1}), "message"),
        (json!({"message": "x", "type": "INCOMING"}), "type"),
    ] {
        let answer = server.alice.post(&path, &body);
        let answer = answer.refused(400, "UnrecognizedPropertyException");
        assert_eq!(answer["property"], property);
    }
    for _ in 1..100 {
        assert_eq!(send("again").status, 200);
    }
    send("again").refused(400, "ObjectStatusProhibitsOperation");
}

#[test]
fn what_is_anothers_takes_no_note_and_looks_like_what_never_was() {
    let server = Server::start();
    let process = pending(&server);
    let send = |id: i64| {
        let path = format!("/v2/processes/{id}/add-note");
        server.bob.post(&path, &json!({"message": "Hello"}))
    };
    let (foreign, unknown) = (send(process), send(process + 1000));
    foreign.refused(400, "ObjectDoesNotExist");
    assert_eq!(foreign.body, unknown.body);
    let info = server.alice.get(&format!("/v2/processes/{process}/info"));
    assert_eq!(info.expect(200).get("notes"), None);
}
