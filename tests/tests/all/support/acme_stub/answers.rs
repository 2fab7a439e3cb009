//! What the server says.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Mischief, Order, State, part};
use crate::support::csr::csr;

pub(super) struct Answer {
    pub(super) status: &'static str,
    pub(super) headers: String,
    pub(super) body: String,
}

fn good(body: &Value) -> Answer {
    Answer {
        status: "200 OK",
        headers: String::new(),
        body: body.to_string(),
    }
}

fn made(location: &str, body: &Value) -> Answer {
    Answer {
        status: "201 Created",
        headers: format!("Location: {location}\r\n"),
        body: body.to_string(),
    }
}

pub(super) fn problem(status: &'static str, kind: &str, headers: &str) -> Answer {
    let body = json!({"type": format!("urn:ietf:params:acme:error:{kind}"), "detail": format!("so it is: {kind}")});
    Answer {
        status,
        headers: headers.to_owned(),
        body: body.to_string(),
    }
}

impl State {
    /// Nothing: the connection is closed.
    pub(super) fn answer(
        &mut self,
        method: &str,
        path: &str,
        payload: &Value,
        jwk: &Value,
        address: SocketAddr,
        folder: &Path,
    ) -> Option<Answer> {
        let url = |path: &str| format!("https://{address}{path}");
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let number = |place: usize| -> Option<usize> { parts.get(place)?.parse().ok() };
        let answer = match (method, parts[0]) {
            ("GET", "dir") => good(
                &json!({"newNonce": url("/nonce"), "newAccount": url("/account"),
                "newOrder": url("/new-order"), "revokeCert": url("/revoke"), "keyChange": url("/key"),
                "renewalInfo": url("/renewal-info"), "meta": {"caaIdentities": ["stub.example"]}}),
            ),
            ("POST", "account") => {
                let existing = payload["onlyReturnExisting"] == true;
                if existing && self.key.as_ref() != Some(jwk) {
                    let kind = if self.mischief.contains(&Mischief::MisunderstandKeys) {
                        "malformed"
                    } else {
                        "accountDoesNotExist"
                    };
                    problem("400 Bad Request", kind, "")
                } else {
                    self.key = Some(jwk.clone());
                    made(&self.account(address), &json!({"status": "valid"}))
                }
            }
            ("POST", "key") if self.mischief.remove(&Mischief::LoseKeyRequest) => return None,
            ("POST", "key") => {
                self.key = Some(part(payload.to_string().as_bytes(), "protected")["jwk"].take());
                if self.mischief.remove(&Mischief::LoseKeyAnswer) {
                    return None;
                }
                good(&json!({}))
            }
            ("POST", "new-order") => self.place(payload, address)?,
            ("POST", "order") if self.mischief.contains(&Mischief::ForgetOrders) => {
                problem("404 Not Found", "malformed", "")
            }
            ("GET", "renewal-info") if self.window.is_some() => {
                let [start, end, explanation] = self.window.as_ref()?;
                Answer {
                    headers: "Retry-After: 21600\r\n".to_owned(),
                    ..good(&json!({"suggestedWindow": {"start": start, "end": end},
                        "explanationURL": explanation}))
                }
            }
            ("POST", "order" | "authz" | "challenge" | "finalize")
                if self.orders.get(number(1)?)?.is_lost =>
            {
                problem("404 Not Found", "malformed", "")
            }
            ("POST", "order") => good(&self.show(number(1)?, address)),
            ("POST", "authz") if number(2)? == 1 && self.mischief.remove(&Mischief::LimitReads) => {
                let headers = "Retry-After: 0\r\n";
                problem("429 Too Many Requests", "rateLimited", headers)
            }
            ("POST", "authz") => {
                let (order, name) = (self.orders.get(number(1)?)?, number(2)?);
                let text = order.names.get(name)?;
                let status = if order.proved.contains(&name) {
                    "valid"
                } else {
                    "pending"
                };
                let challenge = url(&format!("/challenge/{}/{name}", number(1)?));
                good(
                    &json!({"status": status, "identifier": {"type": "dns", "value": text.trim_start_matches("*.")},
                    "wildcard": text.starts_with("*."), "challenges": [
                        {"type": "dns-01", "status": "pending", "url": challenge, "token": format!("token-{}-{name}", number(1)?)}]}),
                )
            }
            ("POST", "challenge") => {
                self.orders.get_mut(number(1)?)?.proved.insert(number(2)?);
                good(&json!({}))
            }
            ("POST", "finalize") => self.finalize(number(1)?, payload, address, folder)?,
            ("POST", "certificate") => {
                let is_old = self.mischief.contains(&Mischief::OldCertificate);
                let order = if is_old { 0 } else { number(1)? };
                let body = self.orders.get(order)?.certificate.clone()?;
                Answer {
                    status: "200 OK",
                    headers: String::new(),
                    body,
                }
            }
            ("POST", "revoke")
                if self.mischief.contains(&Mischief::RefuseReasons)
                    && payload.get("reason").is_some() =>
            {
                problem("400 Bad Request", "badRevocationReason", "")
            }
            ("POST", "revoke")
                if self.mischief.contains(&Mischief::FailToRevoke)
                    && self.first_to_revoke() == Some(&payload["certificate"]) =>
            {
                Answer {
                    status: "500 Internal Server Error",
                    headers: String::new(),
                    body: String::new(),
                }
            }
            ("POST", "revoke") if self.mischief.remove(&Mischief::RefuseRevocation) => {
                problem("403 Forbidden", "unauthorized", "")
            }
            ("HEAD", "nonce") | ("POST", "revoke") => good(&json!({})),
            _ => problem("404 Not Found", "malformed", ""),
        };
        Some(answer)
    }

