//! Numbers with nouns, for messages.

/// Returns a number with its noun in the singular or the plural: `1 byte`, `2 bytes`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let texts = [0, 1, 2].map(|number| counted(number, "byte"));
        assert_eq!(texts, ["0 bytes", "1 byte", "2 bytes"]);
    }
}
