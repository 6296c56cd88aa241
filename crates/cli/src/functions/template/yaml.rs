//! YAML as a tree that keeps lines and tags, and every scalar as written.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};
use serde::de::IgnoredAny;

use crate::functions::error::{ConfigError, Problem};

/// The maximum number of nodes of a template, with aliases expanded.
const MOST_NODES: usize = 200_000;

/// The maximum depth of nesting.
const DEEPEST: usize = 64;

/// A node with its line, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) line: usize,
    /// The tag of an intrinsic function, such as `Ref` or `Sub`.
    pub(super) tag: Option<String>,
    pub(super) kind: Kind,
    /// Whether it is a scalar without quotes and without a tag, which may stand for another type than a text.
    pub(super) is_plain: bool,
    /// The number of nodes in this tree.
    size: usize,
    depth: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Scalar(String),
    List(Vec<Node>),
    /// The keys are unique.
    Map(Vec<(String, Node)>),
}

impl Node {
    fn new(line: usize, tag: Option<&Tag>, kind: Kind) -> Self {
        let tag = tag.filter(|tag| tag.handle == "!" && !tag.suffix.is_empty());
        let children: Vec<&Self> = match &kind {
            Kind::Null | Kind::Scalar(_) => Vec::new(),
            Kind::List(nodes) => nodes.iter().collect(),
            Kind::Map(members) => members.iter().map(|(_, node)| node).collect(),
        };
        let size = children.iter().map(|node| node.size).sum::<usize>() + 1;
        let depth = children.iter().map(|node| node.depth).max().unwrap_or(0) + 1;
        Self {
            line,
            tag: tag.map(|tag| tag.suffix.clone()),
            kind,
            is_plain: false,
            size,
            depth,
        }
    }

    /// This node without its tag: the argument of an intrinsic function.
    pub(super) fn untagged(&self) -> Self {
        Self {
            tag: None,
            ..self.clone()
        }
    }

    /// The members of a map without a tag.
    pub(super) fn members(&self) -> &[(String, Self)] {
        match (&self.kind, &self.tag) {
            (Kind::Map(members), None) => members,
            _ => &[],
        }
    }

    /// A member of a map without a tag.
    pub(super) fn member(&self, name: &str) -> Option<&Self> {
        let found = self.members().iter().find(|(key, _)| key == name);
        found.map(|(_, node)| node)
    }

    /// The text of a scalar without a tag.
    pub(super) fn text(&self) -> Option<&str> {
        match (&self.kind, &self.tag) {
            (Kind::Scalar(text), None) => Some(text),
            _ => None,
        }
    }

    /// This map without some of its members.
    pub(super) fn without(&self, names: &[&str]) -> Self {
        let members = self.members().iter();
        let others = members.filter(|(name, _)| !names.contains(&name.as_str()));
        Self::new(self.line, None, Kind::Map(others.cloned().collect()))
    }

    /// Merges this node with a more specific one, as SAM merges `Globals`: maps member by member,
    /// lists one after the other, everything else replaced.
    pub(super) fn merged(&self, specific: &Self) -> Self {
        let (line, tag) = (specific.line, None);
        match (&self.kind, &specific.kind, &self.tag, &specific.tag) {
            (Kind::Map(general), Kind::Map(own), None, None)
                if !is_intrinsic(own) && !is_intrinsic(general) =>
            {
                let mut members = general.clone();
                for (name, node) in own {
                    match members.iter_mut().find(|(known, _)| known == name) {
                        Some((_, known)) => *known = known.merged(node),
                        None => members.push((name.clone(), node.clone())),
                    }
                }
                Self::new(line, tag, Kind::Map(members))
            }
            (Kind::List(general), Kind::List(own), None, None) => {
                let all = general.iter().chain(own).cloned().collect();
                Self::new(line, tag, Kind::List(all))
            }
            _ => specific.clone(),
        }
    }
}

