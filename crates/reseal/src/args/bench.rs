//! `reseal bench`, plain and of other things.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args as Group, Subcommand, value_parser};

use super::Data;
use crate::bench::SMALLEST;

/// More than a schedule can number.
const LARGEST: u32 = 100_000_000;

/// The plain benchmark.
#[derive(Debug, Group)]
pub(crate) struct Loads {
    /// How long each load is measured
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u64).range(1..), value_name = "N")]
    pub(crate) seconds: u64,
    /// Prints JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) elsewhere: Elsewhere,
    /// Another server that signs, to be measured in turn with this one, by the same load: it is sent {"FIELD":
    /// "request in PEM"} by POST to URL, and answers with a certificate in PEM; may be repeated
    #[arg(long, value_name = "NAME=URL#FIELD")]
    pub(crate) beside: Vec<Beside>,
}

/// Another server, and how it is asked for a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beside {
    /// What it is called in the tables.
    pub(crate) name: String,
    /// `host:port`.
    pub(crate) authority: String,
    /// Begins with `/`.
    pub(crate) path: String,
    /// The field of the JSON object that the request goes into.
    pub(crate) field: String,
}

impl FromStr for Beside {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = || {
            let (name, url) = text.split_once('=')?;
            let (url, field) = url.rsplit_once('#')?;
            let (authority, path) = url.strip_prefix("http://")?.split_once('/')?;
            let (host, port) = authority.rsplit_once(':')?;
            port.parse::<u16>().ok()?;
            let empty = [name, host, field].into_iter().any(str::is_empty);
            (!empty).then(|| Self {
                name: name.to_owned(),
                authority: authority.to_owned(),
                path: format!("/{path}"),
                field: field.to_owned(),
            })
        };
        parts().ok_or_else(|| {
            format!(
                "expected a name, an address with its port and a field, such as \
                 `other=http://127.0.0.1:8888/sign#csr`, saw `{text}`"
            )
        })
    }
}

/// Where a store is filled.
#[derive(Debug, Group)]
pub(crate) struct Elsewhere {
    /// An empty PostgreSQL database to fill instead of SQLite, once; what is written stays in it
    #[arg(long, value_name = "postgres://USER@HOST/NAME")]
    pub(crate) database: Option<String>,
    /// File with the password to it
    #[arg(long, requires = "database", value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BenchOf {
    /// Fills stores with ever more certificates, and measures whether the server stays as fast
    Growth {
        /// How many certificates, such as `10k,1m`; 10m takes 20 GB below the temporary folder (`TMPDIR`)
        #[arg(
            long,
            value_delimiter = ',',
            default_value = "10k,1m",
            value_parser = count,
            value_name = "N,…"
        )]
        sizes: Vec<u32>,
        /// How long each load is measured
        #[arg(long, default_value_t = 5, value_parser = value_parser!(u64).range(1..), value_name = "N")]
        seconds: u64,
        #[command(flatten)]
        elsewhere: Elsewhere,
        /// Prints JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Measures another build of this program in turn with this one, and prints ratios: how to see whether a change made
    /// it faster. Its schema has to be as new as this one's, or newer
    Against {
        /// The other build
        #[arg(value_name = "PROGRAM")]
        program: PathBuf,
        /// How often each of the two has its turn
        #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=100), value_name = "N")]
        rounds: u32,
        /// How long each load is measured
        #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(1..), value_name = "N")]
        seconds: u64,
        /// Prints JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Reissues over two stores in turn, of which one has very many revoked certificates, and compares
    Revoked {
        /// How many entries the lists have in the one, such as `1m`
        #[arg(long, default_value = "1m", value_parser = count, value_name = "N")]
        entries: u32,
        /// How long each load is measured
        #[arg(long, default_value_t = 5, value_parser = value_parser!(u64).range(1..), value_name = "N")]
        seconds: u64,
        /// Prints JSON instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Measures how many signatures a second the CA's key makes, beside one in memory of the same kind
    Sign {
        /// How long each load is measured
        #[arg(long, default_value_t = 3, value_parser = value_parser!(u64).range(1..), value_name = "N")]
        seconds: u64,
        /// Prints JSON instead of a table
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: Data,
    },
    /// Reissues everything in a store by a campaign, and checks that nothing was reissued twice or left out
    Campaign {
        /// How many certificates, such as `100k`; a million takes 20 GB below the temporary folder (`TMPDIR`)
        #[arg(long, default_value = "50k", value_parser = count, value_name = "N")]
        certificates: u32,
        #[command(flatten)]
        elsewhere: Elsewhere,
        /// Prints JSON instead of a table
        #[arg(long)]
        json: bool,
    },
}

/// A number of certificates: `k` stands for thousand, `m` for million.
fn count(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.char_indices().last() {
        Some((end, 'k' | 'K')) => (&text[..end], 1_000),
        Some((end, 'm' | 'M')) => (&text[..end], 1_000_000),
        _ => (text, 1),
    };
    let count = digits.parse::<u32>().ok();
    count
        .and_then(|count| count.checked_mul(unit))
        .filter(|count| (SMALLEST..=LARGEST).contains(count))
        .ok_or_else(|| {
            format!("expected {SMALLEST} to {LARGEST}, such as `10k` or `1m`, saw `{text}`")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_beside_has_a_name_an_address_and_a_field() {
        let beside = Beside {
            name: "other, no database".to_owned(),
            authority: "127.0.0.1:8888".to_owned(),
            path: "/api/sign?a=b".to_owned(),
            field: "csr".to_owned(),
        };
        let text = "other, no database=http://127.0.0.1:8888/api/sign?a=b#csr";
        assert_eq!(text.parse(), Ok(beside));
        for bad in [
            "http://127.0.0.1:8888/sign#csr",
            "other=http://127.0.0.1:8888/sign",
            "other=http://127.0.0.1:8888/sign#",
            "other=http://127.0.0.1/sign#csr",
            "other=http://:8888/sign#csr",
            "other=https://127.0.0.1:8888/sign#csr",
            "=http://127.0.0.1:8888/sign#csr",
            "other",
        ] {
            assert!(bad.parse::<Beside>().is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_are_read_with_their_units() {
        assert_eq!(count("1000"), Ok(1000));
        assert_eq!(count("10k"), Ok(10_000));
        assert_eq!(count("10M"), Ok(10_000_000));
        for wrong in ["", "k", "999", "10g", "-5k", "101m", "5000000000", "1.5m"] {
            assert!(count(wrong).is_err(), "{wrong}");
        }
    }
}
