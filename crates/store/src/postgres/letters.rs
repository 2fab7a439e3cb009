//! Statements that are sent without waiting for their answers: each answer would cost a way to the server and back.

use rusqlite::types::{ToSql as _, Value};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::wire::Bound;

/// A statement whose answer matters only if it is an error.
pub(super) enum Letter {
    /// Without parameters.
    Text(String),
    /// With values of its own.
    Statement(Statement, Vec<Value>),
}

impl Letter {
    /// Sends it when first polled; ends with the answer.
    pub(super) async fn send(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        match self {
            Self::Text(sql) => client.batch_execute(sql).await,
            Self::Statement(statement, values) => {
                // An owned value always has a form.
                let bound: Vec<Bound<'_>> = values
                    .iter()
                    .filter_map(|value| value.to_sql().map(Bound).ok())
                    .collect();
                let bound: Vec<&(dyn ToSql + Sync)> = bound
                    .iter()
                    .map(|value| value as &(dyn ToSql + Sync))
                    .collect();
                client.execute(statement, &bound).await.map(drop)
            }
        }
    }
}
