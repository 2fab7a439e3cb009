//! Where a database is, and how a connection to it is opened.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Notification};

use super::tls::{Tls, client_config};
use crate::database::{Error, LONGEST_LIST, Result};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long whoever writes waits for what somebody else holds.
pub(super) const LOCK_TIMEOUT: &str = "10s";
/// How long the other side may be silent before the connection counts as lost.
pub(super) const SILENCE: Duration = Duration::from_secs(20);
/// Of these: how long until the other side is asked whether it is there, how often then, and how many times.
const ASKED_AFTER: Duration = Duration::from_secs(5);
const ASKED_EVERY: Duration = Duration::from_secs(5);
const ASKED_TIMES: u32 = 3;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Writes: what it has answered for is on the disk, and nothing waits for a lock longer than ten seconds.
    Writer,
    /// Reads what was committed.
    Reader,
    /// The same for lists that anybody may ask for: they end after [`LONGEST_LIST`].
    Lister,
    /// Shows that the node is alive.
    Presence,
}

impl Role {
    fn settings(self) -> String {
        let base = match self {
            // Whatever the server's own configuration says: an answered write survives (unless the server's disk lies,
            // or its `fsync` is off, which no session can see to). Between two statements of a transaction there is
            // nothing to wait for.
            Self::Writer => {
                "SET synchronous_commit = on; \
                 SET idle_in_transaction_session_timeout = '10s'; \
                 SET default_transaction_isolation = 'read committed'; \
                 SET default_transaction_read_only = off"
            }
            Self::Reader | Self::Lister => {
                "SET default_transaction_read_only = on; \
                 SET default_transaction_isolation = 'read committed'"
            }
            Self::Presence => "",
        };
        let limit = match self {
            Self::Writer => format!("; SET lock_timeout = '{LOCK_TIMEOUT}'"),
            Self::Lister => format!("; SET statement_timeout = {}", LONGEST_LIST.as_millis()),
            Self::Reader | Self::Presence => String::new(),
        };
        format!("{SEEN_TO_BE_GONE}; {base}{limit}")
    }
}

/// A machine without power, or behind a cut network, says nothing of its end: the server has to ask, or it holds for hours
/// what the machine has locked, and everybody else waits for that. Over a socket the settings have no effect.
const SEEN_TO_BE_GONE: &str = "SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; \
    SET tcp_keepalives_count = 3; SET tcp_user_timeout = 5000";

/// A database and how to reach it.
#[derive(Clone)]
pub(crate) struct Target {
    config: Config,
    tls: Option<Arc<rustls::ClientConfig>>,
    shown: String,
    /// The node whose connections these are.
    node: Option<i32>,
}

