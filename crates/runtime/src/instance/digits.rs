//! The digits of a number, without the cost of a formatter.

const HEX: &[u8; 16] = b"0123456789abcdef";

/// All 32 lower-case hexadecimal digits of a number.
pub(super) fn hex(number: u128) -> [u8; 32] {
    let mut text = [0; 32];
    for (pair, byte) in text.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 0xF)];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_formatter() {
        for number in [0, 7, 10, 1_700_000_000_000, u64::MAX] {
            let wide = u128::from(number) << 60 | 0xab;
            assert_eq!(&hex(wide)[..], format!("{wide:032x}").as_bytes());
        }
    }
}
