//! The store as its callers see it, over files in a temporary folder; with `RESEAL_TEST_DATABASE=postgres` over
//! PostgreSQL, each test in a database of its own. What is SQLite's own is tested with files all the same.

mod audit;
mod auth_key;
mod bulk;
mod campaign;
mod circles;
mod claims;
mod cluster;
mod compromise;
mod crl;
mod distrust;
mod dns_record;
mod duty;
mod examine;
mod failure;
mod given_up;
mod grounds;
mod hands;
mod idempotency;
mod issued;
mod lanes;
mod list_plans;
mod lists;
mod lost;
mod neighbours;
mod nodes;
mod notes;
mod notifications;
mod objects;
mod postgres;
mod presence;
mod process_lists;
mod request_token;
mod retention;
mod sample;
mod standby;
mod steps;
mod tally;
mod transfer;
mod transparency;
mod upstream;
mod vetting;
mod webhooks;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use reseal_lifecycle::certificate::Certificate;
use reseal_lifecycle::customer::{AccountStore as _, Customer, Scope};
use reseal_lifecycle::store::Store as _;
use tempfile::TempDir;

use crate::{PostgresUrl, Source, SqlStore};
use cluster::Cluster;
use hands::Hands;

/// A store in a database of its own, with the customers `acme` and `rival`.
struct World {
    store: SqlStore,
    source: Source,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = if cluster::is_wanted() {
            postgres_source()
        } else {
            file(folder.path())
        };
        Self::over(source, folder).await
    }

    /// Whatever the other tests run against.
    async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::over(file(folder.path()), folder).await
    }

    async fn over(source: Source, folder: TempDir) -> Self {
        let store = SqlStore::open_as_node(&source).unwrap();
        for handle in ["acme", "rival"] {
            let customer = Customer {
                handle: handle.to_owned(),
                created: sample::now(),
            };
            store.create_customer(customer, "house/op").await.unwrap();
        }
        Self {
            store,
            source,
            _folder: folder,
        }
    }

    /// Ends the server and starts another; how many processes it finds that the first had leased.
    async fn restart(&mut self) -> u64 {
        self.store.close();
        self.store = SqlStore::open_as_node(&self.source).unwrap();
        self.store.release_leases().await.unwrap()
    }

    /// The file of a SQLite database.
    fn path(&self) -> PathBuf {
        match &self.source {
            Source::Sqlite(path) => path.clone(),
            Source::Postgres(url) => panic!("{url} is no file"),
        }
    }

    /// Somebody else with a connection that may do anything.
    fn hands(&self) -> Hands {
        Hands::on(&self.source)
    }

    /// Imports `certificate`; as it is stored.
    async fn import(&self, certificate: Certificate) -> Certificate {
        let process = self.store.open(sample::import(certificate)).await.unwrap();
        self.certificate(process.certificate.unwrap()).await
    }

    async fn certificate(&self, id: i64) -> Certificate {
        self.store
            .certificate(&Scope::Everything, id)
            .await
            .unwrap()
            .unwrap()
    }
}

/// A file in `folder`.
fn file(folder: &Path) -> Source {
    Source::Sqlite(folder.join("reseal.db"))
}

/// A new database that has the schema.
fn postgres_source() -> Source {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    let cluster = Cluster::get();
    let template = TEMPLATE.get_or_init(|| {
        let name = cluster.create_database("template1");
        let url = PostgresUrl::parse(&cluster.url(&name), None).unwrap();
        drop(SqlStore::open(&Source::Postgres(url)).unwrap());
        name
    });
    let name = cluster.create_database(template);
    Source::Postgres(PostgresUrl::parse(&cluster.url(&name), None).unwrap())
}
