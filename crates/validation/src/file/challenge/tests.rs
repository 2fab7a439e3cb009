use proptest::prelude::*;

use super::*;
use crate::file::Hop;

const CONTENTS: &str = "SHA256\ndcv.invalid\nrandom0123456789abcdefghi";

fn fetched(body: &[u8], urls: &[&str]) -> FileObservation {
    FileObservation {
        url: "http://shop.corp/a".to_owned(),
        hops: urls
            .iter()
            .map(|url| Hop {
                url: (*url).to_owned(),
                address: None,
                resolved: Vec::new(),
                status: Some(200),
                location: None,
            })
            .collect(),
        outcome: FileOutcome::Fetched,
        status: Some(200),
        body_sha256: None,
        body_excerpt: crate::evidence::excerpt(body),
        body: Some(body.to_vec()),
        at: Timestamp::UNIX_EPOCH,
        elapsed_ms: 1,
    }
}

fn verdict(body: &[u8]) -> Verdict {
    let observation = fetched(body, &["http://shop.corp/a"]);
    attempt(observation, CONTENTS, Timestamp::UNIX_EPOCH).verdict
}

#[test]
fn nasty_109_line_ends_bom_and_trailing_space_do_not_matter() {
    for body in [
        "SHA256\ndcv.invalid\nrandom0123456789abcdefghi",
        "SHA256\ndcv.invalid\nrandom0123456789abcdefghi\n",
        "SHA256\r\ndcv.invalid\r\nrandom0123456789abcdefghi\r\n",
        "\u{feff}SHA256\ndcv.invalid\nrandom0123456789abcdefghi \t\n\n",
    ] {
        assert_eq!(verdict(body.as_bytes()), Verdict::Proved, "{body:?}");
    }
}

#[test]
fn nasty_107_nasty_110_d_26_anything_else_is_not_the_token() {
    for body in [
        "",
        "\n",
        "sha256\ndcv.invalid\nrandom0123456789abcdefghi",
        "SHA256\ndcv.invalid\nrandom012345678",
        "SHA256\ndcv.invalid\nrandom0123456789abcdefghi0",
        "SHA256\n\ndcv.invalid\nrandom0123456789abcdefghi",
        "\nSHA256\ndcv.invalid\nrandom0123456789abcdefghi",
        " SHA256\ndcv.invalid\nrandom0123456789abcdefghi",
        "SHA256 \ndcv.invalid\nrandom0123456789abcdefghi",
        "SHA256\rdcv.invalid\rrandom0123456789abcdefghi",
        "\u{feff}\u{feff}SHA256\ndcv.invalid\nrandom0123456789abcdefghi",
        "SHA256\ndcv.invalid\nrandom0123456789abcdefghi\nmore",
        "<html>SHA256\ndcv.invalid\nrandom0123456789abcdefghi</html>",
        "<html>Not found: /.well-known/pki-validation/A.txt</html>",
    ] {
        assert_eq!(verdict(body.as_bytes()), Verdict::NotYet, "{body:?}");
    }
}

#[test]
fn d_22_a_token_in_a_request_proves_nothing() {
    let urls = [
        "http://shop.corp/a",
        "http://shop.corp/?echo=RANDOM0123456789ABCDEFGHI",
    ];
    let observation = fetched(CONTENTS.as_bytes(), &urls);
    let attempt = attempt(observation, CONTENTS, Timestamp::UNIX_EPOCH);
    assert_eq!(attempt.verdict, Verdict::Refused);
}

#[test]
fn d_22_d_7_a_request_token_is_its_hash_and_not_the_salt_behind_it() {
    let hash = "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08";
    let contents = format!("{hash}\ndcv.invalid\nwell");
    let of = |url: &str| {
        let observation = fetched(contents.as_bytes(), &[url]);
        attempt(observation, &contents, Timestamp::UNIX_EPOCH).verdict
    };
    let place = "http://shop.corp/.well-known/pki-validation/A.txt";
    assert_eq!(of(place), Verdict::Proved);
    assert_eq!(of(&format!("{place}?echo={hash}")), Verdict::Refused);
}

#[test]
fn nasty_111_foreign_bytes_are_escaped_in_what_was_seen() {
    let observation = fetched(b"\x1b[2J<script>\0", &["http://shop.corp/a"]);
    let attempt = attempt(observation, CONTENTS, Timestamp::UNIX_EPOCH);
    assert_eq!(attempt.seen, r"status 200, body `\x1b[2J<script>\x00`");
}

#[test]
fn outcomes_become_verdicts_with_advice() {
    let reason = "because".to_owned();
    for (outcome, expected) in [
        (FileOutcome::Status, Verdict::NotYet),
        (
            FileOutcome::BadAnswer {
                reason: reason.clone(),
            },
            Verdict::NotYet,
        ),
        (
            FileOutcome::NoAddress {
                reason: reason.clone(),
            },
            Verdict::NotYet,
        ),
        (
            FileOutcome::Refused {
                reason: reason.clone(),
            },
            Verdict::Refused,
        ),
        (FileOutcome::Unreachable { reason }, Verdict::Unreachable),
    ] {
        let observation = FileObservation {
            outcome,
            ..fetched(CONTENTS.as_bytes(), &[])
        };
        let attempt = attempt(observation, CONTENTS, Timestamp::UNIX_EPOCH);
        assert_eq!(attempt.verdict, expected);
        assert!(!attempt.advice.is_empty() && !attempt.seen.is_empty());
    }
}

proptest! {
    #[test]
    fn d_26_only_the_contents_match(body in "[A-Za-z0-9\r\n .]{0,60}") {
        let same = body.trim_end().replace("\r\n", "\n") == CONTENTS;
        prop_assert_eq!(verdict(body.as_bytes()) == Verdict::Proved, same);
    }
}
