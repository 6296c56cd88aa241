//! Mistakes that concern a whole value: each has a type, a place and a message of its own.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_input::{
    FunctionName, InputError, Mistake, NameRules, OtherResource, Part, Qualifier, TenantId,
};

/// Returns the mistake, the text that is marked, and the message without its common prefix.
#[track_caller]
fn diagnosed(text: &str) -> (Option<Mistake>, &str, String) {
    let error = FunctionName::try_from(text).unwrap_err();
    let InputError::Unexpected { mistake, span, .. } = error else {
        panic!("{text}: {error}");
    };
    let message = error.to_string();
    let message = message.strip_prefix("invalid function name: ").unwrap();
    (mistake, &text[span.0..span.1], message.to_owned())
}

#[track_caller]
fn diagnosed_owned(text: &str) -> (Option<Mistake>, String, String) {
    let (mistake, marked, message) = diagnosed(text);
    (mistake, marked.to_owned(), message)
}

#[track_caller]
fn check(text: &str, mistake: Mistake, marked: &str, message: &str) {
    assert_eq!(
        diagnosed(text),
        (Some(mistake), marked, message.to_owned()),
        "{text}"
    );
}

#[test]
fn upper_case_where_it_has_to_be_lower() {
    let region = Mistake::UpperCase(Part::Region);
    check(
        "arn:aws:lambda:EU-WEST-1:123456789012:function:thumbnail",
        region,
        "EU-WEST-1",
        "a region in upper case at bytes 15 to 24, expected lower case",
    );
    let message = "a region in upper case at bytes 0 to 9, expected lower case";
    for text in [
        "EU-WEST-1:123456789012:function:thumbnail:live",
        "EU-WEST-1:123456789012:thumbnail:live",
        "eu-West-1:function:thumbnail:7:8",
    ] {
        check(text, region, &text[..9], message);
    }
    check(
        "arn:aws:lambda:US-GOV-WEST-1:123456789012:thumbnail",
        region,
        "US-GOV-WEST-1",
        "a region in upper case at bytes 15 to 28, expected lower case",
    );
    check(
        "ARN:aws:lambda:eu-west-1:123456789012:function:thumbnail",
        Mistake::UpperCase(Part::Arn),
        "ARN",
        "\"arn:\" in upper case at bytes 0 to 3, expected lower case",
    );
    check(
        "arn:AWS-CN:lambda:eu-west-1:123456789012:function:thumbnail",
        Mistake::UpperCase(Part::Partition),
        "AWS-CN",
        "a partition in upper case at bytes 4 to 10, expected lower case",
    );
    check(
        "arn:aws:Lambda:eu-west-1:123456789012:function:thumbnail",
        Mistake::UpperCase(Part::Service),
        "Lambda",
        "\":lambda:\" in upper case at bytes 8 to 14, expected lower case",
    );
    check(
        "arn:aws:lambda:eu-west-1:123456789012:FUNCTION:thumbnail:live",
        Mistake::UpperCase(Part::Function),
        "FUNCTION",
        "\"function:\" in upper case at bytes 38 to 46, expected lower case",
    );
}

#[test]
fn something_else_in_place_of_a_partition() {
    check(
        "arn:aw:lambda:eu-west-1:123456789012:function:thumbnail",
        Mistake::NotAPartition,
        "aw",
        "not a partition at bytes 4 to 6, expected one such as aws",
    );
    // Of several mistakes, the first one is reported.
    let (mistake, ..) = diagnosed("arn:aws1:s3:::bucket");
    assert_eq!(mistake, Some(Mistake::NotAPartition));
}

#[test]
fn an_arn_of_another_service() {
    for (text, service) in [
        ("arn:aws:ec2:us-east-1:111111111111:instance/i-1", "ec2"),
        ("arn:aws:s3:::bucket/key", "s3"),
        ("arn:aws-cn:iam::111111111111:role/lambda", "iam"),
        (
            "arn:aws:logs:us-east-1:111111111111:log-group:/aws/lambda/f",
            "logs",
        ),
        (
            "arn::states:us-east-1:111111111111:stateMachine:f",
            "states",
        ),
    ] {
        let (mistake, marked, message) = diagnosed(text);
        assert_eq!(
            (mistake, marked),
            (Some(Mistake::OtherService), service),
            "{text}"
        );
        assert!(
            message.starts_with("an ARN of another service at bytes "),
            "{message}"
        );
        assert!(message.ends_with(", expected \"lambda\""), "{message}");
    }
}

