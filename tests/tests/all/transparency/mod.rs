//! Certificates that logs have promised to show, under the rules of a publicly trusted CA: perspectives around the world,
//! and logs that behave or do not. `openssl` and the logs themselves are the judges.

#![expect(
    clippy::unwrap_used,
    reason = "what is wrong here fails a test; the lint knows test functions only"
)]

mod given_up;
mod issued;
mod killed;
mod refused;
mod trouble;

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::deep;
use crate::perspectives::{AROUND, Around, Place};
use crate::support::csr::csr;
use crate::support::ct_log::CtLog;
use crate::support::der;
use crate::support::sct::{entry_of, is_promised, scts, spki_of};
use crate::world::house::House;

/// The name that every certificate here is for.
const NAME: &str = "www.good.dev";

/// A server of public trust, and logs that it shows certificates to.
struct World {
    around: Around,
    logs: Vec<CtLog>,
    folder: TempDir,
}

impl World {
    /// With a log of each of these operators, in this order.
    #[track_caller]
    fn with_logs_of(operators: &[&str]) -> Self {
        let logs = operators.iter().enumerate().map(|(index, _)| match index {
            1 => CtLog::with_rsa(),
            _ => CtLog::start(),
        });
        let logs: Vec<CtLog> = logs.collect();
        let entries = logs.iter().zip(operators);
        let entries: Vec<String> = entries
            .map(|(log, operator)| log.entry(operator, ""))
            .collect();
        let tables = format!(
            "[policy]\nprofile = \"public\"\n[ocsp]\nenabled = true\n[ct]\ntimeout = \"1s\"\nlogs = [{}]\n",
            entries.join(", ")
        );
        let places = AROUND.iter().map(|spot| Place::start(*spot)).collect();
        let around = Around::start_among(&tables, places, "");
        let world = Self {
            around,
            logs,
            folder: TempDir::new().unwrap(),
        };
        for log in &world.logs {
            log.accept(&world.certificate_of_ca("root.pem"));
        }
        world
    }

    fn house(&self) -> &House {
        &self.around.house
    }

    fn certificate_of_ca(&self, name: &str) -> String {
        fs::read_to_string(self.house().data().join("ca").join(name)).unwrap()
    }

    fn intermediate(&self) -> Vec<u8> {
        der::der(&self.certificate_of_ca("intermediate.pem"))
    }

    /// Starts again: how logs fared is forgotten.
    #[track_caller]
    fn restart(&mut self, hold_at: Option<&str>) {
        self.around.house.kill();
        self.around.house.start(hold_at);
    }

    /// Orders and proves [`NAME`]; the certificate.
    #[track_caller]
    fn order(&self) -> i64 {
        let (process, record) = self.around.ask(NAME);
        self.around.publish(&record, &[]);
        self.house().resend(process);
        self.around.is_issued(process, "performed")
    }

    /// Asks for a reissue of `id` with a new key; the process.
    #[track_caller]
    fn reissue(&self, id: i64) -> i64 {
        let body = json!({"csr": csr(&[NAME]), "san": []});
        let path = format!("/v2/ssl/certificates/{id}/reissue");
        let reply = self.house().alice.post(&path, &body);
        assert!([201, 202].contains(&reply.status), "{}", reply.text());
        reply.process()
    }

    /// The same until the certificate is there.
    #[track_caller]
    fn reissued(&self, id: i64) -> i64 {
        let process = self.reissue(id);
        self.house().wait_for(process, "COMPLETED");
        self.house().certificate_of(process)
    }

    /// Waits until `process` waits for logs; what it says.
    #[track_caller]
    fn waits_for_logs(&self, process: i64) -> Value {
        let waits = self.house().wait_for(process, "SUSPENDED");
        let detail = waits["statusDetail"].as_str().unwrap();
        assert!(detail.contains("Certificate Transparency logs"), "{waits}");
        waits
    }

    #[track_caller]
    fn download(&self, id: i64) -> Vec<u8> {
        let path = format!("/v2/ssl/certificates/{id}/download?format=CRT");
        let reply = self.house().alice.get(&path);
        assert_eq!(reply.status, 200, "{}", reply.text());
        der::der(&reply.text())
    }

    /// Checks the promises in certificate `id`, and that it is what the logs were shown; the numbers of the logs.
    #[track_caller]
    fn promised_by(&self, id: i64) -> Vec<usize> {
        let (leaf, issuer) = (self.download(id), spki_of(&self.intermediate()));
        let mut by: Vec<usize> = Vec::new();
        for sct in scts(&leaf) {
            let is_it = |log: &&CtLog| crate::support::sct::key_hash(&log.spki()) == sct.log_id;
            let number = self.logs.iter().position(|log| is_it(&log)).unwrap();
            let log = &self.logs[number];
            assert!(is_promised(&leaf, &issuer, &sct, &log.spki()), "{sct:?}");
            assert!(log.shows(&leaf, &issuer, &sct), "{sct:?}");
            let entry = entry_of(&leaf);
            assert!(log.submitted().iter().any(|sent| entry_of(sent) == entry));
            by.push(number);
        }
        by.sort_unstable();
        by
    }

    /// A file for `openssl`.
    fn file(&self, name: &str, contents: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// What `openssl ocsp` is told of a serial number, hex.
    #[track_caller]
    fn ocsp(&self, serial: &str) -> String {
        let root = self.file("root.pem", self.certificate_of_ca("root.pem").as_bytes());
        let issuer = self.certificate_of_ca("intermediate.pem");
        let issuer = self.file("intermediate.pem", issuer.as_bytes());
        let url = format!("http://{}/ocsp", self.house().alice.address);
        let number = format!("0x{serial}");
        let said = openssl(&[
            "ocsp",
            "-issuer",
            &issuer,
            "-CAfile",
            &root,
            "-verify_other",
            &issuer,
            "-serial",
            &number,
            "-url",
            &url,
        ]);
        assert!(said.contains("Response verify OK"), "{said}");
        said
    }

    /// Serial numbers that were reserved by `process`, the oldest first.
    fn reserved(&self, process: i64) -> Vec<String> {
        let select =
            format!("SELECT serial FROM reservation WHERE process = {process} ORDER BY id");
        let rows = self.house().database().rows(&select);
        rows.into_iter()
            .map(|row| row[0].clone().unwrap())
            .collect()
    }

    /// Nothing that is stored contradicts anything else.
    #[track_caller]
    fn is_sound(&self) {
        let (said, wrong) = deep::examine(&self.house().data());
        assert!(
            wrong.is_empty() && said.contains("each precertificate has a serial number"),
            "{said}"
        );
    }
}

/// What `openssl` says.
#[track_caller]
fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}
