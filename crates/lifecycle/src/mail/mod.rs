//! What mails say: one file of texts per language (`texts/`), one file here per kind of mail, and one way to lay
//! a mail out as plain text and as HTML (`letter.rs`).
//!
//! A kind of mail is a struct with what it needs to know and a method `letter`, which puts the texts in order.
//! Sending it, and how often, is decided where it is asked for.

mod agreement;
mod approval;
mod html;
mod incident;
mod letter;
mod texts;

pub use agreement::AgreementLetter;
pub use approval::ApprovalLetter;
pub use incident::IncidentLetter;
pub use letter::Letter;
pub use texts::{AgreementMail, ApprovalMail, ApprovalPage, Facts, Outcomes, Phrase, Texts};

#[cfg(test)]
mod tests;
