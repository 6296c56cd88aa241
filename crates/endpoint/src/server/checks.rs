//! The checks of functions and fault rules when an endpoint is built.

use lambda_invoke_input::{FunctionName, Qualifier, QualifierKind};

use super::build_error::BuildError;
use crate::fault::Fault;
use crate::function::Function;

/// Adds aliases to functions, and checks all names.
pub(super) fn with_aliases(
    functions: Vec<Function>,
    aliases: Vec<(String, String, u64)>,
) -> Result<Vec<Function>, BuildError> {
    let mut named: Vec<Function> = Vec::with_capacity(functions.len());
    for function in functions {
        let name = FunctionName::try_from(&function.name);
        if !name.is_ok_and(|name| name.is_bare() && name.qualifier().is_none()) {
            return Err(BuildError::FunctionName(function.name));
        }
        if named.iter().any(|other| other.name == function.name) {
            return Err(BuildError::FunctionTwice(function.name));
        }
        named.push(function);
    }
    for (name, alias, version) in aliases {
        let Some(place) = named.iter().position(|function| function.name == name) else {
            return Err(BuildError::AliasOfUnknown(name));
        };
        let function = named.remove(place).alias(alias, version);
        named.insert(place, function);
    }
    for function in &named {
        if let Some(qualifier) = function.contradictions.first() {
            return Err(BuildError::QualifierTwice {
                function: function.name.clone(),
                qualifier: qualifier.clone(),
            });
        }
        if function.versions.contains_key(&0) {
            return Err(BuildError::VersionZero(function.name.clone()));
        }
    }
    let is_invalid = |alias: &&String| {
        let kind = Qualifier::try_from(*alias).map(|qualifier| qualifier.kind());
        !matches!(kind, Ok(QualifierKind::Alias))
    };
    let alias = named
        .iter()
        .flat_map(|function| function.aliases.keys())
        .find(is_invalid);
    match alias {
        Some(alias) => Err(BuildError::Alias(alias.clone())),
        None => Ok(named),
    }
}

/// Checks that each rule is valid and matches a function.
pub(super) fn check_faults(faults: &[Fault], functions: &[Function]) -> Result<(), BuildError> {
    for fault in faults {
        fault.check().map_err(|why| BuildError::Fault {
            pattern: fault.pattern.as_str().to_owned(),
            why,
        })?;
        if fault.matches_none(functions.iter().map(Function::name)) {
            let mut names: Vec<_> = functions
                .iter()
                .map(|function| function.name.clone())
                .collect();
            names.sort_unstable();
            return Err(BuildError::FaultOfUnknown {
                rule: fault.to_string(),
                functions: names,
            });
        }
    }
    Ok(())
}
