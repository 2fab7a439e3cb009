//! One step of a process, written: the process, what happened, and what the step brings along.
//!
//! Everything that can be made ready without the database is made ready before the writer is asked
//! ([`Step::new`]): its one thread only binds and writes.

use std::sync::Arc;

use reseal_lifecycle::audit::StepEntry;
use reseal_lifecycle::auth_key::AuthKeyId;
use reseal_lifecycle::authorization::Authorization;
use reseal_lifecycle::campaign::Ticket;
use reseal_lifecycle::certificate::{CertificateId, Revocation, SubscriptionId};
use reseal_lifecycle::dns_hook::Out;
use reseal_lifecycle::idempotency::ClaimId;
use reseal_lifecycle::import;
use reseal_lifecycle::process::{Process, ProcessId};
use reseal_lifecycle::store::{Change, Issuance, LostSerial, Reservation, StoreError};
use reseal_lifecycle::transparency::Precertificate;
use reseal_lifecycle::upstream::{Duty, OrderUrl};

use super::audit::{Entry, StepDraft, append_all};
use super::campaign;
use super::crl;
use super::dns_record;
use super::find::number;
use super::grounds;
use super::issue;
use super::notification::Draft;
use super::rows::{millis, reason_word};
use super::transparency;
use super::upstream;
use super::vetting;
use crate::database::{self, Connection, Hold, Lock, params, unless_unique};
use crate::sql;

/// A change with everything rendered that is stored as text.
pub(crate) struct Step {
    process: Arc<Process>,
    change: Attached,
    status: &'static str,
    state: String,
    command: String,
    events: Vec<(i64, String)>,
    /// What the audit log says of the events.
    entry: Option<StepDraft>,
}

/// What a change brings along beside the process and its events.
struct Attached {
    /// With those who saw the same rendered, if any were asked.
    authorizations: Vec<(Authorization, Option<String>)>,
    mail_tokens: Vec<[u8; 32]>,
    request_token: Option<[u8; 32]>,
    reservation: Option<Reservation>,
    precertificate: Option<Precertificate>,
    /// With the certificate's names rendered.
    issuance: Option<(Box<Issuance>, String)>,
    revocation: Option<(CertificateId, Revocation)>,
    lost: Option<LostSerial>,
    out: Vec<Out>,
    order: Option<OrderUrl>,
    unwanted: Option<Duty>,
    vetting: vetting::Draft,
    audit: Vec<Arc<Entry>>,
    notifications: Vec<Draft>,
    auth_keys: Vec<AuthKeyId>,
    claim: Option<ClaimId>,
    ticket: Option<Ticket>,
    lease: Option<i64>,
}

/// What the database decided about a stored step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    id: ProcessId,
    version: i64,
    subscription: Option<SubscriptionId>,
    certificate: Option<CertificateId>,
}

impl Stored {
    /// `process` as it now stands in the database.
    pub(crate) fn complete(self, mut process: Process) -> Process {
        process.id = self.id;
        process.version = self.version.unsigned_abs();
        process.subscription = self.subscription;
        process.certificate = self.certificate;
        process
    }
}

impl Step {
    /// Renders what is stored as text. `command` only for a process that `is_new`: it never changes.
    pub(crate) fn new(change: Change, is_new: bool) -> Result<Self, StoreError> {
        let Change {
            process,
            events,
            authorizations,
            mail_tokens,
            request_token,
            reservation,
            precertificate,
            issuance,
            revocation,
            lost,
            out,
            order,
            unwanted,
            vetted,
            withdrawn,
            audit,
            notifications,
            auth_keys,
            claim,
            ticket,
            lease,
        } = change;
        let told = StepEntry::of(&process, &events, is_new);
        let events = events
            .iter()
            .map(|event| Ok((millis(event.at), json(&event.kind)?)))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let issuance = issuance
            .map(|issuance| json(&issuance.certificate.names).map(|names| (issuance, names)))
            .transpose()?;
        let authorizations = authorizations.into_iter().map(|proof| {
            let witnesses = Some(&proof.witnesses).filter(|all| !all.is_empty());
            let witnesses = witnesses.map(json).transpose()?;
            Ok((proof, witnesses))
        });
        let authorizations = authorizations.collect::<Result<_, StoreError>>()?;
        let lease = lease.map(millis);
        Ok(Self {
            status: process.status().as_str(),
            state: json(process.state())?,
            command: if is_new {
                json(&process.command)?
            } else {
                String::new()
            },
            entry: StepDraft::new(told, Some(&process.customer), &events)?,
            events,
            process: Arc::new(process),
            change: Attached {
                authorizations,
                mail_tokens,
                request_token,
                reservation,
                precertificate,
                issuance,
                revocation,
                lost,
                out,
                order,
                unwanted,
                vetting: vetting::Draft::new(vetted, withdrawn)?,
                audit: Entry::all_of(audit)?,
                notifications: Draft::all_of(notifications)?,
                auth_keys,
                claim,
                ticket,
                lease,
            },
        })
    }