/// Whether a map is the long form of an intrinsic function, such as `Fn::Sub: text`.
pub(super) fn is_intrinsic(members: &[(String, Node)]) -> bool {
    matches!(members, [(name, _)] if name == "Ref" || name.starts_with("Fn::"))
}

/// A list or a map whose end has not been read.
struct Open {
    line: usize,
    anchor: usize,
    tag: Option<Tag>,
    kind: Kind,
    /// The key whose value comes next.
    key: Option<String>,
    /// Whether this key is `<<`, whose value is merged into the map.
    is_merge: bool,
    /// Members that are merged, unless the map has them itself.
    merged: Vec<(String, Node)>,
}

impl Open {
    fn new(line: usize, anchor: usize, tag: Option<Cow<'_, Tag>>, kind: Kind) -> Self {
        Self {
            line,
            anchor,
            tag: tag.map(Cow::into_owned),
            kind,
            key: None,
            is_merge: false,
            merged: Vec::new(),
        }
    }

    /// Merges the members of a map, or of the maps in a list. What was merged before takes precedence.
    fn merge(&mut self, node: &Node) -> Result<(), &'static str> {
        let maps = match &node.kind {
            Kind::List(maps) => maps.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for map in maps {
            let Kind::Map(members) = &map.kind else {
                return Err("the key '<<' merges maps, and its value is something else");
            };
            for (name, node) in members {
                if !self.merged.iter().any(|(known, _)| known == name) {
                    self.merged.push((name.clone(), node.clone()));
                }
            }
        }
        Ok(())
    }

    /// The node, when its end has been read.
    fn ended(mut self) -> (Node, usize) {
        if let Kind::Map(members) = &mut self.kind {
            self.merged
                .retain(|(name, _)| !members.iter().any(|(own, _)| own == name));
            members.append(&mut self.merged);
        }
        let node = Node::new(self.line, self.tag.as_ref(), self.kind);
        (node, self.anchor)
    }
}

fn deep_enough(depth: usize) -> Result<(), &'static str> {
    match depth > DEEPEST {
        true => Err("is nested too deeply"),
        false => Ok(()),
    }
}

/// Reads the first document of a text.
///
/// # Errors
///
/// If it is not YAML, has a key twice, or is too large or too deep.
pub(super) fn parse(place: &str, text: &str) -> Result<Node, ConfigError> {
    let fail =
        |line, message: &str| ConfigError::new(place, Problem::Syntax(message.to_owned())).at(line);
    let of_scan = |error: &ScanError| fail(error.marker().line(), error.info());
    let mut open: Vec<Open> = Vec::new();
    let mut anchors: HashMap<usize, Node> = HashMap::new();
    let mut total = 0_usize;
    for event in Parser::new_from_str(&without_surrogates(text)) {
        let (event, span) = event.map_err(|error| of_scan(&error))?;
        let line = span.start.line();
        let is_alias = matches!(event, Event::Alias(_));
        let is_merge = matches!(
            &event,
            Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<"
        );
        let (node, anchor) = match event {
            Event::Scalar(value, style, anchor, tag) => {
                let is_null = style == ScalarStyle::Plain
                    && tag.is_none()
                    && ["", "~", "null", "Null", "NULL"].contains(&&*value);
                let kind = match is_null {
                    true => Kind::Null,
                    false => Kind::Scalar(value.into_owned()),
                };
                let mut node = Node::new(line, tag.as_deref(), kind);
                node.is_plain = style == ScalarStyle::Plain && tag.is_none();
                (node, anchor)
            }
            Event::Alias(anchor) => match anchors.get(&anchor) {
                Some(node) => (node.clone(), 0),
                None => return Err(fail(line, "an alias refers to a node that contains it")),
            },
            Event::SequenceStart(anchor, tag) => {
                open.push(Open::new(line, anchor, tag, Kind::List(Vec::new())));
                deep_enough(open.len()).map_err(|message| fail(line, message))?;
                continue;
            }
            Event::MappingStart(anchor, tag) => {
                open.push(Open::new(line, anchor, tag, Kind::Map(Vec::new())));
                deep_enough(open.len()).map_err(|message| fail(line, message))?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(open) => open.ended(),
                None => return Err(fail(line, "unexpected end of a list or a map")),
            },
            Event::DocumentEnd | Event::StreamEnd => break,
            _ => continue,
        };
        // An alias and an anchor copy the whole tree.
        total = total.saturating_add(match is_alias || anchor > 0 {
            true => node.size,
            false => 1,
        });
        let depth = open.len() + node.depth;
        if total > MOST_NODES || depth > DEEPEST {
            return Err(fail(
                line,
                "is too large or too deep with its aliases expanded",
            ));
        }
        if anchor > 0 {
            anchors.insert(anchor, node.clone());
        }
        let Some(parent) = open.last_mut() else {
            return Ok(node);
        };
        let key = parent.key.take();
        if key.is_some() && parent.is_merge {
            parent.merge(&node).map_err(|message| fail(line, message))?;
            continue;
        }
        match (&mut parent.kind, key) {
            (Kind::List(nodes), _) => nodes.push(node),
            (Kind::Map(members), Some(key)) => members.push((key, node)),
            (Kind::Map(members), None) => {
                let (Kind::Scalar(key), None) = (node.kind, node.tag) else {
                    return Err(fail(line, "a key is not a text"));
                };
                if members.iter().any(|(known, _)| *known == key) {
                    return Err(fail(line, &format!("the key '{key}' occurs twice")));
                }
                parent.key = Some(key);
                parent.is_merge = is_merge;
            }
            (Kind::Null | Kind::Scalar(_), _) => {}
        }
    }
    Err(ConfigError::new(
        place,
        Problem::Syntax("is empty".to_owned()),
    ))
}

