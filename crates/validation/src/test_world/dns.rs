//! A name server that answers from a table, over UDP and TCP.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use hickory_proto::{
    op::{Message, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, AAAA, CAA, CNAME, TXT},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
};

/// Largest answer over UDP; longer ones are cut, so that the client comes again over TCP.
const UDP_LIMIT: usize = 1232;

/// What the server does with a question.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Records(Vec<RData>),
    Code(ResponseCode),
    Silence,
    /// Bytes that are not a message.
    Garbage,
    /// Fails this often, then answers with the last.
    Failing(u32, Vec<RData>),
}

type Key = (String, RecordType);

#[derive(Default)]
struct Table {
    replies: HashMap<Key, Reply>,
    asked: Vec<Key>,
}

impl Table {
    /// The name whose records answer for `name`: itself, or the wildcard beside it.
    fn owner_for(&self, name: String) -> String {
        let has = |owner: &str| self.replies.keys().any(|(known, _)| known == owner);
        match name.split_once('.') {
            Some((_, parent)) if !has(&name) && has(&format!("*.{parent}")) => {
                format!("*.{parent}")
            }
            _ => name,
        }
    }
}

/// The running server; it ends with the test's runtime.
pub(crate) struct StubDns {
    pub(crate) address: SocketAddr,
    table: Arc<Mutex<Table>>,
}

impl StubDns {
    pub(crate) async fn start() -> Self {
        let (tcp, udp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (tcp, udp);
            }
        };
        let address = udp.local_addr().unwrap();
        let table = Arc::new(Mutex::new(Table::default()));
        tokio::spawn(serve_udp(udp, Arc::clone(&table)));
        tokio::spawn(serve_tcp(tcp, Arc::clone(&table)));
        Self { address, table }
    }

    pub(crate) fn set(&self, name: &str, kind: RecordType, reply: Reply) -> &Self {
        let mut table = self.table.lock().unwrap();
        table.replies.insert((format!("{name}."), kind), reply);
        self
    }

    /// Puts records at a name; the kind is that of the first.
    pub(crate) fn put(&self, name: &str, records: Vec<RData>) -> &Self {
        let kind = records[0].record_type();
        self.set(name, kind, Reply::Records(records))
    }

    /// How often a question was asked.
    pub(crate) fn asked(&self, name: &str, kind: RecordType) -> usize {
        let key = (format!("{name}."), kind);
        let table = self.table.lock().unwrap();
        table.asked.iter().filter(|asked| **asked == key).count()
    }
}

pub(crate) fn a(address: &str) -> RData {
    RData::A(A(address.parse().unwrap()))
}

pub(crate) fn aaaa(address: &str) -> RData {
    RData::AAAA(AAAA(address.parse().unwrap()))
}

pub(crate) fn cname(target: &str) -> RData {
    let mut name = Name::from_ascii(target).unwrap();
    name.set_fqdn(true);
    RData::CNAME(CNAME(name))
}

pub(crate) fn txt(strings: &[&str]) -> RData {
    RData::TXT(TXT::new(strings.iter().map(ToString::to_string).collect()))
}

pub(crate) fn caa(flags: u8, tag: &str, value: &str) -> RData {
    let mut record = CAA::new_issue(flags & 0x80 != 0, None, Vec::new());
    record.reserved_flags = flags & 0x7f;
    record.tag = tag.to_owned();
    record.value = value.as_bytes().to_vec();
    RData::CAA(record)
}

async fn serve_udp(socket: UdpSocket, table: Arc<Mutex<Table>>) {
    let mut buffer = [0_u8; 4096];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
        if let Some(mut bytes) = respond(&buffer[..length], &table) {
            if bytes.len() > UDP_LIMIT {
                bytes = Message::from_vec(&bytes)
                    .unwrap()
                    .truncate()
                    .to_vec()
                    .unwrap();
            }
            socket.send_to(&bytes, peer).await.unwrap();
        }
    }
}

async fn serve_tcp(listener: TcpListener, table: Arc<Mutex<Table>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let table = Arc::clone(&table);
        tokio::spawn(async move {
            while let Ok(length) = stream.read_u16().await {
                let mut question = vec![0; usize::from(length)];
                stream.read_exact(&mut question).await.unwrap();
                if let Some(bytes) = respond(&question, &table) {
                    let length = u16::try_from(bytes.len()).unwrap();
                    stream.write_u16(length).await.unwrap();
                    stream.write_all(&bytes).await.unwrap();
                }
            }
        });
    }
}

fn respond(question: &[u8], table: &Mutex<Table>) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).unwrap();
    let query = question.queries[0].clone();
    let name = query.name().to_lowercase().to_ascii();
    let mut table = table.lock().unwrap();
    table.asked.push((name.clone(), query.query_type()));
    let name = table.owner_for(name);
    let key = (name.clone(), query.query_type());
    let alias = table
        .replies
        .get(&(name.clone(), RecordType::CNAME))
        .cloned();
    let exists = table.replies.keys().any(|(owner, _)| *owner == name);
    let reply = match table.replies.get_mut(&key) {
        Some(Reply::Failing(left, _)) if *left > 0 => {
            *left -= 1;
            Reply::Code(ResponseCode::ServFail)
        }
        Some(Reply::Failing(_, records)) => Reply::Records(records.clone()),
        Some(reply) => reply.clone(),
        None => match alias {
            Some(alias) => alias,
            None if exists => Reply::Code(ResponseCode::NoError),
            None => Reply::Code(ResponseCode::NXDomain),
        },
    };
    let mut message = Message::response(question.metadata.id, OpCode::Query);
    message.add_query(query.clone());
    match reply {
        Reply::Records(records) => {
            message.add_answers(
                records
                    .into_iter()
                    .map(|data| Record::from_rdata(query.name().clone(), 300, data)),
            );
        }
        Reply::Code(code) => message.metadata.response_code = code,
        Reply::Silence => return None,
        Reply::Garbage => {
            let mut bytes = message.to_vec().unwrap();
            bytes.truncate(7);
            return Some(bytes);
        }
        Reply::Failing(..) => unreachable!("handled above"),
    }
    Some(message.to_vec().unwrap())
}
