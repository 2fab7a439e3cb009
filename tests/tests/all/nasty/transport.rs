//! Rules section 11, numbers 3, 13 and 14: requests that are too long, too slow or say two things about themselves.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::http::{Reply, exchange, read_reply};
use crate::support::server::Server;

const REISSUE: &str = "/v2/ssl/certificates/1/reissue";

fn head(server: &Server, more: &str) -> String {
    format!(
        "POST {REISSUE} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: ApiKey {}\r\n{more}\r\n\r\n",
        server.alice.key
    )
}

/// Sends `bytes`, keeps the connection open and reads to its end.
#[track_caller]
fn send_and_wait(server: &Server, bytes: &[u8]) -> (Vec<u8>, Duration) {
    let mut stream = TcpStream::connect(server.alice.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    let started = Instant::now();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    (answer, started.elapsed())
}

#[track_caller]
fn too_large(reply: &Reply) {
    reply.refused(413, "InvalidMessage");
    assert_eq!(reply.header("connection"), Some("close"));
}

#[test]
fn nasty_003_an_announced_length_beyond_the_limit_is_refused_before_a_byte_of_it() {
    let server = Server::start();
    // Nothing follows, so the answer can only come of the announcement.
    let (answer, took) = send_and_wait(
        &server,
        head(&server, "Content-Length: 1000000000").as_bytes(),
    );
    too_large(&read_reply(answer));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let small = Server::configured("[server]\nmax_body = \"1KiB\"\n");
    let announced = head(&small, "Content-Length: 1025");
    let (answer, _) = send_and_wait(&small, announced.as_bytes());
    too_large(&read_reply(answer));
    small
        .alice
        .post_raw(REISSUE, &[b' '; 1024])
        .refused(400, "InvalidMessage");
}

#[test]
fn nasty_003_pieces_without_end_are_cut_off_at_the_limit() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.alice.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let head = head(&server, "Transfer-Encoding: chunked");
    stream.write_all(head.as_bytes()).unwrap();
    let piece = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    let mut sent = 0;
    // Until the server has closed its side or 64 MiB are gone.
    while sent < 64 << 20 && stream.write_all(piece.as_bytes()).is_ok() {
        sent += 0x8000;
    }
    assert!(sent < 64 << 20, "everything was read");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    if !answer.is_empty() {
        too_large(&read_reply(answer));
    }
    server.alice.get("/v2/processes").expect(200);
}

#[test]
fn nasty_003_a_body_that_does_not_come_is_given_up_in_time() {
    let server = Server::start();
    let starts: Vec<Vec<u8>> = vec![
        [head(&server, "Content-Length: 100").as_bytes(), b"{\"csr\""].concat(),
        head(&server, "Transfer-Encoding: chunked").into_bytes(),
        // A head that is never finished is not answered at all.
        format!("POST {REISSUE} HTTP/1.1\r\nHost: x\r\n").into_bytes(),
    ];
    let outcomes: Vec<_> = thread::scope(|scope| {
        let calls: Vec<_> = starts
            .iter()
            .map(|start| scope.spawn(|| send_and_wait(&server, start)))
            .collect();
        // Others are served meanwhile.
        server.alice.get("/v2/processes").expect(200);
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    for (answer, took) in &outcomes[..2] {
        read_reply(answer.clone()).refused(408, "InvalidMessage");
        assert!(*took < Duration::from_secs(30), "{took:?}");
    }
    let (answer, took) = &outcomes[2];
    assert!(
        !answer.starts_with(b"HTTP/1.1 2"),
        "{}",
        String::from_utf8_lossy(answer)
    );
    assert!(*took < Duration::from_secs(45), "{took:?}");
}

#[test]
fn nasty_014_two_lengths_and_a_length_beside_pieces_are_refused() {
    let server = Server::start();
    for (lengths, body) in [
        ("Content-Length: 4\r\nContent-Length: 5", "abcde"),
        ("Content-Length: 4, 5", "abcde"),
        ("Content-Length: -1", ""),
        ("Content-Length: 99999999999999999999", ""),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "zz\r\nabc\r\n0\r\n\r\n"),
    ] {
        let bytes = [head(&server, lengths).as_bytes(), body.as_bytes()].concat();
        let reply = exchange(server.alice.address, &bytes);
        assert_eq!(reply.status, 400, "{lengths}: {reply:?}");
    }
    // A second request hidden behind the end of the pieces is never taken for one.
    let hidden = "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let both = head(
        &server,
        &format!(
            "Content-Length: {}\r\nTransfer-Encoding: chunked",
            hidden.len()
        ),
    );
    let (answer, _) = send_and_wait(
        &server,
        [both.as_bytes(), hidden.as_bytes()].concat().as_slice(),
    );
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 400"), "{text}");
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
}
