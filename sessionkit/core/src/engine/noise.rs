//! Random numbers for what is no secret: revisions and pauses.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::token::{OsRandom, TokenSource as _};

/// A sequence that begins at a place which the operating system chose: SplitMix64, whose state is a counter, so that
/// threads share it without a lock.
pub(crate) struct Noise(AtomicU64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Noise {
    pub(crate) fn new() -> Self {
        let mut seed = [0; 8];
        OsRandom.fill(&mut seed);
        Self(AtomicU64::new(u64::from_le_bytes(seed)))
    }

    pub(crate) fn next(&self) -> u32 {
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 32) as u32
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn two_engines_write_other_numbers() {
        let (one, two) = (Noise::new(), Noise::new());
        let numbers: HashSet<u32> = (0..1000).flat_map(|_| [one.next(), two.next()]).collect();
        // Two thousand of four billion nearly never meet.
        assert!(numbers.len() > 1990, "{}", numbers.len());
    }
}