impl Target {
    /// See [`crate::PostgresUrl::parse`].
    pub(crate) fn parse(url: &str, password: Option<&str>) -> std::result::Result<Self, String> {
        let shown = without_password(url);
        let (rest, mode, roots) = take_ssl(url);
        let mut config: Config = rest.parse().map_err(|error: tokio_postgres::Error| {
            let reason = std::error::Error::source(&error).map(ToString::to_string);
            format!(
                "{shown} is no address of a PostgreSQL database: {}",
                reason.unwrap_or_default()
            )
        })?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(format!(
                "{shown} does not say on which host the database is"
            ));
        }
        if config.get_dbname().is_none() {
            return Err(format!("{shown} does not name a database behind the host"));
        }
        if config.get_password().is_none()
            && let Some(password) = password
        {
            config.password(password);
        }
        let mode = match mode.as_deref() {
            Some("disable") => SslMode::Disable,
            Some("prefer") => SslMode::Prefer,
            None if is_local(&config) => SslMode::Disable,
            Some("require" | "verify-full") | None => SslMode::Require,
            Some(other) => {
                return Err(format!(
                    "{shown}: `sslmode` is `disable`, `prefer`, `require` or `verify-full`, not `{other}`"
                ));
            }
        };
        config
            .ssl_mode(mode)
            .application_name("reseal")
            // A standby is connected to as readily as the primary, would be stayed with for ever, and readers would take
            // its past for the present: it is passed over for the next host, by readers too.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(SILENCE)
            .keepalives_idle(ASKED_AFTER)
            .keepalives_interval(ASKED_EVERY)
            .keepalives_retries(ASKED_TIMES);
        let tls = match mode {
            SslMode::Disable => None,
            _ => Some(client_config(roots.as_deref())?),
        };
        Ok(Self {
            config,
            tls,
            shown,
            node: None,
        })
    }

    /// The address without its password.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// See [`crate::PostgresUrl::is_plain_over_network`].
    pub(crate) fn is_plain_over_network(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Require && !is_local(&self.config)
    }

    /// The same for connections of the node of that number.
    pub(super) fn of_node(&self, number: i32) -> Self {
        Self {
            node: Some(number),
            ..self.clone()
        }
    }

    /// Connects, and sees to it that the connection is driven by the runtime this is called on.
    pub(super) async fn connect(&self, role: Role) -> Result<Client> {
        let (client, _) = self.connect_and_hear(role, |_| {}).await?;
        Ok(client)
    }

    /// The same; `heard` is called with whatever a listened channel brings. The task ends with the connection.
    pub(super) async fn connect_and_hear(
        &self,
        role: Role,
        heard: impl Fn(&Notification) + Send + 'static,
    ) -> Result<(Client, JoinHandle<()>)> {
        let refused = |error| self.refused(error);
        let (client, driven) = match &self.tls {
            None => {
                let plain = self.config.connect(tokio_postgres::NoTls);
                let (client, connection) = plain.await.map_err(refused)?;
                (client, tokio::spawn(drive(connection, heard)))
            }
            Some(tls) => {
                let tls = self.config.connect(Tls(Arc::clone(tls)));
                let (client, connection) = tls.await.map_err(refused)?;
                (client, tokio::spawn(drive(connection, heard)))
            }
        };
        client.batch_execute(&role.settings()).await?;
        if let Some(node) = self.node {
            let name = format!("SET reseal.node = '{node}'");
            client.batch_execute(&name).await?;
        }
        Ok((client, driven))
    }
}

impl Target {
    /// Why there is no connection; of a server that takes no writes, what to do.
    fn refused(&self, error: tokio_postgres::Error) -> Error {
        if !takes_no_writes(&error) {
            return error.into();
        }
        Error::Unreachable(format!(
            "{}: a server that takes writes was expected, and this one is a standby (or `default_transaction_read_only` is \
             on there): name the primary in `database.url`, or all hosts as `HOST:PORT,HOST:PORT`, or promote this one with \
             `pg_ctl promote`",
            self.shown
        ))
    }
}

/// Whether the library found a server that only reads: it says so as an error that no system call has made.
fn takes_no_writes(error: &tokio_postgres::Error) -> bool {
    let source = std::error::Error::source(error);
    source
        .and_then(|source| source.downcast_ref::<std::io::Error>())
        .is_some_and(|error| {
            error.kind() == std::io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
        })
}

/// Moves messages until the connection ends. Why it ended is what whoever asks next is told.
async fn drive<S, T>(mut connection: Connection<S, T>, heard: impl Fn(&Notification))
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message {
            heard(&notification);
        }
    }
}

/// Whether every connection stays on this host. An address given by `hostaddr` is the one that is connected to, whatever
/// the name beside it.
fn is_local(config: &Config) -> bool {
    let addresses = config.get_hostaddrs();
    config.get_hosts().iter().all(is_local_host)
        && addresses.iter().all(std::net::IpAddr::is_loopback)
}

fn is_local_host(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    }
}

type Taken = (String, Option<String>, Option<String>);

/// The address without `sslmode` and `sslrootcert`, and these two.
fn take_ssl(url: &str) -> Taken {
    let Some((address, query)) = url.split_once('?') else {
        return (url.to_owned(), None, None);
    };
    let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", value)) => mode = Some(value.to_owned()),
            Some(("sslrootcert", value)) => roots = Some(value.replace("%2F", "/")),
            _ => rest.push(pair),
        }
    }
    let rest = rest.join("&");
    let address = if rest.is_empty() {
        address.to_owned()
    } else {
        format!("{address}?{rest}")
    };
    (address, mode, roots)
}

