//! A program of the operator's that publishes and removes records: for name servers that are reached in other ways.
//!
//! It is run without a shell as `PROGRAM publish NAME TXT VALUE` or `PROGRAM remove NAME TXT VALUE`, in a clean environment,
//! and says by leaving with 0 that it is done.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::{Problem, Record};

/// Bytes of what it says that are kept, of each of its two outputs.
const KEPT: usize = 2048;
/// How long its outputs are read after its end: somebody that it has started may still hold them.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Where it finds other programs.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The program.
#[derive(Clone, Debug)]
pub struct ProgramSettings {
    /// Its file.
    pub program: PathBuf,
    /// After which it is killed, with all that it has started.
    pub timeout: Duration,
}

pub(super) struct Program(ProgramSettings);

impl Program {
    pub(super) fn new(settings: ProgramSettings) -> Self {
        Self(settings)
    }

    pub(super) fn name(&self) -> String {
        format!("program `{}`", self.0.program.display())
    }

    /// Whether it is there and may be run.
    pub(super) fn probe(&self) -> Result<(), Problem> {
        let seen = match std::fs::metadata(&self.0.program) {
            Err(error) => error.to_string(),
            Ok(found) if !found.is_file() => "something else of that name".to_owned(),
            Ok(found) if found.permissions().mode() & 0o111 == 0 => {
                "a file that is not executable".to_owned()
            }
            Ok(_) => return Ok(()),
        };
        Err(self.problem("an executable file", seen))
    }

    pub(super) async fn run(&self, what: &str, record: &Record) -> Result<(), Problem> {
        let mut child = Command::new(&self.0.program)
            .args([what, &record.name, "TXT", &record.value])
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.problem("a program that can be run", error.to_string()))?;
        let outputs = [child.stdout.take().map(kept), child.stderr.take().map(kept)];
        let ended = tokio::time::timeout(self.0.timeout, child.wait()).await;
        let seen = match ended {
            Ok(Ok(status)) if status.success() => None,
            Ok(Ok(status)) => Some(status.to_string()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => {
                kill(&mut child).await;
                Some(format!("no end within {} ms", self.0.timeout.as_millis()))
            }
        };
        let mut said = String::new();
        for output in outputs.into_iter().flatten() {
            said += &last_words(output).await;
        }
        let Some(seen) = seen else {
            return Ok(());
        };
        // For the operator's eyes only, who knows what the program says.
        tracing::warn!(program = %self.0.program.display(), what, name = record.name, said, "{seen}");
        Err(self.problem("the program to leave with 0", seen))
    }

    fn problem(&self, expected: &str, seen: String) -> Problem {
        Problem {
            expected: expected.to_owned(),
            seen,
            advice: format!(
                "Run `{}` by hand as the server's user; what it said is in the log.",
                self.0.program.display()
            ),
        }
    }
}

/// Kills the program with all that it has started, as far as that has not left its group.
async fn kill(child: &mut Child) {
    // It has not been waited for, so that its number is nobody else's.
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill().await;
}

/// Reads an output to its end and keeps the beginning, so that the program never waits for us.
fn kept(mut output: impl AsyncRead + Unpin + Send + 'static) -> JoinHandle<Vec<u8>> {
    tokio::spawn(async move {
        let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(read @ 1..) = output.read(&mut buffer).await {
            let room = KEPT.saturating_sub(said.len());
            said.extend_from_slice(&buffer[..read.min(room)]);
        }
        said
    })
}

/// What was said, in one line that can be shown.
async fn last_words(mut output: JoinHandle<Vec<u8>>) -> String {
    let said = tokio::time::timeout(LAST_WORDS, &mut output).await;
    output.abort();
    let Ok(Ok(said)) = said else {
        return String::new();
    };
    let mut shown = String::new();
    for c in String::from_utf8_lossy(&said).chars() {
        match c {
            '\n' => shown.push(' '),
            c if c.is_control() => {
                let _ = write!(shown, "{}", c.escape_default());
            }
            c => shown.push(c),
        }
    }
    shown
}
