//! The demo's DNS: one signed zone, `internal`, on a free port of loopback. It is small, but it is real: Reseal
//! asks it over sockets and validates what it answers up to the zone's key.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hickory_net::runtime::{Time, TokioRuntimeProvider};
use hickory_proto::dnssec::crypto::EcdsaSigningKey;
use hickory_proto::dnssec::rdata::DNSKEY;
use hickory_proto::dnssec::{
    Algorithm, DnssecSigner, Nsec3HashAlgorithm, PublicKey as _, SigningKey as _,
};
use hickory_proto::rr::rdata::{A, CNAME, NS, SOA, TXT};
use hickory_proto::rr::{LowerName, Name, RData, Record};
use hickory_server::Server;
use hickory_server::dnssec::NxProofKind;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Mutex, RwLock};

use crate::data::DataFolder;
use crate::file;

/// Everything lies below it. Not the root: the validator does not know a root that denies by NSEC3.
const ZONE: &str = "internal.";
/// Seconds that answers may be kept; nobody keeps them here.
const TTL: u32 = 60;
/// How long signatures are good for: longer than anybody looks at a demo.
const SIGNED_FOR: Duration = Duration::from_hours(30 * 24);
const TCP_IDLE: Duration = Duration::from_secs(10);
const TCP_BUFFER: usize = 32;

/// The running name server; it ends with the process.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    key: PrivatePkcs8KeyDer<'static>,
    records: Mutex<Vec<Record>>,
    current: Current,
}

/// The zone as it is answered from, replaced as a whole when a record is published.
#[derive(Clone)]
struct Current(Arc<RwLock<Arc<Catalog>>>);

#[async_trait::async_trait]
impl RequestHandler for Current {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        response: R,
    ) -> ResponseInfo {
        let catalog = Arc::clone(&*self.0.read().await);
        catalog.handle_request::<R, T>(request, response).await
    }
}

impl NameServer {
    /// Starts with `names` on loopback, all pointing at 127.0.0.1.
    pub(crate) async fn start(names: &[&str]) -> anyhow::Result<Self> {
        let key = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256)
            .map_err(|error| anyhow!("no key for the DNS zone: {error}"))?;
        let mut records = vec![
            record(ZONE, RData::SOA(start_of_authority()?))?,
            record(ZONE, RData::NS(NS(name("ns.demo.internal.")?)))?,
            record("ns.demo.internal.", RData::A(A(Ipv4Addr::LOCALHOST)))?,
            record(
                "demo.internal.",
                RData::TXT(TXT::new(vec!["the demo's names".to_owned()])),
            )?,
        ];
        for host in names {
            records.push(record(
                &format!("{host}."),
                RData::A(A(Ipv4Addr::LOCALHOST)),
            )?);
        }
        let current = Current(Arc::new(RwLock::new(signed_zone(&records, &key)?)));
        let (udp, tcp) = sockets().await?;
        let address = udp.local_addr()?;
        let mut server = Server::new(current.clone());
        server.register_socket(udp);
        server.register_listener(tcp, TCP_IDLE, TCP_BUFFER);
        tokio::spawn(async move {
            if let Err(error) = server.block_until_done().await {
                tracing::error!(%error, "the demo's name server ended");
            }
        });
        Ok(Self {
            address,
            key,
            records: Mutex::new(records),
            current,
        })
    }

    /// Writes the zone's key into `data`; the file, for `dcv.trust_anchor_file`.
    pub(crate) fn write_trust_anchor(&self, data: &DataFolder) -> anyhow::Result<PathBuf> {
        let file = data.root().join("dns-trust-anchor");
        let key = self.trust_anchor()?;
        file::write("the trust anchor", &file, key.as_bytes(), 0o644)?;
        Ok(file)
    }

    /// The zone's key as a DNSKEY record: what a validating resolver has to trust.
    fn trust_anchor(&self) -> anyhow::Result<String> {
        let (dnskey, _) = signing_key(&self.key)?;
        let key = dnskey.public_key();
        Ok(format!(
            "{ZONE} IN DNSKEY {} 3 {} {}\n",
            dnskey.flags(),
            u8::from(key.algorithm()),
            STANDARD.encode(key.public_bytes())
        ))
    }

    /// Publishes the alias `owner` → `target`, both ending with a dot, and signs the zone anew.
    pub(crate) async fn publish_alias(&self, owner: &str, target: &str) -> anyhow::Result<()> {
        let mut records = self.records.lock().await;
        records.push(record(owner, RData::CNAME(CNAME(name(target)?)))?);
        let zone = signed_zone(&records, &self.key)?;
        *self.current.0.write().await = zone;
        Ok(())
    }
}

