//! Puts results back into the order of their items.

use std::collections::BTreeMap;

use crate::item::Event;

/// The maximum number of bytes of results that wait for an earlier one.
const MAX_BYTES: usize = 64 << 20;

/// Keeps results until those of all earlier items are available.
#[derive(Debug)]
pub(super) struct Order {
    /// How far items may start ahead of the next result.
    window: u64,
    next: u64,
    held: BTreeMap<u64, Event>,
    bytes: usize,
}

impl Order {
    pub(super) fn new(window: u64) -> Self {
        Self {
            window: window.max(1),
            next: 0,
            held: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Whether the item with this index may start. The next one always may.
    pub(super) fn admits(&self, index: u64) -> bool {
        let is_near = index < self.next.saturating_add(self.window) && self.bytes < MAX_BYTES;
        is_near || index == self.next
    }

    pub(super) fn push(&mut self, event: Event) {
        self.bytes += event.line().len();
        self.held.insert(event.index(), event);
    }

    /// Takes the next result, if it is available.
    pub(super) fn pop(&mut self) -> Option<Event> {
        let event = self.held.remove(&self.next)?;
        Some(self.taken(event))
    }

    /// Takes the next available result, although earlier results are missing, because these will
    /// not come any more.
    pub(super) fn pop_any(&mut self) -> Option<Event> {
        let (_, event) = self.held.pop_first()?;
        Some(self.taken(event))
    }

    fn taken(&mut self, event: Event) -> Event {
        self.next = event.index() + 1;
        self.bytes -= event.line().len();
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Settled;

    fn event(index: u64) -> Event {
        Event::Recorded {
            index,
            settled: Settled::Done,
            line: "line".into(),
        }
    }

    #[test]
    fn results_come_in_order_and_start_within_the_window() {
        let mut order = Order::new(3);
        assert!(order.admits(2) && !order.admits(3));
        order.push(event(2));
        order.push(event(1));
        assert!(order.pop().is_none());
        order.push(event(0));
        let taken: Vec<u64> = std::iter::from_fn(|| order.pop())
            .map(|each| each.index())
            .collect();
        assert_eq!(taken, [0, 1, 2]);
        assert!(order.admits(5) && !order.admits(6));
        order.push(event(7));
        order.push(event(5));
        let rest: Vec<u64> = std::iter::from_fn(|| order.pop_any())
            .map(|each| each.index())
            .collect();
        assert_eq!(rest, [5, 7]);
        assert_eq!(order.bytes, 0);
    }
}
