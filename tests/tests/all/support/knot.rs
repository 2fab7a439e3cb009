//! Knot DNS with a signed tree of its own: a root, `dev.` below it, and below that
//!
//! - `good.dev.`, signed, with its DS in `dev.`
//! - `plain.dev.`, delegated without a DS: provably unsigned
//! - `bogus.dev.`, signed with a key that its DS in `dev.` does not fit
//! - `hashed.dev.`, signed, which denies by NSEC3
//! - `optout.dev.`, the same with opt-out, and `plain.optout.dev.` below it, unsigned
//! - `expired.dev.`, whose signatures are good for some seconds and are not made anew until it is thawed
//!
//! The key `reseal` may update TXT records in `good.dev.`, and the key `reader` nothing.
//!
//! One process on an address of its own serves them all; everything lives in a temporary folder.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::address::own_address;
use super::namespace::Namespace;

const PATIENCE: Duration = Duration::from_secs(20);
/// Zones with the policy that each is signed by.
const SIGNED: &[(&str, &str)] = &[
    (".", "usual"),
    ("dev.", "usual"),
    ("good.dev.", "usual"),
    ("bogus.dev.", "usual"),
    ("hashed.dev.", "hashed"),
    ("optout.dev.", "opt-out"),
    (BRIEF, "brief"),
];
const UNSIGNED: &[&str] = &["plain.dev.", "plain.optout.dev."];
/// The zone whose signatures expire.
pub(crate) const BRIEF: &str = "expired.dev.";
/// How long its signatures are good for.
const BRIEF_LIFE: Duration = Duration::from_secs(8);
/// The zone that may be updated.
pub(crate) const OPEN: &str = "good.dev.";
/// The keys `reseal` and `reader`, in base64.
pub(crate) const TSIG: &str = "cmVzZWFsIG1heSB1cGRhdGUgdGhlc2UgcmVjb3Jkcy4=";
/// What is served elsewhere.
const ELSEWHERE: &[&str] = &["dev.", "good.dev."];

