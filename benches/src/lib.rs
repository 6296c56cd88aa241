//! Contenders, their inputs, and the table of what they do, which criterion, the micro harness, the
//! counts of allocations and instructions, and the report all walk.

use lambda_invoke_testing::codec::Codec;
use lambda_invoke_testing::signer::Signer;

pub mod fixture;
pub mod receiver;
pub mod table;

/// Something that is done with each codec.
pub trait VisitCodecs {
    fn codec<C: Codec + 'static>(&mut self);
}

/// Something that is done with each signer.
pub trait VisitSigners {
    fn signer<S: Signer + 'static>(&mut self);
}

/// The codecs: ours, and one for each file in this folder.
pub mod codecs {
    include!(concat!(env!("OUT_DIR"), "/codecs.rs"));
}

/// The signers: ours, and one for each file in this folder.
pub mod signers {
    include!(concat!(env!("OUT_DIR"), "/signers.rs"));
}

/// Visits ours and every file's codec.
pub fn each_codec(visit: &mut impl VisitCodecs) {
    visit.codec::<lambda_invoke_testing::codec::LambdaInvoke>();
    codecs::visit_all(visit);
}

/// Visits ours and every file's signer.
pub fn each_signer(visit: &mut impl VisitSigners) {
    visit.signer::<lambda_invoke_testing::signer::LambdaInvoke>();
    signers::visit_all(visit);
}
