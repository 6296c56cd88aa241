//! SAM templates: the `AWS::Serverless::Function` resources of a project.
//!
//! Values are resolved as far as that is possible without a deployed stack. Everything else is left
//! out and listed in notes: nothing is guessed.

mod condition;
mod resource;
mod value;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use self::resource::Reader;
use self::value::{Resolver, Unresolved};
use self::yaml::{Kind, Node};
use crate::functions::error::{ConfigError, Problem};
use crate::functions::source;
use crate::functions::spec::{FunctionSpec, NAME, is_name};

const FUNCTION: &str = "AWS::Serverless::Function";

/// The sections that are read, and those that say nothing about functions.
const SECTIONS: &[&str] = &[
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Transform",
];

/// The values outside of the template that its values may refer to.
#[derive(Debug)]
pub(crate) struct Stack<'s> {
    pub(crate) region: &'s str,
    pub(crate) account: &'s str,
    /// The values of parameters that the user sets.
    pub(crate) parameters: &'s BTreeMap<String, String>,
    /// The variables that the user sets for all functions.
    pub(crate) variables: &'s BTreeSet<&'s str>,
}

/// The functions of a template, and the parts of it that are not understood or not used.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) functions: Vec<FunctionSpec>,
    pub(crate) notes: Vec<String>,
}

/// Reads a file. Relative paths in it start at its folder.
///
/// # Errors
///
/// If it cannot be read, is not a template, or has no function that can run here.
pub(crate) fn load(path: &Path, stack: &Stack<'_>) -> Result<Template, ConfigError> {
    let place = path.display().to_string();
    let fail = |problem| ConfigError::new(&place, problem);
    let text = source::read(path).map_err(fail)?;
    let folder = source::folder_of(path).map_err(fail)?;
    parse(&place, &text, &folder, stack)
}

fn parse(
    place: &str,
    text: &str,
    folder: &Path,
    stack: &Stack<'_>,
) -> Result<Template, ConfigError> {
    let template = yaml::parse(place, text)?;
    let missing = |setting: &str, expected| {
        let setting = setting.to_owned();
        ConfigError::new(place, Problem::Missing { setting, expected })
    };
    let resources = template
        .member("Resources")
        .ok_or_else(|| missing("Resources", "a template with functions"))?;
    let mut notes = Vec::new();
    for (section, node) in template.members() {
        if !SECTIONS.contains(&section.as_str()) {
            notes.push(format!("{place}:{}: not used: {section}", node.line));
        }
    }
    let parameters = template.member("Parameters");
    check_parameters(place, parameters, stack)?;
    let mut resolver = Resolver {
        region: stack.region,
        account: stack.account,
        given: stack.parameters,
        parameters,
        mappings: template.member("Mappings"),
        conditions: BTreeMap::new(),
        functions: BTreeMap::new(),
    };
    resolver.conditions = condition::evaluate(template.member("Conditions"), &resolver);
    let globals = template.member("Globals");
    check_globals(place, globals, &mut notes);
    let globals = globals.and_then(|globals| globals.member("Function"));
    let mut functions = Vec::new();
    for (id, resource) in resources.members() {
        match resource.member("Type").and_then(Node::text) {
            Some(FUNCTION) if !is_created(place, id, resource, &resolver, &mut notes) => {}
            Some(FUNCTION) => {
                let own = resource.member("Properties");
                let globals = globals.and_then(|globals| {
                    applied(globals, resource).unwrap_or_else(|line| {
                        notes.push(format!(
                            "{place}:{line}: {id}: IgnoreGlobals is not used: expected '*' or a list \
                             of properties"
                        ));
                        Some(globals.clone())
                    })
                });
                let properties = match (globals, own) {
                    (Some(globals), Some(own)) => globals.merged(own),
                    (Some(globals), None) => globals,
                    (None, Some(own)) => own.clone(),
                    (None, None) => resource.clone(),
                };
                functions.push((id, resource, properties));
            }
            Some(kind @ ("AWS::Serverless::Application" | "AWS::CloudFormation::Stack")) => {
                notes.push(format!(
                    "{place}:{}: {id}: the functions of its template are not served: {kind} is not \
                     read; serve that template with --sam",
                    resource.line
                ));
            }
            Some(kind) if kind.starts_with("AWS::Lambda::Function") => {
                notes.push(format!(
                    "{place}:{}: {id}: it is not served: its type is {kind}, not {FUNCTION}",
                    resource.line
                ));
            }
            Some(_) => {}
            // Such as `Fn::ForEach::NAME`.
            None => notes.push(format!(
                "{place}:{}: {id}: it is not served: it has no Type",
                resource.line
            )),
        }
    }
    // Functions may refer to each other, so all names are known first.
    for (id, _, properties) in &functions {
        let name = match properties.member("FunctionName") {
            Some(node) => function_name(place, id, node, &resolver, &mut notes)?,
            None => None,
        };
        let name = name.unwrap_or_else(|| (*id).clone());
        resolver.functions.insert((*id).clone(), name);
    }
    let mut specs = Vec::new();
    for (id, resource, properties) in functions {
        let name = resolver.functions.get(id).unwrap_or(id).clone();
        let mut reader = Reader {
            place,
            folder,
            resolver: &resolver,
            variables: stack.variables,
            id,
            notes: &mut notes,
        };
        specs.extend(reader.read(name, resource, &properties)?);
    }
    if specs.is_empty() {
        let mut problem = format!("has no {FUNCTION} that can be served");
        for note in notes {
            problem.push_str("\n  ");
            problem.push_str(&note);
        }
        return Err(ConfigError::new(place, Problem::Syntax(problem)));
    }
    Ok(Template {
        functions: specs,
        notes,
    })
}

