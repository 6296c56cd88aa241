//! Where a refused value goes wrong, and what could have stood there.

use crate::error::{Allowed, InputError, Member};
use crate::grammar::{self, Language, Reached};

/// Explains why `text`, which is not in `language`, is not.
///
/// The offset is the length of the longest prefix that could be completed to a value of the
/// language. It takes some hundred runs of the parser: only for values that are refused.
#[cold]
pub(crate) fn unexpected(member: Member, language: Language, text: &str) -> InputError {
    if text.is_empty() {
        return InputError::Empty { member };
    }
    let viable_length = |length: usize| {
        text.as_bytes()
            .get(..length)
            .is_some_and(|prefix| language.is_viable(prefix, &Reached::default()))
    };
    // Every prefix of a viable prefix is viable, so the longest is found by bisection. The empty
    // one always is; one longer than the text counts as not.
    let mut offset = 0_usize;
    let mut refused = text.len().saturating_add(1);
    while refused.saturating_sub(offset) > 1 {
        let middle = offset.midpoint(refused);
        if viable_length(middle) {
            offset = middle
        } else {
            refused = middle
        }
    }
    let prefix = text.get(..offset).unwrap_or_default();
    let found = text.get(offset..).and_then(|rest| rest.chars().next());
    let allowed = allowed_after(language, prefix);
    let name = if found == Some(':') {
        name_before_qualifier(language, prefix)
    } else {
        None
    };
    InputError::Unexpected {
        member,
        offset,
        found,
        allowed,
        name,
    }
}

/// Where the name is in a `prefix` that is a whole name with its qualifier: a `:` after it is one
/// too many.
fn name_before_qualifier(language: Language, prefix: &str) -> Option<(usize, usize)> {
    let Language::FunctionName(pattern) = language else {
        return None;
    };
    let parts = grammar::function_name(pattern, prefix.as_bytes())?;
    let after_name = parts.qualifier?.len().saturating_add(1);
    let end = prefix.len().saturating_sub(after_name);
    Some((end.saturating_sub(parts.name.len()), end))
}

/// What can follow `prefix`, which can be completed to a value of the language.
fn allowed_after(language: Language, prefix: &str) -> Allowed {
    let reached = Reached::default();
    let mut ascii = 0_u128;
    let mut trial = alloc::vec::Vec::with_capacity(prefix.len().saturating_add(1));
    for byte in 0..128_u8 {
        trial.clear();
        trial.extend_from_slice(prefix.as_bytes());
        trial.push(byte);
        if language.is_viable(&trial, &reached) {
            ascii |= 1_u128.checked_shl(u32::from(byte)).unwrap_or_default();
        }
    }
    Allowed::new(ascii, language.accepts(prefix.as_bytes()), reached.get())
}
