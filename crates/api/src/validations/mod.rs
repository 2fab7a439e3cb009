//! `/v2/validations…`: what operators decide about organizations. Beyond the vendor's API, where this is the
//! CA's own affair; for operators only.

mod decide;
pub(crate) mod describe;
mod list;
mod wire;

pub(crate) use decide::{approve, reject};
pub(crate) use list::{get, list};
