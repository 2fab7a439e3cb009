//! The measured server: `reseal serve` of this same program, or of another build of it, as a child.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use super::processes::Processes;
use crate::console;
use crate::data::DataFolder;

/// What `serve` says once it can be called.
const LISTENING: &str = "listening on http://";
const LONGEST_START: Duration = Duration::from_secs(20);
/// How long it may take to come to rest.
const LONGEST_REST: Duration = Duration::from_mins(10);

/// Processor time in a second of a server that nobody asks anything.
const IDLE: Duration = Duration::from_millis(50);

/// A running server; it ends with this value.
pub(super) struct Server {
    child: Child,
    /// `host:port`.
    pub(super) authority: String,
    pid: u32,
}

impl Server {
    /// Starts on `data`, and waits until it listens.
    pub(super) async fn start(data: &DataFolder) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program cannot be found")?;
        Self::start_program(&program, data).await
    }

    /// The same with another build of this program.
    pub(super) async fn start_program(program: &Path, data: &DataFolder) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.arg("serve").arg("--data").arg(data.root());
        // Settings meant for other servers.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("RESEAL_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let pid = child.id().ok_or_else(|| anyhow!("the server ended"))?;
        let stderr = child.stderr.take();
        let stderr = stderr.ok_or_else(|| anyhow!("the server has no stderr"))?;
        let mut lines = BufReader::new(stderr).lines();
        let authority = tokio::time::timeout(LONGEST_START, announced(&mut lines))
            .await
            .map_err(|_| anyhow!("the server did not listen in time"))??;
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                console::notice(format!("server: {line}"));
            }
        });
        Ok(Self {
            child,
            authority,
            pid,
        })
    }

    /// Whose processor time a call costs.
    pub(super) fn processes(&self) -> Processes {
        Processes::One(self.pid)
    }

    /// Memory that is its own and in use, bytes (proc(5), `VmRSS`).
    pub(super) fn memory(&self) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.pid);
        let status =
            std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
        resident(&status).ok_or_else(|| anyhow!("{path}: expected VmRSS, saw `{status}`"))
    }

    /// Waits until it has nothing to do: what a server does after its start is not to be measured.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        let end = tokio::time::Instant::now() + LONGEST_REST;
        let mut quiet = 0;
        while quiet < 3 {
            let before = self.processes().processor_time()?;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let used = self.processes().processor_time()?.saturating_sub(before);
            quiet = if used <= IDLE { quiet + 1 } else { 0 };
            if tokio::time::Instant::now() > end {
                return Err(anyhow!(
                    "the server does not come to rest within {LONGEST_REST:?}"
                ));
            }
        }
        Ok(())
    }

    /// Ends it; its folder is not needed any more, or opened again after it.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.child
            .kill()
            .await
            .context("the server cannot be stopped")
    }
}

async fn announced(lines: &mut Lines<BufReader<ChildStderr>>) -> anyhow::Result<String> {
    let mut seen = Vec::new();
    while let Some(line) = lines.next_line().await? {
        if let Some(authority) = line.strip_prefix(LISTENING) {
            return Ok(authority.to_owned());
        }
        seen.push(line);
    }
    Err(anyhow!("the server ended: {}", seen.join("; ")))
}

/// The line in kibibytes.
fn resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_in_bytes() {
        let status = "Name:\treseal\nVmHWM:\t  9 kB\nVmRSS:\t  1234 kB\nThreads:\t9\n";
        assert_eq!(resident(status), Some(1234 * 1024));
        assert_eq!(resident("Name:\treseal\n"), None);
    }
}
