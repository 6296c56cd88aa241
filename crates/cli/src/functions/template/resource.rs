//! An `AWS::Serverless::Function` as a function to serve.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::value::{self, Resolver, Unresolved};
use super::yaml::{Kind, Node, is_intrinsic};
use crate::functions::error::{ConfigError, Problem};
use crate::functions::source::{is_executable, module};
use crate::functions::spec::{
    Code, Cors, CorsSettings, FunctionSpec, Language, Url, Value, is_variable,
};
use crate::functions::{MOST_CONCURRENCY, MOST_MEMORY, MOST_TIMEOUT};

/// The default timeout of a function, as in the service.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The properties that are used here.
const USED: &[&str] = &[
    "CodeUri",
    "Environment",
    "FunctionName",
    "FunctionUrlConfig",
    "Handler",
    "MemorySize",
    "PackageType",
    "ReservedConcurrentExecutions",
    "Runtime",
    "Timeout",
];

/// The properties that say nothing about how the code runs.
const WITHOUT_EFFECT: &[&str] = &[
    "Architectures",
    "Description",
    "PermissionsBoundary",
    "Policies",
    "Role",
    "Tags",
];

/// The attributes of a resource that are used here, or say nothing about how the code runs.
const ATTRIBUTES: &[&str] = &[
    "Condition",
    "Connectors",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "IgnoreGlobals",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

/// Reads one resource. Parts that cannot be used become notes.
pub(super) struct Reader<'t> {
    pub(super) place: &'t str,
    /// The folder of the template.
    pub(super) folder: &'t Path,
    pub(super) resolver: &'t Resolver<'t>,
    /// The variables that the user sets, whatever the template says about them.
    pub(super) variables: &'t BTreeSet<&'t str>,
    /// The logical ID.
    pub(super) id: &'t str,
    pub(super) notes: &'t mut Vec<String>,
}

/// Where the code of a function is, or why it cannot run.
type Found<T> = Result<T, (usize, String)>;

