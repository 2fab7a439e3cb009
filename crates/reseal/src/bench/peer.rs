//! Other servers, measured in turn with this one by the same load.

use std::time::Duration;

use super::client;
use super::load::{Pace, Service, Task};
use super::processes::Processes;
use super::requests;
use crate::args::Beside;

/// A server that signs what it is sent.
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) service: Service,
    path: String,
    field: String,
}

impl Peer {
    /// Looks whether it is there, and which process it is.
    pub(super) async fn find(beside: Beside) -> anyhow::Result<Self> {
        let stream = client::dial(&beside.authority).await?;
        Ok(Self {
            name: beside.name,
            service: Service {
                server: Processes::listening_at(stream.peer_addr()?),
                authority: beside.authority,
                key: None,
                database: None,
            },
            path: beside.path,
            field: beside.field,
        })
    }

    /// One task a connection, with requests enough for `measured`.
    pub(super) fn tasks(
        &self,
        connections: usize,
        measured: Duration,
    ) -> anyhow::Result<Vec<Task>> {
        let each = requests::enough(connections, measured, Pace::Full)?;
        let names: Vec<String> = (0..connections).map(requests::host).collect();
        let tasks = requests::make(&names, each, &self.field)?.into_iter();
        let tasks = tasks.map(|bodies| Task::Sign {
            path: self.path.clone(),
            bodies,
        });
        Ok(tasks.collect())
    }
}
