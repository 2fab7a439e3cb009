//! Handing messages over: to a mail server, or into a folder.

use std::path::Path;

use jiff::Timestamp;
use lettre::message::Mailbox;
use serde::{Deserialize, Serialize};

use super::{maildir::Maildir, message::Message, smtp::Smtp};

/// Hands messages over. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Mailer {
    /// To a mail server.
    Smtp(Smtp),
    /// Into a folder, for whoever reads it.
    Maildir(Maildir),
}

/// Proof that a message was taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// `Message-ID` of the message.
    pub message_id: String,
    /// Who took it: the mail server with its answer, or the name of the file.
    pub taken_by: String,
    /// When.
    pub at: Timestamp,
}

/// A message that was not handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// The mail settings cannot be used.
    #[error("mail settings: {0}")]
    Settings(String),
    /// The recipient is not an acceptable address.
    #[error("recipient: {0}")]
    Recipient(String),
    /// The message cannot be sent as it is.
    #[error("message: {0}")]
    Content(&'static str),
    /// The mail server refused it for good; sending it again does not help.
    #[error("the mail server refused the message: {0}")]
    Refused(String),
    /// The mail server or the disk failed; try again later.
    #[error("the message could not be handed over: {0}")]
    Unavailable(String),
}

impl MailError {
    /// Whether sending the same message later may succeed.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl Mailer {
    /// Makes a mailer from `mail.url`: `maildir` (the folder `folder`), `smtp://host:port`
    /// (STARTTLS where the server offers it) or `smtps://host:port`; the latter two may carry
    /// `user:password@`, which is never shown. `from` is the sender of every message.
    pub fn from_url(url: &str, folder: &Path, from: &str) -> Result<Self, MailError> {
        let sender: Mailbox = from.parse().map_err(|_| {
            MailError::Settings(format!(
                "`{from}` is not a sender such as `Reseal <ca@example.com>`"
            ))
        })?;
        if url == "maildir" {
            return Ok(Self::Maildir(Maildir::new(folder, sender)));
        }
        Smtp::from_url(url, sender).map(Self::Smtp)
    }

    /// Hands a message over; when this returns, the other side has it durably.
    pub async fn send(&self, message: &Message) -> Result<Receipt, MailError> {
        let taken_by = match self {
            Self::Smtp(smtp) => smtp.send(message).await?,
            Self::Maildir(maildir) => maildir.send(message).await?,
        };
        Ok(Receipt {
            message_id: message.message_id.clone(),
            taken_by,
            at: Timestamp::now(),
        })
    }

    /// Whether messages could be handed over now; nothing is sent. Says what was found.
    pub async fn probe(&self) -> Result<String, MailError> {
        match self {
            Self::Smtp(smtp) => smtp.probe().await,
            Self::Maildir(maildir) => maildir.probe().await,
        }
    }
}

#[cfg(test)]
mod tests;