    /// The process as it was handed in.
    pub(crate) fn process(&self) -> Arc<Process> {
        Arc::clone(&self.process)
    }

    /// Writes a process that is new.
    pub(crate) fn open(&self, connection: &Connection) -> Result<Stored, StoreError> {
        let process = &*self.process;
        self.keep_keys(connection);
        grounds::check_source(connection, process)?;
        grounds::check_proofs_and_approvals(connection, process)?;
        if self.change.reservation.is_some() {
            grounds::check_requested_key(connection, process)?;
        }
        let inserted = connection.insert_new(
            sql::process::INSERT,
            params![
                process.customer,
                process.user,
                process.action.as_str(),
                process.identifier,
                process.source,
                process.subscription,
                process.certificate,
                millis(process.created),
                millis(process.updated),
                self.status,
                process.is_open(),
                process.requires_attention(),
                process.next_run.map(millis),
                self.change.lease,
                self.state,
                self.command,
            ],
        )?;
        let Some(id) = inserted else {
            return Err(self.already_open(connection)?);
        };
        self.write_billables(connection, id)?;
        let stored = self.write_results(connection, id, 0)?;
        if self.change.issuance.is_some() {
            let values = params![stored.subscription, stored.certificate, id];
            connection.send(sql::process::SET_RESULT, values)?;
        }
        self.write_rest(connection, stored)
    }

