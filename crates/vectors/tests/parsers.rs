//! Values are parsed by `TryFrom` or `FromStr` only, so that nobody has to search for the name of a
//! type's parser. Public functions with other names that look like parsers are listed here, each
//! with a reason.

mod support;

use std::collections::BTreeSet;
use std::fs;

use support::{folder_of, published, root, sources};
use syn::{
    FnArg, GenericArgument, ImplItem, Item, PathArguments, ReturnType, Signature, Type,
    TypeParamBound, Visibility,
};

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

/// Types that are text or bytes, or that have not been parsed either.
const TEXTS: [&str; 10] = [
    "str",
    "String",
    "Cow",
    "u8",
    "Bytes",
    "Message",
    "Parts",
    "HeaderMap",
    "HeaderValue",
    "Uri",
];

/// The names in a type: its own, and those of what it refers to or is generic over.
fn names(of: &Type, found: &mut Vec<String>) {
    match of {
        Type::Reference(reference) => names(&reference.elem, found),
        Type::Slice(slice) => names(&slice.elem, found),
        Type::Array(array) => names(&array.elem, found),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|of| names(of, found)),
        Type::Path(path) => names_in(&path.path, found),
        Type::ImplTrait(bounds) => {
            for bound in &bounds.bounds {
                if let TypeParamBound::Trait(bound) = bound {
                    names_in(&bound.path, found);
                }
            }
        }
        _ => {}
    }
}

fn names_in(path: &syn::Path, found: &mut Vec<String>) {
    let last = path.segments.last().unwrap();
    found.push(last.ident.to_string());
    if let PathArguments::AngleBracketed(arguments) = &last.arguments {
        for argument in &arguments.args {
            if let GenericArgument::Type(of) = argument {
                names(of, found);
            }
        }
    }
}

/// Whether a function without `self` returns an `Option` or a `Result` and looks like a parser: by its
/// name, or because it makes its own type from a single text.
fn is_parser(signature: &Signature, owner: Option<&str>) -> bool {
    let ReturnType::Type(_, output) = &signature.output else {
        return false;
    };
    let mut returned = Vec::new();
    names(output, &mut returned);
    let is_fallible = returned
        .first()
        .is_some_and(|first| first == "Option" || first == "Result");
    if signature.receiver().is_some() || !is_fallible {
        return false;
    }
    let name = signature.ident.to_string();
    let is_named = PARSERS.iter().any(|parser| {
        name.strip_prefix(parser)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
    });
    let mut taken = Vec::new();
    if let (1, Some(FnArg::Typed(argument))) = (signature.inputs.len(), signature.inputs.first()) {
        names(&argument.ty, &mut taken);
    }
    let is_text = taken.iter().any(|name| TEXTS.contains(&name.as_str()));
    let is_own = returned
        .get(1)
        .is_some_and(|made| made == "Self" || Some(made.as_str()) == owner);
    is_named || (is_text && is_own)
}

/// The public functions of a source file that look like parsers.
fn parsers(source: &str) -> Vec<String> {
    let is_public = |visibility: &Visibility| matches!(visibility, Visibility::Public(_));
    let mut found = Vec::new();
    for item in syn::parse_file(source).unwrap().items {
        match item {
            Item::Fn(function) if is_public(&function.vis) && is_parser(&function.sig, None) => {
                found.push(function.sig.ident.to_string());
            }
            Item::Impl(block) if block.trait_.is_none() => {
                let mut owner = Vec::new();
                names(&block.self_ty, &mut owner);
                for item in &block.items {
                    let ImplItem::Fn(function) = item else {
                        continue;
                    };
                    let owner = owner.first().map(String::as_str);
                    if is_public(&function.vis) && is_parser(&function.sig, owner) {
                        let owner = owner.unwrap_or_default();
                        found.push(format!("{owner}::{}", function.sig.ident));
                    }
                }
            }
            _ => {}
        }
    }
    found
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
        let files = sources(&root().join("crates").join(folder).join("src"));
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

pub fn decode_all(bytes: &[u8; 8]) -> Result<usize, Error> {
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
