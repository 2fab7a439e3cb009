//! A server's folder with as many certificates as wanted: what the server itself would have written in years, made in
//! minutes.
//!
//! - [`schedule`]: who has which certificates since when
//! - [`make`]: the rows of each
//!
//! Certificates, keys and requests are real and unlike each other. What is not: the processes behind them hold neither
//! their requests nor their proofs and have two events each, there are no entries of the audit log and no notifications,
//! and beyond [`ALL_DOCUMENTS`] certificates those that were replaced have no DER and no request, only the columns beside
//! them. All of that makes rows smaller, not fewer.

mod make;
mod schedule;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use reseal_issuer::embedded::EmbeddedIssuer;
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::customer::Role;
use reseal_lifecycle::notification::{Mark, NotificationStore as _};
use reseal_pki::name::NamePolicy;
use reseal_store::{Batch, Filling, SqlStore};
use tokio::runtime::Handle;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::console;
use crate::data::DataFolder;
use crate::demo::name_server::NameServer;
use crate::house::{open_store, source};
use crate::init;
use crate::wire_up;
use make::Maker;
pub(super) use schedule::{Mix, Slot};

/// Customers, when there are certificates enough.
const CUSTOMERS: u16 = 1000;
/// Certificates in a transaction.
const SLICE: usize = 10_000;
/// Up to so many certificates all have their documents.
const ALL_DOCUMENTS: usize = 2_000_000;
const PRODUCT: &str = "ssl_dv";
const URL: &str = "http://127.0.0.1";
/// The large customer.
const LARGE: &str = "bench";

/// What a folder is filled with.
#[derive(Clone, Copy)]
pub(super) struct Contents {
    certificates: u32,
    mix: Mix,
    /// Serials that are revoked besides, without certificates.
    lost: u32,
}

impl Contents {
    /// So many certificates, as years leave them behind.
    pub(super) fn years(certificates: u32) -> Self {
        Self {
            certificates,
            mix: Mix::Years,
            lost: 0,
        }
    }

    /// So many certificates that are all in force.
    pub(super) fn in_force(certificates: u32) -> Self {
        Self {
            mix: Mix::InForce,
            ..Self::years(certificates)
        }
    }

    /// The same with so many further serials on the lists.
    pub(super) fn with_lost(self, lost: u32) -> Self {
        Self { lost, ..self }
    }
}

/// A server's folder full of certificates.
pub(super) struct Filled {
    folder: DataFolder,
    /// Answers the server's questions about CAA.
    _dns: NameServer,
    /// The large customer's API key.
    pub(super) key: String,
    /// An operator's.
    pub(super) operator: String,
    /// Certificate 1 and those after it.
    pub(super) slots: Vec<Slot>,
}

impl Filled {
    /// Makes DATA in `folder` with `contents`, over what `database` says, for a server that keeps what it learns of CAA for
    /// `caa_reuse`.
    pub(super) async fn make(
        folder: &Path,
        contents: Contents,
        caa_reuse: &str,
        database: &str,
    ) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let count = contents.certificates;
        let data = DataFolder::new(folder);
        data.make()?;
        let dns = NameServer::start(&[]).await?;
        let plan = super::configure(&data, &dns, caa_reuse, database)?;
        // The CA is older than the oldest certificate.
        let age = SignedDuration::from_hours(24 * i64::from(schedule::SPAN_DAYS + 20));
        let clock = Clock::shifted(-age);
        let lock = data.lock()?;
        let operator = init::initialize_at(&data, &plan, URL, clock).await?;
        let config = plan.config;
        let customers = u16::try_from(count / 10)
            .unwrap_or(CUSTOMERS)
            .clamp(1, CUSTOMERS);
        let key = add_customers(&data, &config, customers, clock).await?;
        let slots = schedule::schedule(count, customers, contents.mix);
        let issuer = wire_up::Embedded::open(&data, &config, URL)?.current;
        let names = wire_up::name_policy(&config);
        let maker = maker(&issuer, &names, &slots);
        fill(&source(&data, &config)?, &maker, &slots, contents.lost)?;
        drop(lock);
        console::notice(format!(
            "{count} certificates made and stored in {:.0} s",
            begun.elapsed().as_secs_f64()
        ));
        Ok(Self {
            folder: data,
            _dns: dns,
            key,
            operator,
            slots,
        })
    }

    pub(super) fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// The large customer's certificates with their numbers.
    pub(super) fn large_customers(&self) -> impl Iterator<Item = (i64, &Slot)> {
        (1..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.is_large_customers())
    }
}

