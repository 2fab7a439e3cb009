//! `reseal demo`: a whole world on loopback, and a customer in it.
//!
//! - [`name_server`]: a DNS server with a signed zone
//! - [`web_host`]: a web server for FILE
//! - [`mailbox`]: reads the maildir that Reseal's mails go to
//! - [`client`], [`request`]: the customer's side, which knows nothing but the HTTP API
//! - [`verify`]: another library's opinion on what was issued
//! - [`story`]: what happens, step by step, and [`timeline`]: what Reseal made of it
//!
//! The server is the real one with a configuration that points at these. What survives is the folder: with
//! `--data` it can be looked at afterwards.

mod client;
mod mailbox;
pub(crate) mod name_server;
pub(crate) mod request;
mod story;
mod timeline;
mod verify;
mod web_host;

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context as _, bail};
use reseal_lifecycle::clock::Clock;
use reseal_lifecycle::customer::Role;
use tokio::net::TcpListener;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::console;
use crate::data::DataFolder;
use crate::house::open_store;
use crate::init::{self, Plan};
use crate::serve;
use client::Client;
use name_server::NameServer;
use web_host::WebHost;

/// Who acts in the demo.
const CUSTOMER: &str = "demo";
/// Every name of the demo lies below it.
const SUFFIX: &str = "demo.internal";
/// Every host that DNS and the web server know.
const HOSTS: [&str; 6] = [
    "shop.demo.internal",
    "www.shop.demo.internal",
    "blog.demo.internal",
    "media.demo.internal",
    "intranet.demo.internal",
    "wiki.demo.internal",
];

/// The world around the server.
struct World {
    dns: NameServer,
    web: WebHost,
    data: DataFolder,
    api: Client,
}

/// Runs the demo in `folder`, or in a temporary one; leaves at its end when `exit` is set, else stays up.
pub(crate) async fn run(folder: Option<&Path>, exit: bool) -> anyhow::Result<()> {
    let temporary = match folder {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("no temporary folder can be made")?),
    };
    let root = folder.or(temporary.as_ref().map(tempfile::TempDir::path));
    let data = DataFolder::new(root.unwrap_or(Path::new(".")));
    if data
        .root()
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_some())
    {
        bail!(
            "{} is not empty: the demo takes an empty folder, or makes a temporary one without --data",
            data.root().display()
        );
    }
    data.make()?;

    let dns = NameServer::start(&HOSTS).await?;
    let web = WebHost::start().await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    dns.write_trust_anchor(&data)?;
    let text = configuration(&url, &dns, &web);
    // The environment is left out: it is meant for other servers.
    let config = Config::from_toml(&text, &data.config())?;
    let plan = Plan { config, text };

    let lock = data.lock()?;
    init::initialize(&data, &plan, &url).await?;
    let key = first_key(&data, &plan.config).await?;
    let server = serve::start(&data, &plan.config, listener, lock).await?;
    let world = World {
        dns,
        web,
        data,
        api: Client { url, key },
    };
    introduce(&world);
    let outcome = story::tell(&world).await;
    match outcome {
        Ok(issued) => {
            if exit {
                console::line("\nEverything worked.");
            } else {
                if let Some(shop) = issued.first() {
                    invite(&world, shop.id);
                }
                serve::stop_signal().await?;
            }
        }
        Err(error) => {
            server.stop().await?;
            return Err(error.context("the demo failed"));
        }
    }
    server.stop().await
}

/// The customer and its key, made before the server runs.
async fn first_key(data: &DataFolder, config: &Config) -> anyhow::Result<String> {
    let accounts = Accounts::new(open_store(data, config)?, Clock::system());
    accounts.add_customer(CUSTOMER).await?;
    let key = accounts
        .add_key(CUSTOMER, "demo", Role::Customer)
        .await?
        .text;
    accounts.close();
    Ok(key)
}

/// The demo's `reseal.toml`: a server of the house's own trust whose whole world is this machine.
fn configuration(url: &str, dns: &NameServer, web: &WebHost) -> String {
    let listen = url.trim_start_matches("http://");
    format!(
        r#"# Made by `reseal demo`: everything points at servers that end with it.
[server]
listen = "{listen}"
public_url = "{url}"

[policy]
profile = "private"
internal_names = ["{SUFFIX}"]

[dcv]
resolvers = ["{}"]
dnssec = "validate"
trust_anchor_file = "dns-trust-anchor"
http_port = {}
allow_networks = ["127.0.0.0/8"]

[mail]
url = "maildir"

[limits]
enabled = false    # there is nobody to guard against
"#,
        dns.address,
        web.address.port()
    )
}

fn introduce(world: &World) {
    let World {
        dns,
        web,
        data,
        api,
    } = world;
    console::line("Reseal, its customer and their world, all on this machine:");
    console::line(format!("  API   {}", api.url));
    console::line(format!(
        "  DNS   {}, one signed zone; Reseal validates it",
        dns.address
    ));
    console::line(format!(
        "  web   http://{}, for every host below {SUFFIX}",
        web.address
    ));
    console::line(format!("  mail  {}", data.mail().display()));
    console::line(format!("  data  {}", data.root().display()));
}

/// What a reader can try now with the certificate `id` of the shop.
fn invite(world: &World, id: i64) {
    let (url, key) = (&world.api.url, &world.api.key);
    let root = world.data.ca().join("root.pem");
    let root = root.display();
    console::line(format!(
        r#"
Your turn. Make a key and a request, and reissue certificate {id} with it (answers 201):

  KEY='{key}'
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout new.key -out new.csr -subj '/CN=shop.demo.internal'
  curl -si {url}/v2/ssl/certificates/{id}/reissue -H "Authorization: ApiKey $KEY" -H 'Content-Type: application/json' -d "{{\"csr\":\"$(awk '{{printf "%s\\n",$0}}' new.csr)\"}}"

The new certificate, its chain, and whether they verify:

  NEW=$(curl -s "{url}/v2/ssl/certificates?status=ACTIVE&domainName=shop.demo.internal&fields=id" -H "Authorization: ApiKey $KEY" | grep -o '"id":[0-9]*' | head -n 1 | cut -d: -f2)
  curl -s "{url}/v2/ssl/certificates/$NEW/download?format=CRT" -H "Authorization: ApiKey $KEY" > new.crt
  curl -s "{url}/v2/ssl/certificates/$NEW/download?format=CA_BUNDLE" -H "Authorization: ApiKey $KEY" > new.chain
  openssl verify -x509_strict -CAfile {root} -untrusted new.chain new.crt

Everything Reseal did and saw for it:

  PROCESS=$(curl -s "{url}/v2/ssl/certificates/$NEW" -H "Authorization: ApiKey $KEY" | grep -o '"process":[0-9]*' | cut -d: -f2)
  curl -s "{url}/v2/processes/$PROCESS/timeline" -H "Authorization: ApiKey $KEY"

The demo stays up until Ctrl-C."#
    ));
}