/// The running name server.
pub(crate) struct Knot {
    folder: TempDir,
    child: Child,
    pub(crate) address: SocketAddr,
    /// The root's key, as a trust anchor file has it; empty when nothing is signed.
    pub(crate) trust_anchor: String,
    signed: &'static [(&'static str, &'static str)],
    unsigned: &'static [&'static str],
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Knot {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let address = SocketAddr::new(own_address(), 5300);
        let configuration = configure(folder.path(), address, SIGNED, UNSIGNED);
        for (zone, _) in SIGNED {
            keymgr(
                &configuration,
                zone,
                &[
                    "generate",
                    "algorithm=ecdsap256sha256",
                    "ksk=yes",
                    "zsk=yes",
                ],
            );
        }
        let ds = |zone: &str| delegation_signer(&configuration, zone);
        let signed_below = ["good.dev.", "hashed.dev.", "optout.dev.", BRIEF];
        let mut below_dev: String = signed_below
            .iter()
            .map(|zone| delegation(zone) + &ds(zone))
            .collect();
        below_dev += &delegation("plain.dev.");
        below_dev += &delegation("bogus.dev.");
        // The digest of another zone's key never fits.
        below_dev += &ds("good.dev.").replace("good.dev.", "bogus.dev.");
        write_zone(folder.path(), ".", &(delegation("dev.") + &ds("dev.")));
        write_zone(folder.path(), "dev.", &below_dev);
        let below_optout = delegation("plain.optout.dev.");
        write_zone(folder.path(), "optout.dev.", &below_optout);
        let leaves = ["good.dev.", "bogus.dev.", "hashed.dev.", BRIEF];
        for zone in leaves.iter().chain(UNSIGNED) {
            write_zone(folder.path(), zone, "");
        }
        let trust_anchor = keymgr(&configuration, ".", &["dnskey"]);
        let child = launch(folder.path(), Command::new(tool("knotd")));
        let knot = Self {
            folder,
            child,
            address,
            trust_anchor,
            signed: SIGNED,
            unsigned: UNSIGNED,
        };
        knot.wait_until_served();
        knot.freeze(BRIEF);
        knot
    }

    /// SIGKILL, and waits for the end.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again after [`Knot::kill`].
    #[track_caller]
    pub(crate) fn start_again(&mut self) {
        self.child = launch(self.folder.path(), Command::new(tool("knotd")));
        self.wait_until_served();
    }

    /// Its control socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("knot.sock")
    }

    /// Owner names and texts of all TXT records of a zone.
    #[track_caller]
    pub(crate) fn texts(&self, zone: &str) -> Vec<(String, String)> {
        let (done, said) = self.control(&["zone-read", zone]);
        assert!(done, "{said}");
        let record = |line: &str| {
            let (before, text) = line.split_once(" TXT \"")?;
            let owner = before.split_whitespace().nth(1)?.to_owned();
            Some((owner, text.trim_end_matches('"').to_owned()))
        };
        said.lines().filter_map(record).collect()
    }

    /// Waits until a zone has so many TXT records.
    #[track_caller]
    pub(crate) fn wait_for_texts(&self, zone: &str, count: usize) -> Vec<(String, String)> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let texts = self.texts(zone);
            if texts.len() == count {
                return texts;
            }
            assert!(
                Instant::now() < deadline,
                "expected {count} texts, saw {texts:?}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until no signature of a zone with the brief policy is good any more.
    #[track_caller]
    pub(crate) fn let_expire(&self, zone: &str) {
        self.freeze(zone);
        thread::sleep(BRIEF_LIFE + Duration::from_secs(1));
    }

    /// Signs a zone no more.
    #[track_caller]
    fn freeze(&self, zone: &str) {
        let (done, said) = self.control(&["zone-freeze", zone]);
        assert!(done, "{said}");
    }

    /// Signs a frozen zone anew, and whenever it is time.
    #[track_caller]
    pub(crate) fn thaw(&self, zone: &str) {
        for command in ["zone-thaw", "zone-sign"] {
            let (done, said) = self.control(&["-b", command, zone]);
            assert!(done, "{said}");
        }
    }

    /// Another one elsewhere, which knows `good.dev.` and signs nothing: what people there are told.
    #[track_caller]
    pub(crate) fn start_in(place: &Namespace) -> Self {
        let folder = TempDir::new().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 5300));
        configure(folder.path(), address, &[], ELSEWHERE);
        for zone in ELSEWHERE {
            write_zone(folder.path(), zone, "");
        }
        let child = launch(folder.path(), place.command(tool("knotd")));
        let knot = Self {
            folder,
            child,
            address,
            trust_anchor: String::new(),
            signed: &[],
            unsigned: ELSEWHERE,
        };
        knot.wait_until_served();
        knot
    }

    /// Adds a record; `owner` ends with a dot and lies in `zone`.
    #[track_caller]
    pub(crate) fn add(&self, zone: &str, owner: &str, kind: &str, data: &str) {
        // RFC 4034 section 6.2 signs an alias in lower case. Knot 3.2 does so with what comes from a zone file, but
        // signs what comes by its control socket as it is written, and such a signature is rightly refused.
        let data = match kind {
            "CNAME" => data.to_ascii_lowercase(),
            _ => data.to_owned(),
        };
        self.change(zone, &["zone-set", zone, owner, "1", kind, &data]);
    }

    /// Removes the records of a kind.
    #[track_caller]
    pub(crate) fn remove(&self, zone: &str, owner: &str, kind: &str) {
        self.change(zone, &["zone-unset", zone, owner, kind]);
    }

    #[track_caller]
    fn change(&self, zone: &str, change: &[&str]) {
        for step in [&["zone-begin", zone][..], change, &["zone-commit", zone]] {
            let (done, said) = self.control(step);
            assert!(done, "knotc {step:?}: {said}");
        }
    }

    fn control(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(tool("knotc"))
            .arg("-s")
            .arg(self.folder.path().join("knot.sock"))
            .args(arguments)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }

    #[track_caller]
    fn wait_until_served(&self) {
        let deadline = Instant::now() + PATIENCE;
        let ready = |zone: &str, kind: &str| {
            let (done, said) = self.control(&["zone-read", zone, "@", kind]);
            done && said.contains(kind)
        };
        let served = || {
            let signed = self.signed.iter().all(|(zone, _)| ready(zone, "RRSIG"));
            signed && self.unsigned.iter().all(|zone| ready(zone, "SOA"))
        };
        while !served() {
            assert!(
                Instant::now() < deadline,
                "the zones are not served: {}",
                fs::read_to_string(self.folder.path().join("log")).unwrap()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Starts `knotd` on the configuration in `folder`.
fn launch(folder: &Path, mut knotd: Command) -> Child {
    let log = fs::File::create(folder.join("log")).unwrap();
    knotd
        .arg("-c")
        .arg(folder.join("knot.conf"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn configure(
    folder: &Path,
    address: SocketAddr,
    signed: &[(&str, &str)],
    unsigned: &[&str],
) -> PathBuf {
    let root = folder.display();
    let mut text = format!(
        "server:\n  rundir: {root}\n  listen: {}@{}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
         control:\n  listen: {root}/knot.sock\n\
         log:\n  - target: stderr\n    any: info\n\
         database:\n  storage: {root}\n  journal-db-max-size: 64M\n  kasp-db-max-size: 16M\n  timer-db-max-size: 8M\n\
         key:\n  - id: reseal\n    algorithm: hmac-sha256\n    secret: {TSIG}\n  - id: reader\n    algorithm: hmac-sha256\n    \
         secret: {TSIG}\n\
         acl:\n  - id: hook\n    key: reseal\n    action: update\n    update-type: [TXT]\n\
         policy:\n{}\
         template:\n  - id: default\n    storage: {root}\n    zonefile-sync: -1\n\
         zone:\n",
        address.ip(),
        address.port(),
        policies()
    );
    for (zone, policy) in signed {
        let file = zone_file(zone);
        writeln!(
            text,
            "  - domain: {zone}\n    file: {file}\n    dnssec-signing: on\n    dnssec-policy: {policy}"
        )
        .unwrap();
        if *zone == OPEN {
            writeln!(text, "    acl: hook").unwrap();
        }
    }
    for zone in unsigned {
        let file = zone_file(zone);
        writeln!(text, "  - domain: {zone}\n    file: {file}").unwrap();
    }
    let path = folder.join("knot.conf");
    fs::write(&path, text).unwrap();
    path
}

/// How zones are signed, all by one key of their own.
fn policies() -> String {
    let life = BRIEF_LIFE.as_secs();
    let brief = format!(
        "propagation-delay: 0\n    rrsig-pre-refresh: 0\n    rrsig-refresh: {}\n    rrsig-lifetime: {life}",
        life / 2
    );
    let hashed = "nsec3: on\n    nsec3-iterations: 0";
    let policies = [
        ("usual", String::new()),
        ("hashed", hashed.to_owned()),
        ("opt-out", format!("{hashed}\n    nsec3-opt-out: on")),
        ("brief", brief),
    ];
    let policy = |(id, more): (&str, String)| {
        format!(
            "  - id: {id}\n    manual: on\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n    {more}\n"
        )
    };
    policies.map(policy).concat()
}

fn zone_file(zone: &str) -> String {
    format!("zone-{zone}txt")
}

fn write_zone(folder: &Path, zone: &str, records: &str) {
    let text = format!(
        "{zone} 1 IN SOA ns.good.dev. hostmaster.good.dev. 1 3600 600 86400 1\n\
         {zone} 1 IN NS ns.good.dev.\n{records}"
    );
    let glue = match zone {
        "good.dev." | "dev." => "ns.good.dev. 1 IN A 127.0.0.1\n",
        _ => "",
    };
    fs::write(folder.join(zone_file(zone)), text + glue).unwrap();
}

fn delegation(zone: &str) -> String {
    format!("{zone} 1 IN NS ns.good.dev.\n")
}

/// The SHA-256 DS record of a zone's key.
#[track_caller]
fn delegation_signer(configuration: &Path, zone: &str) -> String {
    let all = keymgr(configuration, zone, &["ds"]);
    let line = all
        .lines()
        .find(|line| line.split_whitespace().nth(4) == Some("2"))
        .unwrap_or_else(|| panic!("no SHA-256 digest of {zone} in {all}"));
    format!("{line}\n")
}

#[track_caller]
fn keymgr(configuration: &Path, zone: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool("keymgr"))
        .arg("-c")
        .arg(configuration)
        .arg(zone)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "keymgr {zone} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Debian keeps servers out of a user's path.
fn tool(name: &str) -> PathBuf {
    let usual = Path::new("/usr/sbin").join(name);
    if usual.exists() { usual } else { name.into() }
}
