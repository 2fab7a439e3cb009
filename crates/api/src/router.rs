//! Every route. Trailing slashes are gone before a request comes here (`answer`).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{self, MethodFilter};
use reseal_lifecycle::Services;

use crate::answer::{Api, ApiConfig, Shared};
use crate::auth::{Call, Outcome, authenticated, open};
use crate::error::{Failure, first_characters};
use crate::limits::RateLimits;
use crate::{certificates, notifications, processes, products, public, validations, webhook};

const GET: MethodFilter = MethodFilter::GET; // and HEAD
const POST: MethodFilter = MethodFilter::POST;
const DELETE: MethodFilter = MethodFilter::DELETE;

/// The HTTP side of `services`.
#[rustfmt::skip] // one line a route
pub fn router(services: Arc<Services>, config: ApiConfig) -> Api {
    let routes = Routes(Router::new())
        .on(GET, "/v2/ssl/certificates", certificates::list)
        .on(POST, "/v2/ssl/certificates", certificates::request)
        .on(GET, "/v2/ssl/certificates/{id}", certificates::get)
        .on(DELETE, "/v2/ssl/certificates/{id}", certificates::revoke)
        .on(POST, "/v2/ssl/certificates/{id}/reissue", certificates::reissue)
        .on(POST, "/v2/ssl/certificates/{id}/renew", certificates::renew)
        .on(GET, "/v2/ssl/certificates/{id}/download", certificates::download)
        .on(POST, "/v2/ssl/import", certificates::import)
        .on(POST, "/v2/ssl/decodecsr", certificates::decode_csr)
        .on(POST, "/v2/ssl/authkey", certificates::auth_key)
        .on(GET, "/v2/ssl/dcvemailaddresslist/{name}", certificates::approver_addresses)
        .on(GET, "/v2/customers/{customer}/certificates", certificates::list_below_customer)
        .on(GET, "/v2/customers/{customer}/certificates/{id}", certificates::get_below_customer)
        .on(GET, "/v2/ssl/products", products::list)
        .on(GET, "/v2/ssl/products/{product}", products::get)
        .on(GET, "/v2/processes", processes::list)
        .on(GET, "/v2/processes/{id}", processes::get)
        .on(DELETE, "/v2/processes/{id}", processes::cancel)
        .on(GET, "/v2/processes/{id}/info", processes::info)
        .on(GET, "/v2/processes/{id}/timeline", processes::timeline)
        .on(POST, "/v2/processes/{id}/resend", processes::resend)
        .on(POST, "/v2/processes/{id}/schedule-validation-call", processes::schedule_validation_call)
        .on(POST, "/v2/processes/{id}/send-subscriber-agreement", processes::send_subscriber_agreement)
        .on(POST, "/v2/processes/{id}/add-note", processes::add_note)
        .on(GET.or(POST), "/v2/ssl/acme", no_acme)
        .on(GET.or(DELETE), "/v2/ssl/acme/{id}", no_acme)
        .on(POST, "/v2/ssl/acme/{id}/update", no_acme)
        .on(POST, "/v2/ssl/acme/{id}/renew", no_acme)
        .on(POST, "/v2/ssl/acme/{id}/credentials", no_acme)
        .on(GET, "/v2/customers/{customer}/notifications", notifications::list)
        .on(GET, "/v2/customers/{customer}/notifications/poll", notifications::poll)
        .on(GET, "/v2/customers/{customer}/notifications/{id}", notifications::get)
        .on(POST, "/v2/customers/{customer}/notifications/{id}/ack", notifications::acknowledge)
        .on(GET, "/v2/customers/{customer}/webhook", webhook::get)
        .on(POST, "/v2/customers/{customer}/webhook", webhook::set)
        .on(DELETE, "/v2/customers/{customer}/webhook", webhook::remove)
        .on(GET, "/v2/validations", validations::list)
        .on(GET, "/v2/validations/{id}", validations::get)
        .on(POST, "/v2/validations/{id}/approve", validations::approve)
        .on(POST, "/v2/validations/{id}/reject", validations::reject)
        .open(GET, "/healthz", public::health)
        .open(GET, "/readyz", public::ready)
        .open(GET, "/ca/{file}", public::issuer_certificate)
        .open(GET, "/crl/{file}", public::revocation_list)
        .open(GET, "/crl/{authority}/{file}", public::revocation_list)
        .open(GET, "/dcv/approve/{token}", public::approval)
        .open(POST, "/dcv/approve/{token}", public::decide)
        .open(GET, "/agreement/{token}", public::agreement)
        .open(POST, "/agreement/{token}", public::answer_agreement);
    let limits = config.rates.map(RateLimits::new);
    routes.finish(Arc::new(Shared {
        services,
        config,
        limits,
    }))
}

struct Routes(Router<Arc<Shared>>);

impl Routes {
    /// A route of the API: the handler is called only with a known caller.
    fn on<F, Fut>(self, methods: MethodFilter, path: &str, handler: F) -> Self
    where
        F: FnOnce(Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let wrapped =
            |state: State<Arc<Shared>>, request: Request| authenticated(state, request, handler);
        Self(self.0.route(path, routing::on(methods, wrapped)))
    }

    /// A route that anybody may call.
    fn open<F, Fut>(self, methods: MethodFilter, path: &str, handler: F) -> Self
    where
        F: FnOnce(Arc<Shared>, Request) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let wrapped = |state: State<Arc<Shared>>, request: Request| open(state, request, handler);
        Self(self.0.route(path, routing::on(methods, wrapped)))
    }

    /// Adds what answers when no route does.
    fn finish(self, shared: Arc<Shared>) -> Api {
        let router = self
            .0
            .method_not_allowed_fallback(|state, request| open(state, request, no_method))
            .fallback(|state, request| open(state, request, no_route))
            .with_state(shared);
        Api::new(router)
    }
}

/// ACME subscriptions: nothing is looked up, so that nothing can be learned.
async fn no_acme(_: Call) -> Outcome {
    Err(Failure::rule(
        "ACME subscriptions are not offered by this server: order single certificates by `POST /v2/ssl/certificates`",
    ))
}

async fn no_route(_: Arc<Shared>, request: Request) -> Outcome {
    let path = first_characters(request.uri().path(), 100);
    Err(Failure::no_route(format!("There is nothing at `{path}`")))
}

async fn no_method(_: Arc<Shared>, request: Request) -> Outcome {
    let method = first_characters(request.method().as_str(), 20);
    Err(Failure::no_method(format!(
        "`{method}` is not possible here; the header `Allow` says what is"
    )))
}