#[test]
fn a_layer() {
    check(
        "arn:aws:lambda:us-east-1:123456789012:layer:tools:3",
        Mistake::OtherResource(OtherResource::Layer),
        "layer",
        "an ARN of a layer at bytes 38 to 43, expected one of a function",
    );
    check(
        "123456789012:layer:tools:3",
        Mistake::OtherResource(OtherResource::Layer),
        "layer",
        "an ARN of a layer at bytes 13 to 18, expected one of a function",
    );
    // Without a version, the text matches the service's pattern: it names a function called
    // `layer`.
    assert!(FunctionName::try_from("arn:aws:lambda:us-east-1:123456789012:layer:tools").is_ok());
    // Of several mistakes, the first one is reported.
    let (mistake, ..) = diagnosed("arn:aws:lambda:us-east-1:1234:layer:tools:3");
    assert_eq!(mistake, Some(Mistake::AccountLength));
}

/// The ARNs of Lambda's other resources, as the API's model has them.
const OTHERS: [(OtherResource, &str, &str); 4] = [
    (
        OtherResource::Layer,
        "arn:aws:lambda:us-east-1:123456789012:layer:tools",
        "a layer",
    ),
    (
        OtherResource::EventSourceMapping,
        "arn:aws-cn:lambda:cn-north-1:123456789012:event-source-mapping:\
         a1b2c3d4-5678-90ab-cdef-11111EXAMPLE",
        "an event source mapping",
    ),
    (
        OtherResource::CodeSigningConfig,
        "arn:aws:lambda:us-gov-west-1:123456789012:code-signing-config:csc-0f6c334abcdea4d8b",
        "a code signing configuration",
    ),
    (
        OtherResource::CapacityProvider,
        "arn:aws:lambda:eu-west-1:123456789012:capacity-provider:large",
        "a capacity provider",
    ),
];

#[test]
fn an_arn_of_another_resource_that_the_pattern_accepts_is_recognized() {
    for (resource, text, words) in OTHERS {
        for rules in [
            NameRules::default(),
            NameRules::published(),
            NameRules::newest(),
            NameRules::recorded(),
        ] {
            let name = FunctionName::parse_with(text, &rules).unwrap();
            assert_eq!(name.other_resource(), Some(resource), "{text}");
        }
        assert_eq!(resource.to_string(), words);
        // With another part it is rejected.
        let (mistake, marked, message) = diagnosed_owned(&format!("{text}:1"));
        assert_eq!(mistake, Some(Mistake::OtherResource(resource)), "{text}");
        assert!(text.contains(&format!(":{marked}:")), "{marked}");
        assert!(
            message.starts_with(&format!("an ARN of {words} at ")),
            "{message}"
        );
        // Functions of these names have other ARNs.
        let (before, kind) = text.split_once("9012:").unwrap();
        let (name, _) = kind.split_once(':').unwrap();
        for function in [
            name,
            kind,
            &format!("function:{kind}"),
            &format!("123456789012:{kind}"),
            &format!("{before}9012:function:{kind}"),
            &format!("{before}9012:{name}"),
            &format!("arn:aws:lambda:{kind}"),
            &format!("arn:aws:lambda:us-east-1:{kind}"),
            &format!("arn:aws:lambda:123456789012:{kind}"),
            &text.replace(kind, &kind.replace(name, "thumbnail")),
        ] {
            let function = FunctionName::try_from(function).unwrap();
            assert_eq!(function.other_resource(), None, "{function}");
        }
    }
}

#[test]
fn an_arn_of_a_durable_execution() {
    let text = "arn:aws:lambda:us-east-1:123456789012:function:f:7/durable-execution/order/0a1b";
    check(
        text,
        Mistake::OtherResource(OtherResource::DurableExecution),
        "durable-execution",
        "an ARN of a durable execution at bytes 51 to 68, expected one of a function",
    );
    // The first mistake is reported.
    let (mistake, ..) = diagnosed_owned(&text.replace("us-east-1", "US-EAST-1"));
    assert_eq!(mistake, Some(Mistake::UpperCase(Part::Region)));
    for text in [
        "f/durable-execution/order",
        "arn:aws:lambda:us-east-1:123456789012:function:f/durable/order/0a1b",
        "arn:aws:lambda:us-east-1:123456789012:function:f/durable-execution",
    ] {
        assert_eq!(diagnosed(text).0, None, "{text}");
    }
}

