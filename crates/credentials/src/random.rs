//! Random numbers: for jitter, session names and proofs.

use ring::rand::{SecureRandom as _, SystemRandom};

/// Random bytes of the system.
pub(crate) fn bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

/// A random number from 0 to 1. If the system has no random numbers, the result is 0.5: nothing
/// secret depends on it.
pub(crate) fn fraction() -> f64 {
    match bytes::<4>() {
        Some(bytes) => f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0),
        None => 0.5,
    }
}

/// A random UUID (version 4, RFC 9562).
pub(crate) fn uuid() -> Option<String> {
    let bits = u128::from_be_bytes(bytes()?);
    let bits = bits & !(0xf000 << 64) & !(0xc << 60) | (0x4000 << 64) | (0x8 << 60);
    let digits = format!("{bits:032x}");
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    let parts: Vec<&str> = parts.into_iter().filter_map(|at| digits.get(at)).collect();
    Some(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_range_and_differ() {
        let numbers: Vec<f64> = (0..1000).map(|_| fraction()).collect();
        assert!(numbers.iter().all(|number| (0.0..1.0).contains(number)));
        assert!(numbers.iter().any(|number| *number < 0.3));
        assert!(numbers.iter().any(|number| *number > 0.7));
    }

    #[test]
    fn a_uuid_has_the_version_and_variant_of_its_kind() {
        for _ in 0..100 {
            let id = uuid().unwrap();
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4", "{id}");
            assert!("89ab".contains(&id[19..20]), "{id}");
        }
        assert_ne!(uuid(), uuid());
    }
}
