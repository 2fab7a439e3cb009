//! Rules section 11, numbers 99 to 113: web hosts that are where they should not be, or answer what they should not.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::csr::csr;
use crate::support::http::Reply;
use crate::support::server::Server;
use crate::support::web::WebHost;

/// One process with many names, each to be proved by a file on the same web host.
struct Site {
    server: Server,
    web: WebHost,
    reply: Reply,
    names: Vec<String>,
    /// Path of the file, the same for every name.
    path: String,
    contents: String,
}

impl Site {
    /// Asks for `count` names; the web host may be reached in `networks` only.
    fn start(count: usize, networks: &str) -> Self {
        let web = WebHost::start();
        let port = web.address.port();
        let server = Server::proving(&format!(
            "allow_networks = [{networks}]\nhttp_port = {port}"
        ));
        let names: Vec<String> = (0..count)
            .map(|number| format!("n{number}.reseal.dev"))
            .collect();
        let entry = |name: &String| json!({"commonName": name, "type": "FILE"});
        let dcv: Vec<Value> = names.iter().map(entry).collect();
        let csr = csr(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr, "dcv": dcv});
        let reply = server.alice.post("/v2/ssl/certificates", &body);
        let info = reply.expect(202);
        let entry = &info["validations"]["dcv"][0];
        let (_, path) = entry["fileLocation"]
            .as_str()
            .unwrap()
            .split_once('/')
            .unwrap();
        server.wait_for(reply.process(), "SUSPENDED");
        Self {
            path: format!("/{path}"),
            contents: entry["fileContents"].as_str().unwrap().to_owned(),
            server,
            web,
            reply,
            names,
        }
    }

    fn location(&self, number: usize) -> String {
        format!("{}{}", self.names[number], self.path)
    }

    /// Looks again, and tells of each name what the newest look led to: verdict and what was seen.
    #[track_caller]
    fn look(&self) -> Vec<(String, String)> {
        let process = format!("/v2/processes/{}", self.reply.process());
        let before = self.looks(&process);
        self.server
            .alice
            .post_raw(&format!("{process}/resend"), b"");
        let path = format!("{process}/timeline");
        self.server.wait_until(&path, |_| {
            self.looks(&process) >= before + self.names.len() as u64
        });
        let newest: HashMap<String, Value> = self
            .attempts(&process)
            .into_iter()
            .map(|attempt| (attempt["name"].as_str().unwrap().to_owned(), attempt))
            .collect();
        let told = |name: &String| {
            let text = |field: &str| newest[name][field].as_str().unwrap().to_owned();
            (text("verdict"), text("seen"))
        };
        self.names.iter().map(told).collect()
    }

    /// How often a name was looked at.
    fn looks(&self, process: &str) -> u64 {
        let repeated = |event: &Value| {
            let is_one = event["lookedAt"] == "challenges";
            is_one.then(|| event["looks"].as_u64()).flatten()
        };
        let repeated: u64 = self.events(process).iter().filter_map(repeated).sum();
        repeated + self.attempts(process).len() as u64
    }

    fn attempts(&self, process: &str) -> Vec<Value> {
        let mut events = self.events(process);
        events.retain(|event| event["event"] == "attempt");
        events
    }

    fn events(&self, process: &str) -> Vec<Value> {
        let timeline = self
            .server
            .alice
            .get(&format!("{process}/timeline"))
            .expect(200);
        timeline["entities"].as_array().unwrap().clone()
    }
}

#[test]
fn nasty_099_addresses_inside_are_never_connected_to() {
    let addresses = [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "192.0.2.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fc00::1",
        "fe80::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ];
    let site = Site::start(addresses.len(), "");
    for (name, address) in site.names.iter().zip(addresses) {
        match address.parse().unwrap() {
            IpAddr::V4(address) => site.server.dns.a(name, address),
            IpAddr::V6(address) => site.server.dns.aaaa(name, address),
        }
    }
    for ((verdict, seen), address) in site.look().iter().zip(addresses) {
        assert_eq!(verdict, "refused", "{address}: {seen}");
        assert!(seen.contains("no usable address"), "{address}: {seen}");
    }
    assert_eq!(site.web.asked(), [] as [String; 0]);
}

#[test]
fn nasty_100_113_one_look_up_of_each_family_decides_and_one_fallback_is_made() {
    let site = Site::start(2, "\"127.0.0.0/8\", \"::1/128\"");
    for number in 0..2 {
        site.web.file(&site.location(number), &site.contents);
    }
    // Whoever asks a second time is sent to where nothing is.
    let (inside, elsewhere) = ([127, 0, 0, 1].into(), [127, 9, 9, 9].into());
    site.server.dns.a_once(&site.names[0], inside, elsewhere);
    // Nobody listens on ::1.
    site.server.dns.aaaa(&site.names[1], Ipv6Addr::LOCALHOST);
    site.server.dns.a(&site.names[1], inside);
    let before = site.server.dns.lookups(&site.names[0]);
    for (verdict, seen) in site.look() {
        assert_eq!(verdict, "proved", "{seen}");
    }
    let after = site.server.dns.lookups(&site.names[0]);
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1));
    site.server.wait_for(site.reply.process(), "COMPLETED");
}

