//! `/v2/ssl/certificates…`: what outsiders see of a certificate, and what they keep it from.

use serde_json::json;

use crate::support::csr::csr;
use crate::support::server::Server;

#[test]
fn the_chain_is_accepted_by_openssl() {
    let server = Server::start();
    let id = server.certificate();
    let folder = tempfile::TempDir::new().unwrap();
    let save = |format: &str| {
        let path = folder.path().join(format);
        let reply = server.alice.get(&format!(
            "/v2/ssl/certificates/{id}/download?format={format}"
        ));
        std::fs::write(&path, reply.body).unwrap();
        path
    };
    let root = server.data().join("ca/root.pem");
    let output = std::process::Command::new("openssl")
        .args([
            "verify",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-verify_hostname",
            "www.reseal.dev",
            "-CAfile",
        ])
        .arg(root)
        .arg("-untrusted")
        .arg(save("CA"))
        .arg(save("CRT"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn a_caa_record_for_another_authority_holds_the_issuance_until_it_changes() {
    let server = Server::start();
    server.dns.caa_issue("reseal.dev", "other-ca.example");
    let body = json!({"customer": "alice", "product": "ssl_dv", "period": 12, "csr": csr(&["reseal.dev"])});
    let reply = server.alice.post("/v2/ssl/certificates", &body);
    let process = reply.process();
    server.publish(&reply.expect(202));
    let resend = || {
        server
            .alice
            .post_raw(&format!("/v2/processes/{process}/resend"), b"")
    };
    assert_eq!(resend().status, 200);
    server.wait_for(process, "SUSPENDED");
    let path = format!("/v2/processes/{process}/info");
    let info = server.wait_until(&path, |info| {
        info["validations"]["dcv"][0]["caaRecordStatus"] == "INVALID"
    });
    assert_eq!(info["requiresAttention"], true, "{info}");
    server.dns.clear("reseal.dev");
    server.finish(&reply);
}
