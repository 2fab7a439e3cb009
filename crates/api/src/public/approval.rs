//! `/dcv/approve/{token}`: the page behind the link in an approval mail (rules.md D-18, D-19).
//!
//! Mail scanners fetch every link, so fetching shows the page and changes nothing; only the form on it
//! decides. Whatever is wrong with a link (unknown, used, expired, superseded) gives one and the same page, which
//! therefore says nothing about whether the link ever existed.

use std::sync::Arc;

use askama::Template;
use axum::extract::Request;
use axum::response::Response;
use http::header::{
    ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use reseal_lifecycle::approval::{Approval, Decision};
use reseal_lifecycle::mail::{Outcomes, Phrase, Texts};
use reseal_lifecycle::{Kind, Language};

use super::answer;
use crate::answer::{ApiConfig, Shared};
use crate::auth::Outcome;
use crate::body::receive;
use crate::error::Failure;
use crate::query::Parameters;
use crate::server::Peer;

/// Bytes of a submitted form; ours have some hundred.
const LARGEST_FORM: usize = 4 * 1024;

/// The hash is that of the style in `page.html`.
const POLICY: &str = "default-src 'none'; style-src 'sha256-Hk2RrTnpS9oGD35ehBviwO/XiAZAtiXvz56mfWOKthc='; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "approval.html")]
struct ApprovalPage<'a> {
    language: Language,
    texts: &'a Texts,
    approval: &'a Approval,
    server: &'a str,
    until: String,
    reuse: String,
    advice: String,
}

impl<'a> ApprovalPage<'a> {
    fn new(approval: &'a Approval, server: &'a str) -> Self {
        let texts = approval.language.texts();
        let domain = [("domain", approval.domain.as_str())];
        Self {
            language: approval.language,
            texts,
            approval,
            server,
            until: texts.day(approval.until),
            reuse: texts.approval_mail.reuse.fill(&domain),
            advice: texts.approval_page.advice.fill(&domain),
        }
    }
}

#[derive(Template)]
#[template(path = "message.html")]
pub(super) struct MessagePage<'a> {
    pub(super) language: Language,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
}

impl MessagePage<'_> {
    /// `pick` takes title and text from what can be said.
    fn new(language: Language, pick: impl Fn(&'static Outcomes) -> [&'static Phrase; 2]) -> Self {
        let [title, text] = pick(&language.texts().outcomes);
        Self {
            language,
            title: title.text(),
            text: text.text(),
        }
    }

    /// For every link that decides nothing: nothing is said about why.
    fn neutral(language: Language) -> Self {
        Self::new(language, |texts| [&texts.invalid, &texts.invalid_text])
    }

    fn later(language: Language) -> Self {
        Self::new(language, |texts| [&texts.later, &texts.later_text])
    }

    fn thanks(language: Language, decision: Decision) -> Self {
        Self::new(language, |texts| match decision {
            Decision::Approve => [&texts.approved, &texts.approved_text],
            Decision::Reject => [&texts.rejected, &texts.rejected_text],
        })
    }
}

/// Shows what is asked; changes nothing.
pub(crate) async fn approval(shared: Arc<Shared>, request: Request) -> Outcome {
    let reader = Reader::of(&request);
    let outcome = shared.services.approval(token(&request)).await;
    match outcome {
        Ok(Some(approval)) => {
            let server = &shared.services.settings().public_url;
            page(StatusCode::OK, &ApprovalPage::new(&approval, server))
        }
        Ok(None) => neutral(&shared, &reader),
        Err(error) => trouble(error, reader.language),
    }
}

/// Takes the decision that the form carries.
pub(crate) async fn decide(shared: Arc<Shared>, request: Request) -> Outcome {
    let token = token(&request).to_owned();
    let reader = Reader::of(&request);
    let form = form(&shared, request).await?;
    let Some((form_token, decision)) = submitted(&form) else {
        return neutral(&shared, &reader);
    };
    match shared.services.decide(&token, form_token, decision).await {
        Ok(Some(language)) => page(StatusCode::OK, &MessagePage::thanks(language, decision)),
        Ok(None) => neutral(&shared, &reader),
        Err(error) => trouble(error, reader.language),
    }
}

/// Who follows a link.
pub(super) struct Reader {
    /// The browser's: that of the mail is unknown, or would say that the link was once good.
    pub(super) language: Language,
    peer: Option<Peer>,
}

impl Reader {
    pub(super) fn of(request: &Request) -> Self {
        let header = request.headers().get(ACCEPT_LANGUAGE);
        let preferred = header.and_then(|value| Language::preferred(value.to_str().ok()?));
        Self {
            language: preferred.unwrap_or_default(),
            peer: request.extensions().get().copied(),
        }
    }
}

/// The page of every link that decides nothing; whoever tries many of them has to wait between two.
pub(super) fn neutral(shared: &Shared, reader: &Reader) -> Outcome {
    let (limits, language) = (shared.limits.as_ref(), reader.language);
    if let (Some(limits), Some(Peer(address))) = (limits, reader.peer)
        && let Err(wait) = limits.dead_link(address)
    {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut response = page(status, &MessagePage::neutral(language))?;
        let seconds = HeaderValue::from(wait.as_secs() + 1);
        response.headers_mut().insert(RETRY_AFTER, seconds);
        return Ok(response);
    }
    page(StatusCode::NOT_FOUND, &MessagePage::neutral(language))
}

/// The submitted form.
pub(super) async fn form(shared: &Shared, request: Request) -> Result<Parameters, Failure> {
    let limits = ApiConfig {
        max_body: LARGEST_FORM,
        ..shared.config.clone()
    };
    let form = receive::bytes(request.into_body(), &limits).await?;
    Ok(Parameters::parse(&String::from_utf8_lossy(&form)))
}

