use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use reseal_pki::transparency::entry_tbs;

use super::submit::Collected;
use super::*;
use crate::clock::Clock;

const ISSUER_KEY: [u8; 32] = [9; 32];

/// What a log does with the next certificate.
#[derive(Clone, Copy)]
enum Deed {
    Promise,
    Down,
    Busy(u64),
    Silent,
    Refuse,
    OtherSignature,
    OtherLog,
    Future,
}

struct FakeLog {
    key: EcdsaKeyPair,
    /// The last one is repeated.
    deeds: Mutex<VecDeque<Deed>>,
    asked: AtomicUsize,
}

impl FakeLog {
    fn new(deeds: &[Deed]) -> Arc<Self> {
        Arc::new(Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            deeds: Mutex::new(deeds.iter().copied().collect()),
            asked: AtomicUsize::new(0),
        })
    }

    fn log(self: &Arc<Self>, name: &str, operator: &str, shard: Shard) -> Log {
        let spki = self.key.public_key().as_der().unwrap();
        Log {
            name: name.to_owned(),
            operator: operator.to_owned(),
            key: LogKey::from_spki_der(spki.as_ref()).unwrap(),
            shard,
            client: Arc::clone(self) as Arc<dyn LogClient>,
        }
    }

    fn sct(&self, der: &[u8], at: Timestamp) -> Sct {
        let spki = self.key.public_key().as_der().unwrap();
        let tbs = entry_tbs(der).unwrap();
        let timestamp = at.as_millisecond().cast_unsigned();
        let length = u32::try_from(tbs.len()).unwrap().to_be_bytes();
        let message = [
            &[0, 0][..],
            &timestamp.to_be_bytes(),
            &[0, 1],
            &ISSUER_KEY,
            &length[1..],
            &tbs,
            &[0, 0],
        ]
        .concat();
        let signature = self.key.sign(&SystemRandom::new(), &message).unwrap();
        Sct {
            log_id: LogKey::from_spki_der(spki.as_ref()).unwrap().id(),
            timestamp,
            extensions: Vec::new(),
            hash: 4,
            algorithm: 3,
            signature: signature.as_ref().to_vec(),
        }
    }
}

#[async_trait]
impl LogClient for FakeLog {
    async fn add_pre_chain(&self, chain: &[Vec<u8>]) -> Result<Sct, LogError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let deed = {
            let mut deeds = self.deeds.lock().unwrap();
            match deeds.len() {
                1 => deeds[0],
                _ => deeds.pop_front().unwrap(),
            }
        };
        let unavailable = |retry_after: Option<u64>| LogError::Unavailable {
            reason: "down".to_owned(),
            retry_after: retry_after.map(Duration::from_secs),
        };
        let now = Timestamp::now();
        let mut sct = self.sct(&chain[0], now);
        match deed {
            Deed::Promise => {}
            Deed::Down => return Err(unavailable(None)),
            Deed::Busy(seconds) => return Err(unavailable(Some(seconds))),
            Deed::Silent => std::future::pending().await,
            Deed::Refuse => return Err(LogError::Refused("unknown root".to_owned())),
            Deed::OtherSignature => sct.signature[8] ^= 1,
            Deed::OtherLog => sct.log_id = [1; 32],
            Deed::Future => sct = self.sct(&chain[0], now + SignedDuration::from_hours(1)),
        }
        Ok(sct)
    }

    async fn roots(&self) -> Result<Vec<Vec<u8>>, LogError> {
        Ok(Vec::new())
    }
}

/// Logs with their operators, and a certificate for them.
struct Bench {
    logs: Vec<Arc<FakeLog>>,
    transparency: Transparency,
    der: Vec<u8>,
}

impl Bench {
    fn new(logs: &[(&str, &[Deed])]) -> Self {
        let fakes: Vec<_> = logs.iter().map(|(_, deeds)| FakeLog::new(deeds)).collect();
        let all = fakes.iter().zip(logs).enumerate();
        let all = all.map(|(number, (fake, (operator, _)))| {
            fake.log(&format!("log-{number}"), operator, Shard::default())
        });
        let key = rcgen::KeyPair::generate().unwrap();
        let parameters = rcgen::CertificateParams::new(vec!["reseal.dev".to_owned()]).unwrap();
        Self {
            transparency: Transparency::new(all.collect(), Duration::from_millis(200)),
            logs: fakes,
            der: parameters.self_signed(&key).unwrap().der().to_vec(),
        }
    }