/// A UDP and a TCP socket on one free port.
async fn sockets() -> anyhow::Result<(UdpSocket, TcpListener)> {
    for _ in 0..20 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr()?).await {
            return Ok((udp, tcp));
        }
    }
    Err(anyhow!("no port of 127.0.0.1 is free for both UDP and TCP"))
}

fn signed_zone(records: &[Record], key: &PrivatePkcs8KeyDer<'_>) -> anyhow::Result<Arc<Catalog>> {
    let mut zone = InMemoryZoneHandler::<TokioRuntimeProvider>::empty(
        name(ZONE)?,
        ZoneType::Primary,
        AxfrPolicy::Deny,
        // With NSEC, this server denies only the wildcard right above a name, which proves nothing two labels down.
        Some(NxProofKind::Nsec3 {
            algorithm: Nsec3HashAlgorithm::SHA1,
            salt: Arc::new([]),
            iterations: 0,
            opt_out: false,
        }),
    );
    for record in records {
        zone.upsert_mut(record.clone(), 1);
    }
    let (dnskey, key) = signing_key(key)?;
    let signer = DnssecSigner::new(dnskey, Box::new(key), name(ZONE)?, SIGNED_FOR);
    zone.add_zone_signing_key_mut(signer)
        .and_then(|()| zone.secure_zone_mut())
        .map_err(|error| anyhow!("the DNS zone cannot be signed: {error}"))?;
    let mut catalog = Catalog::new();
    catalog.upsert(LowerName::from(name(ZONE)?), vec![Arc::new(zone)]);
    Ok(Arc::new(catalog))
}

fn signing_key(key: &PrivatePkcs8KeyDer<'_>) -> anyhow::Result<(DNSKEY, EcdsaSigningKey)> {
    let read = || {
        let key = EcdsaSigningKey::from_pkcs8(key, Algorithm::ECDSAP256SHA256)?;
        let dnskey = DNSKEY::from_key(&key.to_public_key()?);
        Ok::<_, hickory_proto::dnssec::DnsSecError>((dnskey, key))
    };
    read().map_err(|error| anyhow!("the key of the DNS zone cannot be read: {error}"))
}

fn start_of_authority() -> anyhow::Result<SOA> {
    let (primary, contact) = (
        name("ns.demo.internal.")?,
        name("hostmaster.demo.internal.")?,
    );
    Ok(SOA::new(primary, contact, 1, 3600, 600, 86400, TTL))
}

fn record(owner: &str, data: RData) -> anyhow::Result<Record> {
    Ok(Record::from_rdata(name(owner)?, TTL, data))
}

fn name(text: &str) -> anyhow::Result<Name> {
    let mut name =
        Name::from_ascii(text).with_context(|| format!("`{text}` is not a domain name"))?;
    name.set_fqdn(true);
    Ok(name)
}

#[cfg(test)]
mod tests {
    use reseal_validation::{DnsOutcome, Dnssec, Perspective, RecordKind, Security, Settings};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_it_says_is_secure_and_so_is_what_it_denies() {
        let server = NameServer::start(&["shop.demo.internal"]).await.unwrap();
        let perspective = Perspective::new(Settings {
            resolvers: vec![server.address.to_string()],
            dnssec: Dnssec::Validate,
            trust_anchor: Some(server.trust_anchor().unwrap()),
            ..Settings::default()
        })
        .unwrap();
        let found = perspective
            .lookup("shop.demo.internal.", RecordKind::A)
            .await;
        assert_eq!(found.security, Security::Secure, "{found:?}");
        let absent = "_abc.shop.demo.internal.";
        let denied = perspective.lookup(absent, RecordKind::Cname).await;
        assert_eq!(denied.outcome, DnsOutcome::NoName, "{denied:?}");
        assert_eq!(denied.security, Security::Secure, "{denied:?}");
        // Two labels below what exists, as is the `www` of a name nobody has heard of.
        let denied = perspective
            .lookup("www.new.demo.internal.", RecordKind::Caa)
            .await;
        assert_eq!(denied.outcome, DnsOutcome::NoName, "{denied:?}");
        assert_eq!(denied.security, Security::Secure, "{denied:?}");
        for level in ["shop.demo.internal.", "demo.internal.", "internal."] {
            let denied = perspective.lookup(level, RecordKind::Caa).await;
            assert_eq!(denied.outcome, DnsOutcome::NoRecords, "{denied:?}");
            assert_eq!(denied.security, Security::Secure, "{denied:?}");
        }
        server
            .publish_alias(absent, "x.dcv.invalid.")
            .await
            .unwrap();
        let found = perspective.lookup(absent, RecordKind::Cname).await;
        assert_eq!(found.outcome, DnsOutcome::Records, "{found:?}");
        assert_eq!(found.security, Security::Secure, "{found:?}");
    }
}
