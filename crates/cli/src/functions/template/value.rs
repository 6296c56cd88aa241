//! The values of a template: text, and the intrinsic functions that can be resolved without a stack.

use std::collections::BTreeMap;

use lambda_invoke_sigv4::region::Partition;

use super::condition::Conditions;
use super::yaml::{Kind, Node, is_intrinsic};

/// Where and why a value cannot be resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved {
    pub(super) line: usize,
    pub(super) why: String,
}

/// Everything that values may refer to.
#[derive(Debug)]
pub(super) struct Resolver<'t> {
    pub(super) region: &'t str,
    pub(super) account: &'t str,
    /// The parameters that the user sets.
    pub(super) given: &'t BTreeMap<String, String>,
    /// The sections of the template.
    pub(super) parameters: Option<&'t Node>,
    pub(super) mappings: Option<&'t Node>,
    pub(super) conditions: Conditions,
    /// The names of the functions, by logical ID.
    pub(super) functions: BTreeMap<String, String>,
}

/// `None` is `AWS::NoValue`: as if the property did not exist.
pub(super) type Resolved = Result<Option<String>, Unresolved>;

impl Resolver<'_> {
    /// The text of a node.
    ///
    /// # Errors
    ///
    /// If it is not a text, or refers to something that exists only in a deployed stack. Nothing is guessed.
    pub(super) fn text(&self, node: &Node) -> Resolved {
        let node = &self.chosen(node)?;
        let line = node.line;
        if let Some(text) = node.text() {
            return literal(text, line).map(Some);
        }
        let Some((function, argument)) = intrinsic(node) else {
            let why = match &node.kind {
                Kind::Map(_) => "an object is not a text",
                Kind::List(_) => "a list is not a text",
                Kind::Null | Kind::Scalar(_) => "there is no value",
            };
            return Err(unresolved(line, why.to_owned()));
        };
        match (function, &argument.kind) {
            ("Ref", Kind::Scalar(name)) => self.reference(name, line),
            ("Sub", Kind::Scalar(text)) => self.substitute(text, &[], line).map(Some),
            ("Sub", Kind::List(parts)) => match parts.as_slice() {
                [text, names] => match (text.text(), &names.kind) {
                    (Some(text), Kind::Map(names)) => self.substitute(text, names, line).map(Some),
                    _ => Err(malformed("Sub", line)),
                },
                _ => Err(malformed("Sub", line)),
            },
            ("GetAtt", Kind::Scalar(path)) => self.attribute(path, line).map(Some),
            ("GetAtt", Kind::List(parts)) => {
                let parts: Option<Vec<_>> = parts.iter().map(Node::text).collect();
                let path = parts.ok_or_else(|| malformed("GetAtt", line))?.join(".");
                self.attribute(&path, line).map(Some)
            }
            ("Join", Kind::List(parts)) => self.join(parts, line).map(Some),
            ("FindInMap", Kind::List(keys)) => {
                let text = self.find_in_map(keys, line)?.text();
                let why = || {
                    unresolved(
                        line,
                        "!FindInMap finds something that is not a text".to_owned(),
                    )
                };
                literal(text.ok_or_else(why)?, line).map(Some)
            }
            ("Ref" | "Sub" | "GetAtt" | "Join" | "FindInMap", _) => Err(malformed(function, line)),
            _ => Err(unresolved(line, format!("!{function} is not understood"))),
        }
    }

    /// The texts of a list, which may be the value of a parameter; `None` for everything else.
    ///
    /// # Errors
    ///
    /// If it cannot be known which list it is.
    pub(super) fn list(&self, node: &Node) -> Result<Option<Vec<Resolved>>, Unresolved> {
        let node = self.chosen(node)?;
        if let (Kind::List(nodes), None) = (&node.kind, &node.tag) {
            return Ok(Some(nodes.iter().map(|node| self.text(node)).collect()));
        }
        let parameter = match intrinsic(&node) {
            Some(("Ref", argument)) => {
                let name = argument.text().unwrap_or_default();
                self.parameters.and_then(|all| all.member(name))
            }
            Some(("FindInMap", argument)) => {
                let Kind::List(keys) = &argument.kind else {
                    return Err(malformed("FindInMap", node.line));
                };
                let Kind::List(values) = &self.find_in_map(keys, node.line)?.kind else {
                    return Ok(None);
                };
                let why = "!FindInMap finds something that is not a list of texts";
                let text = |value: &Node| match value.text() {
                    Some(text) => literal(text, node.line).map(Some),
                    None => Err(unresolved(node.line, why.to_owned())),
                };
                return Ok(Some(values.iter().map(text).collect()));
            }
            _ => None,
        };
        if !parameter.is_some_and(is_list) {
            return Ok(None);
        }
        let text = self.text(&node)?.unwrap_or_default();
        let values = text.split(',').map(str::trim);
        let values = values.filter(|value| !value.is_empty());
        Ok(Some(
            values.map(|value| Ok(Some(value.to_owned()))).collect(),
        ))
    }

    fn reference(&self, name: &str, line: usize) -> Resolved {
        let partition = Partition::of(self.region);
        match name {
            "AWS::Region" => return Ok(Some(self.region.to_owned())),
            "AWS::AccountId" => return Ok(Some(self.account.to_owned())),
            "AWS::Partition" => return Ok(Some(partition.id().to_owned())),
            "AWS::URLSuffix" => return Ok(Some(partition.domain().to_owned())),
            "AWS::NoValue" => return Ok(None),
            _ => {}
        }
        if let Some(value) = self.given.get(name) {
            return Ok(Some(value.clone()));
        }
        if let Some(parameter) = self.parameters.and_then(|all| all.member(name)) {
            return self.default_of(name, parameter, line).map(Some);
        }
        match self.functions.get(name) {
            Some(function) => Ok(Some(function.clone())),
            None => Err(unresolved(
                line,
                format!("{name} exists in a deployed stack only"),
            )),
        }
    }

    fn default_of(&self, name: &str, parameter: &Node, line: usize) -> Result<String, Unresolved> {
        let kind = parameter.member("Type").and_then(Node::text);
        if kind.is_some_and(|kind| kind.starts_with("AWS::SSM::")) {
            // Its default is the name of the Systems Manager parameter that holds the value.
            return Err(unresolved(
                line,
                format!(
                    "the value of parameter {name} is in Systems Manager; set it with --parameter {name}=VALUE"
                ),
            ));
        }
        match parameter.member("Default").and_then(Node::text) {
            Some(text) => literal(text, line),
            None => Err(unresolved(
                line,
                format!("parameter {name} has no default; set it with --parameter {name}=VALUE"),
            )),
        }
    }

    /// Replaces `${Name}`; `${!Name}` is the text `${Name}`.
    fn substitute(
        &self,
        text: &str,
        names: &[(String, Node)],
        line: usize,
    ) -> Result<String, Unresolved> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                return Err(unresolved(line, "!Sub has a ${ without its }".to_owned()));
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let name = name.trim();
            let local = names.iter().find(|(known, _)| known == name);
            let value = match local {
                Some((_, node)) => self.text(node)?,
                None if name.contains('.') => Some(self.attribute(name, line)?),
                None => self.reference(name, line)?,
            };
            result.push_str(&value.unwrap_or_default());
        }
        result.push_str(rest);
        literal(&result, line)
    }

    /// An attribute. Only the ARN of a function exists without a stack.
    fn attribute(&self, path: &str, line: usize) -> Result<String, Unresolved> {
        let function = path
            .strip_suffix(".Arn")
            .and_then(|id| self.functions.get(id));
        match function {
            Some(name) => Ok(format!(
                "arn:{}:lambda:{}:{}:function:{name}",
                Partition::of(self.region).id(),
                self.region,
                self.account
            )),
            None => Err(unresolved(
                line,
                format!("{path} exists in a deployed stack only"),
            )),
        }
    }

    fn join(&self, parts: &[Node], line: usize) -> Result<String, Unresolved> {
        let [delimiter, list] = parts else {
            return Err(malformed("Join", line));
        };
        let delimiter = delimiter.text().ok_or_else(|| malformed("Join", line))?;
        let list = self.list(list)?.ok_or_else(|| malformed("Join", line))?;
        let texts: Result<Vec<_>, _> = list.into_iter().collect();
        let texts: Vec<_> = texts?.into_iter().flatten().collect();
        literal(&texts.join(delimiter), line)
    }

    /// A value in `Mappings`, which are literal: they contain no intrinsic functions.
    fn find_in_map(&self, keys: &[Node], line: usize) -> Result<&Node, Unresolved> {
        if keys.len() != 3 {
            return Err(malformed("FindInMap", line));
        }
        let mut node = self.mappings;
        let mut path = Vec::new();
        for key in keys {
            let key = self.text(key)?.unwrap_or_default();
            node = node.and_then(|node| node.member(&key));
            path.push(key);
        }
        let path = || format!("there is no {} in Mappings", path.join("."));
        node.ok_or_else(|| unresolved(line, path()))
    }
}

