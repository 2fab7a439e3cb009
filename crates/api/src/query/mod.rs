//! What stands behind the `?`: lists, filters, projections (contract.md sections 1.4 to 1.6).

mod list;
mod parameters;
mod projection;

pub(crate) use list::{
    Envelope, LARGEST_PAGE, ListField, ListRequest, OPERATORS, SUBJECT_STATUSES, number, offered,
    whole,
};
pub(crate) use parameters::Parameters;
pub(crate) use projection::{Selection, one};
