//! A name server that answers from a table, over UDP and TCP, and knows no record of anything else.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::rdata::{A, AAAA, CAA, CNAME, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};

/// Bytes that travel in one datagram everywhere.
const LARGEST_DATAGRAM: usize = 1232;

/// What names have, and each question that was asked.
#[derive(Default)]
struct Zone {
    records: HashMap<String, Vec<RData>>,
    asked: Vec<(String, RecordType)>,
    /// What a name's address becomes once it was asked for.
    later: HashMap<String, Ipv4Addr>,
    /// For how long a name's CAA records are thought about.
    slow: HashMap<String, Duration>,
}

type Table = Arc<Mutex<Zone>>;

/// The running server; its threads end with the test binary.
pub(crate) struct DnsStub {
    pub(crate) address: SocketAddr,
    table: Table,
}

impl DnsStub {
    pub(crate) fn start() -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        let table = Table::default();
        let for_udp = Arc::clone(&table);
        thread::spawn(move || serve_udp(&udp, &for_udp));
        let for_tcp = Arc::clone(&table);
        thread::spawn(move || serve_tcp(&tcp, &for_tcp));
        Self { address, table }
    }

    pub(crate) fn cname(&self, owner: &str, target: &str) {
        let mut target = Name::from_ascii(target).unwrap();
        target.set_fqdn(true);
        self.add(owner, RData::CNAME(CNAME(target)));
    }

    pub(crate) fn a(&self, owner: &str, address: Ipv4Addr) {
        self.add(owner, RData::A(A(address)));
    }

    pub(crate) fn aaaa(&self, owner: &str, address: Ipv6Addr) {
        self.add(owner, RData::AAAA(AAAA(address)));
    }

    pub(crate) fn txt(&self, owner: &str, text: &str) {
        self.txt_in_parts(owner, &[text]);
    }

    /// One record of several strings.
    pub(crate) fn txt_in_parts(&self, owner: &str, parts: &[&str]) {
        let parts = parts.iter().map(ToString::to_string).collect();
        self.add(owner, RData::TXT(TXT::new(parts)));
    }

    /// One address for the first who asks, another for whoever asks after that.
    pub(crate) fn a_once(&self, owner: &str, first: Ipv4Addr, then: Ipv4Addr) {
        self.clear(owner);
        self.a(owner, first);
        self.table.lock().unwrap().later.insert(key(owner), then);
    }

    /// How many questions of any kind were asked.
    pub(crate) fn questions(&self) -> usize {
        self.table.lock().unwrap().asked.len()
    }

    /// How often the addresses of a name were asked for, each family for itself.
    pub(crate) fn lookups(&self, owner: &str) -> (usize, usize) {
        let table = self.table.lock().unwrap();
        let count = |kind| {
            let same =
                |(name, asked): &&(String, RecordType)| *name == key(owner) && *asked == kind;
            table.asked.iter().filter(same).count()
        };
        (count(RecordType::A), count(RecordType::AAAA))
    }

    /// `CAA 0 issue "value"`.
    pub(crate) fn caa_issue(&self, owner: &str, value: &str) {
        self.caa(owner, false, "issue", value);
    }

    pub(crate) fn caa(&self, owner: &str, critical: bool, tag: &str, value: &str) {
        let mut record = CAA::new_issue(critical, None, Vec::new());
        tag.clone_into(&mut record.tag);
        record.value = value.as_bytes().to_vec();
        self.add(owner, RData::CAA(record));
    }

    /// Lets whoever asks for CAA records of a name wait.
    pub(crate) fn slow_caa(&self, owner: &str, wait: Duration) {
        self.table.lock().unwrap().slow.insert(key(owner), wait);
    }

    /// Takes away whatever the name has.
    pub(crate) fn clear(&self, owner: &str) {
        self.table.lock().unwrap().records.remove(&key(owner));
    }

    fn add(&self, owner: &str, data: RData) {
        self.table
            .lock()
            .unwrap()
            .records
            .entry(key(owner))
            .or_default()
            .push(data);
    }
}

fn key(owner: &str) -> String {
    owner.trim_end_matches('.').to_ascii_lowercase()
}

fn serve_udp(socket: &UdpSocket, table: &Table) {
    let mut buffer = [0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut buffer) {
        if let Some(answer) = answer(&buffer[..length], table, LARGEST_DATAGRAM) {
            let _ = socket.send_to(&answer, peer);
        }
    }
}

fn serve_tcp(listener: &TcpListener, table: &Table) {
    for stream in listener.incoming().flatten() {
        let table = Arc::clone(table);
        thread::spawn(move || converse(stream, &table));
    }
}

fn converse(mut stream: TcpStream, table: &Table) -> Option<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut question).ok()?;
        let answer = answer(&question, table, usize::from(u16::MAX))?;
        let length = u16::try_from(answer.len()).ok()?.to_be_bytes();
        stream.write_all(&[&length, &*answer].concat()).ok()?;
    }
}

/// What is longer than `most` bytes is cut off, and said to be.
fn answer(question: &[u8], table: &Table, most: usize) -> Option<Vec<u8>> {
    let request = Message::from_vec(question).ok()?;
    let query = request.queries.first()?.clone();
    let mut response = Message::response(request.metadata.id, OpCode::Query);
    response.metadata.recursion_desired = true;
    response.metadata.recursion_available = true;
    let mut table = table.lock().ok()?;
    let question = (key(&query.name().to_ascii()), query.query_type());
    let wait = match question.1 {
        RecordType::CAA => table.slow.get(&question.0).copied(),
        _ => None,
    };
    table.asked.push(question);
    let mut owner = query.name().clone();
    // An alias is followed as a resolver does.
    for _ in 0..8 {
        let records = table
            .records
            .get(&key(&owner.to_ascii()))
            .map_or(&[][..], Vec::as_slice);
        let mut next = None;
        for data in records {
            let kind = data.record_type();
            if kind == query.query_type() || kind == RecordType::CNAME {
                response.add_answer(Record::from_rdata(owner.clone(), 1, data.clone()));
            }
            if let (RData::CNAME(target), true) = (data, query.query_type() != RecordType::CNAME) {
                next = Some(target.0.clone());
            }
        }
        match next {
            Some(target) => owner = target,
            None => break,
        }
    }
    let asked = key(&query.name().to_ascii());
    if query.query_type() == RecordType::A
        && let Some(then) = table.later.remove(&asked)
    {
        table.records.insert(asked, vec![RData::A(A(then))]);
    }
    drop(table);
    thread::sleep(wait.unwrap_or_default());
    response.add_query(query);
    let mut bytes = response.to_vec().ok()?;
    if bytes.len() > most {
        response.answers.clear();
        response.metadata.truncation = true;
        bytes = response.to_vec().ok()?;
    }
    Some(bytes)
}
