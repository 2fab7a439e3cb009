//! `reseal bench …` beside the plain benchmark.

use clap::Subcommand;

use crate::bench::SMALLEST;

/// More than a schedule can number.
const LARGEST: u32 = 100_000_000;

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
        #[arg(long, default_value_t = 5, value_name = "N")]
        seconds: u64,
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
    fn counts_are_read_with_their_units() {
        assert_eq!(count("1000"), Ok(1000));
        assert_eq!(count("10k"), Ok(10_000));
        assert_eq!(count("10M"), Ok(10_000_000));
        for wrong in ["", "k", "999", "10g", "-5k", "101m", "5000000000", "1.5m"] {
            assert!(count(wrong).is_err(), "{wrong}");
        }
    }
}
