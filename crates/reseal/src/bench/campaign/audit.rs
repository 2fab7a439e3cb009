//! What the store has to say once the campaign is over.

use anyhow::bail;
use reseal_lifecycle::certificate::{Certificate, CertificateId, CertificateStatus};
use reseal_lifecycle::customer::Scope;
use reseal_lifecycle::query::{CertificateField, CertificateQuery, Filter, FilterValue, Operator};
use reseal_lifecycle::store::Store as _;
use reseal_store::SqlStore;

use crate::config::Config;
use crate::data::DataFolder;
use crate::house::open_store;

/// Certificates read at a time.
const SLICE: u32 = 5_000;

/// Whether each of the first `count` certificates was replaced by exactly one of the others, and there are no more.
pub(super) async fn check(data: &DataFolder, count: u32) -> anyhow::Result<()> {
    let path = data.config();
    let config = Config::from_toml(&std::fs::read_to_string(&path)?, &path)?;
    let store = open_store(data, &config)?;
    let count = CertificateId::from(count);
    // Whose successor each new one is.
    let mut replaced = vec![false; usize::try_from(count)?];
    let mut last = 0;
    let mut seen = 0;
    loop {
        let page = slice(&store, last).await?;
        let Some(newest) = page.last() else { break };
        last = newest.id;
        for certificate in &page {
            seen += 1;
            if certificate.id <= count {
                check_old(certificate, count)?;
            } else {
                check_new(certificate, &mut replaced)?;
            }
        }
    }
    store.close();
    if let Some(index) = replaced.iter().position(|replaced| !replaced) {
        bail!("certificate {} has no successor", index + 1);
    }
    if seen != 2 * count {
        bail!("{count} certificates were reissued, and there are {seen} instead of twice as many");
    }
    Ok(())
}

async fn slice(store: &SqlStore, after: CertificateId) -> anyhow::Result<Vec<Certificate>> {
    let query = CertificateQuery {
        filters: vec![Filter {
            field: CertificateField::Id,
            operator: Operator::Gt,
            values: vec![FilterValue::Integer(after)],
        }],
        order: vec![(CertificateField::Id, false)],
        limit: Some(SLICE),
        total: false,
        documents: false,
        ..CertificateQuery::default()
    };
    let now = jiff::Timestamp::now();
    let page = store.certificates(&Scope::Everything, &query, now).await?;
    Ok(page.entities)
}

fn check_old(certificate: &Certificate, count: CertificateId) -> anyhow::Result<()> {
    let replaced = certificate.stored_status == CertificateStatus::Reissued
        && certificate.successor.is_some_and(|id| id > count);
    if replaced {
        return Ok(());
    }
    bail!(
        "certificate {} is {} with successor {:?}",
        certificate.id,
        certificate.stored_status.as_str(),
        certificate.successor
    );
}

fn check_new(certificate: &Certificate, replaced: &mut [bool]) -> anyhow::Result<()> {
    let old = certificate
        .predecessor
        .and_then(|id| usize::try_from(id - 1).ok());
    let Some(taken) = old.and_then(|index| replaced.get_mut(index)) else {
        bail!(
            "certificate {} took the place of {:?}",
            certificate.id,
            certificate.predecessor
        );
    };
    if std::mem::replace(taken, true) {
        bail!(
            "certificate {:?} has two successors",
            certificate.predecessor
        );
    }
    Ok(())
}
