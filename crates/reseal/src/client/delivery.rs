//! Fetching the new certificate, once it is there.

use anyhow::bail;
use reseal_pki::certificate::Certificate;

use super::folder::{BOTH, CERTIFICATE, CHAIN, Folder, Job};
use super::http::Server;
use super::key;
use crate::console;

/// Saves certificate `id` and its chain beside the key; says where everything is.
pub(super) async fn save(
    server: &Server,
    folder: &Folder,
    job: &Job,
    id: i64,
) -> anyhow::Result<()> {
    let download = async |format: &str| -> anyhow::Result<String> {
        let path = format!("/v2/ssl/certificates/{id}/download?format={format}");
        let text = server.get(&path).await?.text;
        Ok(format!("{}\n", text.trim_end()))
    };
    let (leaf, chain) = (download("CRT").await?, download("CA_BUNDLE").await?);
    let certificate = match Certificate::from_pem_or_der(&leaf) {
        Ok(certificate) => certificate,
        Err(error) => bail!("certificate {id} as downloaded {error}"),
    };
    let requested = key::parse(&folder.request()?)?;
    if certificate.public_key().spki_der() != requested.public_key().spki_der() {
        bail!(
            "certificate {id} is not for the key of {}: it was not saved",
            folder.root().display()
        );
    }
    let saved = [
        ("certificate", folder.put(CERTIFICATE, &leaf)?),
        ("chain", folder.put(CHAIN, &chain)?),
        ("both", folder.put(BOTH, &format!("{leaf}{chain}"))?),
    ];
    console::line(format!(
        "certificate {id} replaces {}: {}, valid until {:.0}",
        job.certificate,
        certificate.dns_names().join(", "),
        certificate.not_after()
    ));
    if let Some(path) = folder.key() {
        console::line(format!("{:<13}{}", "key", path.display()));
    }
    for (what, path) in saved {
        console::line(format!("{what:<13}{}", path.display()));
    }
    Ok(())
}
