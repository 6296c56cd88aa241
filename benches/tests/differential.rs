//! Every codec and signer of the table against the naive ones, over the seeds and over random
//! input. `PROPTEST_CASES` sets the number of random inputs.

use lambda_invoke_benches::{VisitCodecs, VisitSigners, each_codec, each_signer};
use lambda_invoke_testing::codec::Codec;
use lambda_invoke_testing::signer::Signer;
use lambda_invoke_testing::{codec, corpus, signer};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config, TestRunner};

/// Runs a property over the seeds of a target and over random input.
fn holds(name: &str, target: &str, property: fn(&[u8])) {
    for (path, seed) in corpus::seeds(target).unwrap() {
        // This is shown only if the property does not hold.
        println!("{name}: {}", path.display());
        property(&seed);
    }
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let bytes = (0..3_u8, vec(any::<u8>(), 0..400));
    let result = TestRunner::new(config).run(&bytes, |(kind, data)| {
        property(&[&[kind][..], &data].concat());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{name}: {error}"));
}

#[test]
fn every_codec_agrees_with_the_naive_one() {
    struct Visitor(usize);
    impl VisitCodecs for Visitor {
        fn codec<C: Codec + 'static>(&mut self) {
            self.0 += 1;
            holds(
                C::NAME,
                "event_stream_differential",
                codec::differential::<C>,
            );
        }
    }
    let mut visitor = Visitor(0);
    each_codec(&mut visitor);
    assert!(visitor.0 >= 3, "{} codecs", visitor.0);
}

#[test]
fn every_signer_convinces_the_naive_judge() {
    struct Visitor(usize);
    impl VisitSigners for Visitor {
        fn signer<S: Signer + 'static>(&mut self) {
            self.0 += 1;
            holds(S::NAME, "sigv4_differential", signer::differential::<S>);
        }
    }
    let mut visitor = Visitor(0);
    each_signer(&mut visitor);
    assert!(visitor.0 >= 3, "{} signers", visitor.0);
}