/// The name of an intrinsic function, without `Fn::`, and its argument; `None` for everything else.
pub(super) fn intrinsic(node: &Node) -> Option<(&str, Node)> {
    match (&node.tag, &node.kind) {
        (Some(tag), _) => Some((tag, node.untagged())),
        (None, Kind::Map(members)) if is_intrinsic(members) => {
            let (name, argument) = members.first()?;
            Some((name.trim_start_matches("Fn::"), argument.clone()))
        }
        _ => None,
    }
}

/// Whether the value of a parameter is a list, which is written with commas.
fn is_list(parameter: &Node) -> bool {
    let kind = parameter
        .member("Type")
        .and_then(Node::text)
        .unwrap_or_default();
    // The value in Systems Manager has the type in the angle brackets.
    let kind = kind
        .strip_prefix("AWS::SSM::Parameter::Value<")
        .unwrap_or(kind);
    kind.starts_with("CommaDelimitedList") || kind.starts_with("List<")
}

/// What a parameter expects, if it does not allow a value. Patterns and lengths are not checked.
pub(super) fn disallowed(parameter: &Node, value: &str) -> Option<String> {
    let kind = parameter
        .member("Type")
        .and_then(Node::text)
        .unwrap_or_default();
    let values: Vec<_> = match kind {
        // The template has the name of the value, and the user gives the value itself.
        kind if kind.starts_with("AWS::SSM::") => return None,
        _ if is_list(parameter) => value.split(',').map(str::trim).collect(),
        _ => vec![value],
    };
    if let Some(Kind::List(allowed)) = parameter.member("AllowedValues").map(|node| &node.kind) {
        let allowed: Vec<_> = allowed.iter().filter_map(Node::text).collect();
        if !values.iter().all(|value| allowed.contains(value)) {
            return Some(format!("one of {}", allowed.join(", ")));
        }
    }
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok_and(f64::is_finite);
    let numbers = ["Number", "List<Number>"].contains(&kind);
    (numbers && !values.into_iter().all(is_number)).then(|| "a number".to_owned())
}

