mod conditions;
mod values;

use std::time::Duration;

use super::*;
use crate::functions::spec::{Code, Language};
use crate::functions::testing::Folder;

fn project() -> Folder {
    let folder = Folder::new();
    folder.write("hello/app.py", "def lambda_handler(event, context): pass");
    folder.write("web/src/index.mjs", "export const handler = 1");
    folder.program("rust/bootstrap");
    folder
}

fn read(folder: &Folder, text: &str, parameters: &[(&str, &str)]) -> Result<Template, ConfigError> {
    let parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let stack = Stack {
        region: "eu-west-1",
        account: "111122223333",
        parameters: &parameters,
        variables: &BTreeSet::from(["SET"]),
    };
    parse("template.yaml", text, folder.path(), &stack)
}

const PROJECT: &str = "\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Key: {Type: String}
  Secret: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /name/of/it}
Mappings:
  Sizes: {dev: {Memory: 256}}
Globals:
  Function:
    Timeout: 10
    Runtime: python3.12
    Environment: {Variables: {STAGE: !Ref Stage, LEVEL: info}}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello/
      Handler: app.lambda_handler
      MemorySize: !FindInMap [Sizes, !Ref Stage, Memory]
      Events: {Api: {Type: HttpApi}}
      Environment:
        Variables:
          LEVEL: debug
          VERSION: 1.10
          FLAG: true
          URL: !Sub 'https://${Stage}.example.${AWS::URLSuffix}/${!x}'
          ARN: !GetAtt Web.Arn
          NAME: {Ref: Web}
          LIST: {'Fn::Join': ['-', [a, !Ref Stage]]}
          LONG: !Sub ['${a}-${Stage}', {a: !Ref 'AWS::AccountId'}]
          GONE: !Ref AWS::NoValue
          KEY: !Ref Key
          SECRET: !Ref Secret
          TABLE: !Ref Table
          STREAM: !Sub '${Table.StreamArn}'
          DYNAMIC: '{{resolve:secretsmanager:x}}'
          OBJECT: {a: b}
          CHOSEN: !If [IsProd, a, b]
  Web:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub 'web-${Stage}'
      CodeUri: ./web
      Handler: src/index.handler
      Runtime: nodejs22.x
      ReservedConcurrentExecutions: 2
      FunctionUrlConfig:
        AuthType: NONE
        InvokeMode: RESPONSE_STREAM
        Cors: {AllowOrigins: ['*'], MaxAge: 60, AllowCredentials: true}
  Rust:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: rust, Handler: bootstrap, Runtime: provided.al2023}
  Table: {Type: AWS::DynamoDB::Table}
";

