//! A remote perspective elsewhere: a namespace, the DNS as it is told there, and `reseal perspective`.

use std::fs;
use std::path::PathBuf;
use std::process::Child;

use tempfile::TempDir;

use crate::support::knot::Knot;
use crate::support::namespace::Namespace;
use crate::support::server::{announced, binary};
use crate::support::web::WebHost;

pub(super) const TOKEN: &str = "5b1a0d4c9c6f4e0fb1f2a7d3c8e96a10";

/// Where a perspective is said to stand: name, region, latitude, longitude. All over the world, more than 500 km
/// from Frankfurt and from each other.
pub(crate) type Spot = (&'static str, &'static str, &'static str, &'static str);

pub(crate) const AROUND: [Spot; 5] = [
    ("sto", "ripe", "59.33", "18.07"),
    ("nyc", "arin", "40.71", "-74.01"),
    ("sao", "lacnic", "-23.55", "-46.63"),
    ("syd", "apnic", "-33.87", "151.21"),
    ("jnb", "afrinic", "-26.2", "28.05"),
];

/// A running remote perspective.
pub(crate) struct Place {
    spot: Spot,
    folder: TempDir,
    child: Child,
    url: String,
    /// What the DNS tells there.
    pub(super) knot: Knot,
    /// What web servers tell there, if anything.
    pub(super) web: Option<WebHost>,
    namespace: Namespace,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Place {
    #[track_caller]
    pub(crate) fn start(spot: Spot) -> Self {
        Self::start_as(spot, "off", None)
    }

    /// One that validates DNSSEC up to the root of the world, which has signed nothing here.
    #[track_caller]
    pub(super) fn start_validating(spot: Spot) -> Self {
        Self::start_as(spot, "validate", None)
    }

    /// With a web server of its own at this port.
    #[track_caller]
    pub(super) fn start_with_web(spot: Spot, port: u16) -> Self {
        Self::start_as(spot, "off", Some(port))
    }

    #[track_caller]
    fn start_as(spot: Spot, dnssec: &str, port: Option<u16>) -> Self {
        let namespace = Namespace::start();
        let web = port.map(|port| WebHost::start_at((namespace.here, port).into()));
        let by_web = port.map(|port| {
            format!(
                "http_port = {port}\nallow_networks = [\"{}/32\"]\n",
                namespace.here
            )
        });
        let knot = Knot::start_in(&namespace);
        let folder = TempDir::new().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let made = rcgen::generate_simple_self_signed([namespace.address.to_string()]).unwrap();
        file("chain.pem", &made.cert.pem());
        file("key.pem", &made.signing_key.serialize_pem());
        file("token", TOKEN);
        let configuration = file(
            "perspective.toml",
            &format!(
                "[server]\ntls_certificate = \"chain.pem\"\ntls_key = \"key.pem\"\n\
                 [dcv]\nresolvers = [\"{}\"]\ndnssec = \"{dnssec}\"\n{}\
                 [perspective]\nname = \"{}\"\ntoken_file = \"token\"\n",
                knot.address,
                by_web.unwrap_or_default(),
                spot.0
            ),
        );
        let mut command = namespace.command(binary());
        let listen = format!("{}:8443", namespace.address);
        command
            .args(["perspective", "--listen", &listen, "--config"])
            .arg(&configuration);
        let (child, url) = announced(command);
        Self {
            spot,
            folder,
            child,
            url,
            knot,
            web,
            namespace,
        }
    }

    /// The address of its web server.
    pub(super) fn web_address(&self) -> String {
        self.namespace.here.to_string()
    }

    pub(super) fn name(&self) -> &'static str {
        self.spot.0
    }

    /// Its entry in the configuration of the server that asks it.
    pub(super) fn entry(&self) -> String {
        let (name, region, latitude, longitude) = self.spot;
        format!(
            "{{ url = \"{}\", name = \"{name}\", ca_file = \"{}\", token_file = \"{}\", region = \"{region}\", \
             latitude = {latitude}, longitude = {longitude} }}",
            self.url,
            self.path("chain.pem").display(),
            self.path("token").display()
        )
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Nobody answers there any more.
    pub(super) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