/// Replaces surrogate pairs in a JSON text by their characters: JSON writes characters beyond U+FFFF as two
/// escapes, which YAML does not have.
fn without_surrogates(text: &str) -> Cow<'_, str> {
    let is_surrogate = |(at, _)| matches!(code_unit(&text[at..]), Some(0xd800..=0xdfff));
    let has_surrogates = text.match_indices("\\u").any(is_surrogate);
    if !has_surrogates || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Cow::Borrowed(text);
    }
    let mut result = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        result.push_str(before);
        let first = code_unit(escape);
        let second = escape.get(6..).and_then(code_unit);
        let (length, character) = match (first, second) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (12, char::from_u32(code))
            }
            (Some(0xd800..=0xdfff), _) => (6, Some(char::REPLACEMENT_CHARACTER)),
            _ => (2, None),
        };
        let (escape, after) = escape.split_at(length);
        match character {
            Some(character) => result.push(character),
            None => result.push_str(escape),
        }
        rest = after;
    }
    result.push_str(rest);
    Cow::Owned(result)
}

/// The UTF-16 code unit of the escape, such as `\u00e9`, that a JSON text begins with.
fn code_unit(json: &str) -> Option<u32> {
    let digits = json.strip_prefix("\\u")?.get(..4)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str) -> Kind {
        Kind::Scalar(text.to_owned())
    }

    #[test]
    fn keeps_lines_tags_and_scalars_as_they_are_written() {
        let text =
            "A: 1.10\nB:\n  - !Ref Name\n  - yes\n  - ''\n  - ~\nC: !Sub ['${x}', {x: 07}]\n";
        let node = parse("t", text).unwrap();
        assert_eq!(node.member("A").unwrap().text(), Some("1.10"));
        let Kind::List(list) = &node.member("B").unwrap().kind else {
            panic!("{node:?}")
        };
        assert_eq!((list[0].line, list[0].tag.as_deref()), (3, Some("Ref")));
        assert_eq!(list[0].text(), None);
        assert_eq!(list[1].kind, scalar("yes"));
        assert_eq!(list[2].kind, scalar(""));
        assert_eq!(list[3].kind, Kind::Null);
        let sub = node.member("C").unwrap();
        assert_eq!((sub.line, sub.tag.as_deref()), (7, Some("Sub")));
        assert_eq!(
            parse("t", "{\"A\": {\"Ref\": \"B\"}}")
                .unwrap()
                .members()
                .len(),
            1
        );
    }

    #[test]
    fn json_may_write_a_character_as_two_escapes() {
        let text =
            "{\n\"A\": \"\\ud83d\\ude00 \\u00e9 \\\\ud83d \\\" \\ud83d \\ude00\",\n\t\"B\": 1}";
        let node = parse("t", text).unwrap();
        let a = node.member("A").unwrap();
        assert_eq!(a.text(), Some("\u{1f600} é \\ud83d \" \u{fffd} \u{fffd}"));
        assert_eq!(node.member("B").unwrap().line, 3);
        // This is not JSON.
        assert!(parse("t", "A: \"\\ud83d\\ude00\"").is_err());
    }

    #[test]
    fn merges_maps_and_lists_but_replaces_intrinsic_functions() {
        let read = |text| parse("t", text).unwrap();
        let general = read("V: {A: 1, B: 2}\nT: 3\nL: [a]\nX: {A: 1}");
        let own = read("V: {B: 3, C: 4}\nL: [b]\nX: {Ref: P}");
        let merged = general.merged(&own);
        let v = merged.member("V").unwrap();
        for (name, text) in [("A", "1"), ("B", "3"), ("C", "4")] {
            assert_eq!(v.member(name).unwrap().text(), Some(text));
        }
        assert_eq!(merged.member("T").unwrap().text(), Some("3"));
        assert!(matches!(&merged.member("L").unwrap().kind, Kind::List(list) if list.len() == 2));
        assert_eq!(merged.member("X").unwrap().members().len(), 1);
    }

    #[test]
    fn a_merge_key_adds_the_members_that_a_map_does_not_have() {
        let text = "\
x: &x {A: 1, B: 2}
y: &y {B: 3, C: 4}
one: {<<: *x, B: 5}
two: {B: 6, <<: [*x, *y], D: 7}
text: {'<<': *x}";
        let node = parse("t", text).unwrap();
        let members = |name: &str| {
            let members = node.member(name).unwrap().members().iter();
            let members =
                members.map(|(name, node)| format!("{name}{}", node.text().unwrap_or("-")));
            members.collect::<Vec<_>>()
        };
        assert_eq!(members("one"), ["B5", "A1"]);
        assert_eq!(members("two"), ["B6", "D7", "A1", "C4"]);
        assert_eq!(members("text"), ["<<-"]);
        for text in ["<<: 1", "<<: [{}, a]"] {
            let error = parse("t", text).unwrap_err().to_string();
            assert!(
                error.starts_with("t:1: the key '<<' merges maps"),
                "{error}"
            );
        }
    }

    #[test]
    fn rejects_what_is_not_a_tree_of_reasonable_size() {
        let mut bomb = "a0: &a0 [x, x]\n".to_owned();
        for i in 1..40 {
            let before = i - 1;
            bomb.push_str(&format!("a{i}: &a{i} [*a{before}, *a{before}]\n"));
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse("t.yaml", &nested(DEEPEST)).is_ok());
        let (deep, deeper) = (nested(DEEPEST + 1), nested(5000));
        for (text, part) in [
            ("", "is empty"),
            ("a: [", ""),
            ("a: 1\na: 2", "'a' occurs twice"),
            ("[a]: 1", "not a text"),
            ("a: &x [*x]", "contains it"),
            ("a: *nothing", ""),
            (bomb.as_str(), "too large"),
            (deep.as_str(), "nested too deeply"),
            (deeper.as_str(), ""),
        ] {
            let shown = parse("t.yaml", text).unwrap_err().to_string();
            assert!(
                shown.contains(part) && shown.starts_with("t.yaml:"),
                "{shown}"
            );
        }
    }
}