/// Tokens consist of characters that stand for themselves in a path.
pub(super) fn token(request: &Request) -> &str {
    request.uri().path().rsplit('/').next().unwrap_or_default()
}

/// The form's one-time token and the button that was pressed: exactly one of the two.
pub(super) fn submitted(form: &Parameters) -> Option<(&str, Decision)> {
    let form_token = form.first("form_token")?;
    let decision = match (form.first("approve"), form.first("reject")) {
        (Some(_), None) => Decision::Approve,
        (None, Some(_)) => Decision::Reject,
        _ => return None,
    };
    Some((form_token, decision))
}

/// A person gets a page to read; a fault of our own goes the way of all faults.
pub(super) fn trouble(error: reseal_lifecycle::Error, language: Language) -> Outcome {
    match error.kind {
        Kind::Unavailable | Kind::RateLimited => page(
            StatusCode::SERVICE_UNAVAILABLE,
            &MessagePage::later(language),
        ),
        _ => Err(error.into()),
    }
}

/// What keeps the link to this page, and the page to itself (D-19).
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex"),
    ),
];

pub(super) fn page(status: StatusCode, template: &impl Template) -> Outcome {
    let html = template.render().map_err(Failure::internal)?;
    let mut response: Response = answer(status, "text/html; charset=utf-8", "no-store", html);
    response.headers_mut().extend(HEADERS);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn shown(language: Language) -> String {
        let approval = Approval {
            names: vec!["example.com".into(), "*.example.com".into()],
            customer: "a<b>\"c".into(),
            product: "ssl_dv".into(),
            process: 5,
            address: "admin@example.com".into(),
            domain: "example.com".into(),
            until: "2027-06-11".parse().unwrap(),
            language,
            form_token: "tok\"en".into(),
        };
        ApprovalPage::new(&approval, "https://ca.example")
            .render()
            .unwrap()
    }

    #[test]
    fn d_18_the_page_lists_what_would_be_approved_and_escapes_it() {
        let html = shown(Language::En);
        for text in [
            "<li>example.com",
            "*.example.com",
            "ssl_dv",
            "admin@example.com",
            "https://ca.example",
            "11 June 2027",
            "every name below example.com",
        ] {
            assert!(html.contains(text), "{text}");
        }
        assert!(!html.contains("a<b>"), "{html}");
        assert!(!html.contains("tok\"en"), "{html}");
    }

    #[test]
    fn the_page_speaks_every_language_and_says_which() {
        for language in Language::ALL {
            let texts = language.texts();
            let html = shown(language);
            let tag = format!("<html lang=\"{}\">", language.tag());
            assert!(html.contains(&tag), "{html}");
            assert!(html.contains(texts.approval_page.approve.text()), "{html}");
            let (before, style) = html.split_once("<style>").unwrap();
            let (_, body) = style.split_once("</style>").unwrap();
            assert!(!before.contains('{') && !body.contains('{'), "{html}");
            for decision in [Decision::Approve, Decision::Reject] {
                let html = MessagePage::thanks(language, decision).render().unwrap();
                assert!(html.contains(&tag), "{html}");
            }
        }
    }

    #[test]
    fn d_19_the_neutral_page_speaks_the_browsers_language() {
        let asked = |language: &str| {
            let request = Request::builder().header(ACCEPT_LANGUAGE, language);
            Reader::of(&request.body(axum::body::Body::empty()).unwrap()).language
        };
        assert_eq!(asked("ja, en;q=0.5"), Language::Jp);
        assert_eq!(asked("\u{e9}"), Language::En);
    }

    #[test]
    fn d_19_each_decision_is_a_form_of_its_own_with_the_form_token() {
        let html = shown(Language::En);
        assert_eq!(html.matches("<form method=\"post\"").count(), 2);
        assert_eq!(html.matches("name=\"form_token\"").count(), 2);
        assert!(html.contains("name=\"approve\""));
        assert!(html.contains("name=\"reject\""));
        assert!(!html.contains("<script"));
        assert!(!html.contains("http-equiv"));
    }

    #[test]
    fn d_19_the_policy_admits_the_pages_own_style_and_nothing_else() {
        let neutral = MessagePage::neutral(Language::De).render().unwrap();
        for html in [shown(Language::En), neutral] {
            let (_, rest) = html.split_once("<style>").unwrap();
            let (style, _) = rest.split_once("</style>").unwrap();
            let hash = digest::digest(&digest::SHA256, style.as_bytes());
            let hash = STANDARD.encode(hash);
            assert!(POLICY.contains(&format!("'sha256-{hash}'")), "{hash}");
        }
    }

    #[test]
    fn d_19_every_page_keeps_the_link_to_itself() {
        let response = page(StatusCode::NOT_FOUND, &MessagePage::neutral(Language::En)).unwrap();
        assert_eq!(response.headers()[REFERRER_POLICY], "no-referrer");
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(response.headers().contains_key(CONTENT_SECURITY_POLICY));
    }

    #[test]
    fn nasty_131_a_form_decides_only_with_its_token_and_one_button() {
        let read = |form: &str| {
            let form = Parameters::parse(form);
            submitted(&form).map(|(token, decision)| (token.to_owned(), decision))
        };
        assert_eq!(
            read("form_token=t%2B1&approve=approve"),
            Some(("t+1".to_owned(), Decision::Approve))
        );
        assert_eq!(
            read("reject=&form_token=t"),
            Some(("t".to_owned(), Decision::Reject))
        );
        for form in [
            "",
            "approve=1",
            "form_token=t",
            "form_token=t&approve=1&reject=1",
        ] {
            assert_eq!(read(form), None, "{form}");
        }
    }
}
