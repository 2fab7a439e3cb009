//! Another place in the network: a network namespace of its own, which a pair of interfaces joins to this one. It
//! ends with the process that holds it, and takes its interfaces along.

use std::fs;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A network namespace.
pub(crate) struct Namespace {
    holder: Child,
    /// Its address on the way to this one.
    pub(crate) address: Ipv4Addr,
    /// The address of this one as it is seen there.
    pub(crate) here: Ipv4Addr,
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

impl Namespace {
    #[track_caller]
    pub(crate) fn start() -> Self {
        // Ends when its input does: also when this process is killed.
        let holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (outside, inside, name) = next_link();
        let namespace = Self {
            holder,
            address: inside,
            here: outside,
        };
        namespace.wait();
        let pid = namespace.holder.id().to_string();
        let ip = |arguments: &[&str]| run(Command::new("ip").args(arguments));
        let (outside, inside) = (format!("{outside}/30"), format!("{inside}/30"));
        ip(&[
            "link", "add", &name, "type", "veth", "peer", "name", "out", "netns", &pid,
        ]);
        ip(&["address", "add", &outside, "dev", &name]);
        ip(&["link", "set", &name, "up"]);
        let there = |arguments: &[&str]| run(namespace.command("ip").args(arguments));
        there(&["link", "set", "lo", "up"]);
        there(&["address", "add", &inside, "dev", "out"]);
        there(&["link", "set", "out", "up"]);
        namespace
    }

    /// `program`, to be run there.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--net", "--target", &self.holder.id().to_string(), "--"])
            .arg(program);
        command
    }

    /// Until the holder has left this namespace for its own.
    #[track_caller]
    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let own = fs::read_link("/proc/self/ns/net").unwrap();
        let path = format!("/proc/{}/ns/net", self.holder.id());
        while fs::read_link(&path).is_ok_and(|theirs| theirs == own) {
            assert!(Instant::now() < deadline, "{NEEDED}");
            thread::sleep(Duration::from_millis(5));
        }
        assert!(fs::read_link(&path).is_ok(), "{NEEDED}");
    }
}

const NEEDED: &str = "a network namespace cannot be made: run the tests as root, or below \
                      `unshare --map-root-user --net sh -c 'ip link set lo up; scripts/test'`";

#[track_caller]
fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{NEEDED}\n{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Two addresses that nobody else has, of the range for tests of networks (RFC 2544), and a name for the interface.
fn next_link() -> (Ipv4Addr, Ipv4Addr, String) {
    static LINKS: AtomicU32 = AtomicU32::new(0);
    let link = LINKS.fetch_add(1, Ordering::Relaxed);
    assert!(link < 256, "more namespaces than addresses");
    let pid = std::process::id();
    let first = u32::from(Ipv4Addr::new(198, 18, 0, 0)) + pid % 128 * 1024 + 4 * link;
    let address = |host| Ipv4Addr::from(first + host);
    (address(1), address(2), format!("rs{pid}n{link}"))
}
