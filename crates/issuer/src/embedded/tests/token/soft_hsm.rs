//! A token of a test's own: SoftHSM, in a process of the test's own. Its library finds its configuration by the
//! environment, and a process has one connection with one token.

use std::any::type_name;
use std::env;

use super::*;

/// Says in the process of its own where the token is.
const FOLDER: &str = "RESEAL_TEST_TOKEN";
pub(super) const LABEL: &str = "ca";
pub(super) const PIN: &str = "31415926";

/// Where Debian and others put the library.
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// A fresh token.
pub(super) struct SoftHsm {
    folder: PathBuf,
}

/// Has `test` run with a token in a process of its own, which is this test alone.
pub(super) fn with_token<F: FnOnce(SoftHsm)>(test: F) {
    if let Some(folder) = env::var_os(FOLDER) {
        return test(SoftHsm {
            folder: folder.into(),
        });
    }
    let path = type_name::<F>();
    let path = path.strip_suffix("::{{closure}}").unwrap_or(path);
    let (_, name) = path.split_once("::").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(&configuration, text).unwrap();
    fs::write(folder.path().join("pin"), PIN).unwrap();
    let run = |command: &mut Command| {
        let output = command.env("SOFTHSM2_CONF", &configuration).output();
        let Output {
            status,
            stdout,
            stderr,
        } = output.expect("the tests need softhsm2");
        let said = [stdout, stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(status.success(), "{said}");
        said
    };
    let made = ["--init-token", "--free", "--label", LABEL, "--pin", PIN];
    run(Command::new("softhsm2-util")
        .args(made)
        .args(["--so-pin", "so-pin"]));
    let said = run(Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(FOLDER, folder.path()));
    assert!(said.contains("1 passed"), "{name}: {said}");
}

impl SoftHsm {
    pub(super) fn module() -> PathBuf {
        let mut modules = MODULES.iter().map(PathBuf::from);
        let found = modules.find(|module| module.exists());
        found.expect("the tests need softhsm2")
    }

    pub(super) fn settings(&self) -> TokenSettings {
        TokenSettings {
            module: Self::module(),
            token: TokenName::Label(LABEL.to_owned()),
            pin_file: self.pin_file(),
            prefix: "reseal".to_owned(),
        }
    }

    /// Another token beside it, of that label and under the same PIN.
    pub(super) fn another(&self, label: &str) {
        let output = Command::new("softhsm2-util")
            .args(["--init-token", "--free", "--label", label, "--pin", PIN])
            .args(["--so-pin", "so-pin"])
            .env("SOFTHSM2_CONF", self.folder.join("softhsm2.conf"))
            .output()
            .expect("the tests need softhsm2");
        assert!(output.status.success());
    }

    /// The numbers of the slots that are in use, as the token's own tool shows them.
    pub(super) fn slots(&self) -> Vec<u64> {
        let output = Command::new("softhsm2-util")
            .arg("--show-slots")
            .env("SOFTHSM2_CONF", self.folder.join("softhsm2.conf"))
            .output()
            .expect("the tests need softhsm2");
        let shown = String::from_utf8(output.stdout).unwrap();
        let slots = shown.split("\nSlot ").skip(1);
        // The last one is free.
        let used = slots.filter(|slot| slot.contains("Initialized:      yes"));
        used.map(|slot| slot.lines().next().unwrap().parse().unwrap())
            .collect()
    }

    pub(super) fn pin_file(&self) -> PathBuf {
        self.folder.join("pin")
    }

    pub(super) fn token(&self) -> Token {
        self.token_of(&self.settings())
    }

    pub(super) fn token_of(&self, settings: &TokenSettings) -> Token {
        Token::new(settings, &self.refusal()).unwrap()
    }

    /// The file that says which PIN was refused.
    pub(super) fn refusal(&self) -> PathBuf {
        self.folder.join("pin.refused")
    }

    /// Takes the token away.
    pub(super) fn leave(&self) {
        fs::rename(self.folder.join("tokens"), self.folder.join("away")).unwrap();
    }

    /// Brings it back.
    pub(super) fn come_back(&self) {
        fs::rename(self.folder.join("away"), self.folder.join("tokens")).unwrap();
    }

    /// What the tool of OpenSC says.
    pub(super) fn tool(&self, arguments: &[&str]) -> String {
        self.tool_with(["--token-label", LABEL], arguments)
    }

    /// The same of the token in a slot.
    pub(super) fn tool_at(&self, slot: u64, arguments: &[&str]) -> String {
        self.tool_with(["--slot", &slot.to_string()], arguments)
    }

    fn tool_with(&self, token: [&str; 2], arguments: &[&str]) -> String {
        let output = Command::new("pkcs11-tool")
            .arg("--module")
            .arg(Self::module())
            .args(token)
            .args(["--login", "--pin", PIN])
            .args(arguments)
            .env("SOFTHSM2_CONF", self.folder.join("softhsm2.conf"))
            .output()
            .expect("the tests need opensc");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }

    /// Has the token's own tool make a key.
    pub(super) fn make_key(&self, label: &str, kind: &str, further: &[&str]) {
        let arguments = ["--keypairgen", "--key-type", kind, "--label", label];
        self.tool(&[&arguments[..], &["--id", "0a0b"], further].concat());
    }
}
