//! A list that stays on the stack while it is short.

use core::ops::{Deref, DerefMut};

/// A list whose first `N` items are on the stack; with more it moves to the heap.
///
/// The published small vectors are invariant in their items' lifetime, which does not work for a
/// borrowed request; and this list needs no unsafe code.
#[derive(Clone)]
pub(crate) struct List<T, const N: usize> {
    stack: [T; N],
    /// How many items are on the stack; [`ON_HEAP`] if there are too many for it.
    length: usize,
    /// All items, if there are too many for the stack.
    heap: Vec<T>,
}

/// Longer than any stack, so that one check of a bound tells where the items are.
const ON_HEAP: usize = usize::MAX;

impl<T: Copy + Default, const N: usize> List<T, N> {
    pub(crate) fn new() -> Self {
        Self {
            stack: [T::default(); N],
            length: 0,
            heap: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, item: T) {
        match self.stack.get_mut(self.length) {
            Some(free) => {
                *free = item;
                self.length += 1;
            }
            None => self.push_to_heap(&[item]),
        }
    }

    pub(crate) fn extend_from_slice(&mut self, items: &[T]) {
        let free = self.stack.get_mut(self.length..);
        match free.and_then(|free| free.get_mut(..items.len())) {
            Some(free) => {
                free.copy_from_slice(items);
                self.length += items.len();
            }
            None => self.push_to_heap(items),
        }
    }

    /// Appends each of `items`.
    pub(crate) fn extend(&mut self, items: impl IntoIterator<Item = T>) {
        items.into_iter().for_each(|item| self.push(item));
    }

    /// Drops the last item, if there is one.
    pub(crate) fn pop(&mut self) {
        if self.length == ON_HEAP {
            self.heap.pop();
        } else {
            self.length = self.length.saturating_sub(1);
        }
    }

    /// Keeps the items for which `keep` is true, in their order.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let (items, mut kept) = (&mut **self, 0);
        for index in 0..items.len() {
            if keep(&items[index]) {
                items[kept] = items[index];
                kept += 1;
            }
        }
        if self.length == ON_HEAP {
            self.heap.truncate(kept);
        } else {
            self.length = kept;
        }
    }

    #[cold]
    fn push_to_heap(&mut self, items: &[T]) {
        if self.length != ON_HEAP {
            self.heap.extend_from_slice(&self.stack[..self.length]);
            self.length = ON_HEAP;
        }
        self.heap.extend_from_slice(items);
    }
}

impl<T, const N: usize> Deref for List<T, N> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.stack.get(..self.length).unwrap_or(&self.heap)
    }
}

impl<T, const N: usize> DerefMut for List<T, N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        let stack = self.stack.get_mut(..self.length);
        stack.unwrap_or(&mut self.heap)
    }
}

impl<T: Copy + Default, const N: usize> FromIterator<T> for List<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut list = Self::new();
        list.extend(items);
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in_on_stack_and_heap() {
        for length in 0..12_u8 {
            let expected: Vec<u8> = (0..length).collect();
            let list: List<u8, 4> = (0..length).collect();
            assert_eq!(&*list, expected);
            for at in 0..usize::from(length) {
                let mut list = List::<u8, 4>::new();
                list.extend_from_slice(&expected[..at]);
                list.extend_from_slice(&expected[at..]);
                list.push(99);
                assert_eq!(list.split_last(), Some((&99, &*expected)));
            }
            for divisor in 1..4 {
                let (mut list, mut expected) = (list.clone(), expected.clone());
                list.retain(|item| item % divisor == 0);
                expected.retain(|item| item % divisor == 0);
                assert_eq!(&*list, expected);
            }
            let mut popped = list.clone();
            for left in (0..usize::from(length)).rev() {
                popped.pop();
                assert_eq!(&*popped, &expected[..left]);
            }
            popped.pop();
            popped.push(7);
            assert_eq!(&*popped, [7]);
            let mut list = list;
            list.retain(|_| false);
            assert!(list.is_empty());
            list.push(7);
            assert_eq!(&*list, [7]);
        }
    }
}
