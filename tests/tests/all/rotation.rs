//! `reseal ca rotate` beside a running server, and what it means for everything issued before and after. `openssl` judges.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::crash::{HELD, house, order, reissue_process};
use crate::deep::examine;
use crate::support::csr::csr;
use crate::support::database;
use crate::support::http::{exchange, request};
use crate::support::server::{binary, reseal};
use crate::world::house::House;

/// Lists are signed soon after a start and a revocation.
const SOON: Duration = Duration::from_secs(20);

fn run(arguments: &[&str], data: &Path) -> Output {
    let mut command = Command::new(binary());
    command.args(arguments).arg("--data").arg(data);
    command.output().unwrap()
}

/// Rotates; the identifier of the new intermediate.
#[track_caller]
fn rotate(house: &House) -> String {
    reseal(&["ca", "rotate", "--data", house.data().to_str().unwrap()]);
    let mut files = fs::read_dir(house.data().join("ca")).unwrap();
    let id = files.find_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        let id = name.strip_prefix("intermediate-")?.strip_suffix(".pem")?;
        Some(id.to_owned())
    });
    id.unwrap()
}

#[track_caller]
pub(crate) fn reissue(house: &House, certificate: i64) -> i64 {
    let path = format!("/v2/ssl/certificates/{certificate}/reissue");
    let reply = house
        .alice
        .post(&path, &json!({"csr": csr(&["reseal.dev"])}));
    reply.expect(201)["certificateId"].as_i64().unwrap()
}

/// What a client has of a certificate: everything is fetched from where the certificate says that it is.
pub(crate) struct Relying<'a> {
    house: &'a House,
    folder: TempDir,
}

