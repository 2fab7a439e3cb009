//! Sections 4.8 and 5.6: keys that prove names.

use serde_json::{Value, json};

use super::row::{Row, Shape, post, row};
use super::stage::{Stage, with};
use super::texts::presence_rows;
use crate::support::csr::csr;

pub(super) fn rows(_: &Stage) -> Vec<Row> {
    let send = |body: Value| post("/v2/ssl/authkey", &body);
    let base = || json!({"product": "ssl_dv", "csr": csr(&["key.dev"])});
    let mut rows = vec![
        row("5.6 authKey", send(base())).status(200).json("/authKey", Shape::Text),
        row("5.6 validity", send(base())).json("/validity", Shape::Date),
        row("4.8 authkey: product that is not there", send(with(base(), "product", "ssl_none"))).bad("ObjectDoesNotExist"),
        row("4.8 authkey: csr that is none", send(with(base(), "csr", "x"))).bad("InvalidCSRException"),
        row("4.8 authkey: another field", send(with(base(), "domainName", "key.dev"))).unrecognized("domainName"),
    ];
    for field in ["product", "csr"] {
        let mut without = base();
        without.as_object_mut().unwrap().remove(field);
        rows.extend(presence_rows("4.8 authkey:", field, true, send(without), send(with(base(), field, Value::Null)), |row| row));
        rows.push(row(format!("4.8 authkey: {field} that is a number"), send(with(base(), field, 1))).unrecognized(field));
    }
    rows
}
