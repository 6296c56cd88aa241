//! Finds the handler in the text of a module, without running it.

use crate::functions::error::Problem;
use crate::functions::spec::Language;

/// The usual names of handlers, the preferred one first.
const PYTHON: &[&str] = &["lambda_handler", "handler"];
const NODE: &[&str] = &["handler", "lambdaHandler", "lambda_handler"];

/// The name of the handler that a module defines.
///
/// # Errors
///
/// If it defines no function with a usual name; the error lists the names that it defines.
pub(crate) fn find(language: Language, text: &str) -> Result<String, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (usual, defined) = match language {
        Language::Python => (PYTHON, python(text)),
        Language::Node => (NODE, node(text)),
    };
    let found = usual
        .iter()
        .find(|name| defined.iter().any(|it| it == *name));
    if let Some(name) = found {
        return Ok((*name).to_owned());
    }
    // Only the interpreter can follow the exports that bundlers write.
    let is_bundled =
        language == Language::Node && (defined.is_empty() || text.contains("__webpack_exports__"));
    let mentioned = usual
        .iter()
        .find(|name| words(text).any(|word| word == **name));
    if let (true, Some(name)) = (is_bundled, mentioned) {
        return Ok((*name).to_owned());
    }
    const MOST: usize = 8;
    Err(Problem::NoHandler {
        looked_for: usual,
        defined: defined.into_iter().take(MOST).collect(),
    })
}

/// The words of a text: its identifiers and numbers.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_part(c))
        .filter(|word| !word.is_empty())
}

fn is_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// The identifier at the beginning of a text, and the rest.
fn identifier(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The text after a word and the white space that follows it.
fn after<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(word)?;
    rest.starts_with([' ', '\t']).then(|| rest.trim_start())
}

/// The names that a Python module defines at its top level: functions, assignments and imports.
fn python(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |name: &str| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    };
    let mut in_text: Option<&str> = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let was_in_text = in_text.is_some();
        in_text = after_triple_quotes(line, in_text);
        if was_in_text || line.starts_with([' ', '\t', '#']) {
            continue;
        }
        let line = line.trim_end();
        let definition = after(line, "async").unwrap_or(line);
        if let Some(rest) = after(definition, "def") {
            if let Some((name, _)) = identifier(rest) {
                add(name);
            }
        } else if let Some(rest) = after(line, "from") {
            let Some((_, list)) = rest.split_once(" import ") else {
                continue;
            };
            let mut list = list.split('#').next().unwrap_or_default().to_owned();
            while list.contains('(') && !list.contains(')') {
                let Some(line) = lines.next() else { break };
                list.push(' ');
                list.push_str(line.split('#').next().unwrap_or_default());
            }
            for item in list.trim_matches(['(', ')', ' ']).split(',') {
                if let Some(name) = words(item).last() {
                    add(name);
                }
            }
        } else if let Some((name, rest)) = identifier(line) {
            let rest = rest.trim_start();
            if (rest.starts_with('=') && !rest.starts_with("=="))
                || (rest.starts_with(':') && rest.contains('='))
            {
                add(name);
            }
        }
    }
    names
}

/// Whether the line after this one is in a triple-quoted string, and which quotes it has.
fn after_triple_quotes<'q>(line: &str, mut open: Option<&'q str>) -> Option<&'q str> {
    let mut rest = line;
    loop {
        match open {
            Some(quote) => {
                let Some((_, after)) = rest.split_once(quote) else {
                    return open;
                };
                (rest, open) = (after, None);
            }
            None => {
                let code = rest.split('#').next().unwrap_or_default();
                let first = ["\"\"\"", "'''"]
                    .into_iter()
                    .filter_map(|quote| Some((code.find(quote)?, quote)))
                    .min();
                let (at, quote) = first?;
                rest = rest.get(at + quote.len()..).unwrap_or_default();
                open = Some(quote);
            }
        }
    }
}

