//! What is to be done for a process, name by name.

use serde_json::Value;

use crate::console::printable;

/// One name's proof as `info` has it.
pub(super) struct Proof<'a>(pub(super) &'a Value);

/// The proofs of `info`.
pub(super) fn proofs(info: &Value) -> impl Iterator<Item = Proof<'_>> {
    let proofs = info["validations"]["dcv"].as_array();
    proofs.into_iter().flatten().map(Proof)
}

impl Proof<'_> {
    fn field(&self, name: &str) -> Option<String> {
        self.0[name].as_str().map(printable)
    }

    pub(super) fn name(&self) -> String {
        self.field("commonName").unwrap_or_default()
    }

    pub(super) fn status(&self) -> String {
        self.field("status").unwrap_or_default()
    }

    pub(super) fn is_open(&self) -> bool {
        self.0["status"] != "VALIDATED"
    }

    pub(super) fn is_by_mail(&self) -> bool {
        self.0["type"] == "EMAIL"
    }

    /// What has to be published or done: a heading and rows below it.
    fn lines(&self) -> Vec<String> {
        let row = |label: &str, text: &str| format!("  {label:<10}{text}");
        let name = self.name();
        if self.is_by_mail() {
            let address = self.field("email").unwrap_or_default();
            return vec![
                format!("{name}: approve by the link in the mail"),
                row("to", &address),
            ];
        }
        if let (Some(place), Some(contents)) =
            (self.field("fileLocation"), self.0["fileContents"].as_str())
        {
            let mut lines = vec![format!("{name}: put this file on the web server")];
            lines.push(row("at", &format!("http://{place}")));
            for (index, line) in contents.lines().enumerate() {
                lines.push(row(if index == 0 { "lines" } else { "" }, &printable(line)));
            }
            return lines;
        }
        let (Some(record), Some(contents)) = (self.field("dnsRecord"), self.field("dnsContents"))
        else {
            return vec![format!("{name}: nothing to publish")];
        };
        let kind = self.field("dnsType").unwrap_or_else(|| "CNAME".to_owned());
        let mut lines = vec![format!("{name}: publish this DNS record")];
        lines.push(row("name", &record));
        lines.push(row("type", &kind));
        lines.push(row("contents", &contents));
        if let (Some(record), Some(contents)) = (
            self.field("persistentDnsRecord"),
            self.field("persistentDnsContents"),
        ) {
            lines.push("  or, once and for every later reissue as well, this one".to_owned());
            lines.push(row("name", &record));
            lines.push(row("type", "TXT"));
            lines.push(row("contents", &contents));
        }
        lines
    }

    /// What CAA has against it.
    fn caa(&self) -> Option<String> {
        let status = self.field("caaRecordStatus")?;
        let fine = ["VALID", "EMPTY", "WAITING"].contains(&status.as_str());
        (!fine).then(|| {
            let name = self.name();
            format!("{name}: CAA keeps it from being issued ({status}): `reseal caa check {name}` says why")
        })
    }
}

/// Everything that a process waits for from the customer.
pub(super) fn to_do(info: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for proof in proofs(info) {
        if proof.is_open() {
            lines.extend(proof.lines());
        }
        lines.extend(proof.caa());
    }
    for check in ["organization", "docs", "voice", "whois", "agreement"] {
        let status = info["validations"][check].as_str();
        if let Some(status) = status.filter(|status| *status != "VALIDATED") {
            lines.push(format!("{check}: {}", printable(status)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_open_name_has_what_to_publish_for_it() {
        let info = json!({"validations": {"organization": "WAITING", "dcv": [
            {"commonName": "a.dev", "type": "DNS", "status": "WAITING", "caaRecordStatus": "INVALID",
             "dnsRecord": "_x.a.dev.", "dnsType": "CNAME", "dnsContents": "y.z."},
            {"commonName": "b.dev", "type": "FILE", "status": "ATTENTION", "caaRecordStatus": "EMPTY",
             "fileLocation": "b.dev/f.txt", "fileContents": "one\ntwo"},
            {"commonName": "c.dev", "type": "EMAIL", "status": "WAITING", "email": "me@c.dev"},
            {"commonName": "d.dev", "type": "DNS", "status": "VALIDATED"},
        ]}});
        assert_eq!(
            to_do(&info),
            [
                "a.dev: publish this DNS record",
                "  name      _x.a.dev.",
                "  type      CNAME",
                "  contents  y.z.",
                "a.dev: CAA keeps it from being issued (INVALID): `reseal caa check a.dev` says why",
                "b.dev: put this file on the web server",
                "  at        http://b.dev/f.txt",
                "  lines     one",
                "            two",
                "c.dev: approve by the link in the mail",
                "  to        me@c.dev",
                "organization: WAITING",
            ]
        );
    }
}