impl<'a> Relying<'a> {
    pub(crate) fn new(house: &'a House) -> Self {
        let folder = TempDir::new().unwrap();
        Self { house, folder }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn get(&self, path: &str) -> (u16, Vec<u8>) {
        let reply = exchange(self.house.alice.address, &request("GET", path, &[], b""));
        (reply.status, reply.body)
    }

    #[track_caller]
    pub(crate) fn download(&self, id: i64, format: &str) -> PathBuf {
        let path = format!("/v2/ssl/certificates/{id}/download?format={format}");
        let file = self.file(&format!("{id}.{format}"));
        let reply = self.house.alice.get(&path);
        assert_eq!(reply.status, 200, "{}", reply.text());
        fs::write(&file, reply.body).unwrap();
        file
    }

    /// The path of the pointer in certificate `id` that has `part` in it.
    #[track_caller]
    fn pointer(&self, id: i64, part: &str) -> String {
        let leaf = self.download(id, "CRT");
        let (_, text) = openssl(&["x509", "-noout", "-text", "-in", leaf.to_str().unwrap()]);
        let url = text.lines().find_map(|line| {
            let (_, url) = line.split_once("URI:")?;
            url.contains(part).then(|| url.trim().to_owned())
        });
        format!("/{}", url.unwrap().splitn(4, '/').nth(3).unwrap())
    }

    /// Fetches the list at `path` until it is `seen`.
    #[track_caller]
    fn list(&self, path: &str, seen: impl Fn(&str) -> bool) -> PathBuf {
        let (deadline, file) = (Instant::now() + SOON, self.file(&path.replace('/', "-")));
        loop {
            let (status, body) = self.get(path);
            if status == 200 {
                fs::write(&file, body).unwrap();
                let arguments = ["crl", "-inform", "DER", "-noout", "-text", "-in"];
                let (_, text) = openssl(&[&arguments[..], &[file.to_str().unwrap()]].concat());
                if seen(&text) {
                    return file;
                }
            }
            assert!(Instant::now() < deadline, "{path}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What `openssl verify` says of certificate `id` with its chain by AIA and both lists.
    #[track_caller]
    pub(crate) fn verify(&self, id: i64, is_revoked: bool) -> (bool, String) {
        let issuer = self.file(&format!("{id}.issuer"));
        let (status, der) = self.get(&self.pointer(id, "/ca/"));
        assert_eq!(status, 200);
        fs::write(&issuer, der).unwrap();
        let (root, roots) = (self.house.data().join("ca/root.pem"), |_: &str| true);
        let shown = move |text: &str| !is_revoked || text.contains("Serial Number:");
        let lists = [
            self.list("/crl/root.crl", roots),
            self.list(&self.pointer(id, "/crl/"), shown),
        ];
        let leaf = self.download(id, "CRT");
        openssl(&[
            "verify",
            "-crl_check_all",
            "-extended_crl",
            "-x509_strict",
            "-purpose",
            "sslserver",
            "-CAfile",
            root.to_str().unwrap(),
            "-untrusted",
            issuer.to_str().unwrap(),
            "-CRLfile",
            lists[0].to_str().unwrap(),
            "-CRLfile",
            lists[1].to_str().unwrap(),
            leaf.to_str().unwrap(),
        ])
    }

    /// The downloads of `id` have the issuer by which it verifies, and no other.
    #[track_caller]
    pub(crate) fn chain_is_right(&self, id: i64) {
        let root = self.house.data().join("ca/root.pem");
        let leaf = self.download(id, "CRT");
        for format in ["CA", "CA_BUNDLE"] {
            let chain = self.download(id, format);
            let (good, said) = openssl(&[
                "verify",
                "-x509_strict",
                "-CAfile",
                root.to_str().unwrap(),
                "-untrusted",
                chain.to_str().unwrap(),
                leaf.to_str().unwrap(),
            ]);
            assert!(good, "{format} of {id}: {said}");
        }
        let pkcs7 = self.download(id, "PKCS7");
        let (_, certificates) = openssl(&["pkcs7", "-print_certs", "-in", pkcs7.to_str().unwrap()]);
        let ca = fs::read_to_string(self.download(id, "CA")).unwrap();
        let issuer: Vec<_> = ca.lines().filter(|line| !line.contains("-----")).collect();
        assert!(certificates.contains(issuer[0]) && certificates.contains(&issuer.join("\n")));
    }
}

pub(crate) fn openssl(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn p_13_both_chains_and_their_lists_are_good_after_a_rotation_beside_a_server_that_is_killed() {
    let (mut house, dns) = house();
    // Certificates point to an address that stays the same, though the server's port does not.
    let path = house.data().join("reseal.toml");
    let configuration = fs::read_to_string(&path).unwrap();
    let address = "[server]\npublic_url = \"http://ca.reseal.dev\"\n";
    fs::write(&path, format!("{address}{configuration}")).unwrap();
    house.start(None);
    let old = order(&house, &dns);
    house.kill();
    house.start(Some("reserved"));
    let body = json!({"csr": csr(&["reseal.dev"])}).to_string();
    let path = format!("/v2/ssl/certificates/{old}/reissue");
    let call = house.send(&path, body.as_bytes());
    house.wait_for_line(HELD);
    let id = rotate(&house);
    house.kill();
    drop(call);

    // What was recorded before the rotation is signed as it was recorded.
    house.start(None);
    let process = reissue_process(&house);
    house.wait_for(process, "COMPLETED");
    let recorded = house.certificate_of(process);
    let new = reissue(&house, recorded);
    let relying = Relying::new(&house);
    for (certificate, name) in [
        (old, "intermediate"),
        (recorded, "intermediate"),
        (new, &*format!("intermediate-{id}")),
    ] {
        assert_eq!(
            relying.pointer(certificate, "/ca/"),
            format!("/ca/{name}.cer")
        );
        assert_eq!(
            relying.pointer(certificate, "/crl/").contains(&id),
            certificate == new
        );
        relying.chain_is_right(certificate);
        let (good, said) = relying.verify(certificate, false);
        assert!(good, "{said}");
    }
    let issuers = house
        .database()
        .rows("SELECT issuer FROM certificate ORDER BY id");
    let issuers: Vec<_> = issuers
        .into_iter()
        .map(|mut row| row.remove(0).unwrap())
        .collect();
    assert_eq!(
        issuers,
        [
            "embedded".to_owned(),
            "embedded".to_owned(),
            format!("embedded-{id}")
        ]
    );

    // Each is revoked on its own intermediate's list.
    for certificate in [recorded, new] {
        let reply = house
            .alice
            .delete(&format!("/v2/ssl/certificates/{certificate}"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let (good, said) = relying.verify(certificate, true);
        assert!(!good && said.contains("certificate revoked"), "{said}");
    }
    house.terminate();
    let (said, wrong) = examine(&house.data());
    assert!(wrong.is_empty(), "{said}");
    assert!(said.contains("256 revocation lists are fresh"), "{said}");
    assert!(
        said.contains("the certificates that it has to show (256)"),
        "{said}"
    );
    assert!(
        said.contains("over what was reserved for it unless an upstream issued it (3)"),
        "{said}"
    );
    let shown = run(&["ca", "show"], &house.data());
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert_eq!(shown.matches("subject").count(), 3, "{shown}");
    assert!(shown.contains(&format!("/crl/{id}/0.crl")), "{shown}");
    let made = "SELECT object FROM audit WHERE action = 'ca.key.create' ORDER BY id DESC";
    assert_eq!(
        house.database().value(made).unwrap(),
        format!("ca/intermediate-{id}")
    );
    let loaded = format!(
        "SELECT count(*) FROM audit WHERE action = 'ca.key.load' AND object = 'ca/intermediate-{id}'"
    );
    assert_eq!(house.database().number(&loaded), 1);
}

#[test]
fn a_second_rotation_waits_until_the_first_is_in_use_and_a_node_without_it_is_told() {
    let (mut house, dns) = house();
    house.start(None);
    let old = order(&house, &dns);
    let behind = house.another_node();
    let refused = |house: &House, why: &str| {
        let output = run(&["ca", "rotate"], &house.data());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{said}");
    };
    let id = rotate(&house);
    refused(&house, "no server was started since");
    house.terminate();
    house.start(None);
    let new = reissue(&house, old);
    let relying = Relying::new(&house);
    let (good, said) = relying.verify(new, false);
    assert!(good, "{said}");
    house.terminate();
    if database::is_postgres() {
        let mut behind = behind;
        refused(
            &behind,
            &format!("another server has the intermediate {id}"),
        );
        behind.start(None);
        let warned = |line: &String| line.contains("an intermediate that is not in the folder");
        assert!(
            behind.said_first.iter().any(warned),
            "{:?}",
            behind.said_first
        );
        let path = format!("/v2/ssl/certificates/{new}/download?format=");
        let chain = behind
            .alice
            .call_in_trouble("GET", &format!("{path}CA"), b"");
        assert_eq!(chain.status, 503);
        assert_eq!(behind.alice.get(&format!("{path}CRT")).status, 200);
    }
}

#[test]
fn p_13_the_root_signs_on_a_host_of_its_own_and_the_online_one_never_sees_its_key() {
    let (mut house, dns) = house();
    house.start(None);
    let old = order(&house, &dns);
    let offline = TempDir::new().unwrap();
    let ca = house.data().join("ca");
    fs::create_dir(offline.path().join("ca")).unwrap();
    for name in ["root.pem", "root.key", "unlock.key"] {
        fs::copy(ca.join(name), offline.path().join("ca").join(name)).unwrap();
    }
    fs::remove_file(ca.join("root.key")).unwrap();
    let (request, certificate) = (
        offline.path().join("request"),
        offline.path().join("certificate"),
    );
    let [request, certificate] = [request.to_str().unwrap(), certificate.to_str().unwrap()];

    let key = run(&["ca", "rotate", "--request", request], &house.data());
    let sign = ["ca", "sign-intermediate", request, "--out", certificate];
    let refused = run(&sign, offline.path());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && said.contains("server.public_url"),
        "{said}"
    );
    let configuration = "[server]\npublic_url = \"http://ca.reseal.dev\"\n";
    fs::write(offline.path().join("reseal.toml"), configuration).unwrap();
    let signed = run(&sign, offline.path());
    let said = String::from_utf8_lossy(&signed.stdout).into_owned();
    assert!(
        signed.status.success() && said.contains(String::from_utf8_lossy(&key.stdout).trim()),
        "{said}"
    );
    assert!(
        !run(&sign, offline.path()).status.success(),
        "nothing is overwritten"
    );
    let taken = run(
        &["ca", "rotate", "--certificate", certificate],
        &house.data(),
    );
    assert!(
        taken.status.success(),
        "{}",
        String::from_utf8_lossy(&taken.stderr)
    );

    house.terminate();
    house.start(None);
    let new = reissue(&house, old);
    let relying = Relying::new(&house);
    for certificate in [old, new] {
        relying.chain_is_right(certificate);
        let (good, said) = relying.verify(certificate, false);
        assert!(good, "{said}");
    }
    let actions = house
        .database()
        .rows("SELECT action FROM audit WHERE object LIKE 'ca/intermediate-%' ORDER BY id");
    let actions: Vec<_> = actions
        .into_iter()
        .map(|mut row| row.remove(0).unwrap())
        .collect();
    assert_eq!(
        actions,
        ["ca.key.create", "ca.certificate.add", "ca.key.load"]
    );
}