#[test]
fn a_function_url_and_other_urls() {
    for text in [
        "https://a1b2c3.lambda-url.eu-west-1.on.aws/",
        "https://a1b2c3.lambda-url.eu-west-1.on.aws",
        "HTTPS://A1B2C3.LAMBDA-URL.EU-WEST-1.ON.AWS/path?query#fragment",
        "a1b2c3.lambda-url.eu-west-1.on.aws/path",
        "a1b2c3.lambda-url.eu-west-1.on.aws?x=1",
    ] {
        let message = format!(
            "a function URL at bytes 0 to {}, expected the function's name or ARN; a URL is called \
             by HTTP",
            text.len()
        );
        check(text, Mistake::FunctionUrl, text, &message);
    }
    for text in [
        "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/f/invocations",
        "http://localhost:9001",
        "https://example.com/?host=a.lambda-url.eu-west-1.on.aws",
    ] {
        let message = format!(
            "a URL at bytes 0 to {}, expected a function's name or ARN",
            text.len()
        );
        check(text, Mistake::Url, text, &message);
    }
    for text in ["://x", "a1://x", "thumbnail/live"] {
        assert_eq!(diagnosed(text).0, None, "{text}");
    }
}

#[test]
fn an_account_id_of_another_length_or_form() {
    check(
        "arn:aws:lambda:us-east-1:12345:function:thumbnail",
        Mistake::AccountLength,
        "12345",
        "an account id of 5 digits at bytes 25 to 30, expected 12",
    );
    check(
        "arn:aws:lambda:us-east-1:12345678901:function:thumbnail",
        Mistake::AccountLength,
        "12345678901",
        "an account id of 11 digits at bytes 25 to 36, expected 12",
    );
    check(
        "12345:function:thumbnail:live",
        Mistake::AccountLength,
        "12345",
        "an account id of 5 digits at bytes 0 to 5, expected 12",
    );
    check(
        "1:thumbnail:live",
        Mistake::AccountLength,
        "1",
        "an account id of 1 digit at bytes 0 to 1, expected 12",
    );
    for text in [
        "us-east-1:1234567890123:function:thumbnail",
        "us-east-1:1234567890123:thumbnail:live",
        "arn:aws:lambda:1234567890123:thumbnail:live",
    ] {
        let (mistake, marked, _) = diagnosed(text);
        let expected = (Some(Mistake::AccountLength), "1234567890123");
        assert_eq!((mistake, marked), expected, "{text}");
    }
    for (text, marked) in [
        (
            "arn:aws:lambda:us-east-1:1234-5678-9012:function:f",
            "1234-5678-9012",
        ),
        ("us-east-1:1234-5678-9012:f:live", "1234-5678-9012"),
        ("1234-5678-9012:function:f:live", "1234-5678-9012"),
        ("us-east-1:ACCOUNT:function:f", "ACCOUNT"),
    ] {
        let (mistake, found, message) = diagnosed(text);
        assert_eq!(
            (mistake, found),
            (Some(Mistake::NotAnAccount), marked),
            "{text}"
        );
        assert!(
            message.starts_with("not an account id at bytes "),
            "{message}"
        );
        assert!(message.ends_with(", expected 12 digits"), "{message}");
    }
}

#[test]
fn something_else_in_place_of_a_region() {
    for (text, marked) in [
        (
            "arn:aws:lambda:us-east-1a:123456789012:function:f",
            "us-east-1a",
        ),
        ("arn:aws:lambda:ireland:123456789012:function:f", "ireland"),
        ("us_east_1:123456789012:function:f", "us_east_1"),
        ("ireland:function:f:live", "ireland"),
    ] {
        let (mistake, found, message) = diagnosed(text);
        assert_eq!(
            (mistake, found),
            (Some(Mistake::NotARegion), marked),
            "{text}"
        );
        assert!(message.starts_with("not a region at bytes "), "{message}");
        assert!(
            message.ends_with(", expected one such as eu-west-1"),
            "{message}"
        );
    }
    // The published generation of rules does not know this region.
    let sovereign = "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:f";
    let error = FunctionName::parse_with(sovereign, &NameRules::published()).unwrap_err();
    assert_eq!(error.mistake(), Some(Mistake::NotARegion));
}