#[test]
fn nasty_101_to_105_redirects_that_lead_astray_are_not_followed() {
    let mut site = Site::start(24, "\"127.0.0.0/8\"");
    let port = site.web.address.port();
    let api = site.server.alice.address;
    let host = |number: usize| format!("{}:{port}", site.names[number]);
    let long = format!("http://{}/{}", host(0), "a".repeat(3000));
    let targets = [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        "http://10.0.0.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
        format!("gopher://{}/", host(0)),
        format!("ftp://{}/", host(0)),
        "javascript:alert(1)".to_owned(),
        format!("http://{}:8080/", site.names[0]),
        format!("http://{}:22/", site.names[0]),
        format!("http://{api}/healthz"),
        format!("http://user:password@{}/", host(0)),
        long,
        format!("http://localhost:{port}/"),
        format!("//user@{}/", host(0)),
        String::new(),
    ];
    let here = [127, 0, 0, 1].into();
    for name in &site.names {
        site.server.dns.a(name, here);
    }
    for (number, target) in targets.iter().enumerate() {
        site.web.redirect(&site.location(number), target);
    }
    // To itself, in a circle of two, and eleven hops that end well.
    let at = |number: usize| format!("http://{}{}", host(number), site.path);
    site.web.redirect(&site.location(18), &at(18));
    site.web
        .redirect(&site.location(19), &format!("http://{}/back", host(19)));
    site.web
        .redirect(&format!("{}/back", site.names[19]), &at(19));
    site.web
        .redirect(&site.location(20), &format!("http://{}/hop1", host(20)));
    for hop in 1..=11 {
        let from = format!("{}/hop{hop}", site.names[20]);
        site.web
            .redirect(&from, &format!("http://{}/hop{}", host(20), hop + 1));
    }
    site.web
        .file(&format!("{}/hop12", site.names[20]), &site.contents);
    // 303 and other ways of sending a browser on (D-23).
    let good = format!("http://{}/good", host(0));
    site.web
        .file(&format!("{}/good", site.names[0]), &site.contents);
    let respond = |status: &str, headers: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
    };
    let meta = format!("<meta http-equiv=\"refresh\" content=\"0; url={good}\">");
    for (number, answer) in [
        (
            21,
            respond("303 See Other", &format!("Location: {good}\r\n"), ""),
        ),
        (
            22,
            respond("200 OK", &format!("Refresh: 0; url={good}\r\n"), ""),
        ),
        (23, respond("200 OK", "Content-Type: text/html\r\n", &meta)),
    ] {
        site.web.raw(&site.location(number), answer.as_bytes());
    }
    let looks = site.look();
    for (number, (verdict, seen)) in looks.iter().enumerate() {
        let target = targets.get(number).map_or("", String::as_str);
        assert_ne!(verdict, "proved", "{number} `{target}`: {seen}");
        assert!(!seen.is_empty(), "{number} `{target}`");
    }
    for (number, (verdict, seen)) in looks.iter().enumerate().take(17) {
        assert_eq!(verdict, "refused", "{number} `{}`: {seen}", targets[number]);
    }
    assert!(
        looks[18].1.contains("loop") && looks[19].1.contains("loop"),
        "{looks:?}"
    );
    assert!(looks[20].1.contains("redirects"), "{looks:?}");
    // Only what was put there for it was asked for.
    let asked = site.web.asked();
    assert!(
        !asked.iter().any(|location| location.ends_with("/good")),
        "{asked:?}"
    );
    site.names.clear();
}

