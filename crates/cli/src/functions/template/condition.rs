//! Conditions: which resources a stack has, and which of two values applies.

use std::collections::BTreeMap;

use super::value::{Resolver, Unresolved, intrinsic, malformed, unresolved};
use super::yaml::{Kind, Node};

/// The maximum depth of conditions in each other, by nesting or by name.
const DEEPEST: usize = 256;

/// Whether each condition of a template is true, or why it cannot be evaluated.
pub(super) type Conditions = BTreeMap<String, Result<bool, Unresolved>>;

/// Evaluates the section `Conditions`.
pub(super) fn evaluate(section: Option<&Node>, resolver: &Resolver<'_>) -> Conditions {
    let mut evaluation = Evaluation {
        section,
        resolver,
        known: Conditions::new(),
        open: Vec::new(),
        depth: 0,
        is_too_deep: false,
    };
    for (name, node) in section.map(Node::members).unwrap_or_default() {
        evaluation.is_too_deep = false;
        let result = evaluation.condition(name, node.line);
        evaluation.known.insert(name.clone(), result);
    }
    evaluation.known
}

impl Resolver<'_> {
    /// Whether the condition is true whose name is in a node.
    ///
    /// # Errors
    ///
    /// If there is no such condition, or it depends on something that exists only in a deployed stack.
    pub(super) fn condition(&self, node: &Node) -> Result<bool, Unresolved> {
        let name = name(node)?;
        match self.conditions.get(name) {
            Some(known) => known.clone(),
            None => Err(missing(name, node.line)),
        }
    }

    /// The value to which `Fn::If` leads; any other node itself.
    ///
    /// # Errors
    ///
    /// If a condition cannot be evaluated.
    pub(super) fn chosen(&self, node: &Node) -> Result<Node, Unresolved> {
        let Some(("If", argument)) = intrinsic(node) else {
            return Ok(node.clone());
        };
        let Kind::List(parts) = &argument.kind else {
            return Err(malformed("If", node.line));
        };
        let [name, if_true, if_false] = parts.as_slice() else {
            return Err(malformed("If", node.line));
        };
        match self.condition(name)? {
            true => self.chosen(if_true),
            false => self.chosen(if_false),
        }
    }
}

struct Evaluation<'c> {
    section: Option<&'c Node>,
    resolver: &'c Resolver<'c>,
    known: Conditions,
    /// The conditions that are being evaluated.
    open: Vec<String>,
    depth: usize,
    /// Whether the maximum depth was exceeded, counted from the condition where the evaluation began.
    is_too_deep: bool,
}

impl Evaluation<'_> {
    fn condition(&mut self, name: &str, line: usize) -> Result<bool, Unresolved> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let Some(node) = self.section.and_then(|all| all.member(name)) else {
            return Err(missing(name, line));
        };
        if self.open.iter().any(|open| open == name) {
            return Err(unresolved(
                line,
                format!("condition {name} refers to itself"),
            ));
        }
        self.open.push(name.to_owned());
        let result = self.holds(node);
        self.open.pop();
        if !self.is_too_deep {
            self.known.insert(name.to_owned(), result.clone());
        }
        result
    }

    fn holds(&mut self, node: &Node) -> Result<bool, Unresolved> {
        if self.depth == DEEPEST {
            self.is_too_deep = true;
            let why = "conditions are nested too deeply";
            return Err(unresolved(node.line, why.to_owned()));
        }
        self.depth += 1;
        let result = self.evaluated(node);
        self.depth -= 1;
        result
    }

    fn evaluated(&mut self, node: &Node) -> Result<bool, Unresolved> {
        let line = node.line;
        let (function, argument) = match (node.members(), intrinsic(node)) {
            ([(key, name)], _) if key == "Condition" => ("Condition", name.clone()),
            (_, Some(intrinsic)) => intrinsic,
            _ => {
                let why = "a condition is one of !Equals, !And, !Or, !Not and !Condition";
                return Err(unresolved(line, why.to_owned()));
            }
        };
        match (function, &argument.kind) {
            ("Condition", Kind::Scalar(_)) => self.condition(name(&argument)?, line),
            ("Equals", Kind::List(values)) => match values.as_slice() {
                [one, other] => Ok(self.resolver.text(one)? == self.resolver.text(other)?),
                _ => Err(malformed(function, line)),
            },
            ("Not", Kind::List(conditions)) if conditions.len() == 1 => {
                Ok(!self.all(conditions)?.contains(&true))
            }
            ("And", Kind::List(conditions)) => Ok(!self.all(conditions)?.contains(&false)),
            ("Or", Kind::List(conditions)) => Ok(self.all(conditions)?.contains(&true)),
            ("Condition" | "Equals" | "Not" | "And" | "Or", _) => Err(malformed(function, line)),
            _ => Err(unresolved(
                line,
                format!("!{function} is not understood in a condition"),
            )),
        }
    }

    fn all(&mut self, conditions: &[Node]) -> Result<Vec<bool>, Unresolved> {
        conditions.iter().map(|node| self.holds(node)).collect()
    }
}

fn name(node: &Node) -> Result<&str, Unresolved> {
    let why = || {
        unresolved(
            node.line,
            "the name of a condition is not a text".to_owned(),
        )
    };
    node.text().ok_or_else(why)
}

fn missing(name: &str, line: usize) -> Unresolved {
    unresolved(line, format!("there is no condition {name}"))
}