/// The large customer's key.
async fn add_customers(
    data: &DataFolder,
    config: &Config,
    customers: u16,
    clock: Clock,
) -> anyhow::Result<String> {
    let accounts = Accounts::new(open_store(data, config)?, clock);
    for customer in 0..customers {
        accounts.add_customer(&handle(customer)).await?;
    }
    let key = accounts.add_key(LARGE, "bench", Role::Customer).await?.text;
    note_ends(accounts.store()).await?;
    accounts.close();
    Ok(key)
}

/// A server that was there all the time has told everybody whose certificate ends soon. One that came anew would tell all
/// of them now, while it is measured.
async fn note_ends(store: &SqlStore) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let watches = [1, 7, 14, 30].map(|days| (format!("certificate-{days}"), days));
    for (watch, days) in watches
        .into_iter()
        .chain([("subscription-30".to_owned(), 30)])
    {
        let mark = Mark {
            at: now.checked_add(SignedDuration::from_hours(24 * days))?,
            id: i64::MAX,
        };
        store.announce(&watch, None, mark, Vec::new()).await?;
    }
    Ok(())
}

fn maker<'a>(issuer: &'a EmbeddedIssuer, names: &'a NamePolicy, slots: &[Slot]) -> Maker<'a> {
    Maker {
        issuer,
        names,
        now: Timestamp::now(),
        all_documents: slots.len() <= ALL_DOCUMENTS,
        runtime: Handle::current(),
    }
}

/// Makes rows on every core, and stores them in their order.
fn fill(
    source: &reseal_store::Source,
    maker: &Maker<'_>,
    slots: &[Slot],
    lost: u32,
) -> anyhow::Result<()> {
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let made: VecDeque<_> = (0..cores)
                .map(|core| {
                    let (sender, receiver) = sync_channel(1);
                    scope.spawn(move || {
                        let own = slots.chunks(SLICE).enumerate().skip(core).step_by(cores);
                        for (slice, slots) in own {
                            let first = i64::try_from(slice * SLICE + 1).unwrap_or(i64::MAX);
                            // Whoever takes it has given up when it cannot be sent.
                            if sender.send(maker.batch(slots, first)).is_err() {
                                break;
                            }
                        }
                    });
                    receiver
                })
                .collect();
            store(source, made, maker.lost(lost, SLICE), slots.len())
        })
    })
}

fn store(
    source: &reseal_store::Source,
    mut made: VecDeque<Receiver<anyhow::Result<Batch>>>,
    lost: impl Iterator<Item = anyhow::Result<Batch>> + Send,
    count: usize,
) -> anyhow::Result<()> {
    let mut failed = None;
    // Those who make them take turns. Whoever waits to hand one over hears of it when this is dropped.
    let certificates = std::iter::from_fn(|| {
        let turn = made.pop_front()?;
        let batch = turn.recv().ok()?;
        made.push_back(turn);
        Some(batch)
    });
    let batches = certificates
        .chain(lost)
        .map_while(|batch| batch.map_err(|error| failed = Some(error)).ok());
    let stored = SqlStore::fill(source, batches, &mut |filling| tell(filling, count));
    drop(made);
    if let Some(error) = failed {
        return Err(error.context("what is to be stored cannot be made"));
    }
    let stored = stored.context("the store cannot be filled")?;
    if stored != count as u64 {
        bail!("{stored} certificates were stored of {count}");
    }
    Ok(())
}

fn tell(filling: Filling, count: usize) {
    match filling {
        Filling::Rows(stored) if stored % 500_000 == 0 => {
            console::notice(format!("stored: {stored} of {count} certificates"));
        }
        Filling::Indexes(left) if count >= 500_000 => {
            console::notice(format!("indexes to be made: {left}"));
        }
        Filling::Rows(_) | Filling::Indexes(_) => {}
    }
}

/// Whose name a customer has.
fn handle(customer: u16) -> String {
    match customer {
        0 => LARGE.to_owned(),
        other => format!("customer-{other:03}"),
    }
}

/// The name in a slot's certificate, without `www`.
pub(super) fn host(slot: &Slot) -> String {
    format!("n{}.c{}.demo.internal", slot.subscription, slot.customer)
}
