//! The properties of the event stream over thousands of random inputs in each run, beyond those in
//! the corpora.

use lambda_invoke_testing::event_stream;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::proptest;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn decode_holds(data in vec(any::<u8>(), 0..200)) {
        event_stream::decode(&data);
    }

    #[test]
    fn flip_holds(data in vec(any::<u8>(), 0..600)) {
        event_stream::flip(&data);
    }

    #[test]
    fn headers_holds(data in vec(any::<u8>(), 0..100)) {
        event_stream::headers(&data);
    }

    // Small bytes, as in real headers: short names, existing types, short values.
    #[test]
    fn headers_holds_for_near_headers(data in vec(0..12_u8, 0..60)) {
        event_stream::headers(&data);
    }

    #[test]
    fn limits_holds(data in vec(any::<u8>(), 20)) {
        event_stream::limits(&data);
    }

    // Lengths close to each other and to the limits, half of them with the right checksum.
    #[test]
    fn limits_holds_for_small_lengths(lengths in [0..64_u32, 0..64, 0..64, 0..64], xor in 0..2_u32) {
        let [total, headers, most, most_headers] = lengths;
        let data = [total, headers, most, most_headers, xor].map(u32::to_le_bytes).concat();
        event_stream::limits(&data);
    }

    #[test]
    fn sequence_holds(data in vec(any::<u8>(), 0..600)) {
        event_stream::sequence(&data);
    }

    #[test]
    fn round_trip_holds(data in vec(any::<u8>(), 0..600)) {
        event_stream::round_trip(&data);
    }
}
