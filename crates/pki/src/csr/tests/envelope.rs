//! The text around the DER: C-1 to C-3.

use super::build::Request;
use super::{Csr, CsrError, message, rules, testdata};
use crate::certificate::pem;
use crate::key::PublicKey;

const SOUND: &str = testdata!("ec-256");

#[test]
fn nasty_032_the_ways_people_paste_a_request_are_accepted() {
    let der = Csr::parse(SOUND).unwrap().der().to_vec();
    let body: String = SOUND
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let block = |body: &str| {
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
    };
    let short_lines: Vec<&str> = body
        .as_bytes()
        .chunks(19)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    for text in [
        SOUND.replace("CERTIFICATE", "NEW CERTIFICATE"),
        SOUND.replace('\n', "\r\n"),
        SOUND.replace('\n', "\r"),
        SOUND.replace('\n', "  \t\n"),
        SOUND.replace('\n', "\n\n"),
        format!("\u{feff}{SOUND}"),
        SOUND.trim_end().to_owned(),
        format!("Certificate Request:\n    Data: a - b\n{SOUND}\n \n"),
        block(&body),
        block(&short_lines.join("\n")),
    ] {
        assert_eq!(Csr::parse(&text).unwrap().der(), der, "{text}");
    }
    assert!(testdata!("attributes").starts_with("-----BEGIN NEW "));
    assert_eq!(rules(testdata!("attributes")), [""; 0]);
}

#[test]
fn nasty_033_labels_that_differ_are_refused() {
    let text = SOUND.replace("BEGIN ", "BEGIN NEW ");
    assert_eq!(rules(&text), ["C-1"]);
    assert_eq!(
        message(&text),
        "begins as `NEW CERTIFICATE REQUEST` but ends as `CERTIFICATE REQUEST`: both lines must \
         name the same type"
    );
}

#[test]
fn nasty_034_a_second_block_is_refused() {
    let certificate = pem("CERTIFICATE", b"\x30\x00");
    for text in [
        format!("{SOUND}{SOUND}"),
        format!("{SOUND}{certificate}"),
        SOUND.replace("-----END CERTIFICATE REQUEST-----\n", SOUND),
    ] {
        assert_eq!(Csr::parse(&text).unwrap_err(), CsrError::SeveralBlocks);
    }
    assert!(matches!(
        Csr::parse(&format!("{certificate}{SOUND}")).unwrap_err(),
        CsrError::Label { found } if found == "CERTIFICATE"
    ));
}