#[test]
fn nasty_106_to_112_answers_that_are_too_much_or_not_exactly_the_file_prove_nothing() {
    let site = Site::start(20, "\"127.0.0.0/8\"");
    for name in &site.names {
        site.server.dns.a(name, [127, 0, 0, 1].into());
    }
    let respond = |status: &str, headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    let contents = site.contents.as_bytes();
    let html = format!(
        "<!doctype html><p>{}</p>{}",
        site.contents,
        " ".repeat(1500)
    );
    let echo = format!("<html>Not found: {}</html>", site.path);
    let nasty = b"\x1b[31mred\x07\0<script>alert(1)</script>\xff\xfe".repeat(20);
    let huge_head = format!("X-Padding: {}\r\n", "a".repeat(100_000));
    let announced = format!("Content-Length: {}\r\n", 1_u64 << 30);
    let lines = site.contents.replace('\n', "\r\n");
    let marked = format!("\u{feff}{lines}\r\n\r\n");
    // What each name's host answers, whether that is a proof, and a part of what is told of it.
    let answers: Vec<(Vec<u8>, bool, &str)> = vec![
        (
            respond("200 OK", &announced, &b"x".repeat(10_000)),
            false,
            "longer than",
        ),
        (
            respond("200 OK", "Content-Encoding: gzip\r\n", contents),
            false,
            "encoded",
        ),
        (
            respond("200 OK", &huge_head, contents),
            false,
            "not proper HTTP",
        ),
        (
            b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
            false,
            "not proper HTTP",
        ),
        (respond("200 OK", "", echo.as_bytes()), false, "Not found"),
        (
            respond("401 Unauthorized", "", contents),
            false,
            "status 401",
        ),
        (respond("403 Forbidden", "", contents), false, "status 403"),
        (respond("404 Not Found", "", contents), false, "status 404"),
        (
            respond("500 Internal Server Error", "", contents),
            false,
            "status 500",
        ),
        (
            respond("206 Partial Content", "", contents),
            false,
            "status 206",
        ),
        (respond("200 OK", "", &[contents, b"\n"].concat()), true, ""),
        (respond("200 OK", "", marked.as_bytes()), true, ""),
        (respond("200 OK", "", html.as_bytes()), false, "doctype"),
        (
            respond("200 OK", "", &[b"x", contents].concat()),
            false,
            "status 200",
        ),
        (
            respond("200 OK", "", &contents[..contents.len() - 1]),
            false,
            "status 200",
        ),
        (respond("200 OK", "", &nasty), false, "red"),
        (respond("200 OK", "", b""), false, "status 200"),
        (Vec::new(), false, ""),
    ];
    for (number, (bytes, ..)) in answers.iter().enumerate() {
        site.web.raw(&site.location(number), bytes);
    }
    site.web
        .endless(&site.location(18), &[b'a'; 4096], Duration::ZERO);
    site.web
        .endless(&site.location(19), b"a", Duration::from_secs(1));
    let looks = site.look();
    for ((verdict, seen), (_, proves, part)) in looks.iter().zip(&answers) {
        assert_eq!(verdict == "proved", *proves, "{part}: {seen}");
        assert!(seen.contains(part), "{part}: {seen}");
        // Nothing of a foreign body is longer, and nothing in it can do anything to a terminal (D-26).
        assert!(seen.chars().count() < 200, "{seen}");
        assert!(!seen.chars().any(char::is_control), "{seen:?}");
    }
    assert!(looks[18].1.contains("longer than"), "{looks:?}");
    assert!(looks[19].1.contains("not done within"), "{looks:?}");
}

#[test]
fn d_27_nasty_112_the_path_of_the_file_is_computed_and_never_given() {
    let server = Server::start();
    let dcv = json!([{"commonName": "reseal.dev", "type": "FILE"}]);
    let ask = |unique: &str| {
        let body = json!({"customer": "alice", "product": "ssl_dv_md", "period": 12, "csr": csr(&["reseal.dev"]), "dcv": dcv, "uniqueValue": unique});
        server.alice.post("/v2/ssl/certificates", &body)
    };
    for unique in ["../../x", "x/y", "x%2e", "a\\b"] {
        ask(unique).violates("uniqueValue");
    }
    let info = ask("salt").expect(202);
    let location = info["validations"]["dcv"][0]["fileLocation"]
        .as_str()
        .unwrap();
    let name = location
        .strip_prefix("reseal.dev/.well-known/pki-validation/")
        .unwrap();
    let digits = name.strip_suffix(".txt").unwrap();
    assert!(
        digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{location}"
    );
}
