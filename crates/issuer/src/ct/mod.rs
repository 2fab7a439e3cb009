//! A log of Certificate Transparency as RFC 6962 section 4 speaks: [`LogServer`] asks it for `lifecycle`, which decides
//! what is asked and verifies what comes back.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use reseal_lifecycle::transparency::{LogClient, LogError, read_answer};
use reseal_pki::transparency::Sct;
use serde::Deserialize;
use serde_json::json;

use crate::https::{Answer, Http, Place, SendError, shown};

/// Most bytes of an answer: a log that takes all roots of the world lists some hundred.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;
/// Most characters of a log's own words that are shown.
const LONGEST_TEXT: usize = 200;

/// A log's server.
pub struct LogServer {
    url: String,
    http: Http,
}

impl LogServer {
    /// The log at `url`; CAs in `roots` may vouch for it beside those that this machine trusts, DER. Nothing is sent yet.
    ///
    /// # Errors
    /// What cannot be used, in words.
    pub fn new(url: &str, roots: Vec<Vec<u8>>) -> Result<Self, String> {
        Place::parse(url)?;
        if url.contains(['?', '#']) {
            return Err(format!("expected a URL without query, saw `{url}`"));
        }
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            http: Http::new(roots, LARGEST_ANSWER)?,
        })
    }

    async fn ask(
        &self,
        method: Method,
        call: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Answer, LogError> {
        let url = format!("{}/ct/v1/{call}", self.url);
        let answer = self.http.send(method, &url, body).await;
        let answer = answer.map_err(|error| match error {
            SendError::NotSent(reason) | SendError::Lost(reason) => unavailable(reason, None),
        })?;
        match answer.status {
            StatusCode::OK => Ok(answer),
            status => Err(failure(status, &answer)),
        }
    }
}

#[async_trait]
impl LogClient for LogServer {
    async fn add_pre_chain(&self, chain: &[Vec<u8>]) -> Result<Sct, LogError> {
        let chain: Vec<String> = chain.iter().map(|der| STANDARD.encode(der)).collect();
        let body = json!({ "chain": chain }).to_string().into_bytes();
        let body = Some(("application/json", body));
        let answer = self.ask(Method::POST, "add-pre-chain", body).await?;
        read_answer(&answer.body).map_err(|error| LogError::Wrong(error.to_string()))
    }

    async fn roots(&self) -> Result<Vec<Vec<u8>>, LogError> {
        #[derive(Deserialize)]
        struct Roots {
            certificates: Vec<String>,
        }
        let answer = self.ask(Method::GET, "get-roots", None).await?;
        let wrong = || LogError::Wrong("`get-roots`: expected a list of certificates".to_owned());
        let roots: Roots = serde_json::from_slice(&answer.body).map_err(|_| wrong())?;
        let roots = roots.certificates.iter();
        let roots = roots.map(|root| STANDARD.decode(root).map_err(|_| wrong()));
        roots.collect()
    }
}

fn unavailable(reason: String, retry_after: Option<Duration>) -> LogError {
    LogError::Unavailable {
        reason,
        retry_after,
    }
}

/// What a status other than 200 means: too much at once and what is wrong with the log passes, all else is about what was
/// sent.
fn failure(status: StatusCode, answer: &Answer) -> LogError {
    let text = String::from_utf8_lossy(&answer.body);
    let text: String = text.trim().chars().take(LONGEST_TEXT).collect();
    let reason = format!("status {status}: {}", shown(&text));
    let passes = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
    if status.is_client_error() && !passes.contains(&status) {
        LogError::Refused(reason)
    } else {
        unavailable(reason, answer.retry_after())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_at_an_https_url() {
        for url in [
            "http://log.example/",
            "log.example",
            "https://log.example/?x",
            "https://me@log.example/",
        ] {
            assert!(LogServer::new(url, Vec::new()).is_err(), "{url}");
        }
        let log = LogServer::new("https://log.example/2027h1/", Vec::new()).unwrap();
        assert_eq!(log.url, "https://log.example/2027h1");
    }

    #[test]
    fn nasty_138_what_passes_is_told_from_what_a_log_refuses() {
        let of = |status: u16, headers: &[(&'static str, &str)], body: &str| {
            let answer = Answer::made(status, headers, body);
            failure(answer.status, &answer)
        };
        let busy = of(503, &[("retry-after", "77")], "busy\r\nnow");
        assert_eq!(
            busy,
            LogError::Unavailable {
                reason: "status 503 Service Unavailable: busy??now".to_owned(),
                retry_after: Some(Duration::from_secs(77)),
            }
        );
        assert!(matches!(of(429, &[], ""), LogError::Unavailable { .. }));
        assert!(matches!(of(500, &[], ""), LogError::Unavailable { .. }));
        assert!(matches!(of(301, &[], ""), LogError::Unavailable { .. }));
        let refused = of(400, &[], &"no such root ".repeat(100));
        assert!(matches!(&refused, LogError::Refused(why) if why.len() < 250));
    }
}
