//! The program `reseal`: command line, configuration, and putting the parts together. It holds no rules.
//!
//! A command is read in [`args`], its configuration in [`config`]; [`wire_up`] makes the running parts out of
//! both, [`serve`] lets them run. Each other command has a file of its name.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod accounts;
mod args;
mod audit;
mod authorization;
mod backup;
mod bench;
mod ca;
mod campaign;
mod check;
mod client;
mod clock;
mod config;
mod console;
mod data;
mod demo;
mod doctor;
mod file;
mod house;
mod init;
mod issuer;
mod key;
mod migrate;
mod perspective;
mod policy;
mod revocation;
mod serve;
mod terms;
mod validation;
mod webhook;
mod wire_up;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use args::{
    ApiKey, Args, Audit, AuditFormat, Authorization, Ca, Caa, Command, Csr, Customer, Dcv, Issuer,
    Key, LogFormat, Policy, Revocation, Validation, Webhook,
};
use reseal_lifecycle::vetting::{Decision, Verdict};

/// A reissue allocates some thousand small pieces on several threads; docs/performance.md has what this saves.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a server logs when `RESEAL_LOG` does not say otherwise. A line a request would cost more than it
/// tells, and what the DNS said is kept as evidence.
const LOG_FILTER: &str = "info,reseal_api::access=warn,hickory_net=error";

