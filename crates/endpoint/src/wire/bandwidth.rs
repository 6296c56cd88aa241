//! The bandwidth of streamed responses.

use std::future::Future as _;
use std::num::NonZeroU64;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// The bandwidth of each streamed response: a burst that is sent at once, then a steady rate.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::{Bandwidth, Endpoint};
///
/// let builder = Endpoint::builder().stream_bandwidth(Bandwidth::SERVICE);
/// # let _ = builder;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    burst: u64,
    bytes_per_second: NonZeroU64,
}

impl Bandwidth {
    /// The service's bandwidth: 6 MiB at once, then 2 MiB a second.
    pub const SERVICE: Self = Self {
        burst: 6 << 20,
        bytes_per_second: NonZeroU64::new(2 << 20).unwrap(),
    };

    /// Creates a bandwidth: `burst` bytes at once, the rest at a steady rate.
    #[must_use]
    pub const fn new(burst: u64, bytes_per_second: NonZeroU64) -> Self {
        Self {
            burst,
            bytes_per_second,
        }
    }

    /// Returns the number of bytes that are sent at once.
    #[must_use]
    pub const fn burst(self) -> u64 {
        self.burst
    }

    /// Returns the number of bytes that are sent in each second after the burst.
    #[must_use]
    pub const fn bytes_per_second(self) -> NonZeroU64 {
        self.bytes_per_second
    }

    /// Returns the time that this many bytes take at the steady rate, rounded up.
    fn time_for(self, bytes: u64) -> Duration {
        let nanoseconds = (u128::from(bytes) * NANOSECONDS).div_ceil(self.rate());
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }

    /// Returns the number of bytes sent in that time at the steady rate, rounded up.
    fn bytes_in(self, time: Duration) -> u64 {
        let bytes = time
            .as_nanos()
            .saturating_mul(self.rate())
            .div_ceil(NANOSECONDS);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Returns the size of the pieces beyond the burst, so that a slow stream flows: what is sent in a
    /// 64th of a second, within bounds.
    fn piece(self) -> usize {
        let piece = usize::try_from(self.bytes_per_second.get() / 64);
        piece.unwrap_or(PIECE).clamp(1, PIECE)
    }

    fn rate(self) -> u128 {
        self.bytes_per_second.get().into()
    }
}

/// Nanoseconds in a second.
const NANOSECONDS: u128 = 1_000_000_000;

/// The token bucket of one stream, without a clock: times are relative to the stream's start.
///
/// By a time `t`, at most `burst + rate * t` bytes are sent, or one piece if that is more. The
/// state is the time at which the bucket is full again (the generic cell rate algorithm), so that
/// rounding errors do not add up.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    bandwidth: Bandwidth,
    full_at: Duration,
}

impl Bucket {
    const fn full(bandwidth: Bandwidth) -> Self {
        Self {
            bandwidth,
            full_at: Duration::ZERO,
        }
    }

    /// Returns how long a piece of this size has to wait.
    fn wait(&self, bytes: u64, now: Duration) -> Duration {
        let cost = self.bandwidth.time_for(bytes);
        let capacity = self.bandwidth.time_for(self.bandwidth.burst).max(cost);
        let missing = self.full_at.saturating_sub(now);
        missing.saturating_add(cost).saturating_sub(capacity)
    }

    /// Returns how many bytes of the burst are left.
    fn available(&self, now: Duration) -> u64 {
        let Bandwidth { burst, .. } = self.bandwidth;
        let missing = self.full_at.saturating_sub(now);
        burst.saturating_sub(self.bandwidth.bytes_in(missing))
    }

    /// Removes sent bytes.
    fn take(&mut self, bytes: u64, now: Duration) {
        let cost = self.bandwidth.time_for(bytes);
        self.full_at = self.full_at.max(now).saturating_add(cost);
    }
}

/// Beyond the burst, the largest piece of a stream: 8 ms at the service's rate.
const PIECE: usize = 16 * 1024;

/// Limits one stream to its bandwidth.
#[derive(Debug)]
pub(crate) struct Paced {
    bucket: Bucket,
    /// When the first bytes were ready to be sent.
    started: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(crate) const fn new(bandwidth: Bandwidth) -> Self {
        Self {
            bucket: Bucket::full(bandwidth),
            started: None,
            timer: None,
        }
    }