#[test]
fn c_1_other_faults_of_the_block_are_named() {
    for (text, expected) in [
        (" \n\u{feff} ".to_owned(), "is empty"),
        ("hello".to_owned(), "is not PEM"),
        (
            SOUND.replace("-----END", "-----FIN"),
            "has no line `-----END",
        ),
        (SOUND[..300].to_owned(), "has no line `-----END"),
        (
            format!("{SOUND}regards, Ann"),
            "text after the PEM block, `regards, Ann`",
        ),
        (
            SOUND.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n\n", 1),
            "header inside the PEM block, `Proc-Type: 4,ENCRYPTED`",
        ),
        (
            SOUND.replacen("MII", "MI_", 1),
            "in line 1 of the PEM block: a character of base64url",
        ),
        (SOUND.replacen("MII", "M I", 1), "a space inside the base64"),
        (SOUND.replacen("MII", "MI", 1), "is not valid base64"),
        (
            SOUND.replacen("MII", "MI\u{202e}", 1),
            "unexpected character `\\u{202e}`",
        ),
    ] {
        assert_eq!(rules(&text), ["C-1"], "{text}");
        let message = message(&text);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn c_1_wrong_padding_is_refused() {
    let request = Request::new();
    let text = loop {
        // The length of the signature changes from one to the next.
        let text = request.pem();
        if text.contains('=') {
            break text;
        }
    };
    assert_eq!(rules(&text.replace('=', "")), ["C-1"]);
    assert_eq!(rules(&text.replacen('=', "==", 1)), ["C-1"]);
}

#[test]
fn c_2_nasty_035_a_private_key_is_refused_and_its_public_half_is_named() {
    let spki_sha256 = |public: &str| {
        let body: String = public
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
        PublicKey::from_spki_der(&der).unwrap().spki_sha256()
    };
    let ec = spki_sha256(testdata!("exposed/ec-public"));
    let rsa = spki_sha256(testdata!("exposed/rsa-public"));
    let beside = format!("{SOUND}{}", testdata!("exposed/ec-pkcs8"));
    let before = format!("{}{SOUND}", testdata!("exposed/rsa-pkcs1"));
    let escaped = testdata!("exposed/ec-sec1").replace('\n', "\\n");
    let bare: String = testdata!("exposed/ec-pkcs8")
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let long = format!("{before}{}", " ".repeat(20_000));
    let same = testdata!("exposed/ec-sec1");
    let several = format!("{same}{before}{}{same}", testdata!("exposed/encrypted"));
    for (text, expected) in [
        (testdata!("exposed/ec-pkcs8"), vec![ec]),
        (testdata!("exposed/ec-sec1"), vec![ec]),
        (testdata!("exposed/rsa-pkcs8"), vec![rsa]),
        (testdata!("exposed/rsa-pkcs1"), vec![rsa]),
        (testdata!("exposed/encrypted"), vec![]),
        (&beside, vec![ec]),
        (&before, vec![rsa]),
        (&escaped, vec![ec]),
        (&bare, vec![ec]),
        (&long, vec![rsa]),
        (&several, vec![ec, rsa]),
        ("-----BEGIN PRIVATE KEY-----\nMII", vec![]),
    ] {
        let error = Csr::parse(text).unwrap_err();
        assert_eq!(error.rule(), "C-2");
        assert!(
            !error.to_string().contains("MII"),
            "the key is not repeated"
        );
        let CsrError::PrivateKey { spki_sha256 } = error else {
            panic!("{error:?}");
        };
        assert_eq!(spki_sha256, expected, "{text}");
    }
}

#[test]
fn nasty_036_base64_without_armour_is_refused_with_a_hint() {
    let bare: String = SOUND
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    for text in [bare.clone(), format!(" {}\n{} ", &bare[..64], &bare[64..])] {
        assert_eq!(Csr::parse(&text).unwrap_err(), CsrError::BareBase64);
    }
    assert!(message(&bare).contains("-----BEGIN CERTIFICATE REQUEST-----"));
}

#[test]
fn nasty_039_more_names_than_the_limit_are_refused_before_decoding() {
    // Not even valid base64: the size is looked at first.
    let text = SOUND.replacen("MII", &"_".repeat(3_000_000), 1);
    assert_eq!(rules(&text), ["C-3"]);
    let names: Vec<String> = (0..1_000)
        .map(|at| format!("host{at}.reseal.dev"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let request = Request::with_dns_names(&names);
    assert_eq!(rules(&request.pem()), ["C-3"]);
    let error = Csr::from_der(&request.der()).unwrap_err();
    assert!(
        matches!(
            error,
            CsrError::TooLong {
                form: "DER",
                limit: 12_288,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn c_3_a_hundred_long_names_fit() {
    let names: Vec<String> = (0..100)
        .map(|at| {
            format!("host-{at}.a-rather-long-department-name.of-a-long-organization.reseal.dev")
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(rules(&Request::with_dns_names(&names).pem()), [""; 0]);
}

#[test]
fn nasty_040_escaped_line_breaks_are_refused_with_the_hint() {
    for text in [SOUND.replace('\n', "\\n"), SOUND.replace('\n', "\\r\\n")] {
        assert_eq!(Csr::parse(&text).unwrap_err(), CsrError::EscapedLineBreaks);
        assert!(message(&text).contains("`\\n`"));
    }
}

#[test]
fn c_1_the_written_form_is_read_back() {
    let csr = Csr::parse(SOUND).unwrap();
    assert_eq!(csr.pem(), SOUND);
}
