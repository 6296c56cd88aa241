//! Values are parsed by `TryFrom` or `FromStr` only, so that nobody has to search for the name of a
//! type's parser. Public functions with other names that look like parsers are listed here, each
//! with a reason.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use support::{folder_of, published, root};

/// The crate and the function of each exception.
const EXCEPTIONS: &[(&str, &str)] = &[
    // Parse by rules that the caller chooses; `TryFrom` uses the default rules.
    ("input", "FunctionName::parse_with"),
    ("input", "Qualifier::parse_with"),
    // Encode, and fail if the value is too long; the encoded text is parsed by `TryFrom`.
    ("input", "ClientContext::from_json"),
    ("event-stream", "HeaderBlock::from_headers"),
    // Decode the beginning of a stream or a file, which may be incomplete, and return how many
    // bytes they used.
    ("event-stream", "decode"),
    ("map", "Header::decode"),
    ("map", "decode_head"),
    // Converts a number; unlike `TryFrom`, it can be used in constants.
    ("sigv4", "Timestamp::from_secs"),
    // Read the head of an HTTP message together with something else: the rules, or the type of the
    // request.
    ("protocol", "IncomingRequest::from_parts"),
    ("protocol", "Reply::from_http"),
    ("protocol", "StreamHead::from_parts"),
    // Does not parse: it looks up a code in a table.
    ("endpoint", "Fault::error"),
    // Does not parse: it recognizes the encoding of a file.
    ("credentials", "Encoding::detect"),
    // Does not parse: it creates a client for this address.
    ("lambda-invoke", "Client::local"),
];

/// The beginnings of the names of parsers.
const PARSERS: [&str; 6] = ["parse", "decode", "read", "from", "try_from", "detect"];

/// Whether a parameter's type is text or bytes.
fn is_text(parameter: &str) -> bool {
    const TYPES: [&str; 10] = [
        "str",
        "String",
        "[u8]",
        "Bytes",
        "Message",
        "Parts",
        "HeaderMap",
        "HeaderValue",
        "Uri",
        "Cow",
    ];
    TYPES.iter().any(|text| {
        parameter
            .split(|character: char| !character.is_alphanumeric() && !"[]".contains(character))
            .any(|word| word == *text)
    })
}

/// Returns the public functions of a source file that return an `Option` or a `Result` and look
/// like parsers: by their name, or because they make their own type from a single text.
fn parsers(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut owner = String::new();
    let code = source.split("#[cfg(test)]").next().unwrap();
    for (at, line) in code
        .match_indices('\n')
        .map(|(at, _)| (at + 1, &code[at + 1..]))
    {
        let line = line.lines().next().unwrap_or_default();
        if let Some(rest) = line.strip_prefix("impl") {
            // `impl<'a> Type<'a> {`: the type's name follows the parameters.
            let rest = rest.trim_start();
            let rest = match rest.strip_prefix('<') {
                Some(generics) => generics.split_once("> ").map_or("", |(_, rest)| rest),
                None => rest,
            };
            owner = rest
                .split(|character: char| !character.is_alphanumeric())
                .next()
                .unwrap_or_default()
                .to_owned();
        } else if line.starts_with('}') {
            owner.clear();
        }
        let declared = line.trim_start();
        let Some(rest) = ["pub fn ", "pub const fn ", "pub async fn "]
            .iter()
            .find_map(|prefix| declared.strip_prefix(prefix))
        else {
            continue;
        };
        let name = rest
            .split(|character: char| !character.is_alphanumeric() && character != '_')
            .next()
            .unwrap();
        // A body ends a signature, and nothing within it does: an array's length follows a semicolon.
        let signature = code[at..].split('{').next().unwrap();
        let (parameters, output) = match signature.rsplit_once("->") {
            Some((parameters, output)) => (parameters, output.trim()),
            None => continue,
        };
        let parameters = parameters.split_once('(').map_or("", |(_, rest)| rest);
        let is_method = parameters
            .split([',', ')'])
            .next()
            .is_some_and(|first| first.split([' ', '&']).any(|word| word == "self"));
        if is_method || !(output.starts_with("Option<") || output.starts_with("Result<")) {
            continue;
        }
        let is_named = PARSERS.iter().any(|parser| {
            name.strip_prefix(parser)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        });
        let alone = parameters.matches(": ").count() == 1 && is_text(parameters);
        let own = output.contains("<Self") || output.contains("&'static Self");
        if is_named || (alone && own) {
            found.push(match owner.as_str() {
                "" => name.to_owned(),
                owner => format!("{owner}::{name}"),
            });
        }
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn values_are_parsed_by_try_from_and_from_str_only() {
    let mut found = BTreeSet::new();
    for package in published() {
        let folder = folder_of(package["name"].as_str().unwrap()).unwrap();
        // The functions of the program are not an interface.
        if folder == "cli" {
            continue;
        }
        let mut files = Vec::new();
        sources(&root().join("crates").join(folder).join("src"), &mut files);
        assert!(files.len() > 3, "{folder}");
        for file in files {
            for parser in parsers(&fs::read_to_string(&file).unwrap()) {
                found.insert((folder.to_owned(), parser));
            }
        }
    }
    let exceptions = EXCEPTIONS.iter();
    let exceptions = exceptions.map(|(folder, name)| ((*folder).to_owned(), (*name).to_owned()));
    let exceptions: BTreeSet<_> = exceptions.collect();
    let others: Vec<_> = found.difference(&exceptions).collect();
    assert!(
        others.is_empty(),
        "public parsers that are neither TryFrom nor FromStr: {others:#?}"
    );
    let gone: Vec<_> = exceptions.difference(&found).collect();
    assert!(gone.is_empty(), "exceptions that do not exist: {gone:#?}");
}

#[test]
fn what_looks_like_a_parser_is_found() {
    let source = "
impl<'a> Name<'a> {
    pub fn parse(text: &'a str) -> Option<Self> {
        None
    }
    pub fn of(text: impl Into<String>) -> Result<Self, Error> {
        Err(Error)
    }
    pub fn from_parts(
        parts: &Parts,
        rules: &Rules,
    ) -> Result<Name<'a>, Error> {
        Err(Error)
    }
    pub fn new(first: &str, second: &str) -> Result<Self, Error> {
        Err(Error)
    }
    pub fn read(&mut self, text: &str) -> Option<Self> {
        None
    }
    pub fn from_json(json: &[u8]) -> Self {
        Self
    }
}

pub fn decode_all(bytes: &[u8]) -> Result<usize, Error> {
    Err(Error)
}

fn parse(text: &str) -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    pub fn parse(text: &str) -> Option<usize> {
        None
    }
}
";
    let expected = ["Name::parse", "Name::of", "Name::from_parts", "decode_all"];
    assert_eq!(parsers(source), expected);
}