/// The globals that a resource does not ignore; `None` if it ignores all.
///
/// # Errors
///
/// The line of an `IgnoreGlobals` that is neither `*` nor a list of properties.
fn applied(globals: &Node, resource: &Node) -> Result<Option<Node>, usize> {
    let Some(ignored) = resource.member("IgnoreGlobals") else {
        return Ok(Some(globals.clone()));
    };
    if ignored.text() == Some("*") {
        return Ok(None);
    }
    let names: Option<Vec<&str>> = match (&ignored.kind, &ignored.tag) {
        (Kind::List(names), None) => names.iter().map(Node::text).collect(),
        _ => None,
    };
    let names = names.ok_or(ignored.line)?;
    Ok(Some(globals.without(&names)))
}

/// Whether a stack would have this resource. If not, or if its condition cannot be evaluated, a note says
/// so.
fn is_created(
    place: &str,
    id: &str,
    resource: &Node,
    resolver: &Resolver<'_>,
    notes: &mut Vec<String>,
) -> bool {
    let Some(node) = resource.member("Condition") else {
        return true;
    };
    let (is_created, line, what) = match resolver.condition(node) {
        Ok(true) => return true,
        Ok(false) => {
            let name = node.text().unwrap_or_default();
            let what = format!("it is not served: its Condition {name} is false");
            (false, node.line, what)
        }
        Err(Unresolved { line, why }) => {
            let what = format!("its Condition is not evaluated: {why}; it is served");
            (true, line, what)
        }
    };
    notes.push(format!("{place}:{line}: {id}: {what}"));
    is_created
}

/// The name that a template gives to a function. If it exists in a deployed stack only, a note says so.
///
/// # Errors
///
/// If no function can have this name.
fn function_name(
    place: &str,
    id: &str,
    node: &Node,
    resolver: &Resolver<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<String>, ConfigError> {
    match resolver.text(node) {
        Ok(Some(name)) if !is_name(&name) => {
            let problem = Problem::Invalid {
                setting: format!("FunctionName of {id}"),
                value: name,
                expected: NAME.to_owned(),
            };
            Err(ConfigError::new(place, problem).at(node.line))
        }
        Ok(name) => Ok(name),
        Err(unresolved) => {
            notes.push(format!(
                "{place}:{}: {id}: FunctionName is not used: {}; it is served as {id}",
                unresolved.line, unresolved.why
            ));
            Ok(None)
        }
    }
}

/// Rejects values for parameters that the template does not have, which are probably misspelled, and
/// values that a parameter cannot have.
fn check_parameters(
    place: &str,
    parameters: Option<&Node>,
    stack: &Stack<'_>,
) -> Result<(), ConfigError> {
    let known = parameters.map(Node::members).unwrap_or_default();
    for (name, value) in stack.parameters {
        let Some((_, parameter)) = known.iter().find(|(known, _)| known == name) else {
            let names: Vec<_> = known.iter().map(|(name, _)| name.as_str()).collect();
            let expected = match names.as_slice() {
                [] => "none, since the template has no parameters".to_owned(),
                names => format!("one of {}", names.join(", ")),
            };
            let problem = Problem::Invalid {
                setting: "the name of a --parameter".to_owned(),
                value: name.clone(),
                expected,
            };
            return Err(ConfigError::new(place, problem));
        };
        if let Some(expected) = value::disallowed(parameter, value) {
            let is_secret = parameter.member("NoEcho").and_then(Node::text) == Some("true");
            let setting = format!("parameter {name}");
            let problem = match is_secret {
                true => Problem::Syntax(format!(
                    "the value of {setting} is not allowed; expected {expected}"
                )),
                false => Problem::Invalid {
                    setting,
                    value: value.clone(),
                    expected,
                },
            };
            return Err(ConfigError::new(place, problem).at(parameter.line));
        }
    }
    Ok(())
}

/// The members of `Globals` in SAM's specification.
const GLOBALS: [&str; 7] = [
    "Api",
    "CapacityProvider",
    "Function",
    "HttpApi",
    "LayerVersion",
    "SimpleTable",
    "StateMachine",
];

/// Notes what of `Globals` is not understood.
fn check_globals(place: &str, globals: Option<&Node>, notes: &mut Vec<String>) {
    let Some(globals) = globals else { return };
    if !matches!(globals.kind, yaml::Kind::Map(_)) {
        notes.push(format!(
            "{place}:{}: Globals is not used: expected a map",
            globals.line
        ));
    }
    for (name, node) in globals.members() {
        let line = node.line;
        if !GLOBALS.contains(&name.as_str()) {
            let known = GLOBALS.join(", ");
            notes.push(format!(
                "{place}:{line}: not used: Globals.{name}; expected one of {known}"
            ));
        } else if name == "Function" && !matches!(node.kind, yaml::Kind::Map(_)) {
            notes.push(format!(
                "{place}:{line}: Globals.Function is not used: expected a map"
            ));
        }
    }
}

#[cfg(test)]
mod tests;
