//! Refusals: what the contract's errors look like to a person, and that nothing is overwritten.

use super::{Desk, count};
use crate::support::csr::csr;
use crate::support::server::Server;

#[test]
fn wrong_usage_leaves_with_2_and_shows_no_key() {
    let server = Server::start();
    let desk = Desk::of(&server);
    desk.reissue(1, &["--csr", "a", "--new-key", "p256"])
        .has(2, &["cannot be used with"]);
    desk.reissue(1, &["--new-key", "dsa"])
        .has(2, &["p256, p384, rsa2048, rsa4096"]);
    desk.reissue(1, &["--dcv", "phone"])
        .has(2, &["dns, file, email"]);
    desk.reissue(1, &["--help"]).has(0, &["RESEAL_API_KEY"]);
    let output = desk
        .command(1, &[])
        .env_remove("RESEAL_SERVER")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    desk.reissue(1, &["--server", "ftp://ca.example"])
        .has(2, &["expected a URL such as", "saw `ftp://ca.example`"]);
    let with_password = desk.reissue(1, &["--server", "http://anna:secret@ca.example"]);
    with_password.has(2, &["without a user"]);
    assert!(
        !with_password.err.contains("secret"),
        "{}",
        with_password.err
    );
}

#[test]
fn what_the_server_refuses_is_told_with_its_fields() {
    let server = Server::start();
    let old = server.certificate();
    let mut desk = Desk::of(&server);
    desk.reissue(987_654, &[]).has(1, &["(ObjectDoesNotExist)"]);
    let own = std::mem::replace(&mut desk.key, server.bob.key.clone());
    desk.reissue(old, &[]).has(1, &["(ObjectDoesNotExist)"]);
    desk.key = "bm9ib2R5L2FwaTp4".to_owned();
    desk.reissue(old, &[])
        .has(1, &["(AuthenticationError)", "not revoked?"]);
    desk.key = own;
    let stranger = ["--dcv", "email", "--email", "me@elsewhere.dev"];
    desk.reissue(old, &stranger).has(
        1,
        &[
            "(ConstraintViolationException)",
            "  dcv[0].email: `me@elsewhere.dev` cannot approve",
        ],
    );
    let key = desk.read(&format!("reissue-{old}/key.pem"));
    // The same key and request, now with what the server takes.
    desk.reissue(old, &["--dcv", "dns"]).has(0, &["replaces"]);
    assert_eq!(desk.read(&format!("reissue-{old}/key.pem")), key);
    desk.reissue(old, &["--out", "again"])
        .has(1, &["(ObjectStatusProhibitsOperation)", "REISSUED"]);
}

#[test]
fn a_request_that_would_be_refused_is_not_sent() {
    let server = Server::start();
    let old = server.certificate();
    let desk = Desk::of(&server);
    desk.write(
        "bad.pem",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    );
    desk.reissue(old, &["--csr", "bad.pem"])
        .has(1, &["the request", "[C-"]);
    desk.reissue(old, &["--csr", "missing.pem"])
        .has(1, &["missing.pem cannot be read"]);
    // Has no end.
    desk.reissue(old, &["--csr", "/dev/zero"])
        .has(1, &["/dev/zero is too long for a request"]);
    assert!(!desk.path(&format!("reissue-{old}")).exists());
    assert_eq!(count(&server), 1);
}

#[test]
fn a_certificate_that_is_there_is_never_overwritten() {
    let server = Server::start();
    let old = server.certificate();
    let desk = Desk::of(&server);
    desk.write("own.pem", &csr(&["www.reseal.dev"]));
    for name in ["certificate.pem", "chain.pem", "fullchain.pem"] {
        let file = format!("{name}.d/{name}");
        std::fs::create_dir(desk.path(&format!("{name}.d"))).unwrap();
        desk.write(&file, "precious");
        desk.reissue(old, &["--csr", "own.pem", "--out", &format!("{name}.d")])
            .has(1, &["is there already and is not overwritten"]);
        assert_eq!(desk.read(&file), "precious");
    }
    assert_eq!(count(&server), 1);
}

#[test]
fn a_key_that_is_there_is_never_overwritten() {
    let server = Server::start();
    let old = server.certificate();
    let desk = Desk::of(&server);
    std::fs::create_dir(desk.path("mine")).unwrap();
    desk.write("mine/key.pem", "precious");
    desk.reissue(old, &["--out", "mine"])
        .has(1, &["is there already and is not overwritten"]);
    assert_eq!(desk.read("mine/key.pem"), "precious");
    assert_eq!(count(&server), 1);
    // Nor does a folder change hands.
    desk.reissue(old, &["--out", "new"]).has(0, &[]);
    let key = desk.read("new/key.pem");
    desk.reissue(old, &["--out", "new", "--new-key", "rsa2048"])
        .has(1, &["another key or request"]);
    desk.reissue(old + 1, &["--out", "new"])
        .has(1, &["holds a reissue of certificate"]);
    assert_eq!(desk.read("new/key.pem"), key);
    assert_eq!(count(&server), 2);
}

#[test]
fn a_process_that_ends_otherwise_leaves_with_1() {
    let server = Server::start();
    let old = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let desk = Desk::of(&server);
    desk.write("own.pem", &csr(&["reseal.dev", "other.dev"]));
    let arguments = ["--csr", "own.pem", "--out", "new"];
    desk.reissue(old, &arguments).has(0, &[]);
    let open = server
        .alice
        .get("/v2/processes?status%3Aeq=SUSPENDED")
        .expect(200);
    let process = open["entities"][0]["id"].as_i64().unwrap();
    let cancelled = server.alice.delete(&format!("/v2/processes/{process}"));
    assert_eq!(cancelled.status, 200, "{}", cancelled.text());
    let said = desk.reissue(old, &[&arguments[..], &["--wait"]].concat());
    said.has(1, &["has ended: CANCELLED"]);
}

#[test]
fn d_14_with_email_the_usual_mailbox_is_asked_and_a_file_never_for_a_wildcard() {
    let server = Server::start();
    let old = server.order("ssl_dv_md", &csr(&["reseal.dev"]));
    let desk = Desk::of(&server);
    desk.write(
        "own.pem",
        &csr(&["reseal.dev", "www.other.dev", "*.other.dev"]),
    );
    let by =
        |dcv: &str, out: &str| desk.reissue(old, &["--csr", "own.pem", "--dcv", dcv, "--out", out]);
    let said = by("email", "mail");
    said.has(
        0,
        &[
            "`www.other.dev`: hostmaster@other.dev is asked",
            "approve by the link in the mail",
        ],
    );
    server.wait_for_link(1);
    by("file", "file").has(1, &["a file cannot prove `*.other.dev`", "(ObjectExists)"]);
    let open = server
        .alice
        .get("/v2/processes?status%3Aeq=SUSPENDED")
        .expect(200);
    let process = open["entities"][0]["id"].as_i64().unwrap();
    server.alice.delete(&format!("/v2/processes/{process}"));
    let said = by("file", "file");
    said.has(
        0,
        &[
            "www.other.dev: put this file on the web server",
            "*.other.dev: publish this DNS record",
        ],
    );
    assert!(
        said.row("at")
            .starts_with("http://www.other.dev/.well-known/pki-validation/")
    );
}
