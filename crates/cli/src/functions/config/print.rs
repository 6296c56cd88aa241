//! Functions as the text of a `lambda.toml`, for `serve --print-config`.

use toml::{Table, Value};

use crate::functions::source::{file_of, language_of};
use crate::functions::spec::{Code, Cors, FunctionSpec, Url};

/// A documented example, printed if there are no functions to print.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// The functions as TOML. It contains the values of their variables.
pub(crate) fn print(functions: &[FunctionSpec]) -> String {
    let mut all = Table::new();
    for function in functions {
        all.insert(function.name.clone(), Value::Table(table(function)));
    }
    let mut file = Table::new();
    file.insert("functions".to_owned(), Value::Table(all));
    file.to_string()
}

fn table(function: &FunctionSpec) -> Table {
    let mut table = Table::new();
    let mut set = |name: &str, value: Value| drop(table.insert(name.to_owned(), value));
    let number = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    match &function.code {
        Code::Handler { language, handler } => {
            let root = &function.root;
            match (
                language_of(root, handler),
                file_of(root, *language, handler),
            ) {
                // The handler alone would not say in which language it is.
                (Err(_), Some(file)) => set("source", file.into()),
                _ => set("handler", handler.as_str().into()),
            }
        }
        Code::Command(words) => set("command", list(words)),
    }
    set("root", function.root.to_string_lossy().as_ref().into());
    set("memory", i64::from(function.memory).into());
    let timeout = humantime::format_duration(function.timeout).to_string();
    set("timeout", timeout.into());
    set("concurrency", number(function.concurrency));
    set(
        "instance-concurrency",
        number(function.instance_concurrency),
    );
    set("queue", number(function.queue));
    set("watch", function.watch.into());
    let variables = function.environment.iter();
    let variables: Table = variables
        .map(|(name, value)| (name.clone(), value.0.as_str().into()))
        .collect();
    set("env", Value::Table(variables));
    if let Some(settings) = &function.url {
        set("url", Value::Table(url(settings)));
    }
    table
}

fn url(url: &Url) -> Table {
    let mut table = Table::new();
    if let Some(signed) = url.signed {
        let auth = if signed { "AWS_IAM" } else { "NONE" };
        table.insert("auth".to_owned(), auth.into());
    }
    if let Some(streamed) = url.streamed {
        let mode = if streamed {
            "RESPONSE_STREAM"
        } else {
            "BUFFERED"
        };
        table.insert("mode".to_owned(), mode.into());
    }
    let Some(cors) = url.cors.as_ref().map(Cors::settings) else {
        return table;
    };
    let mut settings = Table::new();
    for (name, values) in [
        ("allow-origins", &cors.allow_origins),
        ("allow-methods", &cors.allow_methods),
        ("allow-headers", &cors.allow_headers),
        ("expose-headers", &cors.expose_headers),
    ] {
        settings.insert(name.to_owned(), list(values));
    }
    settings.insert(
        "allow-credentials".to_owned(),
        cors.allow_credentials.into(),
    );
    if let Some(age) = cors.max_age {
        settings.insert("max-age".to_owned(), i64::from(age).into());
    }
    table.insert("cors".to_owned(), Value::Table(settings));
    table
}

fn list(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|text| text.as_str().into()).collect())
}