/// The names that a JavaScript module exports in the usual ways.
fn node(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |name: &str| {
        if !names.iter().any(|known| known == name) && !name.is_empty() {
            names.push(name.to_owned());
        }
    };
    let mut in_comment = false;
    let mut rest = text;
    while !rest.is_empty() {
        let (line, next) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = line.trim_start();
        in_comment |= trimmed.starts_with("/*");
        if in_comment || trimmed.starts_with("//") {
            in_comment &= !line.contains("*/");
            rest = next;
            continue;
        }
        // Lists may span lines, so they are read from the whole rest of the text.
        let from = rest.get(line.len() - trimmed.len()..).unwrap_or_default();
        if let Some(exported) = after(from, "export") {
            let exported = after(exported, "async").unwrap_or(exported);
            if let Some(list) = exported.strip_prefix('{') {
                for item in list.split('}').next().unwrap_or_default().split(',') {
                    add(words(item).last().unwrap_or_default());
                }
            } else if let Some((kind, name)) = identifier(exported) {
                let name = name.trim_start().trim_start_matches('*');
                if ["const", "let", "var", "function", "class"].contains(&kind) {
                    add(identifier(name).map_or("", |(name, _)| name));
                }
            }
        }
        for prefix in ["exports.", "exports[\"", "exports['"] {
            for part in line.split(prefix).skip(1) {
                if let Some((name, rest)) = identifier(part) {
                    let rest = rest.trim_start_matches(['"', '\'', ']', ' ']);
                    if rest.starts_with('=') && !rest.starts_with("==") {
                        add(name);
                    }
                }
            }
        }
        if let Some(list) = from.strip_prefix("module.exports") {
            let list = list.trim_start().strip_prefix('=').map(str::trim_start);
            if let Some(list) = list.and_then(|list| list.strip_prefix('{')) {
                // The first word of each member counts; the list is read up to the first member
                // with a body.
                for item in list.split(['}', '(']).next().unwrap_or_default().split(',') {
                    let mut parts = words(item);
                    match parts.next() {
                        Some("async") => add(parts.next().unwrap_or_default()),
                        Some(name) => add(name),
                        None => {}
                    }
                }
            }
        }
        rest = next;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_python_handlers() {
        for (text, expected) in [
            (
                "def lambda_handler(event, context):\n    return 1",
                "lambda_handler",
            ),
            ("def handler(event, context): pass", "handler"),
            ("\u{feff}def handler(event, context): pass", "handler"),
            (
                "def handler(e, c): pass\ndef lambda_handler(e, c): pass",
                "lambda_handler",
            ),
            ("async def handler(event, context):\n    yield 1", "handler"),
            ("handler = Mangum(app)", "handler"),
            ("handler: Handler = make()", "handler"),
            ("from service import main as handler", "handler"),
            (
                "from service import (\n    other,  # (\n    handler,\n)\n",
                "handler",
            ),
            (
                "\"\"\"\ndef lambda_handler(e, c)\n\"\"\"\ndef handler(e, c): pass",
                "handler",
            ),
            (
                "def helper(a): pass\n\n@tracer\ndef handler(e, c): pass",
                "handler",
            ),
        ] {
            assert_eq!(find(Language::Python, text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn finds_node_handlers() {
        for (text, expected) in [
            ("exports.handler = async (event) => 1;", "handler"),
            ("module.exports.handler = f", "handler"),
            (
                "    exports.parse = parse;\nvar __webpack_exports__ = {};\n\
                 __webpack_require__.d(__webpack_exports__, { handler: () => handler });\n\
                 module.exports = __webpack_exports__;",
                "handler",
            ),
            ("module.exports = { handler }", "handler"),
            (
                "module.exports = {\n  helper,\n  handler: async () => 1,\n};",
                "handler",
            ),
            (
                "export const handler = awslambda.streamifyResponse(async () => {});",
                "handler",
            ),
            ("export async function handler(event) {}", "handler"),
            ("export function* handler(event) {}", "handler"),
            ("const f = 1;\nexport {\n  f as handler,\n};", "handler"),
            ("exports.lambdaHandler = async () => 1", "lambdaHandler"),
            (
                "/* exports.lambdaHandler = 1\n */\nexports.handler = 1",
                "handler",
            ),
            ("__export(src, { handler: () => handler });", "handler"),
        ] {
            assert_eq!(find(Language::Node, text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn lists_what_is_defined_if_no_name_is_usual() {
        for (language, text, expected) in [
            (Language::Python, "def handle(e, c): pass", &["handle"][..]),
            (
                Language::Python,
                "import x\nif x == 1:\n    def handler(): pass\nA = 1\ndef b(): pass",
                &["A", "b"],
            ),
            (Language::Python, "", &[]),
            (
                Language::Python,
                "# def handler(e, c)\n'''\ndef handler(e, c): pass\n",
                &[],
            ),
            (
                Language::Node,
                "export const main = 1\nconst handler = 2",
                &["main"],
            ),
            (
                Language::Node,
                "exports.a = 1; exports.b = 2\nif (exports.handler == 1) {}",
                &["a", "b"],
            ),
            (Language::Node, "// nothing", &[]),
        ] {
            match find(language, text) {
                Err(Problem::NoHandler { defined, .. }) => assert_eq!(defined, expected, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
