//! The functions of an endpoint, and the code that each qualifier refers to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use crate::function::info::FunctionInfo;
use crate::function::log::OnLog;
use crate::function::url::FunctionUrl;
use crate::function::{Function, Handler, Source};
use crate::run::concurrency::{Limit, Limits};

/// A registered function, with its ARN and the counters for its limits.
pub(crate) struct Registered {
    info: Arc<FunctionInfo>,
    latest: Handler,
    versions: BTreeMap<u64, Option<Handler>>,
    aliases: BTreeMap<String, u64>,
    limits: Limits,
    /// How many invocations may run at once.
    concurrency: Option<usize>,
    url: Option<FunctionUrl>,
}

/// The version and code that a qualifier refers to.
pub(crate) struct Resolved<'a> {
    /// `None` means `$LATEST`.
    pub(crate) version: Option<u64>,
    pub(crate) handler: &'a Handler,
}

impl Registered {
    pub(crate) fn name(&self) -> &str {
        &self.info.name
    }

    /// Returns the ARN without a qualifier.
    pub(crate) fn arn(&self) -> &str {
        &self.info.arn
    }

    pub(crate) fn info(&self) -> &Arc<FunctionInfo> {
        &self.info
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the settings of the function's URL; `None` if it has none.
    pub(crate) fn url(&self) -> Option<&FunctionUrl> {
        self.url.as_ref()
    }

    /// Returns the code of every version.
    fn handlers(&self) -> impl Iterator<Item = &Handler> {
        let versions = self.versions.values().filter_map(Option::as_ref);
        std::iter::once(&self.latest).chain(versions)
    }

    /// Returns the function's own concurrency limit.
    pub(crate) const fn reserved_concurrency(&self) -> Option<usize> {
        self.concurrency
    }

    /// Returns the numbers of the published versions, sorted.
    pub(crate) fn versions(&self) -> impl Iterator<Item = u64> + '_ {
        self.versions.keys().copied()
    }

    /// Resolves a qualifier. No qualifier means `$LATEST`; `$LATEST.PUBLISHED` is the newest
    /// published version. Returns `None` if the function has no such version or alias.
    pub(crate) fn resolve(&self, qualifier: Option<&str>) -> Option<Resolved<'_>> {
        let number = match qualifier {
            None | Some("$LATEST") => {
                return Some(Resolved {
                    version: None,
                    handler: &self.latest,
                });
            }
            Some("$LATEST.PUBLISHED") => *self.versions.last_key_value()?.0,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            Some(alias) => *self.aliases.get(alias)?,
        };
        let handler = self.versions.get(&number)?.as_ref().unwrap_or(&self.latest);
        Some(Resolved {
            version: Some(number),
            handler,
        })
    }
}

impl std::fmt::Debug for Registered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registered")
            .field("arn", &self.info.arn)
            .finish_non_exhaustive()
    }
}

/// All functions of an endpoint, by name.
#[derive(Debug)]
pub(crate) struct Registry {
    functions: HashMap<String, Arc<Registered>>,
}

impl Registry {
    /// `prefix` is the ARN up to the function's name.
    pub(crate) fn new(
        functions: impl IntoIterator<Item = Function>,
        prefix: &str,
        account_concurrency: Option<usize>,
        on_log: Option<&OnLog>,
    ) -> Self {
        let account = account_concurrency.map(|most| Arc::new(Limit::new(most)));
        let registered = SystemTime::now();
        let register = |function: Function| {
            let info = FunctionInfo {
                arn: format!("{prefix}{}", function.name),
                name: function.name.clone(),
                timeout: function.timeout,
                memory_mb: function.memory_mb,
                registered,
                on_log: on_log.cloned(),
            };
            let handler =
                |source: Source, version| source.into_handler(&info, function.concurrency, version);
            // Calls that a program cannot take are throttled before they start.
            let capacity = function.latest.capacity(function.concurrency);
            let versions = function.versions.into_iter();
            let versions = versions.map(|(number, source)| {
                let own = source.map(|source| handler(source, Some(number)));
                (number, own)
            });
            let registered = Registered {
                versions: versions.collect(),
                latest: handler(function.latest, None),
                info: Arc::new(info),
                aliases: function.aliases,
                concurrency: capacity.map(|capacity| capacity.running),
                url: function.url,
                limits: Limits {
                    function: capacity
                        .map(|capacity| capacity.running.saturating_add(capacity.waiting))
                        .map(Limit::new)
                        .map(Arc::new),
                    account: account.clone(),
                },
            };
            (function.name, Arc::new(registered))
        };
        Self {
            functions: functions.into_iter().map(register).collect(),
        }
    }

    /// Replaces the instances of a function's programs: idle ones end, running ones finish first.
    pub(crate) fn restart(&self, name: &str) {
        for handler in self
            .get(name)
            .into_iter()
            .flat_map(|function| function.handlers())
        {
            handler.restart();
        }
    }

    /// Ends the programs and waits until their processes have ended.
    pub(crate) async fn shutdown(&self) {
        for handler in self
            .functions
            .values()
            .flat_map(|function| function.handlers())
        {
            handler.shutdown().await;
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Registered>> {
        self.functions.get(name)
    }

    /// Finds a function by its name in any letter case. The exact name takes precedence; otherwise,
    /// names that differ only in case are ambiguous and not found.
    pub(crate) fn get_ignoring_case(&self, name: &str) -> Option<&Arc<Registered>> {
        self.get(name).or_else(|| {
            let is_same = |function: &&Arc<Registered>| function.name().eq_ignore_ascii_case(name);
            let mut same = self.functions.values().filter(is_same);
            same.next().filter(|_| same.next().is_none())
        })
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.functions.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::error::FunctionError;

    fn version(function: &Registered, qualifier: Option<&str>) -> Option<Option<u64>> {
        function.resolve(qualifier).map(|resolved| resolved.version)
    }

    #[test]
    fn a_qualifier_is_a_version_or_an_alias() {
        let function = Function::buffered("f", |_| async { Ok::<_, FunctionError>("") })
            .version(7)
            .alias("live", 3);
        let registry = Registry::new([function], "arn:aws:lambda:r:1:function:", None, None);
        let f = registry.get("f").unwrap();
        assert_eq!(f.arn(), "arn:aws:lambda:r:1:function:f");
        assert_eq!(version(f, None), Some(None));
        assert_eq!(version(f, Some("$LATEST")), Some(None));
        assert_eq!(version(f, Some("$LATEST.PUBLISHED")), Some(Some(7)));
        assert_eq!(version(f, Some("3")), Some(Some(3)));
        assert_eq!(version(f, Some("live")), Some(Some(3)));
        for unknown in ["4", "dead", "99999999999999999999999", "$OTHER"] {
            assert_eq!(version(f, Some(unknown)), None, "{unknown}");
        }
    }

    #[test]
    fn latest_published_needs_a_published_version() {
        let function = Function::buffered("f", |_| async { Ok::<_, FunctionError>("") });
        let registry = Registry::new([function], "", None, None);
        let f = registry.get("f").unwrap();
        assert_eq!(version(f, Some("$LATEST.PUBLISHED")), None);
    }
}
