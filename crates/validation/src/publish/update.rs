//! Dynamic updates of the DNS (RFC 2136), signed with TSIG (RFC 8945), over TCP.
//!
//! An answer counts only when it is signed with the same key: without that, anybody on the way could say that a record
//! was published.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::update_message::{append, delete_by_rdata};
use hickory_proto::op::{Message, OpCode, Query, ResponseCode, UpdateMessage as _};
use hickory_proto::rr::rdata::TXT;
use hickory_proto::rr::rdata::tsig::{TsigAlgorithm, TsigError};
use hickory_proto::rr::{
    DNSClass, Name, RData, Record as DnsRecord, RecordSet, RecordType, TSigVerifier, TSigner,
};
use jiff::Timestamp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{BadPublisher, Placed, Problem, Record, Zone};

/// How far the clocks of server and client may be apart, in seconds (RFC 8945 section 10).
const FUDGE: u16 = 300;
/// Bytes of one string of a TXT record (RFC 1035 section 3.3).
const STRING: usize = 255;

/// How messages are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
}

impl Algorithm {
    /// Every algorithm with its name.
    pub const ALL: [(&'static str, Self); 3] = [
        ("hmac-sha256", Self::HmacSha256),
        ("hmac-sha384", Self::HmacSha384),
        ("hmac-sha512", Self::HmacSha512),
    ];

    fn tsig(self) -> TsigAlgorithm {
        match self {
            Self::HmacSha256 => TsigAlgorithm::HmacSha256,
            Self::HmacSha384 => TsigAlgorithm::HmacSha384,
            Self::HmacSha512 => TsigAlgorithm::HmacSha512,
        }
    }
}

/// Where updates go, and what they are signed with.
pub struct UpdateSettings {
    /// The primary name server of the zones.
    pub server: SocketAddr,
    /// What the server calls the key.
    pub key_name: String,
    /// How it is used.
    pub algorithm: Algorithm,
    /// The key itself.
    pub secret: Vec<u8>,
    /// Seconds for which others may remember a record.
    pub ttl: u32,
    /// Limit for one update, from connecting to the answer.
    pub timeout: Duration,
}

pub(super) struct Update {
    server: SocketAddr,
    signer: TSigner,
    ttl: u32,
    timeout: Duration,
}

impl Update {
    pub(super) fn new(settings: UpdateSettings) -> Result<Self, BadPublisher> {
        let name = Name::from_ascii(&settings.key_name)
            .ok()
            .filter(|name| !name.is_root());
        let name = name.ok_or_else(|| {
            BadPublisher(format!("`key_name`: `{}` is no name", settings.key_name))
        })?;
        let algorithm = settings.algorithm.tsig();
        let signer = TSigner::new(settings.secret, algorithm, name.to_lowercase(), FUDGE);
        Ok(Self {
            server: settings.server,
            signer: signer.map_err(|error| BadPublisher(error.to_string()))?,
            ttl: settings.ttl,
            timeout: settings.timeout,
        })
    }

    pub(super) async fn publish(&self, zone: &Zone, record: &Record) -> Result<Placed, Problem> {
        let (origin, name) = (absolute(zone.as_str())?, absolute(&record.name)?);
        let mut message = append(self.rrset(&name, &record.value), origin, false, false);
        // What is put beside an alias is silently left out (RFC 2136 section 3.4.2.2): it has to be none.
        let mut no_alias = DnsRecord::update0(name, 0, RecordType::CNAME);
        no_alias.dns_class = DNSClass::NONE;
        message.add_pre_requisite(no_alias.into_record_of_rdata());
        match self.exchange(message).await? {
            ResponseCode::NoError => Ok(Placed::There),
            ResponseCode::YXRRSet => Ok(Placed::IsAlias),
            code => Err(self.refused(zone, code)),
        }
    }

    pub(super) async fn remove(&self, zone: &Zone, record: &Record) -> Result<(), Problem> {
        let (origin, name) = (absolute(zone.as_str())?, absolute(&record.name)?);
        // This very text and no other (RFC 2136 section 2.5.4).
        let message = delete_by_rdata(self.rrset(&name, &record.value), origin, false);
        match self.exchange(message).await? {
            ResponseCode::NoError => Ok(()),
            code => Err(self.refused(zone, code)),
        }
    }

    /// An update that asks for the zone to be there and changes nothing.
    pub(super) async fn probe(&self, zone: &Zone) -> Result<(), Problem> {
        let origin = absolute(zone.as_str())?;
        let mut message = Message::query();
        message.metadata.op_code = OpCode::Update;
        message.metadata.recursion_desired = false;
        let mut query = Query::query(origin.clone(), RecordType::SOA);
        query.set_query_class(DNSClass::IN);
        message.add_zone(query);
        let mut there = DnsRecord::update0(origin, 0, RecordType::SOA);
        there.dns_class = DNSClass::ANY;
        message.add_pre_requisite(there.into_record_of_rdata());
        match self.exchange(message).await? {
            ResponseCode::NoError => Ok(()),
            code => Err(self.refused(zone, code)),
        }
    }

