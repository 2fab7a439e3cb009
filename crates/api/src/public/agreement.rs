//! `/agreement/{token}`: the page behind the link in a mail with the subscriber agreement. It keeps to the rules of
//! the approval page: fetching changes nothing, and every link that decides nothing looks the same.

use std::sync::Arc;

use askama::Template;
use axum::extract::Request;
use http::StatusCode;
use reseal_lifecycle::Language;
use reseal_lifecycle::approval::Decision;
use reseal_lifecycle::vetting::agreement::Agreement;

use super::approval::{MessagePage, Reader, form, neutral, page, submitted, token, trouble};
use crate::answer::Shared;
use crate::auth::Outcome;

#[derive(Template)]
#[template(path = "agreement.html")]
struct AgreementPage<'a> {
    language: Language,
    agreement: &'a Agreement,
    server: &'a str,
}

impl<'a> AgreementPage<'a> {
    fn new(agreement: &'a Agreement, server: &'a str) -> Self {
        Self {
            language: LANGUAGE,
            agreement,
            server,
        }
    }
}

/// The terms are in one language, whatever that of the mail: what binds is what is read here.
const LANGUAGE: Language = Language::En;

const ACCEPTED: MessagePage<'static> = MessagePage {
    language: LANGUAGE,
    title: "Accepted",
    text: "Thank you. The agreement is recorded. You can close this page.",
};
const DECLINED: MessagePage<'static> = MessagePage {
    language: LANGUAGE,
    title: "Declined",
    text: "Thank you. The certificate will not be issued on this agreement, and your mailbox will not be asked \
           again. You can close this page.",
};

/// Shows the terms; changes nothing.
pub(crate) async fn agreement(shared: Arc<Shared>, request: Request) -> Outcome {
    let reader = Reader::of(&request);
    match shared.services.agreement(token(&request)).await {
        Ok(Some(agreement)) => {
            let server = &shared.services.settings().public_url;
            page(StatusCode::OK, &AgreementPage::new(&agreement, server))
        }
        Ok(None) => neutral(&shared, &reader),
        Err(error) => trouble(error, reader.language),
    }
}

/// Takes the answer that the form carries.
pub(crate) async fn answer_agreement(shared: Arc<Shared>, request: Request) -> Outcome {
    let token = token(&request).to_owned();
    let reader = Reader::of(&request);
    let form = form(&shared, request).await?;
    let Some((form_token, decision)) = submitted(&form) else {
        return neutral(&shared, &reader);
    };
    let done = match decision {
        Decision::Approve => &ACCEPTED,
        Decision::Reject => &DECLINED,
    };
    let services = &shared.services;
    match services
        .answer_agreement(&token, form_token, decision)
        .await
    {
        Ok(true) => page(StatusCode::OK, done),
        Ok(false) => neutral(&shared, &reader),
        Err(error) => trouble(error, reader.language),
    }
}

#[cfg(test)]
mod tests {
    use reseal_lifecycle::process::Approver;

    use super::*;

    #[test]
    fn the_page_names_who_is_bound_and_to_what_and_escapes_it() {
        let agreement = Agreement {
            organization: "<script>alert(1)</script> B.V.".into(),
            place: "Plein 1, Zwolle, NL".into(),
            approver: Some(Approver {
                first_name: "Ada".into(),
                last_name: "Ba<k>ker".into(),
                job_title: None,
                email: "ada@acme.example".into(),
                voice: "+31.384530759".into(),
            }),
            names: vec!["example.com".into()],
            customer: "acme".into(),
            product: "ssl_ev".into(),
            process: 5,
            address: "ceo@acme.example".into(),
            form_token: "tok\"en".into(),
        };
        let html = AgreementPage::new(&agreement, "https://ca.example")
            .render()
            .unwrap();
        for text in [
            "Plein 1, Zwolle, NL",
            "example.com",
            "ssl_ev",
            "ceo@acme.example",
            "Ada",
        ] {
            assert!(html.contains(text), "{text}");
        }
        for raw in ["<script", "Ba<k>ker", "tok\"en", "http-equiv"] {
            assert!(!html.contains(raw), "{raw}");
        }
        assert_eq!(html.matches("<form method=\"post\"").count(), 2);
        assert_eq!(html.matches("name=\"form_token\"").count(), 2);
        assert!(html.contains("name=\"approve\"") && html.contains("name=\"reject\""));
    }
}