#[test]
fn reads_a_project() {
    let folder = project();
    let Template { functions, notes } = read(&folder, PROJECT, &[]).unwrap();
    let [hello, web, rust] = functions.as_slice() else {
        panic!("{functions:?}")
    };
    assert_eq!((hello.name.as_str(), hello.memory), ("Hello", 256));
    assert_eq!(hello.timeout, Duration::from_secs(10));
    assert_eq!(hello.root, folder.path().join("hello"));
    let variables: Vec<_> = hello
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.0.as_str()))
        .collect();
    let arn = "arn:aws:lambda:eu-west-1:111122223333:function:web-dev";
    assert_eq!(
        variables,
        [
            ("ARN", arn),
            ("FLAG", "true"),
            ("LEVEL", "debug"),
            ("LIST", "a-dev"),
            ("LONG", "111122223333-dev"),
            ("NAME", "web-dev"),
            ("STAGE", "dev"),
            ("URL", "https://dev.example.amazonaws.com/${x}"),
            ("VERSION", "1.10"),
        ]
    );
    let handler = "src/index.handler".to_owned();
    let language = Language::Node;
    assert_eq!(web.code, Code::Handler { language, handler });
    assert_eq!((web.name.as_str(), web.concurrency), ("web-dev", 2));
    let url = web.url.as_ref().unwrap();
    assert_eq!((url.streamed, url.signed), (Some(true), Some(false)));
    let cors = url.cors.as_ref().unwrap();
    assert_eq!(
        (cors.settings().allow_origins.len(), cors.settings().max_age),
        (1, Some(60))
    );
    assert!(cors.settings().allow_credentials);
    let bootstrap = folder.path().join("rust/bootstrap");
    assert_eq!(
        rust.code,
        Code::Command(vec![bootstrap.to_str().unwrap().to_owned()])
    );
    // Parts that are not understood are listed once, with their lines.
    for (line, part) in [
        (
            32,
            "KEY is not set: parameter Key has no default; set it with --parameter Key=VALUE",
        ),
        (
            33,
            "SECRET is not set: the value of parameter Secret is in Systems Manager",
        ),
        (
            34,
            "TABLE is not set: Table exists in a deployed stack only; --env TABLE=VALUE sets it",
        ),
        (
            35,
            "STREAM is not set: Table.StreamArn exists in a deployed stack only",
        ),
        (
            36,
            "DYNAMIC is not set: {{resolve:...}} is replaced on deployment only",
        ),
        (24, "VERSION is 1.10, which is a number in YAML"),
        (37, "OBJECT is not set: an object is not a text"),
        (38, "CHOSEN is not set: there is no condition IsProd"),
        (15, "not used: Events"),
    ] {
        let begin = format!("template.yaml:{line}: Hello: ");
        let found = notes.iter().filter(|note| note.contains(part));
        let found: Vec<_> = found.collect();
        assert_eq!(found.len(), 1, "{part}: {notes:#?}");
        assert!(found[0].starts_with(&begin), "{found:?}");
    }
    assert_eq!(notes.len(), 9, "{notes:#?}");
}

#[test]
fn parameters_can_be_set() {
    let folder = project();
    let read = read(
        &folder,
        PROJECT,
        &[("Key", "k"), ("Secret", "s"), ("Stage", "dev")],
    )
    .unwrap();
    let environment = &read.functions[0].environment;
    assert_eq!(environment["KEY"].0, "k");
    assert_eq!(environment["SECRET"].0, "s");
}

#[test]
fn a_parameter_only_takes_values_that_the_template_allows() {
    let folder = project();
    let text = "
Parameters:
  Stage: {Type: String, AllowedValues: [dev, prod]}
  Size: {Type: Number}
  Zones: {Type: CommaDelimitedList, AllowedValues: [a, b, c]}
  Secret: {Type: 'AWS::SSM::Parameter::Value<String>', AllowedValues: [/name]}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: hello, Handler: app.lambda_handler, Runtime: python3.12}
