//! By HTTPS.

use std::fs;
use std::process::Command;

use super::Desk;
use crate::support::server::{Server, announced, binary};

#[test]
fn a_server_is_trusted_by_the_ca_that_is_given_and_by_no_other() {
    let mut server = Server::start();
    let old = server.certificate();
    server.terminate();
    let mut desk = Desk::of(&server);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let data = server.data();
    fs::write(data.join("tls.pem"), made.cert.pem()).unwrap();
    fs::write(data.join("tls.key"), made.signing_key.serialize_pem()).unwrap();
    let configuration = fs::read_to_string(data.join("reseal.toml")).unwrap();
    let tls = "[server]\ntls_certificate = \"tls.pem\"\ntls_key = \"tls.key\"\n";
    fs::write(data.join("reseal.toml"), format!("{tls}{configuration}")).unwrap();
    let mut command = Command::new(binary());
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data);
    let (mut child, url) = announced(command);
    desk.url = url;
    assert!(desk.url.starts_with("https://"), "{}", desk.url);

    desk.write("ca.pem", &made.cert.pem());
    desk.write("other.pem", &other.cert.pem());
    desk.write("none.pem", "");
    let strange = desk.reissue(old, &["--ca-file", "other.pem"]);
    let unknown = desk.reissue(old, &[]);
    let empty = desk.reissue(old, &["--ca-file", "none.pem"]);
    let trusted = desk.reissue(old, &["--ca-file", "ca.pem"]);
    child.kill().unwrap();
    child.wait().unwrap();
    // At once, and in words.
    for refused in [strange, unknown] {
        refused.has(
            1,
            &["is not trusted, and was sent nothing", "--ca-file FILE"],
        );
        assert!(!refused.err.contains("again in"), "{}", refused.err);
    }
    empty.has(1, &["none.pem holds no certificate"]);
    trusted.has(0, &["replaces"]);
    desk.fits(&server, &format!("reissue-{old}"), true);
}
