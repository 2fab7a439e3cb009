//! Every route. Trailing slashes are gone before a request comes here (`answer`).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::{self, MethodFilter, MethodRouter};
use reseal_lifecycle::Services;

use crate::answer::{Api, ApiConfig, Shared};
use crate::auth::{Call, Outcome, authenticated, open};
use crate::error::{Failure, first_characters};
use crate::limits::RateLimits;
use crate::load::Load;
use crate::measures::Measures;
use crate::openapi::{self, Described, Operation};
use crate::{
    blocked_keys, campaigns, certificates, notifications, processes, products, public, validations,
    webhook,
};

/// A method, by its name in the document and for the router.
type Verb = (&'static str, MethodFilter);

const GET: Verb = ("get", MethodFilter::GET); // and HEAD
const POST: Verb = ("post", MethodFilter::POST);
const DELETE: Verb = ("delete", MethodFilter::DELETE);

/// The HTTP side of `services`.
pub fn router(services: Arc<Services>, config: ApiConfig) -> Api {
    let is_shared = services.has_others();
    let limits = config
        .rates
        .map(|rates| Arc::new(RateLimits::new(rates, is_shared)));
    let load = Load::new(config.capacity);
    let routes = routes();
    let measures = Measures::new(routes.described(), services.metrics().registry());
    if let Err(error) = &measures {
        tracing::error!(%error, "calls are not measured");
    }
    let shared = Shared {
        services,
        config,
        limits,
        load,
        readiness: public::Readiness::default(),
    };
    routes.finish(Arc::new(shared)).measured(measures.ok())
}

/// The table of routes: how each is called, who answers, and what the OpenAPI document says about it.
#[rustfmt::skip] // one line a route
pub(crate) fn routes() -> Routes {
    Routes::default()
        .on(GET, "/v2/ssl/certificates", certificates::list, certificates::describe::list())
        .on(POST, "/v2/ssl/certificates", certificates::request, certificates::describe::request())
        .on(GET, "/v2/ssl/certificates/{id}", certificates::get, certificates::describe::get())
        .on(DELETE, "/v2/ssl/certificates/{id}", certificates::revoke, certificates::describe::revoke())
        .on(POST, "/v2/ssl/certificates/{id}/reissue", certificates::reissue, certificates::describe::reissue())
        .on(POST, "/v2/ssl/certificates/{id}/renew", certificates::renew, certificates::describe::renew())
        .on(GET, "/v2/ssl/certificates/{id}/download", certificates::download, certificates::describe::download())
        .on(POST, "/v2/ssl/import", certificates::import, certificates::describe::import())
        .on(POST, "/v2/ssl/decodecsr", certificates::decode_csr, certificates::describe::decode_csr())
        .on(POST, "/v2/ssl/authkey", certificates::auth_key, certificates::describe::auth_key())
        .on(GET, "/v2/ssl/dcvemailaddresslist/{name}", certificates::approver_addresses, certificates::describe::approver_addresses())
        .on(GET, "/v2/customers/{customer}/certificates", certificates::list_below_customer, certificates::describe::list_below_customer())
        .on(GET, "/v2/customers/{customer}/certificates/{id}", certificates::get_below_customer, certificates::describe::get_below_customer())
        .on(GET, "/v2/ssl/products", products::list, products::describe::list())
        .on(GET, "/v2/ssl/products/{product}", products::get, products::describe::get())
        .on(GET, "/v2/processes", processes::list, processes::describe::list())
        .on(GET, "/v2/processes/{id}", processes::get, processes::describe::get())
        .on(DELETE, "/v2/processes/{id}", processes::cancel, processes::describe::cancel())
        .on(GET, "/v2/processes/{id}/info", processes::info, processes::describe::info())
        .on(GET, "/v2/processes/{id}/timeline", processes::timeline, processes::describe::timeline())
        .on(POST, "/v2/processes/{id}/resend", processes::resend, processes::describe::resend())
        .on(POST, "/v2/processes/{id}/schedule-validation-call", processes::schedule_validation_call, processes::describe::schedule_validation_call())
        .on(POST, "/v2/processes/{id}/send-subscriber-agreement", processes::send_subscriber_agreement, processes::describe::send_subscriber_agreement())
        .on(POST, "/v2/processes/{id}/add-note", processes::add_note, processes::describe::add_note())
        .on(GET, "/v2/ssl/acme", no_acme, refusal("listAcme", "List ACME subscriptions"))
        .on(POST, "/v2/ssl/acme", no_acme, refusal("createAcme", "Order an ACME subscription"))
        .on(GET, "/v2/ssl/acme/{id}", no_acme, refusal("getAcme", "Get an ACME subscription"))
        .on(DELETE, "/v2/ssl/acme/{id}", no_acme, refusal("deleteAcme", "End an ACME subscription"))
        .on(POST, "/v2/ssl/acme/{id}/update", no_acme, refusal("updateAcme", "Change an ACME subscription"))
        .on(POST, "/v2/ssl/acme/{id}/renew", no_acme, refusal("renewAcme", "Renew an ACME subscription"))
        .on(POST, "/v2/ssl/acme/{id}/credentials", no_acme, refusal("getAcmeCredentials", "Get credentials of an ACME subscription"))
        .on(GET, "/v2/customers/{customer}/notifications", notifications::list, notifications::describe::list())
        .on(GET, "/v2/customers/{customer}/notifications/poll", notifications::poll, notifications::describe::poll())
        .on(GET, "/v2/customers/{customer}/notifications/{id}", notifications::get, notifications::describe::get())
        .on(POST, "/v2/customers/{customer}/notifications/{id}/ack", notifications::acknowledge, notifications::describe::acknowledge())
        .on(GET, "/v2/customers/{customer}/webhook", webhook::get, webhook::describe::get())
        .on(POST, "/v2/customers/{customer}/webhook", webhook::set, webhook::describe::set())
        .on(DELETE, "/v2/customers/{customer}/webhook", webhook::remove, webhook::describe::remove())
        .on(GET, "/v2/validations", validations::list, validations::describe::list())
        .on(GET, "/v2/validations/{id}", validations::get, validations::describe::get())
        .on(POST, "/v2/validations/{id}/approve", validations::approve, validations::describe::approve())
        .on(POST, "/v2/validations/{id}/reject", validations::reject, validations::describe::reject())
        .on(GET, "/v2/ssl/campaigns", campaigns::list, campaigns::describe::list())
        .on(POST, "/v2/ssl/campaigns", campaigns::begin, campaigns::describe::begin())
        .on(GET, "/v2/ssl/campaigns/{id}", campaigns::get, campaigns::describe::get())
        .on(GET, "/v2/ssl/campaigns/{id}/certificates", campaigns::certificates, campaigns::describe::certificates())
        .on(POST, "/v2/ssl/campaigns/{id}/pause", campaigns::pause, campaigns::describe::pause())
        .on(POST, "/v2/ssl/campaigns/{id}/resume", campaigns::resume, campaigns::describe::resume())
        .on(POST, "/v2/ssl/campaigns/{id}/cancel", campaigns::cancel, campaigns::describe::cancel())
        .on(GET, "/v2/blocked-keys", blocked_keys::list, blocked_keys::describe::list())
        .on(POST, "/v2/blocked-keys", blocked_keys::block, blocked_keys::describe::block())
        .open(GET, "/healthz", public::health, public::describe::health())
        .open(GET, "/readyz", public::ready, public::describe::ready())
        .open(GET, "/metrics", public::metrics, public::describe::metrics())
        .open(GET, "/ca/{file}", public::issuer_certificate, public::describe::issuer_certificate())
        .open(GET, "/crl/{file}", public::revocation_list, public::describe::revocation_list())
        .open(GET, "/crl/{authority}/{file}", public::revocation_list, public::describe::revocation_list_of_authority())
        .open(POST, "/ocsp", public::status_by_body, public::describe::status_by_body())
        .open(GET, "/ocsp/{*request}", public::status_by_path, public::describe::status_by_path())
        .open(GET, "/renewal-info/{id}", public::renewal_info, public::describe::renewal_info())
        .open(GET, "/renewal-info/{id}/explanation", public::explanation, public::describe::explanation())
        .open(GET, "/dcv/approve/{token}", public::approval, public::describe::approval())
        .open(POST, "/dcv/approve/{token}", public::decide, public::describe::decide())
        .open(GET, "/agreement/{token}", public::agreement, public::describe::agreement())
        .open(POST, "/agreement/{token}", public::answer_agreement, public::describe::answer_agreement())
        .open(GET, "/openapi.json", openapi::json, openapi::describe::json())
        .open(GET, "/docs", openapi::docs, openapi::describe::page())
}

/// Routes, each with its description.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<Arc<Shared>>,
    described: Vec<Described>,
}

