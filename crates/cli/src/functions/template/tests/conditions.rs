//! Conditions of resources and of values.

use super::*;

const TEMPLATE: &str = "\
Parameters:
  Stage: {Type: String, Default: dev}
  Zone: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: {'Fn::Not': [{Condition: IsProd}]}
  IsLocal: !And [!Condition IsDev, !Equals [!Ref AWS::Region, eu-west-1]]
  IsEither: !Or [!Condition IsProd, {'Fn::Equals': [dev, !Ref Stage]}]
  IsInZone: !Equals [!Ref Zone, a]
  IsCircular: !Not [!Condition IsCircular]
  IsOther: !Contains [[a], a]
Globals:
  Function: {CodeUri: hello, Handler: app.lambda_handler, Runtime: python3.12}
Resources:
  Prod: {Type: AWS::Serverless::Function, Condition: IsProd}
  Dev: {Type: AWS::Serverless::Function, Condition: IsDev}
  Local: {Type: AWS::Serverless::Function, Condition: IsLocal}
  Either: {Type: AWS::Serverless::Function, Condition: IsEither}
  Zone: {Type: AWS::Serverless::Function, Condition: IsInZone}
  Circular: {Type: AWS::Serverless::Function, Condition: IsCircular}
  Other: {Type: AWS::Serverless::Function, Condition: IsOther}
  Nowhere: {Type: AWS::Serverless::Function, Condition: IsNowhere}
  Plain:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: !If [IsProd, 30, 5]
      Environment:
        Variables: {PROD: !Ref Prod, DEV: !Ref Dev}
";

#[test]
fn a_function_whose_condition_is_false_is_not_served() {
    let folder = project();
    let names = |template: &Template| {
        let names = template.functions.iter().map(|spec| spec.name.clone());
        names.collect::<Vec<_>>().join(" ")
    };
    let template = read(&folder, TEMPLATE, &[]).unwrap();
    let served = "Dev Local Either Zone Circular Other Nowhere Plain";
    assert_eq!(names(&template), served);
    let plain = template.functions.last().unwrap();
    assert_eq!(plain.timeout, Duration::from_secs(5));
    assert_eq!(plain.environment["DEV"].0, "Dev");
    assert_eq!(
        template.notes,
        [
            "template.yaml:15: Prod: it is not served: its Condition IsProd is false",
            "template.yaml:9: Zone: its Condition is not evaluated: parameter Zone has no default; set it \
             with --parameter Zone=VALUE; it is served",
            "template.yaml:10: Circular: its Condition is not evaluated: condition IsCircular refers to \
             itself; it is served",
            "template.yaml:11: Other: its Condition is not evaluated: !Contains is not understood in a \
             condition; it is served",
            "template.yaml:22: Nowhere: its Condition is not evaluated: there is no condition IsNowhere; it \
             is served",
            "template.yaml:28: Plain: variable PROD is not set: Prod exists in a deployed stack only; --env \
             PROD=VALUE sets it",
        ]
    );
    let parameters = [("Stage", "prod"), ("Zone", "b")];
    let template = read(&folder, TEMPLATE, &parameters).unwrap();
    assert_eq!(names(&template), "Prod Either Circular Other Nowhere Plain");
    let plain = template.functions.last().unwrap();
    assert_eq!(plain.timeout, Duration::from_secs(30));
    assert_eq!(plain.environment["PROD"].0, "Prod");
}

#[test]
fn a_condition_chooses_values_lists_and_maps() {
    let folder = project();
    let text = "\
Parameters: {Stage: {Type: String, Default: dev}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: !If [IsProd, nowhere, hello]
      Handler: app.lambda_handler
      Runtime: python3.12
      FunctionUrlConfig:
        Fn::If:
          - IsProd
          - !Ref AWS::NoValue
          - AuthType: NONE
            Cors:
              AllowOrigins: !If [IsProd, ['https://a.example'], ['*']]
              AllowMethods: [!If [IsProd, GET, POST], !If [IsProd, PUT, !Ref AWS::NoValue]]
      Environment:
        Variables:
          A: !Sub ['${a}', {a: !If [IsProd, 1, 2]}]
          B: !Join ['-', !If [IsProd, [a], [b, !If [IsProd, c, d]]]]
          C: !If [IsProd, c, !Ref AWS::NoValue]
          D: !If [IsNothing, a, b]
          E: !If [IsProd, a]
";
    let template = read(&folder, text, &[]).unwrap();
    let [hello] = template.functions.as_slice() else {
        panic!("{template:?}")
    };
    let variables = hello.environment.iter();
    let variables: Vec<_> = variables
        .map(|(name, value)| (name.as_str(), value.0.as_str()))
        .collect();
    assert_eq!(variables, [("A", "2"), ("B", "b-d")]);
    let cors = hello.url.as_ref().unwrap().cors.as_ref().unwrap();
    assert_eq!(cors.settings().allow_origins, ["*"]);
    assert_eq!(cors.settings().allow_methods, ["POST"]);
    let notes = template.notes.join("\n");
    assert_eq!(template.notes.len(), 2, "{notes}");
    for part in [
        "23: Hello: variable D is not set: there is no condition IsNothing",
        "24: Hello: variable E is not set: !If has arguments that are not understood",
    ] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
}

#[test]
fn many_conditions_are_evaluated_once_each_and_not_too_deeply() {
    let folder = project();
    let mut text = "Conditions:\n  C0: !Equals [a, a]\n".to_owned();
    // From the last one to the first one.
    for number in (1..=400).rev() {
        let before = number - 1;
        text.push_str(&format!(
            "  C{number}: !And [!Condition C{before}, !Condition C{before}]\n"
        ));
    }
    text.push_str(
        "Resources:\n  Hello:\n    Type: AWS::Serverless::Function\n    Condition: C60\n    Properties: \
         {CodeUri: hello, Handler: app.lambda_handler, Runtime: python3.12}\n",
    );
    let template = read(&folder, &text, &[]).unwrap();
    assert_eq!((template.functions.len(), template.notes.len()), (1, 0));
    let deep = read(&folder, &text.replace("C60\n    P", "C400\n    P"), &[]).unwrap();
    let note = "its Condition is not evaluated: conditions are nested too deeply; it is served";
    assert!(deep.notes[0].ends_with(note), "{:?}", deep.notes);
}