/// A text, unless a secret or a parameter replaces it on deployment.
fn literal(text: &str, line: usize) -> Result<String, Unresolved> {
    match text.contains("{{resolve:") {
        true => Err(unresolved(
            line,
            "{{resolve:...}} is replaced on deployment only".to_owned(),
        )),
        false => Ok(text.to_owned()),
    }
}

pub(super) fn unresolved(line: usize, why: String) -> Unresolved {
    Unresolved { line, why }
}

pub(super) fn malformed(function: &str, line: usize) -> Unresolved {
    unresolved(
        line,
        format!("!{function} has arguments that are not understood"),
    )
}

/// Reads a boolean of YAML 1.1.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let small = text.to_ascii_lowercase();
    let is_capitalized = text.get(1..) == small.get(1..);
    let is_upper = text == text.to_ascii_uppercase();
    match small.as_str() {
        _ if !is_capitalized && !is_upper => None,
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// Whether a text is a number of YAML 1.1 that is not written in the usual way: `1.10`, `0755`, `12:30`.
pub(super) fn is_rewritten_number(text: &str) -> bool {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_digits = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_digit())
            && part
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    let of_base = |prefix: &str, base: u32| {
        let digits = number.strip_prefix(prefix);
        digits.is_some_and(|digits| u64::from_str_radix(&digits.replace('_', ""), base).is_ok())
    };
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (number, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_exponent = |text: &str| is_digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    match (whole, fraction, exponent) {
        _ if of_base("0x", 16) || of_base("0b", 2) => true,
        (whole, None, None) if whole.contains(':') => whole.split(':').all(is_digits),
        (whole, None, None) => {
            is_digits(whole)
                && (text.starts_with('+')
                    || whole.contains('_')
                    || whole.len() > 1 && whole.starts_with('0'))
        }
        (whole, Some(fraction), None) => {
            let is_number = (whole.is_empty() || is_digits(whole))
                && (fraction.is_empty() || is_digits(fraction));
            let is_usual = is_digits(whole)
                && !whole.contains('_')
                && !fraction.contains('_')
                && !fraction.is_empty()
                && (fraction == "0" || !fraction.ends_with('0'))
                && !text.starts_with('+');
            is_number && text != "." && !is_usual
        }
        (whole, Some(fraction), Some(exponent)) => {
            is_digits(whole)
                && (fraction.is_empty() || is_digits(fraction))
                && is_exponent(exponent)
        }
        // Without a point, the standard has no number.
        (_, None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_have_their_names_in_three_forms() {
        for (text, value) in [
            ("true", Some(true)),
            ("True", Some(true)),
            ("YES", Some(true)),
            ("on", Some(true)),
            ("no", Some(false)),
            ("Off", Some(false)),
            ("tRue", None),
            ("y", None),
            ("", None),
            ("1", None),
        ] {
            assert_eq!(boolean(text), value, "{text}");
        }
    }

    #[test]
    fn numbers_that_another_reader_writes_differently_are_found() {
        for text in [
            "1.10", "0755", "12:30", "1_000", "0x1f", "0b1", "+5", "1.5e3", ".5", "5.", "-01",
            "1.00",
        ] {
            assert!(is_rewritten_number(text), "{text}");
        }
        for text in [
            "1",
            "0",
            "-1",
            "1.5",
            "1.0",
            "-0.25",
            "1.2.3",
            "1e5",
            "2024-01-01",
            "v1.10",
            "a:b",
            "",
            ".",
            "-",
            "+",
            "0x",
            "12:",
            "text",
            "1.10.",
            "10",
            "1.1a",
            "::1",
            "10.0.0.10",
        ] {
            assert!(!is_rewritten_number(text), "{text}");
        }
    }
}
