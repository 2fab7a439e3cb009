//! Answers that get lost on their way: the same call is made again, and is one reissue.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::{Desk, count};
use crate::support::server::Server;

/// Passes calls on to `server`; the answers to the first `lost` POSTs never arrive, but what they asked for is done.
fn leaky(server: SocketAddr, lost: u32) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let left = Arc::new(AtomicU32::new(lost));
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let left = Arc::clone(&left);
            thread::spawn(move || pass_on(stream, server, &left));
        }
    });
    address
}

fn pass_on(mut here: TcpStream, server: SocketAddr, left: &AtomicU32) -> Option<()> {
    let request = read_message(&mut here)?;
    let mut there = TcpStream::connect(server).ok()?;
    there.write_all(&request).ok()?;
    let answer = read_message(&mut there)?;
    let lose = request.starts_with(b"POST")
        && left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            })
            .is_ok();
    if lose {
        return Some(());
    }
    here.write_all(&answer).ok()
}

/// A head and the body that its `Content-Length` says.
fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut piece = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&message).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Some(message);
            }
        }
        match stream.read(&mut piece).ok()? {
            0 => return None,
            count => message.extend_from_slice(&piece[..count]),
        }
    }
}

#[test]
fn a_lost_answer_is_asked_for_again_and_found() {
    let server = Server::start();
    let old = server.certificate();
    let mut desk = Desk::of(&server);
    desk.url = format!("http://{}", leaky(server.alice.address, 1));
    let said = desk.reissue(old, &[]);
    said.has(0, &["no proper answer", "again in 1 s", "replaces"]);
    assert_eq!(count(&server), 2);
    desk.fits(&server, &format!("reissue-{old}"), true);
}

#[test]
fn when_every_answer_is_lost_the_key_is_kept_and_the_next_call_finds_the_certificate() {
    let server = Server::start();
    let old = server.certificate();
    let mut desk = Desk::of(&server);
    desk.url = format!("http://{}", leaky(server.alice.address, 4));
    let said = desk.reissue(old, &[]);
    said.has(1, &["nothing is lost", "does not answer"]);
    let key = desk.read(&format!("reissue-{old}/key.pem"));
    assert!(key.contains("PRIVATE KEY"));
    assert_eq!(count(&server), 2, "the server did it");
    desk.reissue(old, &[]).has(0, &["replaces"]);
    assert_eq!(desk.read(&format!("reissue-{old}/key.pem")), key);
    assert_eq!(count(&server), 2);
    desk.fits(&server, &format!("reissue-{old}"), true);
}

#[test]
fn a_server_that_is_not_there_is_told_of_before_anything_is_made() {
    let server = Server::start();
    let mut desk = Desk::of(&server);
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    desk.url = format!("http://{nobody}");
    desk.reissue(1, &[])
        .has(1, &["no connection", "does not answer"]);
    assert!(!desk.path("reissue-1").exists());
}
