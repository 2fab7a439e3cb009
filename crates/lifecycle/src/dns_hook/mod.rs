//! Challenges that this server publishes in the DNS by itself, for customers and in zones that the operator chose: so that
//! a reissue needs no human.
//!
//! What is published is on record before it can be seen (`issuance::publish`): a row for each record, written with the
//! step of the process that is about to publish it. The step that ends the process makes these rows due, and the worker
//! takes the records away (`remove`), after a crash as well.

mod remove;
mod store;

use std::sync::Arc;

use jiff::SignedDuration;
use reseal_validation::Perspective;
use reseal_validation::dns::RecordKind;
use reseal_validation::publish::Publisher;

pub(crate) use remove::work;
pub use store::{HookStore, Left, Out};

/// Longest way along aliases from a challenge's name to where it is published.
const MOST_ALIASES: usize = 8;

/// Who publishes in some zones, and for whom.
pub struct DnsHook {
    /// Its name.
    pub name: String,
    /// For whom it publishes. Whoever is served can have certificates for every name in its zones.
    pub serves: Serves,
    /// How long it takes until everybody sees what was published.
    pub settle: SignedDuration,
    /// What writes the records.
    pub publisher: Publisher,
}

/// Whose challenges are published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Serves {
    /// Everybody's.
    Everybody,
    /// Those of customers with these handles.
    Only(Vec<String>),
}

impl Serves {
    fn includes(&self, customer: &str) -> bool {
        match self {
            Self::Everybody => true,
            Self::Only(handles) => handles.iter().any(|handle| handle == customer),
        }
    }
}

/// Where a record is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Name of the hook.
    pub(crate) hook: String,
    /// Owner name, with the root's dot.
    pub(crate) name: String,
}

/// All hooks. Cheap to share: clones are the same.
#[derive(Clone, Default)]
pub struct DnsHooks(Arc<[DnsHook]>);

impl DnsHooks {
    /// These hooks; no two have the same name or a zone in common.
    pub fn new(hooks: Vec<DnsHook>) -> Self {
        Self(hooks.into())
    }

    /// Whether anything is published for `customer`.
    pub(crate) fn serve(&self, customer: &str) -> bool {
        self.0.iter().any(|hook| hook.serves.includes(customer))
    }

    /// The hook called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&DnsHook> {
        self.0.iter().find(|hook| hook.name == name)
    }

    /// The hook that writes `name`: the one with the innermost zone. `None` when that one does not serve `customer`, or
    /// when there is none.
    fn writer(&self, customer: &str, name: &str) -> Option<&DnsHook> {
        let zones = self
            .0
            .iter()
            .filter_map(|hook| Some((hook.publisher.zone_of(name)?.as_str().len(), hook)));
        let (_, hook) = zones.max_by_key(|(length, _)| *length)?;
        hook.serves.includes(customer).then_some(hook)
    }

    /// Where the record `name` of `customer` is published: there, or where aliases lead from there. Names that no hook
    /// writes are asked for, those that one writes are not: their absence would be remembered by resolvers.
    pub(crate) async fn place(
        &self,
        eyes: &Perspective,
        customer: &str,
        name: &str,
    ) -> Option<Place> {
        let mut name = name.to_owned();
        for _ in 0..=MOST_ALIASES {
            if let Some(hook) = self.writer(customer, &name) {
                let hook = hook.name.clone();
                return Some(Place { hook, name });
            }
            name = alias(eyes, &name).await?;
        }
        None
    }

    /// The same for a name that turned out to be an alias.
    pub(crate) async fn place_behind(
        &self,
        eyes: &Perspective,
        customer: &str,
        name: &str,
    ) -> Option<Place> {
        let target = alias(eyes, name).await?;
        self.place(eyes, customer, &target).await
    }
}

/// Where the alias `name` leads, if it is one.
async fn alias(eyes: &Perspective, name: &str) -> Option<String> {
    let answer = eyes.lookup(name, RecordKind::Cname).await;
    answer.alias().map(str::to_owned)
}

#[cfg(test)]
mod tests;