    /// Writes the next step of a known process, if nobody else did so since it was read.
    pub(crate) fn advance(&self, connection: &Connection) -> Result<Stored, StoreError> {
        let process = &*self.process;
        let version = process.version.cast_signed();
        self.keep_keys(connection);
        if self.change.reservation.is_some() {
            grounds::check_source(connection, process)?;
            grounds::check_proofs_and_approvals(connection, process)?;
            grounds::check_requested_key(connection, process)?;
        }
        if let Some((issuance, _)) = &self.change.issuance {
            // Before the proofs, and by their numbers where others go with it: so does whoever condemns them.
            if let Some(replacement) = &issuance.replaces {
                let look = if replacement.revokes_siblings() {
                    sql::certificate::EXISTS_BESIDE
                } else {
                    sql::certificate::EXISTS
                };
                connection.hold_soon(look, [replacement.certificate])?;
            }
            if issuance.is_late {
                grounds::check_proofs_and_approvals(connection, process)?;
            }
            grounds::check_key(connection, &issuance.certificate)?;
            // Whoever comes too late hears that, and not what else is wrong by now.
            let as_it_was = params![process.id, version];
            if !connection.hold(Hold::ForChange, sql::process::IS_AT, as_it_was)? {
                return Err(StoreError::Stale);
            }
        }
        let stored = self.write_results(connection, process.id, version + 1)?;
        let values = params![
            stored.subscription,
            stored.certificate,
            millis(process.updated),
            self.status,
            process.is_open(),
            process.requires_attention(),
            process.next_run.map(millis),
            self.change.lease,
            self.state,
            process.id,
            version,
        ];
        match connection.execute(sql::process::ADVANCE, values) {
            Ok(0) => Err(StoreError::Stale),
            Ok(_) => self.write_rest(connection, stored),
            // With a certificate it ends: then it was something else that is there already.
            Err(error) if error.violates_uniqueness() && self.change.issuance.is_none() => {
                connection.recover()?;
                Err(self.already_open(connection)?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Nobody blocks a key any more before the commit, where something depends on that: whether a serial is reserved for it,
    /// whether a certificate is stored, why a serial that is given up is revoked. Before anything else is held: whoever blocks
    /// a key has the list first, and then its certificates.
    fn keep_keys(&self, connection: &Connection) {
        let change = &self.change;
        if change.reservation.is_some() || change.issuance.is_some() || change.lost.is_some() {
            connection.lock(Lock::BlockedKeysStay);
        }
    }

    /// Which process keeps this one from being open.
    fn already_open(&self, connection: &Connection) -> Result<StoreError, StoreError> {
        let open = number(
            connection,
            sql::process::SELECT_OPEN,
            [self.process.subscription],
        )?;
        // It has ended since.
        Ok(open.map_or(StoreError::Stale, StoreError::OpenProcess))
    }

    /// Writes what the process's own row tells of: approvals that are taken back, proofs, and the certificate that rests on
    /// them.
    fn write_results(
        &self,
        connection: &Connection,
        id: ProcessId,
        version: i64,
    ) -> Result<Stored, StoreError> {
        self.change.vetting.withdraw(connection, &self.process)?;
        self.write_authorizations(connection, id)?;
        let mut stored = Stored {
            id,
            version,
            subscription: self.process.subscription,
            certificate: self.process.certificate,
        };
        if let Some((issuance, names)) = &self.change.issuance {
            let (subscription, certificate) =
                issue::write(connection, issuance, names, &self.process, id)?;
            stored.subscription = Some(subscription);
            stored.certificate = Some(certificate);
        }
        Ok(stored)
    }

    fn write_rest(&self, connection: &Connection, stored: Stored) -> Result<Stored, StoreError> {
        let Stored { id, version, .. } = stored;
        let change = &self.change;
        self.write_events(connection, id, version)?;
        if let Some(entry) = &self.entry {
            entry.write(connection, id, version, 0);
        }
        append_all(connection, &change.audit);
        for hash in &change.mail_tokens {
            connection
                .execute(sql::mail_token::INSERT, params![hash, id])
                .map_err(unless_unique("mail token"))?;
        }
        if let Some(token) = &change.request_token {
            let values = params![token, id];
            if connection.execute(sql::request_token::INSERT, values)? == 0 {
                return Err(StoreError::RequestTokenUsed);
            }
        }
        for key in &change.auth_keys {
            if connection.execute(sql::auth_key::USE, params![id, key])? == 0 {
                return Err(StoreError::AuthKeyUsed);
            }
        }
        if let Some(claim) = change.claim {
            let taken = connection.execute(sql::idempotency_key::SET_PROCESS, params![id, claim]);
            if taken? == 0 {
                // Believed dead, its key was given to the same call come again: that one does it.
                return Err(StoreError::Stale);
            }
        }
        if let Some(ticket) = change.ticket {
            let now = millis(self.process.updated);
            campaign::take_along(connection, ticket, id, now)?;
        }
        if let Some(reservation) = &change.reservation {
            let values = params![
                id,
                reservation.serial,
                reservation.issuer,
                reservation.tbs,
                millis(reservation.created)
            ];
            connection
                .execute(sql::reservation::INSERT, values)
                .map_err(unless_unique("serial"))?;
        }
        dns_record::write_out(connection, &change.out, id, self.process.updated)?;
        dns_record::retire(connection, &self.process, id)?;
        if let Some(signed) = &change.precertificate {
            transparency::write(connection, signed, id)?;
        }
        if let Some(order) = &change.order {
            upstream::write_order(connection, order, id)?;
        }
        if change.lease.is_none() && self.process.is_open() && self.process.next_run.is_some() {
            connection.wake_workers();
        }
        if let Some((certificate, revocation)) = &change.revocation {
            let values = params![
                millis(revocation.at),
                revocation.reason.map(reason_word),
                revocation.note,
                certificate
            ];
            // Nobody finds the key compromised, or orders a revocation, between this look and the commit.
            connection.lock(Lock::BlockedKeysStay);
            connection.hold_soon(sql::certificate::EXISTS, [*certificate])?;
            if connection.execute(sql::certificate::REVOKE, values)? == 0 {
                // Revoked by somebody else in the meantime, or known to be compromised: the caller decides anew on
                // what is there now.
                return Err(StoreError::Stale);
            }
            let values = params![certificate, import::ISSUER];
            connection.send(sql::crl::ENTER, values)?;
            let values = params![millis(revocation.at), certificate];
            connection.send(sql::upstream::REVOKE, values)?;
            campaign::settle(connection, *certificate, None, millis(revocation.at))?;
        }
        if let Some(lost) = &change.lost {
            crl::enter_lost(connection, lost, &self.process)?;
        }
        if let Some(duty) = &change.unwanted {
            upstream::write_unwanted(connection, duty)?;
        }
        change.vetting.write(connection, &self.process, id)?;
        let issued = change.issuance.is_some().then_some(stored.certificate);
        let issued = issued.flatten();
        if !self.process.is_open() {
            campaign::close(connection, &self.process, id, issued)?;
        }
        for draft in &change.notifications {
            draft.write(connection, Some(id), issued)?;
        }
        Ok(stored)
    }

    /// What is charged is fixed when the process is opened.
    fn write_billables(&self, connection: &Connection, id: ProcessId) -> database::Result<()> {
        let billables = self.process.work().map(|work| &work.order.billables);
        for billable in billables.into_iter().flatten() {
            let values = params![
                id,
                billable.action.as_str(),
                billable.product,
                billable.quantity
            ];
            connection.send(sql::process_billable::INSERT, values)?;
        }
        Ok(())
    }

    fn write_events(
        &self,
        connection: &Connection,
        id: ProcessId,
        version: i64,
    ) -> database::Result<()> {
        for (ordinal, (at, kind)) in (0_i64..).zip(&self.events) {
            let values = params![id, version, ordinal, at, kind];
            connection.send(sql::event::INSERT, values)?;
        }
        Ok(())
    }

    fn write_authorizations(&self, connection: &Connection, id: ProcessId) -> database::Result<()> {
        for (proof, witnesses) in &self.change.authorizations {
            let values = params![
                proof.customer,
                proof.adn,
                proof.method.br_section(),
                proof.only_itself,
                millis(proof.obtained),
                id,
                witnesses,
                proof.alias,
            ];
            connection.send(sql::authorization::INSERT, values)?;
        }
        Ok(())
    }
}

/// `value` as it is stored.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Fault(format!("a value cannot be stored: {error}")))
}
