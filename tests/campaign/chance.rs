//! Chance that can be had again: a seed, printed with each failure, gives the same draws.

/// `SplitMix64`: small, and good enough to spread moments.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Whether the seed is odd; so are those that differ from it in high digits only.
    pub(crate) const fn is_odd(&self) -> bool {
        self.0 & 1 == 1
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        it ^ (it >> 31)
    }

    /// A number below that.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Whether one of that many cases came about.
    pub(crate) const fn one_in(&mut self, cases: u64) -> bool {
        self.below(cases) == 0
    }

    /// One of them.
    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        let count = u64::try_from(all.len()).expect("a count");
        all[usize::try_from(self.below(count)).expect("a place")]
    }
}
