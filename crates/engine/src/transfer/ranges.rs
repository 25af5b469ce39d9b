//! A set of numbers that lie mostly together.

use crate::table::Table;

/// Numbers of chunks, as ranges: whole files take as much room as one chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges {
    /// First number and the one behind the last; they neither touch nor overlap.
    ranges: Table<u32>,
}

impl Ranges {
    /// Whether `number` is in it.
    #[must_use]
    pub fn contains(&self, number: u32) -> bool {
        self.ranges.up_to(number).is_some_and(|(_, end)| number < *end)
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many numbers are in it.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.ranges.keys().zip(self.ranges.values()).map(|(first, end)| end - first).sum()
    }

    /// How many ranges it is made of.
    #[must_use]
    pub fn pieces(&self) -> usize {
        self.ranges.len()
    }

    /// Adds `number`. `false` if it was there.
    pub fn insert(&mut self, number: u32) -> bool {
        if self.contains(number) {
            return false;
        }
        self.insert_range(number, number.saturating_add(1));
        true
    }

    /// Adds the numbers from `first` to before `end`.
    pub fn insert_range(&mut self, mut first: u32, mut end: u32) {
        if first >= end {
            return;
        }
        while let Some((start, stop)) = self.ranges.up_to(end).map(|(start, stop)| (start, *stop))
            && stop >= first
        {
            first = first.min(start);
            end = end.max(stop);
            self.ranges.remove(start);
        }
        self.ranges.insert(first, end);
    }

    /// Takes `number` out. `false` if it was not there.
    pub fn remove(&mut self, number: u32) -> bool {
        let Some((first, end)) =
            self.ranges.up_to(number).map(|(first, end)| (first, *end)).filter(|(_, end)| number < *end)
        else {
            return false;
        };
        self.ranges.remove(first);
        self.insert_range(first, number);
        self.insert_range(number + 1, end);
        true
    }

    /// Takes out the lowest number.
    pub fn pop(&mut self) -> Option<u32> {
        self.pop_range(1).map(|(first, _)| first)
    }

    /// Takes out the lowest numbers that lie together, at most `most`: the first of them, and how many.
    pub fn pop_range(&mut self, most: u32) -> Option<(u32, u32)> {
        if most == 0 {
            return None;
        }
        let (first, end) = self.ranges.first().map(|(first, end)| (first, *end))?;
        self.ranges.remove(first);
        let count = most.min(end - first);
        self.insert_range(first + count, end);
        Some((first, count))
    }
}
