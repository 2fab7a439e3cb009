//! The broken random number generator: `md_rand.c` of OpenSSL 0.9.8 after
//! Debian's patch of 2006, which dropped every line that fed the caller's
//! bytes into the hash.
//!
//! What is left depends on *how many* bytes were added, and in what portions,
//! never on their values; the process id is the only secret. So the methods
//! here take lengths.
//!
//! Survives nothing: one value lives as long as one emulated process.

use sha1::{Digest, Sha1};

use crate::world::{Architecture, Seeding, World};

/// Bytes in the pool proper.
const POOL: usize = 1023;
/// Bytes in a SHA-1 digest.
const DIGEST: usize = 20;
/// Bytes a digest yields to the caller; the other half stirs the pool.
const HALF: usize = DIGEST / 2;
/// Bytes `RAND_poll` reads from `/dev/urandom`.
const POLLED: usize = 32;
/// Bytes `RAND_load_file` asks for, and the length of a `.rnd` file.
const RND_FILE: usize = 1024;

/// The generator of one emulated process.
pub struct Generator {
    architecture: Architecture,
    process: u32,
    /// The C array is a digest longer than the pool, and the first bytes of
    /// that excess are indeed written when the index stands at the very end.
    pool: [u8; POOL + DIGEST],
    index: usize,
    filled: usize,
    digest: [u8; DIGEST],
    counts: [u64; 2],
    polled: bool,
    stirred: bool,
}

impl Generator {
    /// The state after the `openssl` tool has loaded its seed file.
    pub fn new(world: World, process: u16) -> Self {
        let World {
            architecture,
            seeding,
        } = world;
        let mut generator = Self {
            architecture,
            process: u32::from(process),
            pool: [0; POOL + DIGEST],
            index: 0,
            filled: 0,
            digest: [0; DIGEST],
            counts: [0; 2],
            polled: false,
            stirred: false,
        };
        match seeding {
            Seeding::NoFile => generator.poll(),
            Seeding::UnreadableFile => {
                generator.add(architecture.stat_bytes());
                generator.poll();
            }
            // A loaded file counts as enough entropy: polling waits for the
            // first request.
            Seeding::File => {
                generator.add(architecture.stat_bytes());
                generator.add(RND_FILE);
            }
        }
        generator
    }

    /// What `BN_rand` does before it draws: `RAND_add` of a `time_t`.
    pub fn add_time(&mut self) {
        self.add(self.architecture.word_bytes());
    }

    /// `RAND_add` of `length` bytes, whatever they were.
    fn add(&mut self, length: usize) {
        let mut at = self.index;
        let mut counts = self.counts;
        let mut digest = self.digest;

        self.index += length;
        if self.index >= POOL {
            self.index %= POOL;
            self.filled = POOL;
        } else {
            self.filled = self.filled.max(self.index);
        }
        self.counts[1] += length.div_ceil(DIGEST) as u64;

        let mut left = length;
        while left > 0 {
            let portion = left.min(DIGEST);
            left -= portion;
            let mut hash = Sha1::new();
            hash.update(digest);
            self.hash_pool(&mut hash, at, portion, POOL);
            self.hash_counts(&mut hash, counts);
            digest = hash.finalize().into();
            counts[1] += 1;
            for byte in &digest[..portion] {
                self.pool[at] ^= byte;
                at = if at + 1 >= POOL { 0 } else { at + 1 };
            }
        }
        for (kept, fresh) in self.digest.iter_mut().zip(digest) {
            *kept ^= fresh;
        }
    }

    /// `RAND_bytes`.
    pub fn fill(&mut self, out: &mut [u8]) {
        if !self.polled {
            self.poll();
        }
        if !self.stirred {
            for _ in 0..POOL.div_ceil(DIGEST) {
                self.add(DIGEST);
            }
            self.stirred = true;
        }

        let mut at = self.index;
        let filled = self.filled;
        let counts = self.counts;
        let mut digest = self.digest;
        self.index += out.len().next_multiple_of(HALF);
        if self.index > filled {
            self.index %= filled;
        }
        self.counts[0] += 1;

        // Only the first digest of a request sees the process id.
        let mut process = Some(self.process).filter(|id| *id != 0);
        for portion in out.chunks_mut(HALF) {
            let mut hash = Sha1::new();
            if let Some(id) = process.take() {
                hash.update(self.architecture.process_id(id));
            }
            hash.update(digest);
            self.hash_counts(&mut hash, counts);
            self.hash_pool(&mut hash, at, HALF, filled);
            digest = hash.finalize().into();
            for byte in &digest[..HALF] {
                self.pool[at] ^= byte;
                at = if at + 1 >= filled { 0 } else { at + 1 };
            }
            portion.copy_from_slice(&digest[HALF..HALF + portion.len()]);
        }

        let mut hash = Sha1::new();
        self.hash_counts(&mut hash, counts);
        hash.update(digest);
        hash.update(self.digest);
        self.digest = hash.finalize().into();
    }

    /// `RAND_poll`: the kernel's bytes, then process id, user id and time, a
    /// `long` each.
    fn poll(&mut self) {
        self.add(POLLED);
        for _ in 0..3 {
            self.add(self.architecture.word_bytes());
        }
        self.polled = true;
    }

    /// Hashes `length` pool bytes from `at`, going round at `end`.
    fn hash_pool(&self, hash: &mut Sha1, at: usize, length: usize, end: usize) {
        let before_end = length.min(end - at);
        hash.update(&self.pool[at..at + before_end]);
        hash.update(&self.pool[..length - before_end]);
    }

    fn hash_counts(&self, hash: &mut Sha1, counts: [u64; 2]) {
        for count in counts {
            let (bytes, length) = self.architecture.long(count);
            hash.update(&bytes[..length]);
        }
    }
}