/// How clap leaves after wrong usage.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    // Usage errors leave with 2 here, by clap.
    let args = Args::parse();
    let filter = match args.command {
        Command::Serve { .. } | Command::Perspective { .. } => LOG_FILTER,
        // What matters is on the screen already.
        _ => "error",
    };
    if let Err(error) = start_logging(args.log_format, filter) {
        console::notice(format!("error: {error}"));
        return ExitCode::from(USAGE);
    }
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| anyhow::anyhow!("the runtime cannot start: {error}"))
        .and_then(|runtime| {
            let outcome = runtime.block_on(run(args));
            // What nobody waits for any more must not keep the program from its end.
            runtime.shutdown_timeout(Duration::from_secs(1));
            outcome
        });
    let outcome = outcome.and_then(|code| match console::lost() {
        None => Ok(code),
        Some(error) => Err(anyhow::anyhow!(
            "not everything could be written to standard output: {error}"
        )),
    });
    match outcome {
        Ok(code) => code,
        Err(error) => {
            console::notice(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let config = args.config.as_deref();
    let done = |()| ExitCode::SUCCESS;
    match args.command {
        Command::Init(data) => init::run(&data.data, config).await.map(done),
        Command::Serve { data, listen } => serve::run(&data.data, config, listen, args.log_format)
            .await
            .map(done),
        Command::Demo { data, exit } => demo::run(data.as_deref(), exit).await.map(done),
        Command::Bench { of: Some(of), .. } => bench::run_other(of, config).await.map(done),
        Command::Bench { of: None, loads } => bench::run(loads).await.map(done),
        Command::Customer(Customer::Create { handle, data }) => {
            accounts::create_customer(&data.data, config, &handle)
                .await
                .map(done)
        }
        Command::Customer(Customer::List(data)) => {
            accounts::list_customers(&data.data, config).await.map(done)
        }
        Command::ApiKey(ApiKey::Create {
            customer,
            role,
            login,
            data,
        }) => accounts::create_key(&data.data, config, &customer, &login, role)
            .await
            .map(done),
        Command::ApiKey(ApiKey::List(data)) => {
            accounts::list_keys(&data.data, config).await.map(done)
        }
        Command::ApiKey(ApiKey::Revoke { id, data }) => {
            accounts::revoke_key(&data.data, config, id).await.map(done)
        }
        Command::Webhook(command) => webhook(command, config).await.map(done),
        Command::Validation(command) => validation(command, config).await.map(done),
        Command::Campaign(command) => campaign::run(command, config).await.map(done),
        Command::Issuer(Issuer::List(data)) => issuer::list(&data.data, config).await.map(done),
        Command::Issuer(Issuer::Rollover {
            name,
            customer,
            data,
        }) => issuer::rollover(&data.data, config, &name, customer)
            .await
            .map(done),
        Command::Issuer(Issuer::GiveUp {
            process,
            reason,
            data,
        }) => issuer::give_up(&data.data, config, process, &reason)
            .await
            .map(done),
        Command::Ca(Ca::Show(data)) => ca::show(&data.data, config).map(done),
        Command::Ca(Ca::Rotate {
            request,
            certificate,
            data,
        }) => {
            let way = match (request, certificate) {
                (Some(file), _) => ca::Rotate::Request(file),
                (None, Some(file)) => ca::Rotate::Certificate(file),
                (None, None) => ca::Rotate::AtOnce,
            };
            ca::rotate(&data.data, config, way).await.map(done)
        }
        Command::Ca(Ca::MigrateKey(data)) => ca::migrate_key(&data.data, config).await.map(done),
        Command::Ca(Ca::SignIntermediate { request, out, data }) => {
            ca::sign_intermediate(&data.data, config, &request, &out).map(done)
        }
        Command::Ca(Ca::Crl {
            list,
            form,
            out,
            sign,
            data,
        }) => {
            let request = ca::CrlRequest {
                list,
                form,
                out,
                sign,
            };
            ca::crl(&data.data, config, request).await.map(done)
        }
        Command::Ca(Ca::Lint {
            json,
            open_duties,
            data,
        }) => {
            let request = ca::LintRequest { json, open_duties };
            ca::lint(&data.data, config, request).await
        }
        Command::Audit(Audit::Verify { heads, data }) => audit::verify(&data.data, config, &heads),
        Command::Audit(Audit::Export {
            since,
            until,
            format: AuditFormat::Jsonl,
            data,
        }) => audit::export(&data.data, config, since, until).map(done),
        Command::Key(Key::Block { key, reason, data }) => {
            key::block(&data.data, config, &key, &reason)
                .await
                .map(done)
        }
        Command::Key(Key::Import { file, reason, data }) => {
            key::import(&data.data, config, &file, &reason)
                .await
                .map(done)
        }
        Command::Key(Key::List(data)) => key::list(&data.data, config).await.map(done),
        Command::Revocation(Revocation::Due { json, data }) => {
            revocation::due(&data.data, config, json).await.map(done)
        }
        Command::Revocation(Revocation::Order { order, data }) => {
            revocation::order(&data.data, config, order).await.map(done)
        }
        Command::Authorization(Authorization::List { wanted, json, data }) => {
            authorization::list(&data.data, config, &wanted, json)
                .await
                .map(done)
        }
        Command::Authorization(Authorization::Distrust {
            wanted,
            reason,
            data,
        }) => authorization::distrust(&data.data, config, &wanted, &reason)
            .await
            .map(done),
        Command::Reissue(wanted) => client::reissue(wanted).await,
        Command::Csr(Csr::Check { file, data }) => check::csr(&file, data.as_deref(), config),
        Command::Caa(Caa::Check { name, method, from }) => {
            check::caa(&name, method, &from, config).await
        }
        Command::Dcv(Dcv::Check {
            name,
            method,
            process,
            from,
        }) => check::dcv(&name, method, process, &from, config).await,
        Command::Backup { file, data } => backup::write(&file, &data.data, config).await.map(done),
        Command::Migrate {
            from: _,
            to,
            password_file,
            data,
        } => migrate::run(&data.data, config, &to, password_file.as_deref())
            .await
            .map(done),
        Command::Restore { file, data } => backup::restore(&file, &data.data).await.map(done),
        Command::Policy(Policy::Show { date, json }) => policy::show(date, json).map(done),
        Command::Perspective { listen } => perspective::run(config, listen, args.log_format)
            .await
            .map(done),
        Command::Openapi => {
            console::line(serde_json::to_string_pretty(&reseal_api::document())?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Doctor { deep, data } => doctor::run(&data.data, config, deep).await,
    }
}

async fn webhook(command: Webhook, config: Option<&Path>) -> anyhow::Result<()> {
    match command {
        Webhook::Set {
            customer,
            url,
            secret_file,
            username,
            password_file,
            data,
        } => {
            let receiver = webhook::Receiver {
                url,
                secret_file,
                username,
                password_file,
            };
            webhook::set(&data.data, config, &customer, receiver).await
        }
        Webhook::Show { customer, data } => webhook::show(&data.data, config, &customer).await,
        Webhook::Remove { customer, data } => webhook::remove(&data.data, config, &customer).await,
        Webhook::List(data) => webhook::list(&data.data, config).await,
    }
}

async fn validation(command: Validation, config: Option<&Path>) -> anyhow::Result<()> {
    let (decision, verdict, reason, data) = match command {
        Validation::List(data) => return validation::list(&data.data, config).await,
        Validation::Show { process, data } => {
            return validation::show(&data.data, config, process).await;
        }
        Validation::Approve {
            decision,
            reason,
            obtained,
            data,
        } => (decision, Verdict::Approve { obtained }, reason, data),
        Validation::Reject {
            decision,
            reason,
            data,
        } => (decision, Verdict::Reject, Some(reason), data),
    };
    let args::Decision {
        process,
        checks,
        note,
    } = decision;
    let decision = Decision {
        verdict,
        checks,
        reason,
        note,
    };
    validation::say(&data.data, config, process, &decision).await
}

/// By what `RESEAL_LOG` says, else by `filter`.
fn start_logging(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let said = std::env::var_os("RESEAL_LOG");
    let said = said.as_ref().map(|said| said.to_string_lossy());
    let filter = EnvFilter::try_new(said.as_deref().unwrap_or(filter)).map_err(|error| {
        anyhow::anyhow!(
            "RESEAL_LOG: {error}: expected a filter such as `info` or `warn,reseal_api=debug`, saw `{}`",
            console::printable(said.as_deref().unwrap_or(filter))
        )
    })?;
    let logs = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // Said on stderr again, which panics: a log that cannot be written must not end what a server does.
        .log_internal_errors(false)
        .with_env_filter(filter);
    match format {
        LogFormat::Text => logs.with_ansi(false).init(),
        LogFormat::Json => logs.json().init(),
    }
    Ok(())
}