    fn rrset(&self, name: &Name, value: &str) -> RecordSet {
        let strings = value.as_bytes().chunks(STRING).map(<[u8]>::to_vec);
        let text = TXT::from_bytes(
            strings
                .collect::<Vec<_>>()
                .iter()
                .map(Vec::as_slice)
                .collect(),
        );
        RecordSet::from(DnsRecord::from_rdata(
            name.clone(),
            self.ttl,
            RData::TXT(text),
        ))
    }

    /// Sends a message and says what the server's answer is, once it is known to be the server's.
    async fn exchange(&self, mut message: Message) -> Result<ResponseCode, Problem> {
        // The time of this machine: a shifted clock is for certificates.
        let now = Timestamp::now().as_second().unsigned_abs();
        let ours = |error: String| self.problem("a message that can be sent", &error, "Report it.");
        let verifier = message
            .finalize(&self.signer, now)
            .map_err(|error| ours(error.to_string()))?
            .ok_or_else(|| ours("it cannot be signed".to_owned()))?;
        let bytes = message.to_vec().map_err(|error| ours(error.to_string()))?;
        let answer = tokio::time::timeout(self.timeout, ask(self.server, &bytes)).await;
        let reachable =
            "Is the server up, does it listen for TCP there, does it let this machine in?";
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                return Err(self.problem("an answer", &error.to_string(), reachable));
            }
            Err(_) => {
                let seen = format!("none within {} ms", self.timeout.as_millis());
                return Err(self.problem("an answer", &seen, reachable));
            }
        };
        self.judge(&answer, message.metadata.id, verifier)
    }

    fn judge(
        &self,
        answer: &[u8],
        id: u16,
        mut verifier: TSigVerifier,
    ) -> Result<ResponseCode, Problem> {
        let expected = "an answer signed with the same key";
        let read = Message::from_vec(answer).map_err(|error| {
            let seen = format!("what is no DNS message: {error}");
            self.problem(expected, &seen, "Is this a name server?")
        })?;
        if read.metadata.id != id {
            let seen = "an answer to another message";
            return Err(self.problem(expected, seen, "Is somebody on the way?"));
        }
        let code = read.metadata.response_code;
        let Some(signature) = read.signature() else {
            let seen = format!("{code} without a signature");
            let advice = "Does the server know the key, and is it the primary of the zone? Without a signature the answer \
                          may be anybody's.";
            return Err(self.problem(expected, &seen, advice));
        };
        let error = signature.data.error;
        let key = self.signer.signer_name();
        match (verifier.verify(answer), error) {
            (Ok(_), None) => Ok(code),
            (_, Some(TsigError::BadKey)) => Err(self.problem(
                expected,
                &format!("{code}, BADKEY: the server says that it knows no such key, or none for this"),
                &format!(
                    "Compare `key_name` ({key}) and `key_algorithm` with what the server has. May the key update TXT \
                     records in the zone?"
                ),
            )),
            (_, Some(TsigError::BadSig)) => Err(self.problem(
                expected,
                &format!("{code}, BADSIG: the server says that its key `{key}` is another one"),
                "Compare the contents of `key_file` and `key_algorithm` with what the server has.",
            )),
            (_, Some(TsigError::BadTime)) => Err(self.problem(
                expected,
                &format!("{code}, BADTIME: the server's clock is another one"),
                "Set both clocks by NTP.",
            )),
            (Ok(_), Some(other)) => Err(self.problem(
                expected,
                &format!("{code}, {other:?}"),
                "Look into the server's log.",
            )),
            (Err(error), _) => Err(self.problem(
                expected,
                &format!("{code} with a signature that is not good: {error}"),
                "Somebody on the way may have answered in place of the server.",
            )),
        }
    }

    fn refused(&self, zone: &Zone, code: ResponseCode) -> Problem {
        let key = self.signer.signer_name();
        let advice = match code {
            ResponseCode::Refused | ResponseCode::NotAuth => format!(
                "Is the server the primary of the zone `{zone}`, and may the key `{key}` update TXT records there?"
            ),
            ResponseCode::NotZone => {
                format!("Is `{zone}` a zone of its own there, and the name not in one below it?")
            }
            ResponseCode::NXRRSet | ResponseCode::NXDomain => {
                format!("Does the server have the zone `{zone}`?")
            }
            _ => "Look into the server's log.".to_owned(),
        };
        self.problem("the update to be made", &code.to_string(), &advice)
    }

    fn problem(&self, expected: &str, seen: &str, advice: &str) -> Problem {
        Problem {
            expected: format!("{expected} from {}", self.server),
            seen: seen.to_owned(),
            advice: advice.to_owned(),
        }
    }
}

/// One message there, one back, each behind its length (RFC 1035 section 4.2.2).
async fn ask(server: SocketAddr, message: &[u8]) -> io::Result<Vec<u8>> {
    let length = u16::try_from(message.len()).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect(server).await?;
    let framed = [&length.to_be_bytes()[..], message].concat();
    stream.write_all(&framed).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn absolute(name: &str) -> Result<Name, Problem> {
    let mut absolute = Name::from_ascii(name).map_err(|error| Problem {
        expected: "a domain name".to_owned(),
        seen: format!("`{}`: {error}", name.escape_debug()),
        advice: "Report it.".to_owned(),
    })?;
    absolute.set_fqdn(true);
    Ok(absolute)
}
