//! Processes of this machine and the processor time that they have used, as /proc tells it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

/// The unit of /proc/PID/stat: `USER_HZ`, 100 on every architecture that Rust's Linux targets run on (proc(5)).
const TICKS_A_SECOND: u32 = 100;
/// A socket that listens, in /proc/net/tcp.
const LISTENS: &str = "0A";

/// Whose processor time is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Processes {
    /// One process.
    One(u32),
    /// One process and its children, those that have ended included.
    Family(u32),
}

impl Processes {
    /// The process that started `child`, and all that it starts. `None` unless `child` is a process of this machine
    /// whose program is called `name`.
    pub(super) fn family_of(child: u32, name: &str) -> Option<Self> {
        let stat = Stat::read(child).ok()?;
        (stat.name == name).then_some(Self::Family(stat.parent))
    }

    /// The process of this machine that listens at `address`, as far as this one may look.
    pub(super) fn listening_at(address: SocketAddr) -> Option<Self> {
        if !address.ip().is_loopback() {
            return None;
        }
        let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
            .into_iter()
            .filter_map(|table| fs::read_to_string(table).ok())
            .flat_map(|table| listening(&table, address.port()))
            .map(|inode| format!("socket:[{inode}]"))
            .collect();
        numbers()
            .find(|process| has_open(*process, &sockets))
            .map(Self::One)
    }

    /// Processor time used so far, by the programs and by the kernel for them, to 10 ms.
    pub(super) fn processor_time(self) -> anyhow::Result<Duration> {
        let ticks = match self {
            Self::One(process) => Stat::read(process)?.used,
            Self::Family(parent) => {
                let stat = Stat::read(parent)?;
                // A process may end while the others are counted.
                let children = numbers().filter_map(|process| Stat::read(process).ok());
                let children = children.filter(|child| child.parent == parent);
                stat.used + stat.used_by_ended + children.map(|child| child.used).sum::<u64>()
            }
        };
        Ok(Duration::from_secs(ticks) / TICKS_A_SECOND)
    }
}

/// What /proc/PID/stat says of a process, times in ticks.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    name: String,
    parent: u32,
    used: u64,
    /// By children that have ended.
    used_by_ended: u64,
}

impl Stat {
    fn read(process: u32) -> anyhow::Result<Self> {
        let path = format!("/proc/{process}/stat");
        let stat = fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
        Self::parse(&stat).with_context(|| {
            format!(
                "{path}: expected times in the fields 14 to 17, saw `{}`",
                stat.trim()
            )
        })
    }

    /// The second field is a name that may hold spaces, in parentheses.
    fn parse(stat: &str) -> Option<Self> {
        let (start, rest) = stat.rsplit_once(')')?;
        let (_, name) = start.split_once('(')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        // Counted as proc(5) does, where the state behind the name is the third.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            name: name.to_owned(),
            parent: field(4)?.try_into().ok()?,
            used: field(14)?.checked_add(field(15)?)?,
            used_by_ended: field(16)?.checked_add(field(17)?)?,
        })
    }
}

/// All processes.
fn numbers() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The sockets of `table` (/proc/net/tcp) that listen on `port`.
fn listening(table: &str, port: u16) -> Vec<String> {
    let socket = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local) = fields.get(1)?.rsplit_once(':')?;
        let found = *fields.get(3)? == LISTENS && u16::from_str_radix(local, 16).ok()? == port;
        found.then(|| fields.get(9).map(ToString::to_string))?
    };
    table.lines().filter_map(socket).collect()
}

fn has_open(process: u32, files: &[String]) -> bool {
    let folder = format!("/proc/{process}/fd");
    let open = fs::read_dir(Path::new(&folder)).into_iter().flatten();
    open.flatten().any(|entry| {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        files.iter().any(|file| target.as_os_str() == file.as_str())
    })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn times_are_found_behind_an_odd_name() {
        let stat = "7 (a ) b) S 1 2 3 4 5 6 7 8 9 10 1200 34 5 6 20 0 9 0 100";
        let parsed = Stat {
            name: "a ) b".to_owned(),
            parent: 1,
            used: 1234,
            used_by_ended: 11,
        };
        assert_eq!(Stat::parse(stat), Some(parsed));
        assert_eq!(Stat::parse("7 (a) S 1 2"), None);
    }

    #[test]
    fn who_listens_is_found() {
        let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = own.local_addr().unwrap();
        let found = Processes::listening_at(address);
        assert_eq!(found, Some(Processes::One(std::process::id())));
        drop(own);
        assert_eq!(Processes::listening_at(address), None);
        let elsewhere = "192.0.2.1:80".parse().unwrap();
        assert_eq!(Processes::listening_at(elsewhere), None);
    }

    #[test]
    fn a_family_has_the_time_of_children_that_live_and_of_those_that_ended() {
        // A shell with a child that has worked and ended, and one that has worked and waits.
        const SCRIPT: &str = "burn() { i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; }; \
            (burn); (burn; echo ready; exec sleep 60) & wait";
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        let mut said = shell.stdout.take().unwrap();
        std::io::Read::read_exact(&mut said, &mut ready).unwrap();
        let parent = shell.id();
        let child = numbers()
            .find(|process| Stat::read(*process).is_ok_and(|stat| stat.parent == parent))
            .unwrap();
        // It is called `sleep` once it has become that.
        let waits = || Processes::family_of(child, "sleep").is_some();
        while !waits() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let family = Processes::family_of(child, "sleep").unwrap();
        assert_eq!(family, Processes::Family(parent));
        assert_eq!(Processes::family_of(child, "postgres"), None);
        let (whole, alone) = (family.processor_time(), Stat::read(parent).unwrap());
        let lives = Stat::read(child).unwrap().used;
        assert!(lives > 0 && alone.used_by_ended > 0, "{lives} {alone:?}");
        let ticks = alone.used + alone.used_by_ended + lives;
        assert_eq!(whole.unwrap(), Duration::from_secs(ticks) / TICKS_A_SECOND);
        Command::new("kill")
            .arg(child.to_string())
            .status()
            .unwrap();
        shell.wait().unwrap();
    }
}
