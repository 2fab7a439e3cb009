use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_proto::rr::{Name, TSigResponseContext, TSigner};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const SECRET: &[u8] = b"a secret of thirty-two bytes, no";

fn signer(secret: &[u8], name: &str) -> TSigner {
    let name = Name::from_ascii(name).unwrap();
    TSigner::new(secret.to_vec(), TsigAlgorithm::HmacSha256, name, 300).unwrap()
}

/// How a server answers.
#[derive(Clone, Copy)]
enum Answer {
    /// With that code, signed.
    Signed(ResponseCode),
    /// The same without a signature.
    Plain(ResponseCode),
    /// Signed with another key.
    Forged,
    /// Signed as the answer to another message.
    Replayed,
    /// For another message.
    OtherId,
    /// Says that it does not know the key.
    BadKey,
    /// Says that the signature is not good.
    BadSignature,
    /// What is no message.
    Nonsense,
    /// Closes the connection.
    Closed,
    /// Nothing.
    Silence,
}

/// A name server that takes one message.
async fn server(answer: Answer) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let length = stream.read_u16().await.unwrap();
        let mut asked = vec![0; usize::from(length)];
        stream.read_exact(&mut asked).await.unwrap();
        let asked = Message::from_vec(&asked).unwrap();
        let mac = asked.signature().unwrap().data.mac.clone();
        let Some(bytes) = rendered(answer, asked.metadata.id, mac) else {
            if matches!(answer, Answer::Silence) {
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            return;
        };
        let length = u16::try_from(bytes.len()).unwrap();
        stream.write_all(&length.to_be_bytes()).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
    });
    address
}

fn rendered(answer: Answer, id: u16, mac: Vec<u8>) -> Option<Vec<u8>> {
    let now = Timestamp::now().as_second().unsigned_abs();
    let signed = |secret: &[u8], mac: Vec<u8>| {
        TSigResponseContext::new(id, now, signer(secret, "key."), mac, None)
    };
    let (code, context) = match answer {
        Answer::Signed(code) => (code, Some(signed(SECRET, mac))),
        Answer::Plain(code) => (code, None),
        Answer::Forged => (
            ResponseCode::NoError,
            Some(signed(b"another secret, of somebody else", mac)),
        ),
        Answer::Replayed => (ResponseCode::NoError, Some(signed(SECRET, vec![7; 32]))),
        Answer::OtherId => {
            let bytes = rendered(Answer::Plain(ResponseCode::NoError), id ^ 1, mac);
            return bytes;
        }
        Answer::BadKey => {
            let name = Name::from_ascii("key.").unwrap();
            let context = TSigResponseContext::unknown_key(id, now, name);
            (ResponseCode::NotAuth, Some(context))
        }
        Answer::BadSignature => {
            let context = TSigResponseContext::bad_signature(id, now, signer(SECRET, "key."));
            (ResponseCode::NotAuth, Some(context))
        }
        Answer::Nonsense => return Some(b"hello".to_vec()),
        Answer::Closed | Answer::Silence => return None,
    };
    let mut message = Message::new(id, MessageType::Response, OpCode::Update);
    message.metadata.response_code = code;
    if let Some(context) = context {
        let plain = message.to_vec().unwrap();
        message.set_signature(context.sign(&plain).unwrap());
    }
    Some(message.to_vec().unwrap())
}

fn publisher(server: SocketAddr) -> Publisher {
    let settings = UpdateSettings {
        server,
        key_name: "Key".to_owned(),
        algorithm: Algorithm::HmacSha256,
        secret: SECRET.to_vec(),
        ttl: 60,
        timeout: Duration::from_millis(500),
    };
    let zones = ["example.com", "lab.example.com"].map(|zone| zone.parse().unwrap());
    Publisher::new(zones.to_vec(), Way::Update(settings)).unwrap()
}

fn record(name: &str) -> Record {
    Record {
        name: name.to_owned(),
        value: "x".repeat(300),
    }
}

