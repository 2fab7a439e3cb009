//! A maildir: each message is a file that is written in `tmp` and renamed into `new`, so that a
//! reader never sees half a message and a crash leaves none.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use aws_lc_rs::rand;
use jiff::Timestamp;
use lettre::message::Mailbox;

use super::{mailer::MailError, message::Message};

/// A mail folder.
#[derive(Clone, Debug)]
pub struct Maildir {
    folder: Arc<Path>,
    from: Arc<Mailbox>,
}

impl Maildir {
    pub(super) fn new(folder: &Path, from: Mailbox) -> Self {
        Self {
            folder: Arc::from(folder),
            from: Arc::new(from),
        }
    }

    pub(super) async fn send(&self, message: &Message) -> Result<String, MailError> {
        let bytes = message.build(&self.from)?.formatted();
        let folder = Arc::clone(&self.folder);
        run(move || deliver(&folder, &bytes)).await
    }

    pub(super) async fn probe(&self) -> Result<String, MailError> {
        let folder = Arc::clone(&self.folder);
        run(move || {
            make(&folder)?;
            let probe = folder.join("tmp").join(unique_name()?);
            create(&probe)?;
            fs::remove_file(&probe)?;
            Ok(format!("mail goes to the folder {}", folder.display()))
        })
        .await
    }
}

async fn run(
    work: impl FnOnce() -> io::Result<String> + Send + 'static,
) -> Result<String, MailError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| MailError::Unavailable(error.to_string()))?
        .map_err(|error| MailError::Unavailable(format!("mail folder: {error}")))
}

/// Writes a message durably; the name of the file is the receipt.
fn deliver(folder: &Path, bytes: &[u8]) -> io::Result<String> {
    make(folder)?;
    let name = unique_name()?;
    let written: PathBuf = folder.join("tmp").join(&name);
    let mut file = create(&written)?;
    let stored = file.write_all(bytes).and_then(|()| file.sync_all());
    let new = folder.join("new");
    if let Err(error) = stored.and_then(|()| fs::rename(&written, new.join(&name))) {
        // What is left would only take up room; the error that counts is the first one.
        let _ = fs::remove_file(&written);
        return Err(error);
    }
    fs::File::open(&new)?.sync_all()?;
    Ok(name)
}

/// The links in the mails are good for approving: nobody but the owner may read them.
fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    for part in ["tmp", "new", "cur"] {
        builder.create(folder.join(part))?;
    }
    Ok(())
}

fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// `seconds.unique.host`, as maildir readers expect; time first, so that names sort by age.
fn unique_name() -> io::Result<String> {
    let mut random = [0_u8; 8];
    rand::fill(&mut random).map_err(|_| io::Error::other("the random generator failed"))?;
    let now = Timestamp::now();
    Ok(format!(
        "{}.M{:06}P{}R{}.reseal",
        now.as_second(),
        now.subsec_microsecond(),
        std::process::id(),
        hex::encode(random)
    ))
}