/// `url` with `…` in the place of a password, wherever an address may have one.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "…".to_owned();
    };
    // What stands before the last `@` may be a password with anything in it.
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => match user.split_once(':') {
            Some((user, _)) => (format!("{user}:…@"), rest),
            None => (format!("{user}@"), rest),
        },
        None => (String::new(), rest),
    };
    let (host, query) = rest.split_once('?').unwrap_or((rest, ""));
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("password"))
        .collect();
    let mark = if kept.is_empty() { "" } else { "?" };
    format!("{scheme}://{user}{host}{mark}{}", kept.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        Target::parse(url, None).unwrap().config.get_ssl_mode()
    }

    #[test]
    fn a_password_is_never_shown() {
        for url in [
            "postgres://reseal:s3cr3t@db.test/reseal",
            "postgres://reseal:s3:cr3t@x@db.test/reseal?sslmode=disable",
            "postgres://db.test/reseal?user=reseal&password=s3cr3t",
            "postgres://reseal:s3?cr3t@db.test/reseal",
            "host=db.test password=s3cr3t",
        ] {
            assert!(!without_password(url).contains("cr3t"), "{url}");
        }
        let target = Target::parse(
            "postgres://reseal:s3cr3t@db.test/reseal?sslmode=disable",
            None,
        );
        assert_eq!(
            target.unwrap().shown(),
            "postgres://reseal:…@db.test/reseal?sslmode=disable"
        );
        for wrong in [
            "postgres://u:s3cr3t@h:99999999/x",
            "postgres://u:s3cr3t@h",
            "nothing",
        ] {
            let Err(error) = Target::parse(wrong, None) else {
                panic!("{wrong}")
            };
            assert!(!error.contains("cr3t"), "{error}");
        }
    }

    #[test]
    fn a_password_from_elsewhere_is_for_an_address_without_one() {
        let given = |url: &str| {
            let target = Target::parse(url, Some("other")).unwrap();
            target.config.get_password().map(<[u8]>::to_vec)
        };
        assert_eq!(given("postgres://u@localhost/x").unwrap(), b"other");
        assert_eq!(given("postgres://u:own@localhost/x").unwrap(), b"own");
    }

    #[test]
    fn only_this_host_is_spoken_to_without_tls_unless_asked() {
        assert_eq!(mode("postgres://u@localhost/x"), SslMode::Disable);
        assert_eq!(mode("postgres://u@127.0.0.1:5433/x"), SslMode::Disable);
        assert_eq!(mode("postgres://u@%2Frun%2Fpostgresql/x"), SslMode::Disable);
        assert_eq!(mode("postgres://u@db.test/x"), SslMode::Require);
        // The address is what is connected to; there may be no name beside it.
        let named = "postgres://u@localhost/x?hostaddr=";
        let nameless = "postgres://u@/x?hostaddr=";
        for url in [named, nameless] {
            assert_eq!(mode(&format!("{url}127.0.0.1")), SslMode::Disable, "{url}");
            assert_eq!(mode(&format!("{url}192.0.2.1")), SslMode::Require, "{url}");
        }
        assert_eq!(
            mode("postgres://u@db.test/x?hostaddr=127.0.0.1"),
            SslMode::Require
        );
        let plain = |url: &str| Target::parse(url, None).unwrap().is_plain_over_network();
        assert!(plain("postgres://u@db.test/x?sslmode=prefer"));
        assert!(plain("postgres://u@/x?hostaddr=192.0.2.1&sslmode=disable"));
        assert!(!plain("postgres://u@db.test/x") && !plain("postgres://u@localhost/x"));
        assert_eq!(
            mode("postgres://u@db.test/x?sslmode=disable"),
            SslMode::Disable
        );
        assert_eq!(
            mode("postgres://u@localhost/x?sslmode=verify-full"),
            SslMode::Require
        );
        let Err(error) = Target::parse("postgres://u@db.test/x?sslmode=allow", None) else {
            panic!("taken")
        };
        assert!(error.contains("not `allow`"), "{error}");
    }
}