impl Reader<'_> {
    /// The function, or `None` with a note if it cannot run here.
    ///
    /// # Errors
    ///
    /// If a property has a value that no function can have.
    pub(super) fn read(
        &mut self,
        name: String,
        resource: &Node,
        properties: &Node,
    ) -> Result<Option<FunctionSpec>, ConfigError> {
        let (code, root) = match self.code(resource, properties) {
            Ok(found) => found,
            Err((line, why)) => {
                self.note(line, &format!("it is not served: {why}"));
                return Ok(None);
            }
        };
        let mut spec = FunctionSpec::new(name, code, root);
        let memory = self.number(properties, "MemorySize", 1..=MOST_MEMORY.into())?;
        if let Some(memory) = memory.and_then(|memory| u32::try_from(memory).ok()) {
            spec.memory = memory;
        }
        let longest = usize::try_from(MOST_TIMEOUT.as_secs()).unwrap_or(usize::MAX);
        let timeout = self.number(properties, "Timeout", 1..=longest)?;
        let seconds = timeout.and_then(|seconds| u64::try_from(seconds).ok());
        spec.timeout = seconds.map_or(TIMEOUT, Duration::from_secs);
        let limit = self.number(properties, "ReservedConcurrentExecutions", 0..=usize::MAX)?;
        match limit {
            Some(limit) if limit > MOST_CONCURRENCY => {
                spec.concurrency = MOST_CONCURRENCY;
                let text = format!(
                    "ReservedConcurrentExecutions is {limit}; at most {MOST_CONCURRENCY} instances run \
                     here"
                );
                self.note(resource.line, &text);
            }
            Some(0) => self.note(
                resource.line,
                "ReservedConcurrentExecutions is not used: with 0, every call would be rejected",
            ),
            limit => spec.concurrency = limit.unwrap_or(spec.concurrency),
        }
        self.environment(properties, &mut spec);
        spec.url = self.url(properties)?;
        let known = [USED, WITHOUT_EFFECT].concat();
        self.unused(resource.line, "", properties, &known);
        self.unused(resource.line, "", resource, ATTRIBUTES);
        Ok(Some(spec))
    }

    /// Notes the members of a map that are not used. `of` is the path of the map, with a dot at its
    /// end.
    fn unused(&mut self, line: usize, of: &str, map: &Node, used: &[&str]) {
        let members = map.members().iter().map(|(name, _)| name.as_str());
        let unused: Vec<_> = members
            .filter(|name| !used.contains(name))
            .map(|name| format!("{of}{name}"))
            .collect();
        if !unused.is_empty() {
            self.note(line, &format!("not used: {}", unused.join(", ")));
        }
    }

    /// A property that is a map; if it is something else, a note says so.
    fn map(&mut self, properties: &Node, name: &str) -> Option<Node> {
        let node = properties.member(name)?;
        let chosen = self.resolver.chosen(node);
        if let Ok(Node {
            kind: Kind::Map(members),
            tag: None,
            ..
        }) = &chosen
        {
            if !is_intrinsic(members) {
                return chosen.ok();
            }
        }
        match chosen.and_then(|node| self.resolver.text(&node)) {
            _ if node.kind == Kind::Null => {}
            Ok(None) => {}
            Ok(Some(_)) => self.note(node.line, &format!("{name} is not used: it is a text")),
            Err(unresolved) => {
                let text = format!("{name} is not used: {}", unresolved.why);
                self.note(unresolved.line, &text);
            }
        }
        None
    }

    /// A property that has one of a few values; if it has another one, a note says so.
    fn choice<T>(
        &mut self,
        properties: &Node,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (line, text) = self.text(properties, name)?;
        let parsed = parse(&text);
        if parsed.is_none() {
            let text = format!("{name} is not used: '{text}' is not a value that it can have");
            self.note(line, &text);
        }
        parsed
    }

    fn note(&mut self, line: usize, text: &str) {
        let (place, id) = (self.place, self.id);
        self.notes.push(format!("{place}:{line}: {id}: {text}"));
    }

    /// The text of a property; if it cannot be resolved, a note says so.
    fn text(&mut self, properties: &Node, name: &str) -> Option<(usize, String)> {
        let node = properties.member(name)?;
        match self.resolver.text(node) {
            Ok(text) => text.map(|text| (node.line, text)),
            Err(unresolved) => {
                let why = format!("{name} is not used: {}", unresolved.why);
                self.note(unresolved.line, &why);
                None
            }
        }
    }

    fn number(
        &mut self,
        properties: &Node,
        name: &str,
        range: RangeInclusive<usize>,
    ) -> Result<Option<usize>, ConfigError> {
        let Some((line, text)) = self.text(properties, name) else {
            return Ok(None);
        };
        match text.parse().ok().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => {
                let problem = Problem::Invalid {
                    setting: format!("{name} of {}", self.id),
                    value: text,
                    expected: format!("a number from {} to {}", range.start(), range.end()),
                };
                Err(ConfigError::new(self.place, problem).at(line))
            }
        }
    }

    /// A text without which the function cannot run.
    fn required(&self, properties: &Node, name: &str) -> Found<Option<(usize, String)>> {
        let Some(node) = properties.member(name) else {
            return Ok(None);
        };
        match self.resolver.text(node) {
            Ok(text) => Ok(text.map(|text| (node.line, text))),
            Err(unresolved) => Err((unresolved.line, format!("{name}: {}", unresolved.why))),
        }
    }

    fn code(&mut self, resource: &Node, properties: &Node) -> Found<(Code, PathBuf)> {
        if let Some((line, kind)) = self.required(properties, "PackageType")? {
            if kind != "Zip" {
                return Err((line, format!("its package is of type {kind}, not a folder")));
            }
        }
        if let Some(inline) = properties.member("InlineCode") {
            return Err((
                inline.line,
                "its code is in the template (InlineCode)".to_owned(),
            ));
        }
        let missing = |name: &str| (resource.line, format!("it has no {name}"));
        let (line, runtime) = self
            .required(properties, "Runtime")?
            .ok_or_else(|| missing("Runtime"))?;
        let root = self.root(resource, properties)?;
        let language = match runtime.as_str() {
            runtime if runtime.starts_with("python3") => Language::Python,
            runtime if runtime.starts_with("nodejs") => Language::Node,
            runtime if runtime.starts_with("provided") => {
                let bootstrap = root.join("bootstrap");
                return match is_executable(&bootstrap) {
                    true => {
                        let command = vec![bootstrap.to_string_lossy().into_owned()];
                        Ok((Code::Command(command), root))
                    }
                    false => Err((
                        line,
                        format!("there is no executable 'bootstrap' in {}", root.display()),
                    )),
                };
            }
            _ => return Err((line, format!("runtime {runtime} is not supported"))),
        };
        let (line, handler) = self
            .required(properties, "Handler")?
            .ok_or_else(|| missing("Handler"))?;
        match module(&root, language, &handler) {
            Some(_) => Ok((Code::Handler { language, handler }, root)),
            None => Err((
                line,
                format!(
                    "there is no module for handler {handler} in {}",
                    root.display()
                ),
            )),
        }
    }

    /// The folder of the code: the build output, if the template says how it is built, or else the
    /// source.
    fn root(&mut self, resource: &Node, properties: &Node) -> Found<PathBuf> {
        let metadata = resource.member("Metadata");
        // `sam build` writes a template whose CodeUri is the output, wherever it is told to.
        let is_built = self.folder.ends_with(".aws-sam/build")
            || metadata.is_some_and(|metadata| metadata.member("SamResourceId").is_some());
        let method = metadata.and_then(|metadata| metadata.member("BuildMethod"));
        if let Some(method) = method.filter(|_| !is_built) {
            let built = self.folder.join(".aws-sam/build").join(self.id);
            let how = method.text().unwrap_or("in another way").to_owned();
            if !built.is_dir() {
                return Err((
                    method.line,
                    format!(
                        "it is to be built ({how}), and {} does not exist; run sam build, or name the template \
                         that it wrote",
                        built.display()
                    ),
                ));
            }
            let text = format!("it runs as it was built ({how}), from {}", built.display());
            self.note(method.line, &text);
            return Ok(built);
        }
        let line = properties
            .member("CodeUri")
            .map_or(resource.line, |node| node.line);
        // `Bucket` and `Key` of an object.
        if properties
            .member("CodeUri")
            .is_some_and(|uri| uri.member("Bucket").is_some() && uri.member("Key").is_some())
        {
            return Err((line, "its code is in S3".to_owned()));
        }
        let uri = match self.required(properties, "CodeUri")? {
            Some((_, uri)) if uri.starts_with("s3://") => {
                return Err((line, "its code is in S3".to_owned()));
            }
            Some((_, uri)) => uri,
            None => ".".to_owned(),
        };
        let path = self.folder.join(&uri);
        match std::fs::canonicalize(&path)
            .ok()
            .filter(|path| path.is_dir())
        {
            Some(path) => Ok(path),
            None => Err((line, format!("its CodeUri '{uri}' is not a folder"))),
        }
    }

    fn environment(&mut self, properties: &Node, spec: &mut FunctionSpec) {
        let Some(environment) = self.map(properties, "Environment") else {
            return;
        };
        self.unused(
            environment.line,
            "Environment.",
            &environment,
            &["Variables"],
        );
        let Some(variables) = self.map(&environment, "Variables") else {
            return;
        };
        for (name, node) in variables.members() {
            if self.variables.contains(name.as_str()) {
                continue;
            }
            match self.resolver.text(node) {
                Ok(Some(text)) if is_variable(name) && !text.contains('\0') => {
                    let text = match node.is_plain {
                        true => self.plain(name, text, node.line),
                        false => text,
                    };
                    if name == "AWS_LAMBDA_EXEC_WRAPPER" {
                        self.note(
                            node.line,
                            "AWS_LAMBDA_EXEC_WRAPPER is set, but no wrapper is run",
                        );
                    }
                    spec.environment.insert(name.clone(), Value(text));
                }
                Ok(Some(_)) => self.note(node.line, &format!("{name} cannot be a variable")),
                Ok(None) => {}
                Err(unresolved) => {
                    let text = format!(
                        "variable {name} is not set: {}; --env {name}=VALUE sets it",
                        unresolved.why
                    );
                    self.note(unresolved.line, &text);
                }
            }
        }
    }

    /// Returns the value that a deployed function gets for a variable without quotes: of YAML 1.1, which the
    /// service reads, a boolean may have several names. A number may be written in another way; which one is
    /// not guessed.
    fn plain(&mut self, name: &str, text: String, line: usize) -> String {
        if let Some(value) = value::boolean(&text) {
            return value.to_string();
        }
        if value::is_rewritten_number(&text) {
            let note = format!(
                "variable {name} is {text}, which is a number in YAML; a deployed function may get it written \
                 in another way, unless it has quotes"
            );
            self.note(line, &note);
        }
        text
    }

    fn url(&mut self, properties: &Node) -> Result<Option<Url>, ConfigError> {
        let Some(config) = self.map(properties, "FunctionUrlConfig") else {
            return Ok(None);
        };
        let used = ["AuthType", "Cors", "InvokeMode"];
        self.unused(config.line, "FunctionUrlConfig.", &config, &used);
        let mut url = Url {
            // When in doubt, the URL requires signatures.
            signed: Some(true),
            ..Url::default()
        };
        let auth = config.member("AuthType");
        match auth.map(|node| self.resolver.text(node)) {
            Some(Ok(Some(auth))) if auth == "NONE" => url.signed = Some(false),
            Some(Ok(Some(auth))) if auth == "AWS_IAM" => {}
            Some(Err(Unresolved { line, why })) => {
                let text = format!("AuthType is not used: {why}; AWS_IAM is used");
                self.note(line, &text);
            }
            _ => self.note(
                config.line,
                "AuthType is neither NONE nor AWS_IAM; AWS_IAM is used",
            ),
        }
        let streamed = self.choice(&config, "InvokeMode", |mode| match mode {
            "BUFFERED" => Some(false),
            "RESPONSE_STREAM" => Some(true),
            _ => None,
        });
        url.streamed = Some(streamed.unwrap_or(false));
        url.cors = self.cors(&config)?;
        Ok(Some(url))
    }

    fn cors(&mut self, config: &Node) -> Result<Option<Cors>, ConfigError> {
        let Some(settings) = self.map(config, "Cors") else {
            return Ok(None);
        };
        let used = [
            "AllowCredentials",
            "AllowHeaders",
            "AllowMethods",
            "AllowOrigins",
            "ExposeHeaders",
            "MaxAge",
        ];
        self.unused(settings.line, "Cors.", &settings, &used);
        let mut cors = CorsSettings::default();
        for (name, list) in [
            ("AllowOrigins", &mut cors.allow_origins),
            ("AllowMethods", &mut cors.allow_methods),
            ("AllowHeaders", &mut cors.allow_headers),
            ("ExposeHeaders", &mut cors.expose_headers),
        ] {
            if let Some(node) = settings.member(name) {
                *list = self.list(name, node);
            }
        }
        let credentials = self.choice(&settings, "AllowCredentials", value::boolean);
        cors.allow_credentials = credentials.unwrap_or(false);
        cors.max_age = self.choice(&settings, "MaxAge", |text| text.parse().ok());
        match Cors::try_from(cors) {
            Ok(cors) => Ok(Some(cors)),
            Err(error) => {
                let problem = Problem::Syntax(format!("Cors of {}: {error}", self.id));
                Err(ConfigError::new(self.place, problem).at(settings.line))
            }
        }
    }

    fn list(&mut self, name: &str, node: &Node) -> Vec<String> {
        let values = match self.resolver.list(node) {
            Ok(values) => values.unwrap_or_else(|| vec![self.resolver.text(node)]),
            Err(unresolved) => {
                let text = format!("{name} is not used: {}", unresolved.why);
                self.note(unresolved.line, &text);
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for value in values {
            match value {
                Ok(text) => texts.extend(text),
                Err(unresolved) => {
                    let text = format!("a value of {name} is not used: {}", unresolved.why);
                    self.note(unresolved.line, &text);
                }
            }
        }
        texts
    }
}
