//! The store as its callers see it, over files in a temporary folder.

mod audit;
mod auth_key;
mod claims;
mod compromise;
mod crl;
mod duty;
mod failure;
mod idempotency;
mod issued;
mod list_plans;
mod lists;
mod neighbours;
mod notes;
mod notifications;
mod objects;
mod process_lists;
mod request_token;
mod retention;
mod sample;
mod steps;
mod vetting;

use std::path::PathBuf;

use reseal_lifecycle::certificate::Certificate;
use reseal_lifecycle::customer::{Customer, Scope};
use reseal_lifecycle::store::Store as _;
use tempfile::TempDir;

use super::SqliteStore;

/// A store in a folder of its own, with the customers `acme` and `rival`.
struct World {
    store: SqliteStore,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("reseal.db")).unwrap();
        for handle in ["acme", "rival"] {
            let customer = Customer {
                handle: handle.to_owned(),
                created: sample::now(),
            };
            store.create_customer(customer, "house/op").await.unwrap();
        }
        Self { store, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("reseal.db")
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
