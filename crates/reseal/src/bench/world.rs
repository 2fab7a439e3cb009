//! The customer's side: a name server, and subscriptions whose names were proved once.

use std::path::Path;
use std::time::Duration;

use anyhow::{anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use http::{Method, StatusCode};
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::customer::Role;
use reseal_pki::certificate::Certificate;
use reseal_pki::ocsp::AuthorityId;
use reseal_pki::profile::IssuingAuthority;
use reseal_pki::serial::Serial;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use super::client::Connection;
use super::customer::{expect, get, outcome};
use super::load::{Pace, Service, Task};
use super::processes::Processes;
use super::requests;
use super::server::Server;
use crate::accounts::Accounts;
use crate::data::DataFolder;
use crate::demo::name_server::NameServer;
use crate::demo::request;
use crate::house::open_store;
use crate::init::{self, Plan};

const CUSTOMER: &str = "bench";
const PRODUCT: &str = "ssl_dv";

pub(super) struct World {
    folder: DataFolder,
    dns: NameServer,
    key: String,
    /// The table `database` of the server's configuration.
    database: String,
    /// What that is, such as `PostgreSQL 15.18`.
    database_version: String,
    /// Its processes, where it has any that can be seen.
    database_processes: Option<Processes>,
    subscriptions: Vec<Subscription>,
}

struct Subscription {
    name: String,
    newest: i64,
    /// The process of the first certificate.
    process: i64,
}

impl World {
    /// Makes DATA in `folder` with a customer, over what `database` says, and starts the name server.
    pub(super) async fn make(
        folder: &Path,
        caa_reuse: &str,
        database: String,
    ) -> anyhow::Result<Self> {
        let data = DataFolder::new(folder);
        data.make()?;
        let dns = NameServer::start(&[]).await?;
        let mut world = Self {
            folder: data,
            dns,
            key: String::new(),
            database,
            database_version: String::new(),
            database_processes: None,
            subscriptions: Vec::new(),
        };
        let plan = world.configure(caa_reuse)?;
        let url = "http://127.0.0.1";
        let lock = world.folder.lock()?;
        init::initialize(&world.folder, &plan, url).await?;
        let store = open_store(&world.folder, &plan.config)?;
        let program = store.program().await?;
        world.database_version = program.version;
        // Looked for while the connection lives that this process serves.
        let process = program.process;
        world.database_processes =
            process.and_then(|process| Processes::family_of(process, "postgres"));
        let accounts = Accounts::new(store, Clock::system());
        accounts.add_customer(CUSTOMER).await?;
        world.key = accounts
            .add_key(CUSTOMER, "bench", Role::Customer)
            .await?
            .text;
        accounts.close();
        drop(lock);
        Ok(world)
    }

    /// Writes the server's configuration, which counts from its next start.
    pub(super) fn configure(&self, caa_reuse: &str) -> anyhow::Result<Plan> {
        super::configure(&self.folder, &self.dns, caa_reuse, &self.database)
    }

    /// The same, with OCSP.
    pub(super) fn offer_ocsp(&self) -> anyhow::Result<Plan> {
        let tables = format!("[ocsp]\nenabled = true\n\n{}", self.database);
        super::configure(&self.folder, &self.dns, "0s", &tables)
    }

    pub(super) fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// What keeps the server's data, such as `PostgreSQL 15.18`.
    pub(super) fn database_version(&self) -> &str {
        &self.database_version
    }

    /// The server as the customer calls it.
    pub(super) fn service(&self, server: &Server) -> Service {
        Service {
            authority: server.authority.clone(),
            key: Some(self.key.clone()),
            server: Some(server.processes()),
            database: self.database_processes,
        }
    }

    /// Orders certificates by DNS until there are `count` subscriptions.
    pub(super) async fn prove(&mut self, server: &Server, count: usize) -> anyhow::Result<()> {
        let mut api = self.service(server).connect().await?;
        while self.subscriptions.len() < count {
            let name = requests::host(self.subscriptions.len());
            let subscription = self.order(&mut api, name).await?;
            self.subscriptions.push(subscription);
        }
        Ok(())
    }

    async fn order(&self, api: &mut Connection, name: String) -> anyhow::Result<Subscription> {
        let body = json!({
            "customer": CUSTOMER,
            "product": PRODUCT,
            "period": 12,
            "csr": request::make(&[&name])?.csr,
            "dcv": [{ "commonName": name, "type": "DNS" }],
        });
        let path = "/v2/ssl/certificates";
        let reply = api
            .call(Method::POST, path, body.to_string().into())
            .await?;
        expect(&reply, StatusCode::ACCEPTED, path)?;
        let process = reply
            .process
            .ok_or_else(|| anyhow!("{path}: the answer has no X-Process-Id"))?;
        let info = get(api, &format!("/v2/processes/{process}/info")).await?;
        let proof = &info["validations"]["dcv"][0];
        let (Some(record), Some(contents)) =
            (proof["dnsRecord"].as_str(), proof["dnsContents"].as_str())
        else {
            bail!("process {process} asks for no proof by DNS: {info}");
        };
        self.dns.publish_alias(record, contents).await?;
        let path = format!("/v2/processes/{process}/resend");
        let reply = api.call(Method::POST, &path, Bytes::from("{}")).await?;
        expect(&reply, StatusCode::OK, &path)?;
        Ok(Subscription {
            name,
            newest: outcome(api, process).await?,
            process,
        })
    }

    /// One task a connection, with requests enough for `measured`.
    pub(super) fn reissue_tasks(
        &self,
        connections: usize,
        measured: Duration,
        pace: Pace,
    ) -> anyhow::Result<Vec<Task>> {
        let each = requests::enough(connections, measured, pace)?;
        let chosen = self.subscriptions.iter().take(connections);
        let names: Vec<String> = chosen.map(|known| known.name.clone()).collect();
        let piles = requests::make(&names, each, "csr")?;
        let known = self.subscriptions.iter().enumerate().zip(piles);
        let tasks = known.map(|((subscription, known), bodies)| Task::Reissue {
            subscription,
            newest: known.newest,
            bodies,
        });
        Ok(tasks.collect())
    }

    /// Learns which certificates are the newest now.
    pub(super) fn take_back(&mut self, tasks: Vec<Task>) {
        for task in tasks {
            if let Task::Reissue {
                subscription,
                newest,
                ..
            } = task
                && let Some(known) = self.subscriptions.get_mut(subscription)
            {
                known.newest = newest;
            }
        }
    }

    pub(super) fn certificate_tasks(&self, connections: usize) -> Vec<Task> {
        self.read_tasks(connections, |known| {
            format!("/v2/ssl/certificates/{}", known.newest)
        })
    }

    pub(super) fn process_tasks(&self, connections: usize) -> Vec<Task> {
        self.read_tasks(connections, |known| {
            format!("/v2/processes/{}", known.process)
        })
    }

    /// Asks for the status of one certificate each, by GET (RFC 6960 appendix A.1).
    pub(super) async fn status_tasks(
        &self,
        server: &Server,
        connections: usize,
    ) -> anyhow::Result<Vec<Task>> {
        let issuing = tokio::fs::read(self.folder.ca().join("intermediate.pem")).await?;
        let issuing = IssuingAuthority::from_der(&CertificateDer::from_pem_slice(&issuing)?)?;
        let authority = AuthorityId::new(&issuing);
        let mut api = self.service(server).connect().await?;
        let mut tasks = Vec::new();
        for known in self.subscriptions.iter().take(connections) {
            let path = format!("/v2/ssl/certificates/{}/download?format=CRT", known.newest);
            let reply = api.call(Method::GET, &path, Bytes::new()).await?;
            expect(&reply, StatusCode::OK, &path)?;
            let certificate = CertificateDer::from_pem_slice(&reply.body)?;
            let certificate = Certificate::from_der(&certificate)?;
            let serial = Serial::from_bytes(certificate.serial_bytes())?;
            let asked = URL_SAFE.encode(authority.ask_about(&serial));
            let asked = asked
                .replace('-', "%2B")
                .replace('_', "%2F")
                .replace('=', "%3D");
            tasks.push(Task::Read {
                path: format!("/ocsp/{asked}"),
            });
        }
        Ok(tasks)
    }

    fn read_tasks(&self, connections: usize, path: impl Fn(&Subscription) -> String) -> Vec<Task> {
        let chosen = self.subscriptions.iter().take(connections);
        chosen
            .map(|subscription| Task::Read {
                path: path(subscription),
            })
            .collect()
    }
}
