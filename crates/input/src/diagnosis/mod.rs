//! Finds where a rejected value goes wrong, and what was expected there.

mod snippet;

use crate::error::{InputError, Member};
use crate::expected::Expected;
use crate::grammar::{self, Language, Reached};
use crate::mistake::{self, Mistake};

pub use snippet::Snippet;

/// Explains why `text` is not in `language`.
///
/// The offset is the length of the longest prefix that could be completed to a value of the
/// language. Finding it takes a few hundred runs of the parser, so this is only done for rejected
/// values.
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
    // Every prefix of a viable prefix is viable, so bisection finds the longest one. The empty
    // prefix is always viable; one longer than the text counts as not viable.
    let mut offset = 0_usize;
    let mut not_viable = text.len().saturating_add(1);
    while not_viable.saturating_sub(offset) > 1 {
        let middle = offset.midpoint(not_viable);
        if viable_length(middle) {
            offset = middle
        } else {
            not_viable = middle
        }
    }
    let prefix = text.get(..offset).unwrap_or_default();
    let found = text.get(offset..).and_then(|rest| rest.chars().next());
    let mistake = match language {
        Language::FunctionName(pattern) => {
            let extra_part = || {
                let name = found
                    .filter(|found| *found == ':')
                    .and(name_in(language, prefix))?;
                Some((Mistake::ExtraPart, name))
            };
            mistake::find(pattern, text).or_else(extra_part)
        }
        _ => None,
    };
    let character = (
        offset,
        offset.saturating_add(found.map_or(0, char::len_utf8)),
    );
    InputError::Unexpected {
        member,
        offset,
        found,
        expected: expected_after(language, prefix),
        mistake: mistake.map(|(mistake, _)| mistake),
        span: mistake.map_or(character, |(_, span)| span),
    }
}

/// Returns where the name is in a `prefix` that is a whole function name with a qualifier.
fn name_in(language: Language, prefix: &str) -> Option<(usize, usize)> {
    let Language::FunctionName(pattern) = language else {
        return None;
    };
    let parts = grammar::function_name(pattern, prefix.as_bytes())?;
    let after_name = parts.qualifier?.len().saturating_add(1);
    let end = prefix.len().saturating_sub(after_name);
    Some((end.saturating_sub(parts.name.len()), end))
}

/// Returns what can follow `prefix`, which can be completed to a value of the language.
fn expected_after(language: Language, prefix: &str) -> Expected {
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
    Expected::new(ascii, language.accepts(prefix.as_bytes()), reached.get())
}
