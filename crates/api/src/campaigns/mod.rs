//! `/v2/ssl/campaigns…`: mass reissues. Beyond the vendor's API, for operators only.

mod begin;
mod change;
pub(crate) mod describe;
mod read;
mod wire;

pub(crate) use begin::begin;
pub(crate) use change::{cancel, pause, resume};
pub(crate) use read::{certificates, get, list};
pub use wire::{campaign_item, campaign_plan, campaign_progress, campaign_summary};
