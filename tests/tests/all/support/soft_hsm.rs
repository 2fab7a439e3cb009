//! SoftHSM: a token of the test's own, which can be taken away, brought back, and made to hang.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{FlockOperation, fcntl_lock};
use tempfile::TempDir;

const LABEL: &str = "ca";
const PIN: &str = "31415926";
/// Where Debian and others put the library.
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// A token.
pub(crate) struct SoftHsm {
    folder: TempDir,
}

/// While it lives, no call that touches a key returns.
pub(crate) struct Hanging {
    _locked: File,
}

impl SoftHsm {
    #[track_caller]
    pub(crate) fn new() -> Self {
        let hsm = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::create_dir(hsm.tokens()).unwrap();
        let text = format!(
            "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
            hsm.tokens().display()
        );
        fs::write(hsm.folder.path().join("softhsm2.conf"), text).unwrap();
        hsm.set_pin(PIN);
        hsm.initialize();
        hsm
    }

    /// Initializes a token; the next one has the same label and the same PIN.
    #[track_caller]
    pub(crate) fn initialize(&self) {
        let made = ["--init-token", "--free", "--label", LABEL, "--pin", PIN];
        self.own_tool(&[&made[..], &["--so-pin", "so-pin"]].concat());
    }

    /// The numbers of the slots with a token that is initialized.
    #[track_caller]
    pub(crate) fn slots(&self) -> Vec<u64> {
        let shown = self.own_tool(&["--show-slots"]);
        let slots = shown.split("\nSlot ").skip(1);
        let used = slots.filter(|slot| slot.contains("Initialized:      yes"));
        used.map(|slot| slot.lines().next().unwrap().trim().parse().unwrap())
            .collect()
    }

    #[track_caller]
    fn own_tool(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("softhsm2-util");
        command.args(arguments).envs(self.environment());
        let output = command.output().expect("the tests need softhsm2");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn tokens(&self) -> PathBuf {
        self.folder.path().join("tokens")
    }

    fn away(&self) -> PathBuf {
        self.folder.path().join("away")
    }

    fn pin_file(&self) -> PathBuf {
        self.folder.path().join("pin")
    }

    /// What a process needs to find the token.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let file = self.folder.path().join("softhsm2.conf");
        vec![("SOFTHSM2_CONF".to_owned(), file.display().to_string())]
    }

    /// The table `ca` for a server whose keys are `key`: `pkcs11`, or `software` with the token beside.
    pub(crate) fn table(&self, key: &str) -> String {
        self.table_with(key, &format!("pkcs11_token = \"{LABEL}\""))
    }

    /// The same; `token` are the lines that say which token.
    pub(crate) fn table_with(&self, key: &str, token: &str) -> String {
        format!(
            "[ca]\nkey = \"{key}\"\npkcs11_module = \"{}\"\n{token}\npkcs11_pin_file = \"{}\"\n",
            module(),
            self.pin_file().display()
        )
    }

    pub(crate) fn set_pin(&self, pin: &str) {
        fs::write(self.pin_file(), pin).unwrap();
        Self::close_to_others(&self.pin_file());
    }

    pub(crate) fn set_right_pin(&self) {
        self.set_pin(PIN);
    }

    /// Gives the token another PIN, by a tool that knows nothing of us.
    #[track_caller]
    pub(crate) fn change_pin(&self, new: &str) {
        self.others_tool(&["--change-pin", "--new-pin", new]);
    }

    /// What a tool says that knows nothing of us, logged in.
    #[track_caller]
    fn others_tool(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("pkcs11-tool");
        command.args(["--module", module(), "--token-label", LABEL]);
        command.args(["--login", "--pin", PIN]).args(arguments);
        let output = command.envs(self.environment()).output();
        let output = output.expect("the tests need opensc");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn close_to_others(path: &PathBuf) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Takes the token away.
    pub(crate) fn leave(&self) {
        fs::rename(self.tokens(), self.away()).unwrap();
    }

    /// Brings it back.
    pub(crate) fn come_back(&self) {
        fs::rename(self.away(), self.tokens()).unwrap();
    }

    /// Has the token hang: its library waits for a lock on a file that it reads before each use of a key.
    pub(crate) fn hang(&self) -> Hanging {
        let mut tokens = fs::read_dir(self.tokens()).unwrap();
        let token = tokens.next().unwrap().unwrap().path();
        let mut options = File::options();
        let file = options
            .read(true)
            .write(true)
            .open(token.join("generation"));
        let file = file.unwrap();
        fcntl_lock(&file, FlockOperation::LockExclusive).unwrap();
        Hanging { _locked: file }
    }

    /// The labels of the private keys in the token, and whether all of them refuse to leave it.
    #[track_caller]
    pub(crate) fn keys(&self) -> (Vec<String>, bool) {
        let shown = self.others_tool(&["--list-objects", "--type", "privkey"]);
        let lines = |begin: &str| {
            let found = shown
                .lines()
                .filter_map(|line| line.trim().strip_prefix(begin));
            found.map(|rest| rest.trim().to_owned()).collect::<Vec<_>>()
        };
        let (mut labels, access) = (lines("label:"), lines("Access:"));
        labels.sort();
        let stays = access
            .iter()
            .all(|one| one.starts_with("sensitive") && !one.contains(", extractable"));
        let is_known = access.len() == labels.len();
        (labels, stays && is_known)
    }
}

/// The library of the token.
fn module() -> &'static str {
    let found = MODULES.iter().find(|module| Path::new(module).exists());
    found.expect("the tests need softhsm2")
}
