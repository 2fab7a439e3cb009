//! Certificate chains as PKCS#7 (`.p7b`): a SignedData that signs nothing
//! (RFC 5652 section 5).

use crate::asn1::{INTEGER, OID, SEQUENCE, SET, element};

const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";

/// The certificates, each in DER, in one `ContentInfo`.
///
/// Definite lengths throughout, but the certificates stay in the caller's
/// order, as CMS permits for this set (it is BER there): people turn the file
/// into PEM and expect the server's certificate to come first. X.690 section
/// 11.6 would sort them by length.
pub fn certs_only(certificates: &[&[u8]]) -> Vec<u8> {
    let empty_set = element(SET, &[]);
    let content = element(SEQUENCE, &element(OID, DATA));
    let signed_data = element(
        SEQUENCE,
        &[
            element(INTEGER, &[1]),
            empty_set.clone(), // digestAlgorithms
            content,
            element(0xa0, &certificates.concat()),
            empty_set, // signerInfos
        ]
        .concat(),
    );
    element(
        SEQUENCE,
        &[element(OID, SIGNED_DATA), element(0xa0, &signed_data)].concat(),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::certs_only;
    use crate::fixture::{Hierarchy, KeyType};

    #[test]
    fn openssl_reads_the_chain_in_our_order() {
        let hierarchy = Hierarchy::new(KeyType::P256);
        let intermediate = hierarchy.issuer.certificate_der();
        let root = hierarchy.root.certificate_der();
        let chain = certs_only(&[intermediate, root]);
        let mut openssl = Command::new("openssl")
            .args(["pkcs7", "-inform", "DER", "-print_certs"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("openssl is installed");
        openssl.stdin.take().unwrap().write_all(&chain).unwrap();
        let output = openssl.wait_with_output().unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let blocks: Vec<String> = [intermediate, root]
            .map(|der| crate::certificate::pem("CERTIFICATE", der))
            .into();
        let first = text.find(blocks[0].trim()).expect("the first certificate");
        let second = text.find(blocks[1].trim()).expect("the second certificate");
        assert!(first < second);
    }
}
