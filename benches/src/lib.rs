//! Contenders, their inputs, and the table of what they do. Criterion, the micro harness, the
//! counts of allocations and instructions, and the report all iterate over this table.

use lambda_invoke_testing::codec::Codec;
use lambda_invoke_testing::signer::Signer;

pub mod fixture;
pub mod receiver;
pub mod table;

/// A visitor of the codecs.
pub trait VisitCodecs {
    fn codec<C: Codec + 'static>(&mut self);
}

/// A visitor of the signers.
pub trait VisitSigners {
    fn signer<S: Signer + 'static>(&mut self);
}

/// The codecs: the project's, and one for each file in this folder.
pub mod codecs {
    include!(concat!(env!("OUT_DIR"), "/codecs.rs"));
}

/// The signers: the project's, and one for each file in this folder.
pub mod signers {
    include!(concat!(env!("OUT_DIR"), "/signers.rs"));
}

/// Visits the project's codec and that of every file.
pub fn each_codec(visit: &mut impl VisitCodecs) {
    visit.codec::<lambda_invoke_testing::codec::LambdaInvoke>();
    codecs::visit_all(visit);
}

/// Visits the project's signer and that of every file.
pub fn each_signer(visit: &mut impl VisitSigners) {
    visit.signer::<lambda_invoke_testing::signer::LambdaInvoke>();
    signers::visit_all(visit);
}
