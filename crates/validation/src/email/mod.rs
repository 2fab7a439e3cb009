//! The EMAIL challenge (BR 3.2.2.4.4, .13, .14; D-14 to D-20): which addresses may be written to,
//! and handing a message over. What the message says is the caller's.

mod address;
mod contact;
mod maildir;
mod mailer;
mod message;
mod smtp;

pub use address::{AddressError, address_is_safe, constructed_addresses};
pub use contact::{Contact, ContactList, ContactSource};
pub(crate) use contact::{attempt, list};
pub use mailer::{MailError, Mailer, Receipt};
pub use message::Message;
