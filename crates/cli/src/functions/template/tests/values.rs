//! What a template says about all functions, and values that depend on parameters and the region.

use super::*;

/// A template with a function that has these properties, and the sections before its resources.
fn template(sections: &str, properties: &str) -> String {
    format!(
        "{sections}\nResources:\n  Hello:\n    Type: AWS::Serverless::Function\n    Properties:\n      \
         CodeUri: hello\n      Handler: app.lambda_handler\n      Runtime: python3.12\n      {properties}\n"
    )
}

#[test]
fn a_parameter_whose_value_is_a_list_is_a_list() {
    let folder = project();
    let sections = "\
Parameters:
  Origins: {Type: CommaDelimitedList, Default: 'https://a.example, https://b.example'}
  Methods: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /name}
  Numbers: {Type: 'List<Number>', Default: '1,2'}";
    let properties = "\
FunctionUrlConfig:
        AuthType: NONE
        Cors: {AllowOrigins: !Ref Origins, AllowMethods: {Ref: Methods}}
      Environment:
        Variables:
          SHORT: !Join ['|', !Ref Origins]
          LONG: {'Fn::Join': ['-', {Ref: Numbers}]}";
    let text = template(sections, properties);
    let read_with = |parameters: &[(&str, &str)]| read(&folder, &text, parameters).unwrap();
    let found = read_with(&[("Methods", "GET, PUT")]);
    let function = &found.functions[0];
    let cors = function.url.as_ref().unwrap().cors.as_ref().unwrap();
    assert_eq!(
        cors.settings().allow_origins,
        ["https://a.example", "https://b.example"]
    );
    assert_eq!(cors.settings().allow_methods, ["GET", "PUT"]);
    let variables = &function.environment;
    assert_eq!(variables["SHORT"].0, "https://a.example|https://b.example");
    assert_eq!(variables["LONG"].0, "1-2");
    assert!(found.notes.is_empty(), "{:?}", found.notes);
    let notes = read_with(&[]).notes.join("\n");
    let expected = "AllowMethods is not used: the value of parameter Methods is in Systems Manager";
    assert!(notes.contains(expected), "{notes}");
}

#[test]
fn variables_without_quotes_are_those_of_a_deployed_function() {
    let folder = project();
    let properties = "Environment:
        Variables: {A: True, B: 'True', C: yes, D: off, E: 1.10, F: '1.10', G: 12:30, H: 1.5, I: text,
          AWS_LAMBDA_EXEC_WRAPPER: /opt/wrap}";
    let found = read(&folder, &template("", properties), &[]).unwrap();
    let variables = found.functions[0].environment.iter();
    let variables: Vec<_> = variables
        .map(|(name, value)| (name.as_str(), value.0.as_str()))
        .collect();
    assert_eq!(
        variables,
        [
            ("A", "true"),
            ("AWS_LAMBDA_EXEC_WRAPPER", "/opt/wrap"),
            ("B", "True"),
            ("C", "true"),
            ("D", "false"),
            ("E", "1.10"),
            ("F", "1.10"),
            ("G", "12:30"),
            ("H", "1.5"),
            ("I", "text"),
        ]
    );
    let notes = found.notes.join("\n");
    for expected in [
        "variable E is 1.10,",
        "variable G is 12:30,",
        "no wrapper is run",
    ] {
        assert!(notes.contains(expected), "{notes}");
    }
    assert_eq!(found.notes.len(), 3, "{notes}");
}