";
    for (name, value, expected) in [
        (
            "Stage",
            "test",
            "template.yaml:3: parameter Stage is 'test'; expected one of dev, prod",
        ),
        (
            "Size",
            "big",
            "template.yaml:4: parameter Size is 'big'; expected a number",
        ),
        (
            "Zones",
            "a,d",
            "template.yaml:5: parameter Zones is 'a,d'; expected one of a, b, c",
        ),
    ] {
        let error = read(&folder, text, &[(name, value)]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let allowed = [
        ("Stage", "prod"),
        ("Size", "-1.5"),
        ("Zones", "a, c"),
        ("Secret", "s"),
    ];
    read(&folder, text, &allowed).unwrap();
}

#[test]
fn a_name_that_is_not_used_is_noted() {
    let folder = project();
    let text = "
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub '${AWS::StackName}-hello'
      CodeUri: hello
      Handler: app.lambda_handler
      Runtime: python3.12
      Environment: {Variables: {NAME: !Ref Hello}}
";
    let Template { functions, notes } = read(&folder, text, &[]).unwrap();
    assert_eq!(functions[0].name, "Hello");
    assert_eq!(functions[0].environment["NAME"].0, "Hello");
    assert_eq!(
        notes,
        [
            "template.yaml:6: Hello: FunctionName is not used: AWS::StackName exists in a deployed stack \
             only; it is served as Hello"
        ]
    );
    let text = text.replace("!Sub '${AWS::StackName}-hello'", "not a name");
    let error = read(&folder, &text, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "template.yaml:6: FunctionName of Hello is 'not a name'; expected 1 to 64 letters, digits, '-' \
         and '_'"
    );
}

#[test]
fn built_output_is_used_where_the_template_says_how_it_is_built() {
    let folder = project();
    let text = "
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: hello, Handler: app.lambda_handler, Runtime: python3.12}
";
    let error = read(&folder, text, &[]).unwrap_err().to_string();
    assert!(error.contains("does not exist; run sam build"), "{error}");
    folder.write(".aws-sam/build/Hello/app.py", "");
    let Template { functions, notes } = read(&folder, text, &[]).unwrap();
    assert_eq!(
        functions[0].root,
        folder.path().join(".aws-sam/build/Hello")
    );
    assert!(
        notes[0].contains("it runs as it was built (makefile)"),
        "{notes:?}"
    );
    // Without a method, the source is used even if it was built once.
    let plain = text.replace("    Metadata: {BuildMethod: makefile}\n", "");
    let functions = read(&folder, &plain, &[]).unwrap().functions;
    assert_eq!(functions[0].root, folder.path().join("hello"));
    assert_eq!(functions[0].timeout, Duration::from_secs(3));
}

#[test]
fn says_why_a_function_cannot_be_served() {
    let folder = project();
    let good = "CodeUri: hello, Handler: app.lambda_handler, Runtime: python3.12";
    for (properties, part) in [
        ("PackageType: Image", "of type Image"),
        ("Runtime: python3.12, InlineCode: x", "InlineCode"),
        ("CodeUri: hello", "no Runtime"),
        ("Runtime: python3.12, CodeUri: hello", "no Handler"),
        (
            "Runtime: ruby3.3, CodeUri: hello",
            "runtime ruby3.3 is not supported",
        ),
        ("Runtime: python3.12, CodeUri: s3://a/b", "in S3"),
        ("Runtime: python3.12, CodeUri: {Bucket: a, Key: b}", "in S3"),
        (
            "Runtime: python3.12, CodeUri: {Bucket: b}",
            "CodeUri: an object is not a text",
        ),
        (
            "Runtime: python3.12, CodeUri: nowhere",
            "'nowhere' is not a folder",
        ),
        (
            "Runtime: python3.12, CodeUri: !Ref Table",
            "Table exists in a deployed stack only",
        ),
        (
            "Runtime: python3.12, CodeUri: hello, Handler: no.x",
            "no module for handler no.x",
        ),
        (
            "Runtime: provided.al2023, CodeUri: hello",
            "no executable 'bootstrap'",
        ),
    ] {
        let text = format!(
            "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties: {{{properties}}}\n"
        );
        let error = read(&folder, &text, &[]).unwrap_err().to_string();
        assert!(error.contains("template.yaml:"), "{error}");
        assert!(error.contains(part), "{properties}: {error}");
    }
    for (more, line, part) in [
        (
            "Timeout: soon",
            Some(4),
            "Timeout of A is 'soon'; expected a number from 1 to 1800",
        ),
        ("MemorySize: 0", Some(4), "MemorySize of A is '0'"),
    ] {
        let text = format!(
            "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties: {{{good}, {more}}}\n"
        );
        let error = read(&folder, &text, &[]).unwrap_err();
        assert_eq!(error.line(), line);
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = read(&folder, "A: 1", &[]).unwrap_err().to_string();
    assert!(error.contains("Resources is missing"), "{error}");
    let error = read(&folder, PROJECT, &[("Satge", "x")])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("'Satge'; expected one of Stage, Key, Secret"),
        "{error}"
    );
}

#[test]
fn nested_templates_are_noted() {
    let folder = Folder::new();
    folder.write("app.py", "def handler(event, context): pass");
    let text = "\
Resources:
  A:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, CodeUri: ., Handler: app.handler}
  B:
    Type: AWS::Serverless::Application
    Properties: {Location: nested/template.yaml}
  C: {Type: AWS::CloudFormation::Stack}
  D: {Type: AWS::DynamoDB::Table}
