//! A customer's side of HTTP/1.1: one connection a call, nothing hidden.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const LONGEST_CALL: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body, which has to be JSON and say so.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    /// `X-Process-Id`.
    pub(crate) fn process(&self) -> i64 {
        let value = self.header("x-process-id");
        value
            .and_then(|id| id.parse().ok())
            .unwrap_or_else(|| panic!("no process: {self:?}"))
    }

    /// The body, when the status is the one expected.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// A refusal in the contract's shape; the answer is its body.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, contract_type: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["type"], contract_type, "{body}");
        assert!(!body["message"].as_str().unwrap().is_empty(), "{body}");
        body
    }

    /// A violation of field `field` and of no other.
    #[track_caller]
    pub(crate) fn violates(&self, field: &str) -> Value {
        let body = self.refused(400, "ConstraintViolationException");
        let fields: Vec<_> = body["violations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["field"])
            .collect();
        assert!(
            !fields.is_empty() && fields.iter().all(|seen| *seen == field),
            "{body}"
        );
        body
    }

    /// A refused CSR, and the rule of the rule book that the answer names.
    #[track_caller]
    pub(crate) fn bad_csr_by(&self, rule: &str) -> Value {
        let body = self.bad_csr();
        let message = body["message"].as_str().unwrap();
        assert!(message.contains(&format!("[{rule}]")), "{rule}: {body}");
        body
    }

    /// A refused CSR.
    #[track_caller]
    pub(crate) fn bad_csr(&self) -> Value {
        let body = self.refused(400, "InvalidCSRException");
        assert_eq!(body["violations"][0]["field"], "csr", "{body}");
        body
    }
}

/// Someone who may call the server.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
}

impl Client {
    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &[], b"")
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, &[], b"")
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.post_raw(path, body.to_string().as_bytes())
    }

    #[track_caller]
    pub(crate) fn post_raw(&self, path: &str, body: &[u8]) -> Reply {
        self.call("POST", path, &["Content-Type: application/json"], body)
    }

    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
        exchange(self.address, &self.bytes(method, path, headers, body))
    }

    /// The same with a server whose surroundings fail.
    #[track_caller]
    pub(crate) fn call_in_trouble(&self, method: &str, path: &str, body: &[u8]) -> Reply {
        let headers = ["Content-Type: application/json"];
        exchange_in_trouble(self.address, &self.bytes(method, path, &headers, body))
    }

    pub(crate) fn bytes(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
        let authorization = format!("Authorization: ApiKey {}", self.key);
        let mut all = vec![authorization.as_str()];
        all.extend(headers);
        request(method, path, &all, body)
    }
}

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: reseal.test\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

/// Sends bytes and reads what comes back. No input may ever be answered with 5xx.
#[track_caller]
pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let reply = exchange_in_trouble(address, bytes);
    assert!(reply.status < 500, "{reply:?}");
    reply
}

/// The same with a server whose surroundings fail, which it may say with 5xx.
#[track_caller]
pub(crate) fn exchange_in_trouble(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONGEST_CALL)).unwrap();
    // A server that has seen enough may close before everything was sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    read_reply(answer)
}

/// The reply in the bytes that came back.
#[track_caller]
pub(crate) fn read_reply(mut answer: Vec<u8>) -> Reply {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end =
        end.unwrap_or_else(|| panic!("no answer, saw `{}`", String::from_utf8_lossy(&answer)));
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Reply {
        status,
        head,
        body: answer.split_off(end + 4),
    }
}
