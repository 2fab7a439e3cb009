//! The API described in OpenAPI 3.1, made from what serves it: the table of routes, the functions that read bodies and
//! lists, the types that are written.
//!
//! Each route brings its [`Operation`] along (`describe.rs` beside the handlers), [`document`](fn@document) puts them
//! together, `page` shows the result to people.

mod document;
mod list;
mod operation;
mod page;
mod publish;
mod schema;
#[cfg(test)]
mod tests;

pub(crate) use document::{Described, assemble};
pub(crate) use operation::Operation;
pub(crate) use publish::{describe, json, page as docs};
pub(crate) use schema::list as list_of;

use serde_json::Value;

/// The OpenAPI 3.1 document of this API.
pub fn document() -> Value {
    assemble(crate::router::routes().described())
}