#[test]
fn white_space_around_a_name() {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:thumbnail";
    for (text, marked, (start, end)) in [
        (" thumbnail", " ", (0, 1)),
        ("thumbnail:live\n", "\n", (14, 15)),
        ("\u{a0}\tthumbnail\r\n", "\u{a0}\t", (0, 3)),
        (&format!("{arn} \n"), " \n", (56, 58)),
    ] {
        let message =
            format!("white space at bytes {start} to {end}, expected none around the name");
        check(text, Mistake::SurroundingWhitespace, marked, &message);
    }
    // An error in the name itself is reported first.
    for text in [" thumb/nail", "thumb nail\n", " ", "\n"] {
        assert_eq!(diagnosed(text).0, None, "{text}");
    }
    let region = Some(Mistake::UpperCase(Part::Region));
    assert_eq!(diagnosed("EU-WEST-1:function:f\n").0, region);
}

#[test]
fn a_name_in_quotation_marks() {
    for text in [
        "\"thumbnail\"",
        "'thumbnail:live'",
        "`function:thumbnail`",
        "\u{201c}thumbnail\u{201d}",
        "\"arn:aws:lambda:us-east-1:123456789012:function:thumbnail\"",
    ] {
        let message = format!(
            "quotation marks at bytes 0 to {}, expected the name without them",
            text.len()
        );
        check(text, Mistake::Quoted, text, &message);
    }
    for text in ["\"\"", "\"", "\"thumbnail", "thumbnail'", "'thumb nail'"] {
        assert_eq!(diagnosed(text).0, None, "{text}");
    }
}

#[test]
fn latest_in_lower_case() {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:thumbnail:$Latest";
    for (text, qualifier) in [
        ("thumbnail:$latest", "$latest"),
        ("thumbnail:$latest.published", "$latest.published"),
        (arn, "$Latest"),
    ] {
        let start = text.len() - qualifier.len();
        let message = format!(
            "a qualifier in lower case at bytes {start} to {}, expected upper case",
            text.len()
        );
        check(text, Mistake::LatestNotUpperCase, qualifier, &message);
    }
    for text in ["thumbnail:$latest9", "thumb nail:$latest", ":$latest"] {
        assert_eq!(diagnosed(text).0, None, "{text}");
    }
}

#[test]
fn an_extra_part() {
    check(
        "thumbnail:1:2",
        Mistake::ExtraPart,
        "thumbnail",
        "':' at byte 11, expected a letter, a digit, '-', '_' or the end of a qualifier; bytes 0 to 9 \
         were read as the name",
    );
    let (mistake, marked, _) =
        diagnosed("arn:aws:lambda:us-east-1:123456789012:function:thumbnail:live:7");
    assert_eq!((mistake, marked), (Some(Mistake::ExtraPart), "thumbnail"));
}

#[test]
fn any_other_fault_is_a_character_at_its_place() {
    for (text, marked) in [
        ("thumb nail", " "),
        ("thumbnail:", ""),
        ("arn:aws:lambda::123456789012:function:f", ":"),
        ("arn:aws:lambda:us-east-1::function:f", ":"),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:thümbnail",
            "ü",
        ),
        ("arn:aws::f", ":"),
        ("arn:aws", ""),
        ("arn", ""),
        ("us-east-1:123456789012:function:a b", " "),
        ("function:thumb nail", " "),
        ("layer:tools:3", "layer"),
        ("function:tools:3:4", "tools"),
    ] {
        if FunctionName::try_from(text).is_ok() {
            assert!(text.starts_with("arn") && marked.is_empty(), "{text}");
            continue;
        }
        let (mistake, found, _) = diagnosed(text);
        assert_eq!(found, marked, "{text}");
        assert!(matches!(mistake, None | Some(Mistake::ExtraPart)), "{text}");
    }
    let error = Qualifier::try_from("arn:aws:ec2:x").unwrap_err();
    assert_eq!(error.mistake(), None);
    assert_eq!(TenantId::try_from("").unwrap_err().mistake(), None);
}
