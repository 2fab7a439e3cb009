//! Whether the processor itself was slower for a while.
//!
//! A virtual machine may get less of its host's processors for some tens of milliseconds, and not be told: everything in
//! it takes several times as long then, and `steal` in /proc/stat stays where it is. So while something is measured, a
//! thread does the same small piece of work again and again, and looks at its own processor time. What other
//! threads of this machine use is not in that; what the host takes away is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use aws_lc_rs::digest::{SHA256, digest};
use rustix::time::{ClockId, clock_gettime};

/// Between two pieces of work.
const EVERY: Duration = Duration::from_millis(4);
/// Bytes that are hashed: some hundredths of a millisecond, half a hundredth of a core in all.
static PIECE: [u8; 32 * 1024] = [0x5a; 32 * 1024];
/// How many times the median a piece takes that was slowed: more than an interrupt costs.
const SLOWED: u32 = 2;
/// For how long calls may still wait for what was left undone.
const AFTERWARDS: Duration = Duration::from_millis(50);

/// The thread that works meanwhile.
pub(super) struct Watch {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Piece>>,
}

/// When a piece of work was begun, and what processor time it took.
#[derive(Clone, Copy)]
struct Piece {
    at: Instant,
    took: Duration,
}

impl Watch {
    /// Begins.
    pub(super) fn start() -> anyhow::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&over);
        let thread = std::thread::Builder::new()
            .name("steadiness".to_owned())
            .spawn(move || work_until(&flag))
            .context("no thread can be started")?;
        Ok(Self { over, thread })
    }

    /// Ends; what was seen.
    pub(super) fn stop(self) -> anyhow::Result<Steadiness> {
        self.over.store(true, Ordering::Relaxed);
        let pieces = self.thread.join();
        Ok(Steadiness::of(&pieces.map_err(|_| {
            anyhow!("the thread that watches the processor panicked")
        })?))
    }
}

fn work_until(over: &AtomicBool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(EVERY);
        let at = Instant::now();
        let before = own_processor_time();
        std::hint::black_box(digest(&SHA256, &PIECE));
        let took = own_processor_time().saturating_sub(before);
        pieces.push(Piece { at, took });
    }
    pieces
}

/// Processor time of the calling thread.
fn own_processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u64::try_from(time.tv_nsec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

/// When the processor was slower than usual.
#[derive(Debug, Default)]
pub(super) struct Steadiness {
    /// Rising.
    slowed: Vec<Instant>,
    pieces: usize,
}

impl Steadiness {
    fn of(pieces: &[Piece]) -> Self {
        let mut times: Vec<Duration> = pieces.iter().map(|piece| piece.took).collect();
        times.sort_unstable();
        let usual = times.get(times.len() / 2).copied().unwrap_or_default();
        let slowed = pieces.iter().filter(|piece| piece.took > usual * SLOWED);
        Self {
            slowed: slowed.map(|piece| piece.at).collect(),
            pieces: pieces.len(),
        }
    }

    /// As if it had been seen at these moments, of `pieces`.
    #[cfg(test)]
    pub(super) fn slowed_at(slowed: Vec<Instant>, pieces: usize) -> Self {
        Self { slowed, pieces }
    }

    /// Of all pieces of work, the share that was slowed.
    pub(super) fn slowed_share(&self) -> f64 {
        self.slowed.len() as f64 / self.pieces.max(1) as f64
    }

    /// Whether the processor was slowed while a call went on that was due at `due`, or shortly before.
    pub(super) fn is_touched(&self, due: Instant, taken: Duration) -> bool {
        let from = due.checked_sub(AFTERWARDS).unwrap_or(due);
        let next = self.slowed.partition_point(|slowed| *slowed < from);
        self.slowed
            .get(next)
            .is_some_and(|slowed| *slowed <= due + taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_during_and_after_a_slow_moment_are_touched() {
        let start = Instant::now();
        let at = |millis: u64| start + Duration::from_millis(millis);
        let mut pieces: Vec<Piece> = (0..250)
            .map(|number| Piece {
                at: at(number * 4),
                took: Duration::from_micros(20),
            })
            .collect();
        // An interrupt is not yet a slower processor.
        pieces[50].took = Duration::from_micros(35);
        pieces[100].took = Duration::from_micros(60);
        let seen = Steadiness::of(&pieces);
        assert!((seen.slowed_share() - 1.0 / 250.0).abs() < 1e-9);
        for (due, taken, touched) in [
            (200, 10, false),
            (380, 10, false),
            (380, 30, true),
            (400, 5, true),
            (445, 1, true),
            (455, 100, false),
        ] {
            let taken = Duration::from_millis(taken);
            assert_eq!(seen.is_touched(at(due), taken), touched, "{due}");
        }
    }

    #[test]
    fn the_processor_time_of_others_is_not_counted() {
        let busy = std::thread::spawn(|| {
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(100) {
                std::hint::spin_loop();
            }
            own_processor_time()
        });
        let before = own_processor_time();
        let theirs = busy.join().unwrap();
        let own = own_processor_time().saturating_sub(before);
        assert!(own < theirs, "{own:?} {theirs:?}");
    }

    #[test]
    fn a_watch_works_until_it_is_stopped() {
        let watch = Watch::start().unwrap();
        std::thread::sleep(EVERY * 10);
        let seen = watch.stop().unwrap();
        assert!(seen.pieces > 0);
        let share = seen.slowed_share();
        assert!((0.0..=0.5).contains(&share), "{share}");
    }
}
