//! Generates valid values from unstructured bytes, for fuzzing.

use alloc::string::String;

use arbitrary::{Arbitrary, Error, Result, Unstructured};

use crate::{
    ClientContext, DurableExecutionArn, DurableExecutionName, ExecutedVersion, FunctionName,
    InputError, InvocationType, LogType, Qualifier, Target, TenantId, limits,
};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const DIGITS: &str = "0123456789";
/// `[a-zA-Z0-9-_]`
const WORD: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

/// Appends `least` to `most` characters of an ASCII alphabet, which have to be 1 to `u16::MAX`.
fn fill(
    u: &mut Unstructured<'_>,
    text: &mut String,
    alphabet: &str,
    least: usize,
    most: usize,
) -> Result<()> {
    let length = u.int_in_range(least..=most)?;
    for _ in 0..length {
        text.push(char::from(*u.choose(alphabet.as_bytes())?));
    }
    Ok(())
}

/// Returns 1 to `most` characters of an alphabet.
fn word(u: &mut Unstructured<'_>, alphabet: &str, most: usize) -> Result<String> {
    let mut text = String::new();
    fill(u, &mut text, alphabet, 1, most)?;
    Ok(text)
}

fn latest(u: &mut Unstructured<'_>) -> Result<&'static str> {
    u.choose(&["$LATEST", "$LATEST.PUBLISHED"]).copied()
}

fn region(u: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    if u.ratio(1, 8)? {
        text.push_str("eusc-");
    }
    fill(u, text, LOWER, 2, 2)?;
    text.push_str(u.choose(&["", "", "", "-gov", "-iso", "-isob"])?);
    text.push('-');
    fill(u, text, LOWER, 1, 9)?;
    text.push('-');
    fill(u, text, DIGITS, 1, 1)
}

/// Parsing succeeds unless this module disagrees with the parsers, which a test excludes.
fn valid<T>(parsed: core::result::Result<T, InputError>) -> Result<T> {
    parsed.map_err(|_| Error::IncorrectFormat)
}

impl<'a> Arbitrary<'a> for FunctionName<'_> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut text = String::new();
        if u.arbitrary()? {
            text.push_str("arn:");
            if u.ratio(7, 8)? {
                text.push_str(u.choose(&["aws", "aws-cn", "aws-us-gov", "aws-eusc", "awsX-"])?);
            }
            text.push_str(":lambda:");
        }
        if u.arbitrary()? {
            region(u, &mut text)?;
            text.push(':');
        }
        if u.arbitrary()? {
            fill(u, &mut text, DIGITS, 12, 12)?;
            text.push(':');
        }
        if u.arbitrary()? {
            text.push_str("function:");
        }
        // 64 characters fit after the longest prefix, and are the most that a bare name has.
        fill(
            u,
            &mut text,
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
            1,
            limits::BARE_NAME,
        )?;
        if u.arbitrary()? {
            text.push(':');
            if u.arbitrary()? {
                text.push_str(latest(u)?);
            } else {
                let room = limits::FUNCTION_NAME.saturating_sub(text.len());
                fill(u, &mut text, WORD, 1, room)?;
            }
        }
        valid(Self::try_from(text))
    }
}

impl<'a> Arbitrary<'a> for Qualifier<'_> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let text = match u.int_in_range(0..=3)? {
            0 => latest(u)?.into(),
            1 => word(u, DIGITS, 5)?,
            2 => word(u, WORD, limits::QUALIFIER)?,
            _ => word(u, "$-_aZ09", limits::QUALIFIER)?,
        };
        valid(Self::try_from(text))
    }
}

impl<'a> Arbitrary<'a> for Target<'_> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let name: FunctionName<'static> = u.arbitrary()?;
        // A parameter that differs from the name's own qualifier would not be valid.
        let own = name
            .qualifier()
            .map(|own| Qualifier::try_from(String::from(own)));
        let qualifier = match own {
            Some(own) if u.arbitrary()? => own.ok(),
            None => u.arbitrary()?,
            Some(_) => None,
        };
        Self::new(name, qualifier).map_err(|_| Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for ClientContext<'_> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let most = limits::CLIENT_CONTEXT / 4 * 3;
        let length = u.arbitrary_len::<u8>()?.min(most);
        valid(ClientContext::from_json(u.bytes(length)?))
    }
}

impl<'a> Arbitrary<'a> for TenantId<'_> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/=+-@ ";
        valid(Self::try_from(word(u, alphabet, limits::TENANT_ID)?))
    }
}

impl<'a> Arbitrary<'a> for DurableExecutionName<'_> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        valid(Self::try_from(word(
            u,
            WORD,
            limits::DURABLE_EXECUTION_NAME,
        )?))
    }
}

impl<'a> Arbitrary<'a> for ExecutedVersion<'_> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        if u.arbitrary()? {
            return Ok(ExecutedVersion::LATEST);
        }
        valid(Self::try_from(word(u, DIGITS, 10)?))
    }
}

impl<'a> Arbitrary<'a> for DurableExecutionArn<'_> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut text = String::from("arn:");
        text.push_str(u.choose(&["aws", "aws-cn", "aws-us-gov"])?);
        text.push_str(":lambda:");
        region(u, &mut text)?;
        text.push(':');
        fill(u, &mut text, DIGITS, 12, 12)?;
        text.push_str(":function:");
        fill(u, &mut text, WORD, 1, limits::BARE_NAME)?;
        text.push(':');
        if u.arbitrary()? {
            text.push_str(latest(u)?);
        } else {
            fill(u, &mut text, DIGITS, 1, 10)?;
        }
        text.push_str("/durable-execution/");
        fill(u, &mut text, WORD, 1, limits::DURABLE_EXECUTION_NAME)?;
        text.push('/');
        fill(u, &mut text, WORD, 1, limits::DURABLE_EXECUTION_NAME)?;
        valid(Self::try_from(text))
    }
}

impl<'a> Arbitrary<'a> for InvocationType {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&[Self::RequestResponse, Self::Event, Self::DryRun])
            .copied()
    }
}

impl<'a> Arbitrary<'a> for LogType {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&[Self::None, Self::Tail]).copied()
    }
}