#[test]
fn a_mapping_has_texts_and_lists_of_texts() {
    let folder = project();
    let sections = "\
Mappings:
  M:
    a: {t: x, l: [y, z], own: !FindInMap [M, a, own], lists: [!Join ['', !FindInMap [M, a, lists]]]}";
    let properties = "\
Environment:
        Variables:
          T: !FindInMap [M, a, t]
          L: !Join ['-', !FindInMap [M, a, l]]
          WRONG: !FindInMap [M, a, l]
          OWN: !FindInMap [M, a, own]
          LISTS: !Join ['-', !FindInMap [M, a, lists]]";
    let found = read(&folder, &template(sections, properties), &[]).unwrap();
    let variables = &found.functions[0].environment;
    assert_eq!(variables.len(), 2, "{variables:?}");
    assert_eq!(variables["T"].0, "x");
    assert_eq!(variables["L"].0, "y-z");
    assert_eq!(found.notes.len(), 3, "{:?}", found.notes);
    for note in &found.notes {
        assert!(note.contains("is not set: !FindInMap finds something that is not a"));
    }
}

#[test]
fn a_region_belongs_to_its_partition() {
    let folder = project();
    let text = template(
        "",
        "Environment: {Variables: {A: !GetAtt Hello.Arn, P: !Ref AWS::Partition, \
         U: !Ref AWS::URLSuffix}}",
    );
    for (region, partition, suffix) in [
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("eu-west-1", "aws", "amazonaws.com"),
    ] {
        let stack = Stack {
            region,
            account: "111122223333",
            parameters: &BTreeMap::new(),
            variables: &BTreeSet::new(),
        };
        let found = parse("template.yaml", &text, folder.path(), &stack).unwrap();
        let variables = &found.functions[0].environment;
        let arn = format!("arn:{partition}:lambda:{region}:111122223333:function:Hello");
        let values = ["A", "P", "U"].map(|name| variables[name].0.as_str());
        assert_eq!(values, [&arn, partition, suffix]);
    }
}

#[test]
fn a_function_can_ignore_globals() {
    let folder = project();
    let globals = "\
Globals:
  Function: {Timeout: 10, MemorySize: 512, Environment: {Variables: {A: 1}}}";
    for (ignored, timeout, memory, has_variable) in [
        ("", 10, 512, true),
        ("IgnoreGlobals: '*'", 3, 128, false),
        ("IgnoreGlobals: [Timeout, Environment]", 3, 512, false),
        ("IgnoreGlobals: []", 10, 512, true),
    ] {
        let text = template(globals, "") + "    " + ignored + "\n";
        let Template { functions, notes } = read(&folder, &text, &[]).unwrap();
        let function = &functions[0];
        assert_eq!(function.timeout, Duration::from_secs(timeout), "{ignored}");
        assert_eq!(function.memory, memory, "{ignored}");
        let variables = &function.environment;
        assert_eq!(variables.contains_key("A"), has_variable, "{ignored}");
        assert!(notes.is_empty(), "{notes:?}");
    }
    let text = template(globals, "") + "    IgnoreGlobals: Timeout\n    IgnoreGlobal: '*'\n";
    let Template { functions, notes } = read(&folder, &text, &[]).unwrap();
    assert_eq!(functions[0].memory, 512);
    assert_eq!(
        notes,
        [
            "template.yaml:11: Hello: IgnoreGlobals is not used: expected '*' or a list of properties",
            "template.yaml:5: Hello: not used: IgnoreGlobal",
        ]
    );
}

#[test]
fn a_limit_that_is_too_high_for_this_machine_is_noted() {
    let folder = project();
    let text = template("", "ReservedConcurrentExecutions: 1500");
    let Template { functions, notes } = read(&folder, &text, &[]).unwrap();
    assert_eq!(functions[0].concurrency, 1_000);
    let expected = "ReservedConcurrentExecutions is 1500; at most 1000 instances run here";
    assert!(notes[0].ends_with(expected), "{notes:?}");
}

#[test]
fn a_template_that_sam_wrote_names_its_own_output() {
    let folder = project();
    let text = "
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile, SamResourceId: Hello}
    Properties: {CodeUri: hello, Handler: app.lambda_handler, Runtime: python3.12}
";
    let Template { functions, notes } = read(&folder, text, &[]).unwrap();
    assert_eq!(functions[0].root, folder.path().join("hello"));
    assert!(notes.is_empty(), "{notes:?}");
}