    /// Returns how many of `length` bytes may be sent now, and counts them as sent.
    pub(crate) fn poll_take(&mut self, length: usize, cx: &mut Context<'_>) -> Poll<usize> {
        let started = *self.started.get_or_insert_with(Instant::now);
        loop {
            let now = started.elapsed();
            let least = length.min(self.bucket.bandwidth.piece());
            let wait = self.bucket.wait(least as u64, now);
            if wait.is_zero() {
                let available = usize::try_from(self.bucket.available(now)).unwrap_or(usize::MAX);
                let piece = length.min(available).max(least);
                self.bucket.take(piece as u64, now);
                return Poll::Ready(piece);
            }
            // A longer wait could overflow the clock; the next iteration waits for the rest.
            let wait = wait.min(Duration::from_secs(86_400));
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(tokio::time::sleep(wait)));
            timer.as_mut().reset(started + now + wait);
            ready!(timer.as_mut().poll(cx));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use proptest::prelude::*;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn bandwidth(burst: u64, rate: u64) -> Bandwidth {
        Bandwidth::new(burst, NonZeroU64::new(rate).unwrap())
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn the_service_sends_6_mib_at_once_and_then_2_mib_a_second() {
        let mut bucket = Bucket::full(Bandwidth::SERVICE);
        for left in (1..=6).rev() {
            assert_eq!(bucket.available(Duration::ZERO), left * MIB);
            assert_eq!(bucket.wait(MIB, Duration::ZERO), Duration::ZERO);
            bucket.take(MIB, Duration::ZERO);
        }
        assert_eq!(bucket.available(Duration::ZERO), 0);
        assert_eq!(bucket.wait(1, Duration::ZERO), Duration::from_nanos(477));
        assert_eq!(bucket.wait(MIB, Duration::ZERO), seconds(0.5));
        assert_eq!(bucket.wait(MIB, seconds(0.4)), seconds(0.1));
        assert_eq!(bucket.wait(MIB, seconds(0.5)), Duration::ZERO);
        bucket.take(MIB, seconds(0.5));
        assert_eq!(bucket.wait(MIB, seconds(0.5)), seconds(0.5));
    }

    #[test]
    fn an_idle_stream_regains_its_burst_and_no_more() {
        let mut bucket = Bucket::full(bandwidth(1_000, 100));
        bucket.take(1_000, Duration::ZERO);
        assert_eq!(bucket.wait(500, seconds(5.0)), Duration::ZERO);
        assert_eq!(bucket.wait(501, seconds(5.0)), seconds(0.01));
        let much_later = seconds(3_600.0);
        bucket.take(1_000, much_later);
        assert_eq!(bucket.wait(1, much_later), seconds(0.01));
    }

    #[test]
    fn a_piece_larger_than_the_burst_waits_until_the_bucket_is_full() {
        let mut bucket = Bucket::full(bandwidth(0, 100));
        assert_eq!(bucket.wait(50, Duration::ZERO), Duration::ZERO);
        bucket.take(50, Duration::ZERO);
        assert_eq!(bucket.wait(50, Duration::ZERO), seconds(0.5));
        assert_eq!(bucket.wait(50, seconds(0.5)), Duration::ZERO);
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut bucket = Bucket::full(bandwidth(u64::MAX, 1));
        for now in [Duration::ZERO, Duration::MAX] {
            bucket.take(u64::MAX, now);
            bucket.take(u64::MAX, now);
            let _ = bucket.wait(u64::MAX, now);
        }
        let bucket = Bucket::full(bandwidth(0, u64::MAX));
        assert_eq!(bucket.wait(u64::MAX, Duration::ZERO), Duration::ZERO);
    }

    proptest! {
        /// A sender that waits as long as it must never exceeds the bandwidth, and falls below it
        /// only by rounding.
        #[test]
        fn a_sender_that_waits_reaches_the_bandwidth_and_never_exceeds_it(
            burst in 5_000..100_000_u64,
            rate in 1..100_000_u64,
            pieces in prop::collection::vec(1..5_000_u64, 1..50),
        ) {
            let mut bucket = Bucket::full(bandwidth(burst, rate));
            let (mut now, mut sent) = (Duration::ZERO, 0);
            for piece in pieces {
                now += bucket.wait(piece, now);
                bucket.take(piece, now);
                sent += piece;
                let allowed = burst as f64 + rate as f64 * now.as_secs_f64();
                prop_assert!(sent as f64 <= allowed + 1e-3, "{sent} of {allowed}");
                if !now.is_zero() {
                    prop_assert!(sent as f64 >= allowed - 1.0, "{sent} of {allowed}");
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_paced_stream_takes_the_time_of_its_bandwidth() {
        let mut paced = Paced::new(Bandwidth::SERVICE);
        let started = Instant::now();
        let (mut sent, mut at_once) = (0, 0);
        let total = 10 << 20;
        while sent < total {
            sent += poll_fn(|cx| paced.poll_take((total - sent).min(8 << 20), cx)).await;
            if started.elapsed().is_zero() {
                at_once = sent;
            }
        }
        assert_eq!(at_once, 6 << 20);
        let elapsed = started.elapsed();
        // Timers are exact to a millisecond.
        assert!(elapsed >= seconds(2.0), "{elapsed:?}");
        assert!(elapsed <= seconds(2.002), "{elapsed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_stream_waits_a_piece_at_a_time() {
        let mut paced = Paced::new(bandwidth(0, 1));
        assert_eq!(poll_fn(|cx| paced.poll_take(usize::MAX, cx)).await, 1);
        let started = Instant::now();
        assert_eq!(poll_fn(|cx| paced.poll_take(100_000, cx)).await, 1);
        assert!(started.elapsed() >= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_burst_is_not_exceeded_by_one_chunk() {
        let mut paced = Paced::new(bandwidth(1_024, 1_024));
        let mut sent = poll_fn(|cx| paced.poll_take(10_000, cx)).await;
        assert_eq!(sent, 1_024);
        let started = Instant::now();
        while sent < 10_000 {
            sent += poll_fn(|cx| paced.poll_take(10_000 - sent, cx)).await;
        }
        let elapsed = started.elapsed();
        assert!(
            elapsed >= seconds(8.7) && elapsed < seconds(9.1),
            "{elapsed:?}"
        );
    }
}
