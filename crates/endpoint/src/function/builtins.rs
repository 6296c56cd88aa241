//! Built-in functions for testing and trying things out.

use std::time::Duration;

use serde::Deserialize;

use crate::function::Function;
use crate::function::error::FunctionError;

/// The longest pause, and the largest chunk in bytes, that a payload may request.
const LONGEST_PAUSE_MS: u64 = 60_000;
const LARGEST_CHUNK: usize = 16 << 20;

/// Returns all built-in functions: [`hello`], [`echo`], [`count`] and [`fail`].
#[must_use]
pub fn all() -> Vec<Function> {
    vec![hello(), echo(), count(), fail()]
}

/// Creates `hello`, which greets `{"name": ..}` word by word, with a pause after each.
///
/// Streams `text/plain`; `{"delay_ms": ..}` sets the pause, 150 ms by default.
#[must_use]
pub fn hello() -> Function {
    #[derive(Deserialize)]
    struct Input {
        name: Option<String>,
        delay_ms: Option<u64>,
    }
    Function::streaming("hello", |invocation, mut writer| async move {
        let input: Input = invocation.json()?;
        let name = input.name.as_deref().unwrap_or("world");
        invocation.log(format!("greeting {name}"));
        writer.content_type("text/plain; charset=utf-8");
        let text = format!(
            "Hello, {name}! These words come one by one, each as soon as the function writes it.\n"
        );
        let delay = pause(input.delay_ms.unwrap_or(150));
        for (place, word) in text.split_inclusive(' ').enumerate() {
            if place > 0 && !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            writer.write(word.to_owned()).await?;
        }
        Ok::<_, FunctionError>(())
    })
}

/// Creates `echo`, which returns its payload.
#[must_use]
pub fn echo() -> Function {
    Function::buffered("echo", |invocation| async move {
        Ok::<_, FunctionError>(invocation.payload().clone())
    })
}

/// Creates `count`, which streams the numbers from 1 to `n` (10 by default), one line each,
/// `delay_ms` apart; with `bytes`, each chunk is padded to that many bytes.
#[must_use]
pub fn count() -> Function {
    #[derive(Deserialize)]
    struct Input {
        n: Option<u64>,
        delay_ms: Option<u64>,
        bytes: Option<usize>,
    }
    Function::streaming("count", |invocation, mut writer| async move {
        let input: Input = invocation.json()?;
        writer.content_type("text/plain");
        let delay = pause(input.delay_ms.unwrap_or(0));
        let size = input.bytes.unwrap_or(0);
        if size > LARGEST_CHUNK {
            let message = format!("bytes must be at most {LARGEST_CHUNK}, not {size}");
            return Err(FunctionError::new("InvalidPayload", message));
        }
        for number in 1..=input.n.unwrap_or(10) {
            if number > 1 && !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let mut line = number.to_string();
            let fill = size.saturating_sub(line.len() + 1);
            line.extend(std::iter::repeat_n('.', fill));
            line.push('\n');
            writer.write(line).await?;
        }
        Ok(())
    })
}

/// Creates `fail`, which fails with `type` and `message` at a point of its response:
/// `{"when": "before" | "middle" | "end"}`, by default before.
///
/// "before" writes nothing, "middle" writes the first of two chunks, "end" writes both.
#[must_use]
pub fn fail() -> Function {
    #[derive(Deserialize, Clone, Copy, PartialEq, PartialOrd, Default)]
    #[serde(rename_all = "lowercase")]
    enum When {
        #[default]
        Before,
        Middle,
        End,
    }
    #[derive(Deserialize)]
    struct Input {
        #[serde(default)]
        when: When,
        #[serde(rename = "type")]
        error_type: Option<String>,
        message: Option<String>,
    }
    Function::streaming("fail", |invocation, mut writer| async move {
        let input: Input = invocation.json()?;
        writer.content_type("text/plain");
        if input.when >= When::Middle {
            writer.write("the first half, ").await?;
        }
        if input.when >= When::End {
            writer.write("and the second\n").await?;
        }
        let error_type = input.error_type.unwrap_or_else(|| "Error".to_owned());
        let message = input
            .message
            .unwrap_or_else(|| "failed as it was asked to".to_owned());
        Err::<(), _>(FunctionError::new(error_type, message))
    })
}

fn pause(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds.min(LONGEST_PAUSE_MS))
}