    async fn collect(&self, days: i64, held: &[Promise]) -> Collected {
        let submission = Submission {
            chain: vec![self.der.clone()],
            issuer_key: ISSUER_KEY,
            validity: Validity::new(Timestamp::now(), SignedDuration::from_hours(24 * days)),
        };
        self.transparency
            .collect(submission, held, Clock::system())
            .await
    }

    /// How often each log was asked.
    fn asked(&self) -> Vec<usize> {
        let counts = self
            .logs
            .iter()
            .map(|log| log.asked.load(Ordering::Relaxed));
        counts.collect()
    }
}

fn names(promises: &[Promise]) -> Vec<&str> {
    let mut names: Vec<&str> = promises.iter().map(|one| one.log.as_str()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn p_9_as_many_logs_are_asked_as_the_validity_needs() {
    let all: [(&str, &[Deed]); 4] = [
        ("a", &[Deed::Promise]),
        ("a", &[Deed::Promise]),
        ("b", &[Deed::Promise]),
        ("c", &[Deed::Promise]),
    ];
    let bench = Bench::new(&all);
    let collected = bench.collect(180, &[]).await;
    assert!(collected.missing.is_none());
    assert_eq!(names(&collected.promises), ["log-0", "log-2"]);
    assert_eq!(bench.asked(), [1, 0, 1, 0]);
    for promise in &collected.promises {
        assert_eq!(hex::encode(promise.sct().unwrap().log_id), promise.log_id);
    }
    let bench = Bench::new(&all);
    let collected = bench.collect(199, &[]).await;
    assert!(collected.missing.is_none());
    assert_eq!(collected.promises.len(), 3);
    assert_eq!(bench.asked(), [1, 1, 1, 0]);
}

#[tokio::test]
async fn nasty_138_another_log_is_asked_in_the_place_of_each_that_fails() {
    for deed in [
        Deed::Down,
        Deed::Busy(60),
        Deed::Silent,
        Deed::Refuse,
        Deed::OtherSignature,
        Deed::OtherLog,
        Deed::Future,
    ] {
        let bench = Bench::new(&[
            ("a", &[deed]),
            ("b", &[Deed::Promise]),
            ("a", &[Deed::Promise]),
            ("c", &[Deed::Promise]),
        ]);
        let collected = bench.collect(199, &[]).await;
        assert!(collected.missing.is_none());
        assert_eq!(names(&collected.promises), ["log-1", "log-2", "log-3"]);
        let [(log, error)] = &*collected.failed else {
            panic!("{:?}", collected.failed);
        };
        assert_eq!(log, "log-0");
        assert!(!error.to_string().is_empty());
        // It rests: the next certificate does without it.
        let collected = bench.collect(199, &[]).await;
        assert!(collected.failed.is_empty() && collected.missing.is_none());
        assert_eq!(bench.asked(), [1, 2, 2, 2]);
    }
}

#[tokio::test]
async fn nasty_138_p_9_with_one_promise_for_a_certificate_of_199_days_the_rest_is_asked_for_later()
{
    let bench = Bench::new(&[
        ("a", &[Deed::Promise]),
        ("b", &[Deed::Down]),
        ("c", &[Deed::Busy(60)]),
    ]);
    let before = Timestamp::now();
    let collected = bench.collect(199, &[]).await;
    assert_eq!(names(&collected.promises), ["log-0"]);
    let missing = collected.missing.unwrap();
    assert_eq!((missing.found, missing.required), (1, 3));
    let wait = missing.next.duration_since(before).as_secs();
    assert!(
        (4..=7).contains(&wait),
        "{wait}: the first that may be asked"
    );
    // What is held is not asked for again.
    let held = collected.promises;
    let collected = bench.collect(199, &held).await;
    assert!(collected.promises.is_empty() && collected.missing.is_some());
    assert_eq!(bench.asked(), [1, 1, 1], "the others rest");
}

#[tokio::test]
async fn p_9_promises_of_one_operator_are_never_enough() {
    let bench = Bench::new(&[
        ("a", &[Deed::Promise]),
        ("a", &[Deed::Promise]),
        ("a", &[Deed::Promise]),
        ("b", &[Deed::Down]),
    ]);
    let collected = bench.collect(47, &[]).await;
    let missing = collected.missing.unwrap();
    assert_eq!(
        (missing.found, missing.required),
        (1, 2),
        "no more are asked than help"
    );
    let bench = Bench::new(&[("a", &[Deed::Promise]), ("a", &[Deed::Promise])]);
    let collected = bench.collect(47, &[]).await;
    assert!(collected.missing.is_some());
}

#[tokio::test]
async fn p_9_what_a_log_promised_that_is_not_configured_any_more_does_not_count() {
    let mut bench = Bench::new(&[
        ("a", &[Deed::Promise]),
        ("b", &[Deed::Promise]),
        ("c", &[Deed::Promise]),
        ("d", &[Deed::Promise]),
    ]);
    let held = bench.collect(199, &[]).await.promises;
    assert_eq!(names(&held), ["log-0", "log-1", "log-2"]);
    assert_eq!(bench.transparency.standing(&held), held);
    bench.transparency.logs.remove(0);
    // Who runs a log is what the configuration says now.
    bench.transparency.logs[0].operator = "c".to_owned();
    let standing = bench.transparency.standing(&held);
    assert_eq!(names(&standing), ["log-1", "log-2"]);
    assert!(standing.iter().all(|promise| promise.operator == "c"));
    let collected = bench.collect(199, &standing).await;
    assert!(collected.missing.is_none());
    assert_eq!(names(&collected.promises), ["log-3"]);
}

#[tokio::test]
async fn p_9_a_log_that_does_not_take_this_end_is_not_asked() {
    let mut bench = Bench::new(&[
        ("a", &[Deed::Promise]),
        ("b", &[Deed::Promise]),
        ("c", &[Deed::Promise]),
    ]);
    let end = Timestamp::now() + SignedDuration::from_hours(24 * 60);
    bench.transparency.logs[0].shard.until = Some(end);
    bench.transparency.logs[1].shard.from = Some(end);
    let collected = bench.collect(47, &[]).await;
    assert!(collected.missing.is_none());
    assert_eq!(names(&collected.promises), ["log-0", "log-2"]);
    let collected = bench.collect(90, &[]).await;
    assert_eq!(names(&collected.promises), ["log-1", "log-2"]);
    for log in &mut bench.transparency.logs {
        log.shard.until = Some(Timestamp::now());
    }
    let missing = bench.collect(90, &[]).await.missing.unwrap();
    let wait = missing.next.duration_since(Timestamp::now()).as_secs();
    assert!((590..=600).contains(&wait), "{wait}: nobody to ask");
}

#[test]
fn p_9_a_shard_takes_its_first_moment_and_not_its_last() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let shard = Shard {
        from: Some(at("2027-01-01T00:00:00Z")),
        until: Some(at("2027-07-01T00:00:00Z")),
    };
    assert!(!shard.takes(at("2026-12-31T23:59:59Z")));
    assert!(shard.takes(at("2027-01-01T00:00:00Z")));
    assert!(shard.takes(at("2027-06-30T23:59:59Z")));
    assert!(!shard.takes(at("2027-07-01T00:00:00Z")));
    assert!(Shard::default().takes(at("2027-07-01T00:00:00Z")));
}

#[test]
fn p_9_logs_that_can_never_be_enough_are_known_beforehand() {
    let now: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    assert_eq!(too_few(&["a", "b", "a"], now), None);
    let found = too_few(&["a", "b"], now);
    assert!(
        matches!(
            found,
            Some(TooFew::Logs {
                required: 3,
                found: 2,
                ..
            })
        ),
        "{found:?}"
    );
    let found = too_few(&["a", "a", "a"], now);
    assert_eq!(found, Some(TooFew::Operators("a".to_owned())));
    // From 2027-03-15 on no certificate is valid for more than 100 days (V-1).
    let later: Timestamp = "2027-03-15T00:00:00Z".parse().unwrap();
    assert_eq!(too_few(&["a", "b"], later), None);
    let ended = Shard {
        until: Some(now),
        ..Shard::default()
    };
    let open = Shard::default();
    assert_eq!(
        shortage(&[(open, "a"), (open, "b"), (open, "a")], now),
        None
    );
    assert_eq!(
        shortage(&[(open, "a"), (open, "b"), (ended, "a")], now),
        Some(2)
    );
}