";
    let notes = read(&folder, text, &[]).unwrap().notes.join("\n");
    assert!(
        notes.contains(":6: B: the functions of its template are not served"),
        "{notes}"
    );
    assert!(
        notes.contains(":8: C: the functions of its template are not served"),
        "{notes}"
    );
    assert!(!notes.contains("D:"), "{notes}");
}

#[test]
fn what_globals_has_in_excess_is_listed() {
    let folder = project();
    let functions = "Resources:\n  A: {Type: 'AWS::Serverless::Function', Properties: \
        {Runtime: python3.12, CodeUri: hello, Handler: app.lambda_handler}}\n";
    for (globals, expected) in [
        (
            "{Functions: {Timeout: 30}}",
            "1: not used: Globals.Functions; expected one of Api, ",
        ),
        ("[Function]", "1: Globals is not used: expected a map"),
        (
            "{Function: [x]}",
            "1: Globals.Function is not used: expected a map",
        ),
    ] {
        let text = format!("Globals: {globals}\n{functions}");
        let notes = read(&folder, &text, &[]).unwrap().notes;
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(
            notes[0].starts_with(&format!("template.yaml:{expected}")),
            "{notes:?}"
        );
    }
    let text = format!("Globals: {{Api: {{}}, Function: {{Timeout: 9}}}}\n{functions}");
    assert_eq!(read(&folder, &text, &[]).unwrap().notes, [""; 0]);
}

#[test]
fn variables_of_globals_that_are_not_a_map_are_replaced_by_those_of_a_function() {
    let folder = project();
    let text = "Globals: {Function: {Environment: {Variables: {'Fn::If': [C, {G: 1}, {H: 2}]}}}}\n\
        Resources:\n  A: {Type: 'AWS::Serverless::Function', Properties: {Runtime: python3.12, \
        CodeUri: hello, Handler: app.lambda_handler, Environment: {Variables: {OWN: x}}}}\n";
    let Template { functions, notes } = read(&folder, text, &[]).unwrap();
    let names: Vec<_> = functions[0].environment.keys().collect();
    assert_eq!(names, ["OWN"]);
    assert_eq!(notes, [""; 0]);
}