    /// What the account is called.
    pub(super) fn account(&self, address: SocketAddr) -> String {
        format!("https://{address}/account/{}", self.lost_accounts + 1)
    }

    fn first_to_revoke(&self) -> Option<&Value> {
        let mut heard = self.heard.iter();
        let (_, payload) = heard.find(|(path, _)| path == "/revoke")?;
        Some(&payload["certificate"])
    }

    fn place(&mut self, payload: &Value, address: SocketAddr) -> Option<Answer> {
        if self.mischief.remove(&Mischief::RateLimit) {
            return Some(problem(
                "429 Too Many Requests",
                "rateLimited",
                "Retry-After: 17\r\n",
            ));
        }
        if self.mischief.contains(&Mischief::Caa) {
            return Some(problem("403 Forbidden", "caa", ""));
        }
        if self.mischief.contains(&Mischief::AlreadyReplaced) && payload.get("replaces").is_some() {
            return Some(problem("409 Conflict", "alreadyReplaced", ""));
        }
        if !self.mischief.contains(&Mischief::SameOrder) || self.orders.is_empty() {
            let names = payload["identifiers"].as_array()?.iter();
            let names = names.map(|name| Some(name["value"].as_str()?.to_owned()));
            self.orders.push(Order {
                names: names.collect::<Option<_>>()?,
                ..Order::default()
            });
        }
        let number = self.orders.len() - 1;
        let shown = self.show(number, address);
        Some(made(&format!("https://{address}/order/{number}"), &shown))
    }

    fn show(&self, number: usize, address: SocketAddr) -> Value {
        let order = &self.orders[number];
        let status = match (&order.certificate, order.proved.len() == order.names.len()) {
            (Some(_), _) => "valid",
            (None, _) if order.is_processing => "processing",
            (None, true) => "ready",
            (None, false) => "pending",
        };
        let names = 0..order.names.len();
        let authorizations: Vec<String> = names
            .map(|name| format!("https://{address}/authz/{number}/{name}"))
            .collect();
        let mut shown = json!({"status": status, "authorizations": authorizations,
            "finalize": format!("https://{address}/finalize/{number}")});
        if order.certificate.is_some() {
            shown["certificate"] = format!("https://{address}/certificate/{number}").into();
        }
        shown
    }

    fn finalize(
        &mut self,
        number: usize,
        payload: &Value,
        address: SocketAddr,
        folder: &Path,
    ) -> Option<Answer> {
        if self.mischief.remove(&Mischief::LoseRequest) {
            return None;
        }
        if self.mischief.remove(&Mischief::LimitCsr) {
            let headers = "Retry-After: 0\r\n";
            return Some(problem("429 Too Many Requests", "rateLimited", headers));
        }
        if self.mischief.contains(&Mischief::StaysProcessing) {
            self.orders.get_mut(number)?.is_processing = true;
            return Some(good(&self.show(number, address)));
        }
        if self.mischief.contains(&Mischief::BadCsr) {
            return Some(problem("400 Bad Request", "badCSR", ""));
        }
        if self.orders.get(number)?.certificate.is_some() {
            return Some(problem("403 Forbidden", "orderNotReady", ""));
        }
        let mut names = self.orders.get(number)?.names.clone();
        let der = URL_SAFE_NO_PAD.decode(payload["csr"].as_str()?).ok()?;
        let mut request = format!(
            "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
            wrapped(&STANDARD.encode(der))
        );
        if self.mischief.contains(&Mischief::OtherKey) {
            request = csr(&["reseal.dev"]);
        }
        if self.mischief.contains(&Mischief::OtherNames) {
            names.push("other.dev".to_owned());
        }
        let days = if self.mischief.contains(&Mischief::TooLong) {
            12 * 365
        } else {
            90
        };
        let certificate = issue(folder, number, &request, &names, days);
        self.orders.get_mut(number)?.certificate = Some(certificate);
        if self.mischief.remove(&Mischief::LoseAnswer) {
            return None;
        }
        Some(good(&self.show(number, address)))
    }
}

/// A certificate and its issuer, PEM.
fn issue(folder: &Path, number: usize, request: &str, names: &[String], days: u32) -> String {
    let file = |ending: &str| -> PathBuf { folder.join(format!("{number}.{ending}")) };
    fs::write(file("csr"), request).unwrap();
    let names: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
    fs::write(
        file("ext"),
        format!(
            "subjectAltName = {}\nextendedKeyUsage = serverAuth\n",
            names.join(",")
        ),
    )
    .unwrap();
    let made = Command::new("openssl")
        .args([
            "x509",
            "-req",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-days",
            &days.to_string(),
        ])
        .arg("-in")
        .arg(file("csr"))
        .arg("-extfile")
        .arg(file("ext"))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let issuer = fs::read_to_string(folder.join("ca.pem")).unwrap();
    String::from_utf8(made.stdout).unwrap() + &issuer
}

/// In lines as PEM has them.
fn wrapped(text: &str) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    lines.join("\n")
}