#[tokio::test]
async fn an_answer_counts_only_when_it_is_signed_for_this_message_with_this_key() {
    for (answer, expected) in [
        (Answer::Signed(ResponseCode::NoError), Ok(Placed::There)),
        (Answer::Signed(ResponseCode::YXRRSet), Ok(Placed::IsAlias)),
        (
            Answer::Signed(ResponseCode::Refused),
            Err("may the key `key.` update"),
        ),
        (
            Answer::Signed(ResponseCode::NotAuth),
            Err("the primary of the zone `example.com`"),
        ),
        (
            Answer::Signed(ResponseCode::NotZone),
            Err("a zone of its own"),
        ),
        (Answer::Signed(ResponseCode::ServFail), Err("server's log")),
        (
            Answer::Plain(ResponseCode::NoError),
            Err("without a signature"),
        ),
        (
            Answer::Plain(ResponseCode::Refused),
            Err("without a signature"),
        ),
        (Answer::Forged, Err("a signature that is not good")),
        (Answer::Replayed, Err("a signature that is not good")),
        (Answer::OtherId, Err("an answer to another message")),
        (Answer::BadKey, Err("knows no such key")),
        (
            Answer::BadSignature,
            Err("Compare the contents of `key_file`"),
        ),
        (Answer::Nonsense, Err("no DNS message")),
        (Answer::Closed, Err("Is the server up")),
        (Answer::Silence, Err("none within 500 ms")),
    ] {
        let publisher = publisher(server(answer).await);
        let seen = publisher.publish(&record("_x.example.com.")).await;
        match expected {
            Ok(placed) => assert_eq!(seen, Ok(placed)),
            Err(part) => {
                let said = seen.unwrap_err().to_string();
                assert!(said.contains(part), "expected {part}, saw {said}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_written_outside_the_zones() {
    // Nobody listens there: it is not even asked.
    let publisher = publisher(SocketAddr::from(([127, 0, 0, 1], 1)));
    for name in ["_x.example.org.", "badexample.com.", "a\\.example.com."] {
        let said = publisher.publish(&record(name)).await.unwrap_err();
        assert!(
            said.to_string().contains("a name in one of its zones"),
            "{said}"
        );
        assert!(publisher.remove(&record(name)).await.is_err());
    }
    let zone = publisher.zone_of("_x.www.lab.example.com.").unwrap();
    assert_eq!(zone.as_str(), "lab.example.com");
    let said = publisher.publish(&record("_x.example.com.")).await;
    assert!(said.unwrap_err().to_string().contains("Is the server up"));
}

fn program(folder: &Path, script: &str) -> Publisher {
    let path = folder.join("hook");
    // Moved there whole: a file that is being written cannot be run.
    let draft = folder.join("draft");
    std::fs::write(&draft, script).unwrap();
    std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::rename(draft, &path).unwrap();
    let settings = ProgramSettings {
        program: path,
        timeout: Duration::from_millis(700),
    };
    Publisher::new(vec!["example.com".parse().unwrap()], Way::Program(settings)).unwrap()
}

#[tokio::test]
async fn a_program_is_told_what_to_do_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said");
    let script = format!(
        "#!/bin/sh\nfor one; do echo \"$one\"; done > {0}\nenv | grep -v -e ^PWD= -e ^_= -e ^SHLVL= >> {0}\ncat >> {0}\n",
        said.display()
    );
    let publisher = program(folder.path(), &script);
    let record = Record {
        name: "_x.example.com.".to_owned(),
        value: "$(touch /tmp/never) 'a' \"b\"; -c".to_owned(),
    };
    assert_eq!(publisher.publish(&record).await, Ok(Placed::There));
    let expected = |what: &str| {
        format!(
            "{what}\n_x.example.com.\nTXT\n{}\nPATH={}\n",
            record.value,
            program::PATH
        )
    };
    assert_eq!(std::fs::read_to_string(&said).unwrap(), expected("publish"));
    assert_eq!(publisher.remove(&record).await, Ok(()));
    assert_eq!(std::fs::read_to_string(&said).unwrap(), expected("remove"));
}

#[tokio::test]
async fn a_program_that_fails_hangs_talks_or_is_missing_is_a_problem_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let hangs = format!(
        "#!/bin/sh\n(sleep 2; touch {}) &\nsleep 60\n",
        mark.display()
    );
    for (script, part) in [
        ("#!/bin/sh\necho no >&2\nexit 3\n", "exit status: 3"),
        ("#!/bin/sh\nkill -9 $$\n", "signal: 9"),
        (&*hangs, "no end within 700 ms"),
        ("#!/bin/sh\nyes\n", "no end within 700 ms"),
        (
            "#!/bin/sh\nhead -c 3000000 /dev/zero\nexit 1\n",
            "exit status: 1",
        ),
        ("#!/nowhere\n", "No such file"),
    ] {
        let publisher = program(folder.path(), script);
        let started = Instant::now();
        let problem = publisher.publish(&record("_x.example.com.")).await;
        let problem = problem.unwrap_err().to_string();
        assert!(problem.contains(part), "{script}: {problem}");
        assert!(started.elapsed() < Duration::from_secs(5), "{script}");
    }
    // What it has started was killed with it.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!mark.exists());
    std::fs::remove_file(folder.path().join("hook")).unwrap();
    let publisher = Publisher::new(
        vec!["example.com".parse().unwrap()],
        Way::Program(ProgramSettings {
            program: folder.path().join("hook"),
            timeout: Duration::from_secs(1),
        }),
    );
    let publisher = publisher.unwrap();
    let problem = publisher.publish(&record("_x.example.com.")).await;
    assert!(problem.unwrap_err().to_string().contains("No such file"));
    let [(what, found)] = &publisher.probe().await[..] else {
        panic!("one program")
    };
    assert!(what.contains("hook") && found.is_err());
}

#[tokio::test]
async fn a_program_that_leaves_something_behind_is_done_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let publisher = program(folder.path(), "#!/bin/sh\nsleep 30 &\nexit 0\n");
    let started = Instant::now();
    assert_eq!(
        publisher.publish(&record("_x.example.com.")).await,
        Ok(Placed::There)
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(publisher.probe().await[0].1.is_ok());
}