impl Routes {
    /// A route of the API: the handler is called only with a known caller.
    fn on<F, Fut>(self, verb: Verb, path: &'static str, handler: F, operation: Operation) -> Self
    where
        F: FnOnce(Call) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let wrapped =
            |state: State<Arc<Shared>>, request: Request| authenticated(state, request, handler);
        let method = routing::on(verb.1, wrapped);
        self.add(verb, path, method, operation, false)
    }

    /// A route that anybody may call.
    fn open<F, Fut>(self, verb: Verb, path: &'static str, handler: F, operation: Operation) -> Self
    where
        F: FnOnce(Arc<Shared>, Request) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        let wrapped = |state: State<Arc<Shared>>, request: Request| open(state, request, handler);
        let method = routing::on(verb.1, wrapped);
        self.add(verb, path, method, operation, true)
    }

    fn add(
        mut self,
        verb: Verb,
        path: &'static str,
        method: MethodRouter<Arc<Shared>>,
        operation: Operation,
        open: bool,
    ) -> Self {
        self.router = self.router.route(path, method);
        self.described.push(Described {
            method: verb.0,
            path,
            operation,
            open,
        });
        self
    }

    /// What the document is made of.
    pub(crate) fn described(&self) -> &[Described] {
        &self.described
    }

    /// Adds what answers when no route does.
    fn finish(self, shared: Arc<Shared>) -> Api {
        let origins = shared.config.cors_origins.clone();
        let limits = shared.limits.clone();
        let router = self
            .router
            .method_not_allowed_fallback(|state, request| open(state, request, no_method))
            .fallback(|state, request| open(state, request, no_route))
            .with_state(shared);
        Api::new(router, origins).limited(limits)
    }
}

/// ACME subscriptions: nothing is looked up, so that nothing can be learned.
async fn no_acme(_: Call) -> Outcome {
    Err(Failure::rule(
        "ACME subscriptions are not offered by this server: order single certificates by `POST /v2/ssl/certificates`",
    ))
}

fn refusal(id: &'static str, summary: &'static str) -> Operation {
    Operation::new("Not offered", id, summary)
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