#[test]
fn a_parameter_with_no_echo_is_not_shown() {
    let folder = project();
    let text = "Parameters:\n  Secret: {Type: String, NoEcho: true, AllowedValues: [a, b]}\nResources: {}\n";
    let error = read(&folder, text, &[("Secret", "hunter2")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "template.yaml:2: the value of parameter Secret is not allowed; expected one of a, b"
    );
}

/// `--sam <(..)`, and a link in another folder.
#[cfg(unix)]
#[test]
fn relative_paths_start_at_the_folder_of_the_name_that_was_given() {
    use crate::functions::source::folder_of;
    let folder = project();
    std::os::unix::fs::symlink("../hello/app.py", folder.path().join("rust/link")).unwrap();
    let found = folder_of(&folder.path().join("rust/link")).unwrap();
    assert_eq!(found, folder.path().join("rust").canonicalize().unwrap());
    let current = std::env::current_dir().unwrap().canonicalize().unwrap();
    assert_eq!(folder_of(Path::new("/dev/null")).unwrap(), current);
}

#[test]
fn no_part_of_a_property_is_dropped_silently() {
    let folder = Folder::new();
    folder.write("app.py", "def handler(event, context): pass");
    let notes = |properties: &str| {
        let text = format!(
            "Resources:\n  A:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
             {{Runtime: python3.12, CodeUri: ., Handler: app.handler, {properties}}}\n"
        );
        let Template { functions, notes } = read(&folder, &text, &[]).unwrap();
        (functions.into_iter().next().unwrap(), notes.join("\n"))
    };
    for (properties, expected) in [
        (
            "Environment: !If [IsProd, {Variables: {A: 1}}, {}]",
            "Environment is not used: there is no condition IsProd",
        ),
        (
            "Environment: {'Fn::If': [IsProd, {Variables: {A: 1}}, {}]}",
            "Environment is not used: there is no condition IsProd",
        ),
        (
            "Environment: !Transform {Name: x}",
            "Environment is not used: !Transform is not understood",
        ),
        (
            "FunctionUrlConfig: {AuthType: !ImportValue x}",
            "AuthType is not used: !ImportValue is not understood; AWS_IAM is used",
        ),
        (
            "Environment: {Variables: {}, Variable: {A: 1}}",
            "not used: Environment.Variable",
        ),
        (
            "Environment: {Variables: !Ref Table}",
            "Variables is not used: Table exists in a deployed stack only",
        ),
        (
            "Environment: {Variables: [A, B]}",
            "Variables is not used: a list is not a text",
        ),
        (
            "FunctionUrlConfig: !If [IsProd, {AuthType: NONE}, {}]",
            "FunctionUrlConfig is not used: there is no condition IsProd",
        ),
        (
            "FunctionUrlConfig: {AuthType: NONE, Mode: BUFFERED}",
            "not used: FunctionUrlConfig.Mode",
        ),
        (
            "FunctionUrlConfig: {AuthType: NONE, InvokeMode: STREAM}",
            "InvokeMode is not used: 'STREAM' is not a value that it can have",
        ),
        (
            "FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigin: '*'}}",
            "not used: Cors.AllowOrigin",
        ),
        (
            "FunctionUrlConfig: {AuthType: NONE, Cors: {MaxAge: hour}}",
            "MaxAge is not used: 'hour' is not a value",
        ),
        (
            "FunctionUrlConfig: {AuthType: NONE, Cors: {AllowCredentials: maybe}}",
            "AllowCredentials is not used: 'maybe' is not a value",
        ),
        (
            "FunctionUrlConfig: {AuthType: NONE, Cors: '*'}",
            "Cors is not used: it is a text",
        ),
        (
            "ReservedConcurrentExecutions: 0",
            "ReservedConcurrentExecutions is not used: with 0, every call would be rejected",
        ),
    ] {
        let (function, notes) = notes(properties);
        assert!(notes.contains(expected), "{properties}: {notes}");
        assert_eq!(notes.lines().count(), 1, "{properties}: {notes}");
        assert!(function.environment.is_empty() && function.concurrency > 0);
    }
    // A variable that the user sets needs no value from the template.
    let set = "{Variables: {SET: !Ref Table}}";
    for environment in ["!Ref AWS::NoValue", "", "{Variables: }", set] {
        let url = "FunctionUrlConfig: {AuthType: NONE, Cors: {AllowCredentials: Yes}}";
        let (function, none) = notes(&format!("{url}, Environment: {environment}"));
        assert_eq!(none, "", "{environment}");
        let url = function.url.unwrap();
        assert_eq!(url.streamed, Some(false));
        assert!(url.cors.unwrap().settings().allow_credentials);
    }
}

#[test]
fn cors_settings_that_no_url_can_have_are_an_error_with_a_line() {
    let folder = project();
    let text = "
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello
      Handler: app.lambda_handler
      Runtime: python3.12
      FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: [x]}}
";
    let error = read(&folder, text, &[]).unwrap_err().to_string();
    let expected = "template.yaml:9: Cors of Hello: \"x\" is not an origin";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn what_is_no_resource_is_noted() {
    let folder = project();
    let text = PROJECT.replace(
        "  Table:",
        "  'Fn::ForEach::Many': [Name, [A, B], {'F${Name}': {Type: 'AWS::Serverless::Function'}}]\n  Table:",
    );
    let notes = read(&folder, &text, &[]).unwrap().notes.join("\n");
    assert!(
        notes.contains(": Fn::ForEach::Many: it is not served: it has no Type"),
        "{notes}"
    );
}
