//! A mail server. lettre keeps a pool of connections; time limits bound each command.

use std::{fmt, sync::Arc, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor, message::Mailbox,
    transport::smtp::Error,
};

use super::{mailer::MailError, message::Message};
use crate::evidence::excerpt;

/// Limit for one command of the conversation.
const COMMAND_LIMIT: Duration = Duration::from_secs(20);

/// A mail server that takes messages.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    /// Scheme, host and port: the URL without credentials.
    shown: Arc<str>,
    from: Arc<Mailbox>,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Smtp").field(&self.shown).finish()
    }
}

impl Smtp {
    pub(super) fn from_url(url: &str, from: Mailbox) -> Result<Self, MailError> {
        let Some((scheme @ ("smtp" | "smtps"), rest)) = url.split_once("://") else {
            return Err(MailError::Settings(
                "expected `maildir`, `smtp://host:port` or `smtps://host:port`".to_owned(),
            ));
        };
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let host = host.split(['/', '?', '#']).next().unwrap_or(host);
        let shown = format!("{scheme}://{host}");
        // TLS is implicit for smtps; for smtp it is used where the server offers it.
        let full = match scheme {
            "smtp" if !rest.contains('?') => format!("{url}?tls=opportunistic"),
            _ => url.to_owned(),
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&full)
            .map_err(|_| MailError::Settings(format!("`{shown}` is not a usable mail server URL")))?
            .timeout(Some(COMMAND_LIMIT))
            .build();
        Ok(Self {
            transport,
            shown: shown.into(),
            from: Arc::new(from),
        })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<String, MailError> {
        let message = message.build(&self.from)?;
        let response = self
            .transport
            .send(message)
            .await
            .map_err(|error| self.failure(&error))?;
        let answer = response.message().collect::<Vec<_>>().join(" ");
        Ok(format!(
            "{}: {} {}",
            self.shown,
            response.code(),
            excerpt(answer.as_bytes())
        ))
    }

    pub(super) async fn probe(&self) -> Result<String, MailError> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(format!("mail goes to {}", self.shown)),
            Ok(false) => Err(MailError::Unavailable(format!(
                "{} does not answer",
                self.shown
            ))),
            Err(error) => Err(self.failure(&error)),
        }
    }

    fn failure(&self, error: &Error) -> MailError {
        let text = format!("{}: {}", self.shown, excerpt(error.to_string().as_bytes()));
        // RFC 4954 section 6: these are about our own login, which the operator repairs, not about the message.
        let ours = |code| matches!(u16::from(code), 530 | 534 | 535 | 538);
        if error.is_permanent() && !error.status().is_some_and(ours) {
            MailError::Refused(text)
        } else {
            MailError::Unavailable(text)
        }
    }
}
