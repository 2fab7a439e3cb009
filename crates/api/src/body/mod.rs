//! Request bodies: from bytes to checked fields.
//!
//! [`receive`] takes the bytes within limits of size and time, [`json`] makes an object of them, [`fields`]
//! reads that (and [`shape`] describes what it reads), [`findings`] collects everything that is wrong, [`syntax`] has the contract's restrictions.

pub(crate) mod fields;
pub(crate) mod findings;
pub(crate) mod json;
pub(crate) mod receive;
mod shape;
pub(crate) mod syntax;

pub(crate) use fields::Fields;
pub(crate) use findings::Findings;
