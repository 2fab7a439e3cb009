//! A notification as the contract shows it (contract.md section 5.8), to whoever asks and to webhooks.

use reseal_lifecycle::Error;
use reseal_lifecycle::notification::{Notification, Occasion};
use reseal_pki::profile::ValidationType;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::date::Date;
use crate::query::SUBJECT_STATUSES;

/// Every field that a notification may have by the contract, the identifying one first.
pub(super) const FIELDS: &[&str] = &[
    "id",
    "fireDate",
    "readDate",
    "acknowledgeDate",
    "deliveryDate",
    "message",
    "reason",
    "customer",
    "process",
    "eventType",
    "notificationType",
    "isAsync",
    "payload",
    "processType",
    "processIdentifier",
    "statusDetail",
    "subjectStatus",
    "transferType",
    "expiryDate",
    "domainName",
    "certificateId",
    "product",
    "validationType",
];

/// A notification. Optional fields without a value are absent, never null.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "Notification")]
#[serde(rename_all = "camelCase")]
pub(super) struct NotificationBody<'a> {
    id: i64,
    fire_date: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledge_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_date: Option<Date>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    customer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    process: Option<i64>,
    #[schemars(extend("enum" = Occasion::ALL.map(Occasion::as_str)))]
    event_type: &'static str,
    notification_type: &'static str,
    /// Every notification is about something that goes on outside of the call that began it.
    is_async: bool,
    payload: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_identifier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_detail: Option<&'a str>,
    #[schemars(extend("enum" = SUBJECT_STATUSES))]
    subject_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_date: Option<Date>,
    domain_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_type: Option<ValidationType>,
}

impl<'a> NotificationBody<'a> {
    pub(super) fn of(told: &'a Notification) -> Self {
        let of_process = told.process.is_some();
        Self {
            id: told.id,
            fire_date: Date(told.fired),
            read_date: told.read.map(Date),
            acknowledge_date: told.acknowledged.map(Date),
            delivery_date: told.delivered.map(Date),
            message: &told.message,
            reason: told.reason.as_deref(),
            customer: &told.customer,
            process: told.process,
            event_type: told.occasion.as_str(),
            notification_type: "SSLCertificateNotification",
            is_async: true,
            payload: &told.payload,
            process_type: of_process.then_some("certificate"),
            process_identifier: of_process.then_some(&told.domain_name),
            status_detail: told.status_detail.as_deref(),
            subject_status: told.occasion.subject_status(),
            expiry_date: told.expires.map(Date),
            domain_name: &told.domain_name,
            certificate_id: told.certificate,
            product: told.product.as_deref(),
            validation_type: told.validation,
        }
    }
}

/// A notification as webhooks get it: all but what became of it at the customer's.
///
/// # Errors
/// It cannot be written as JSON.
pub fn for_webhook(told: &Notification) -> Result<Vec<u8>, Error> {
    let body = NotificationBody {
        read_date: None,
        acknowledge_date: None,
        delivery_date: None,
        ..NotificationBody::of(told)
    };
    serde_json::to_vec(&body).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told() -> Notification {
        let at = |seconds: i64| jiff::Timestamp::from_second(1_795_521_600 + seconds).unwrap();
        Notification {
            id: 9,
            customer: "acme".to_owned(),
            occasion: Occasion::Issued,
            fired: at(0),
            message: "Issued.".to_owned(),
            reason: Some("r".to_owned()),
            process: Some(5),
            status_detail: Some("s".to_owned()),
            certificate: Some(7),
            domain_name: "example.com".to_owned(),
            product: Some("ssl_dv".to_owned()),
            validation: Some(ValidationType::Domain),
            expires: Some(at(86_400)),
            payload: Map::from_iter([("action".to_owned(), json!("reissue"))]),
            read: Some(at(1)),
            acknowledged: Some(at(2)),
            delivered: Some(at(3)),
        }
    }

    #[test]
    fn a_notification_has_the_contracts_shape() {
        assert_eq!(
            serde_json::to_value(NotificationBody::of(&told())).unwrap(),
            json!({
                "id": 9, "fireDate": "2026-11-24T12:00:00Z", "readDate": "2026-11-24T12:00:01Z",
                "acknowledgeDate": "2026-11-24T12:00:02Z", "deliveryDate": "2026-11-24T12:00:03Z",
                "message": "Issued.", "reason": "r", "customer": "acme", "process": 5,
                "eventType": "ISSUED", "notificationType": "SSLCertificateNotification",
                "isAsync": true, "payload": {"action": "reissue"}, "processType": "certificate",
                "processIdentifier": "example.com", "statusDetail": "s", "subjectStatus": "COMPLETED",
                "expiryDate": "2026-11-25T12:00:00Z", "domainName": "example.com", "certificateId": 7,
                "product": "ssl_dv", "validationType": "DOMAIN_VALIDATION"
            })
        );
    }

    #[test]
    fn what_has_no_value_is_absent() {
        let bare = Notification {
            process: None,
            reason: None,
            status_detail: None,
            certificate: None,
            product: None,
            validation: None,
            expires: None,
            read: None,
            acknowledged: None,
            delivered: None,
            ..told()
        };
        let shown = serde_json::to_value(NotificationBody::of(&bare)).unwrap();
        let names: Vec<_> = shown.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            [
                "id",
                "fireDate",
                "message",
                "customer",
                "eventType",
                "notificationType",
                "isAsync",
                "payload",
                "subjectStatus",
                "domainName"
            ]
        );
    }

    #[test]
    fn a_webhook_gets_the_same_without_what_became_of_it() {
        let shown: Value = serde_json::from_slice(&for_webhook(&told()).unwrap()).unwrap();
        for absent in ["readDate", "acknowledgeDate", "deliveryDate"] {
            assert_eq!(shown.get(absent), None);
        }
        assert_eq!(shown["id"], 9);
        // Without those three and `transferType`, which is about domains.
        assert_eq!(shown.as_object().unwrap().len(), FIELDS.len() - 4);
    }

    #[test]
    fn every_shown_field_can_be_selected() {
        let shown = serde_json::to_value(NotificationBody::of(&told())).unwrap();
        for field in shown.as_object().unwrap().keys() {
            assert!(FIELDS.contains(&field.as_str()), "{field}");
        }
    }
}
