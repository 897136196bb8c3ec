//! The longest acknowledged prefix of a sequence whose acknowledgements come in any order. Pure.

/// Which of the first `n` things are acknowledged.
#[derive(Debug, Clone)]
pub struct Prefix {
    acknowledged: Vec<bool>,
    length: usize,
}

impl Prefix {
    /// None of `count` things is acknowledged yet.
    #[must_use]
    pub fn of(count: usize) -> Self {
        Self {
            acknowledged: vec![false; count],
            length: 0,
        }
    }

    /// Marks one of them. Marking twice changes nothing; an index beyond the end is not ours and is ignored.
    pub fn acknowledge(&mut self, index: usize) {
        if let Some(mark) = self.acknowledged.get_mut(index) {
            *mark = true;
        }
        while self.acknowledged.get(self.length).copied().unwrap_or(false) {
            self.length += 1;
        }
    }

    /// How many from the first on are acknowledged without a hole.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Whether all are.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.length == self.acknowledged.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_prefix_ends_before_the_first_hole(marks in proptest::collection::vec(0_usize..40, 0..80)) {
            let mut prefix = Prefix::of(32);
            for (step, index) in marks.iter().enumerate() {
                prefix.acknowledge(*index);
                let first_hole = (0..32).find(|index| !marks[..=step].contains(index)).unwrap_or(32);
                prop_assert_eq!(prefix.length(), first_hole);
                prop_assert_eq!(prefix.is_whole(), first_hole == 32);
            }
        }
    }
}
