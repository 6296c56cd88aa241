//! Names that can be parsed in more than one way, and the messages of errors.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeSet, HashSet};

use lambda_invoke_input::{
    ClientContext, DurableExecutionArn, DurableExecutionName, ExecutedVersion, FunctionName,
    InputError, InvocationType, LogType, Member, NameRules, Part, Qualifier, QualifierKind,
    QualifierMismatch, Target, TenantId, limits,
};

/// A name, and the partition, region, account, function name and qualifier that are parsed from it.
type Row = (&'static str, [&'static str; 5]);

#[test]
fn an_optional_part_is_parsed_if_it_matches() {
    #[rustfmt::skip]
    let rows: &[Row] = &[
        ("function", ["", "", "", "function", ""]),
        ("function:function", ["", "", "", "function", ""]),
        ("function:function:function", ["", "", "", "function", "function"]),
        ("function:live", ["", "", "", "live", ""]),
        ("function:$LATEST", ["", "", "", "function", "$LATEST"]),
        ("us-east-1", ["", "", "", "us-east-1", ""]),
        ("us-east-1:live", ["", "us-east-1", "", "live", ""]),
        ("us-east-1:$LATEST", ["", "", "", "us-east-1", "$LATEST"]),
        ("us-east-1:us-east-1:live", ["", "us-east-1", "", "us-east-1", "live"]),
        ("123456789012", ["", "", "", "123456789012", ""]),
        ("123456789012:live", ["", "", "123456789012", "live", ""]),
        ("123456789012:$LATEST", ["", "", "", "123456789012", "$LATEST"]),
        ("123456789012:us-east-1:live", ["", "", "123456789012", "us-east-1", "live"]),
        ("us-east-1:123456789012:$LATEST", ["", "us-east-1", "", "123456789012", "$LATEST"]),
        ("us-east-1:function:$LATEST", ["", "us-east-1", "", "function", "$LATEST"]),
        ("123456789012:function:$LATEST", ["", "", "123456789012", "function", "$LATEST"]),
        ("1234567890123:live", ["", "", "", "1234567890123", "live"]),
        ("us-east-12:live", ["", "", "", "us-east-12", "live"]),
        ("us-gov-1:live", ["", "us-gov-1", "", "live", ""]),
        ("us-gov-west-1:live", ["", "us-gov-west-1", "", "live", ""]),
        ("us-isob-1:live", ["", "us-isob-1", "", "live", ""]),
        ("us-isob-east-1:live", ["", "us-isob-east-1", "", "live", ""]),
        ("us-isoab-east-1:live", ["", "", "", "us-isoab-east-1", "live"]),
        ("eusc-de-east-1:live", ["", "eusc-de-east-1", "", "live", ""]),
        ("arn", ["", "", "", "arn", ""]),
        ("arn:aws", ["", "", "", "arn", "aws"]),
        ("arn:aws:lambda:lambda", ["aws", "", "", "lambda", ""]),
        ("arn::lambda:thumbnail", ["", "", "", "thumbnail", ""]),
        ("arn:aws:lambda:us-east-1:111111111111:function",
            ["aws", "us-east-1", "111111111111", "function", ""]),
        ("arn:aws:lambda:us-east-1:111111111111:function:$LATEST",
            ["aws", "us-east-1", "111111111111", "function", "$LATEST"]),
        ("arn:aws:lambda:us-east-1:111111111111:function:function:function",
            ["aws", "us-east-1", "111111111111", "function", "function"]),
        ("arn:aws:lambda:us-east-1:111111111111", ["aws", "us-east-1", "", "111111111111", ""]),
        ("arn:aws-Cn-:lambda:a.b_c-d:$LATEST.PUBLISHED",
            ["aws-Cn-", "", "", "a.b_c-d", "$LATEST.PUBLISHED"]),
    ];
    for (text, [partition, region, account, name, qualifier]) in rows {
        let parsed = FunctionName::try_from(*text).unwrap();
        assert_eq!(parsed.partition().unwrap_or_default(), *partition, "{text}");
        assert_eq!(parsed.region().unwrap_or_default(), *region, "{text}");
        assert_eq!(parsed.account().unwrap_or_default(), *account, "{text}");
        assert_eq!(parsed.name(), *name, "{text}");
        assert_eq!(
            parsed.qualifier().map_or(String::new(), |q| q.to_string()),
            *qualifier,
            "{text}"
        );
        assert_eq!(parsed.is_arn(), text.contains(":lambda:"), "{text}");
    }
}

#[test]
fn a_name_is_parsed_by_the_rules_of_a_generation() {
    let text = "eusc-de-east-1:live";
    let published = FunctionName::parse_with(text, &NameRules::published()).unwrap();
    assert_eq!(
        (published.region(), published.name()),
        (None, "eusc-de-east-1")
    );
    let newest = FunctionName::parse_with(text, &NameRules::newest()).unwrap();
    assert_eq!(
        (newest.region(), newest.name()),
        (Some("eusc-de-east-1"), "live")
    );
    // The two values are equal: names are compared, and sent, as text.
    assert_eq!(published, newest);
}

/// For some months in 2026, the service's model required both the region and the account after an
/// `arn:` prefix.
#[test]
fn an_arn_needs_neither_region_nor_account_in_any_generation() {
    for rules in [
        NameRules::published(),
        NameRules::newest(),
        NameRules::recorded(),
    ] {
        for (text, region, account) in [
            ("arn:aws:lambda:thumbnail", None, None),
            (
                "arn:aws:lambda:us-east-1:thumbnail",
                Some("us-east-1"),
                None,
            ),
            (
                "arn:aws:lambda:123456789012:thumbnail",
                None,
                Some("123456789012"),
            ),
            (
                "arn:aws:lambda:us-east-1:123456789012:thumbnail:live",
                Some("us-east-1"),
                Some("123456789012"),
            ),
        ] {
            let parsed = FunctionName::parse_with(text, &rules).unwrap();
            assert!(parsed.is_arn(), "{text}");
            assert_eq!(
                (parsed.region(), parsed.account(), parsed.name()),
                (region, account, "thumbnail"),
                "{text}"
            );
        }
    }
}

#[test]
fn a_rejection_says_what_where_and_what_would_be_allowed() {
    let name = |text: &str| FunctionName::try_from(text).unwrap_err().to_string();
    assert_eq!(
        name("my-function!"),
        "invalid function name: '!' at byte 11, expected a letter, a digit, '-', '.', '_', ':' or \
         the end"
    );
    assert_eq!(
        name("arn:aws::thumbnail"),
        "invalid function name: ':' at byte 8, expected 'l' of \":lambda:\""
    );
    assert_eq!(
        name("thumbnail:$LATES"),
        "invalid function name: ends at byte 16, expected 'T' of a qualifier"
    );
    assert_eq!(
        name("thumbnail:1:2"),
        "invalid function name: ':' at byte 11, expected a letter, a digit, '-', '_' or the end of \
         a qualifier; bytes 0 to 9 were read as the name"
    );
    // The text does not have more parts than a name can have, so the message does not say which
    // bytes were read as the name.
    assert_eq!(
        name("thumbnail:1!"),
        "invalid function name: '!' at byte 11, expected a letter, a digit, '-', '_' or the end of \
         a qualifier"
    );
    assert_eq!(
        name("ünïcode"),
        "invalid function name: 'ü' at byte 0, expected a letter, a digit, '-', '.' or '_'"
    );
    assert_eq!(
        name(""),
        "invalid function name: empty, expected at least 1 character"
    );
    assert_eq!(
        name(&"a".repeat(65)),
        "invalid function name: 65 characters, expected at most 64 in a name without \
         region, account and qualifier"
    );
    assert_eq!(
        name(&"a".repeat(171)),
        "invalid function name: 171 characters, expected at most 170"
    );
}

#[test]
fn a_rejection_names_the_parts_that_could_have_continued() {
    let error = FunctionName::try_from("arn:aws:lambda::123456789012:function:f").unwrap_err();
    assert_eq!(error.member(), Member::FunctionName);
    assert_eq!(error.offset(), 15);
    let expected = error.expected().unwrap();
    assert!(expected.contains(b'u') && expected.contains(b'1') && expected.contains(b'_'));
    assert!(!expected.contains(b':') && !expected.contains(b'$') && !expected.contains(0xc3));
    assert!(!expected.end());
    let whole = FunctionName::try_from("thumbnail:1!").unwrap_err();
    assert!(whole.expected().unwrap().end());
    let parts: Vec<_> = expected.parts().collect();
    assert_eq!(parts, [Part::Region, Part::Account, Part::Name]);
}

#[test]
fn every_member_is_named_in_plain_words() {
    let messages = [
        Qualifier::try_from("").unwrap_err(),
        TenantId::try_from("").unwrap_err(),
        DurableExecutionName::try_from("").unwrap_err(),
        ExecutedVersion::try_from("").unwrap_err(),
        DurableExecutionArn::try_from("").unwrap_err(),
    ]
    .map(|error| (error.member().as_str(), error.offset(), error.to_string()));
    let expected = [
        ("qualifier", "qualifier"),
        ("tenantId", "tenant id"),
        ("durableExecutionName", "durable execution name"),
        ("executedVersion", "executed version"),
        ("durableExecutionArn", "durable execution ARN"),
    ]
    .map(|(member, words)| {
        let message = format!("invalid {words}: empty, expected at least 1 character");
        (member, 0, message)
    });
    assert_eq!(messages, expected);
    let long = "A".repeat(3_584);
    let error = ClientContext::try_from(&long).unwrap_err();
    assert_eq!(
        (error.member().as_str(), error.offset()),
        ("clientContext", 3_583)
    );
    assert_eq!(
        error.to_string(),
        "invalid client context: 3584 characters, expected at most 3583"
    );
    let error = "head".parse::<LogType>().unwrap_err();
    assert_eq!((error.member().as_str(), error.offset()), ("logType", 0));
    assert_eq!((error.expected(), error.mistake()), (None, None));
    assert_eq!(Member::InvocationType.as_str(), "invocationType");
    assert_eq!(Member::FunctionName.as_str(), "functionName");
}

#[test]
fn an_error_is_small_and_copied() {
    fn copied<T: Copy + Send + Sync + std::error::Error + 'static>() {}
    copied::<InputError>();
    copied::<QualifierMismatch>();
    assert!(size_of::<InputError>() <= 64, "{}", size_of::<InputError>());
}

#[test]
fn the_unpublished_version_is_told_from_the_others() {
    assert!(ExecutedVersion::LATEST.is_latest());
    assert!(ExecutedVersion::try_from("$LATEST").unwrap().is_latest());
    assert!(!ExecutedVersion::try_from("7").unwrap().is_latest());
}

#[test]
fn a_qualifier_says_what_it_means() {
    for (text, kind) in [
        ("$LATEST", QualifierKind::Latest),
        ("$LATEST.PUBLISHED", QualifierKind::LatestPublished),
        ("0", QualifierKind::Version),
        ("12", QualifierKind::Version),
        ("v12", QualifierKind::Alias),
        ("-", QualifierKind::Alias),
        ("$", QualifierKind::Other),
        ("$LATES", QualifierKind::Other),
        ("a$b", QualifierKind::Other),
    ] {
        assert_eq!(Qualifier::try_from(text).unwrap().kind(), kind, "{text}");
    }
    assert!(Qualifier::parse_with("$LATEST.PUBLISHED", &NameRules::published()).is_err());
}

#[test]
fn a_target_rejects_two_qualifiers_that_differ() {
    let name = |text| FunctionName::try_from(text).unwrap();
    let qualifier = |text| Some(Qualifier::try_from(text).unwrap());

    let error = Target::new(name("thumbnail:$LATEST"), qualifier("1")).unwrap_err();
    assert_eq!(error.offset, 10);
    assert_eq!(
        error.to_string(),
        "the qualifier in the function name, at byte 10, differs from the qualifier parameter"
    );

    let same = Target::new(name("thumbnail:1"), qualifier("1")).unwrap();
    assert_eq!(same.effective_qualifier(), qualifier("1"));
    let parameter = Target::new(name("thumbnail"), qualifier("1")).unwrap();
    assert_eq!(parameter.effective_qualifier(), qualifier("1"));
    assert_eq!(parameter.name().qualifier(), None);
    assert_eq!(parameter.qualifier(), qualifier("1").as_ref());
    let neither = Target::from(name("thumbnail"));
    assert_eq!(
        (neither.qualifier(), neither.effective_qualifier()),
        (None, None)
    );
}

#[test]
fn values_compare_as_their_text_borrowed_or_owned() {
    let text = String::from("123456789012:thumbnail:7");
    let borrowed = FunctionName::try_from(&text).unwrap();
    let owned: FunctionName<'static> = text.parse().unwrap();
    let taken = FunctionName::try_from(text.clone()).unwrap();
    assert_eq!(borrowed, owned);
    assert_eq!(owned, taken);
    assert_eq!(taken, text.as_str());
    assert_eq!(taken.account(), borrowed.account());
    let set: HashSet<_> = [borrowed.clone(), owned.clone()].into();
    assert_eq!(set.len(), 1);
    let sorted: BTreeSet<_> = ["b", "a"]
        .map(|name| FunctionName::try_from(name).unwrap())
        .into();
    assert_eq!(sorted.first().unwrap(), &"a");
    assert_eq!(format!("{borrowed:>26}"), "  123456789012:thumbnail:7");
    assert_eq!(String::from(taken), text);
    assert!(FunctionName::try_from(String::from("a b")).is_err());
}

#[test]
fn a_durable_execution_arn_has_its_parts() {
    let text = "arn:aws-cn:lambda:cn-north-1:123456789012:function:thumbnail:7/durable-execution/order-1/0a1b";
    let arn = DurableExecutionArn::try_from(text).unwrap();
    assert_eq!(
        [
            arn.partition(),
            arn.region(),
            arn.account(),
            arn.function(),
            arn.version(),
            arn.name(),
            arn.id(),
        ],
        [
            "aws-cn",
            "cn-north-1",
            "123456789012",
            "thumbnail",
            "7",
            "order-1",
            "0a1b"
        ]
    );
}

#[test]
fn a_value_gives_its_text_back() {
    use std::borrow::Cow;

    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f:1/durable-execution/n/i";
    let values = [
        Cow::from(FunctionName::try_from("thumbnail").unwrap()),
        Cow::from(Qualifier::try_from("live").unwrap()),
        Cow::from(ClientContext::try_from("e30=").unwrap()),
        Cow::from(TenantId::try_from("blue").unwrap()),
        Cow::from(DurableExecutionArn::try_from(arn).unwrap()),
    ];
    assert_eq!(values, ["thumbnail", "live", "e30=", "blue", arn]);
    let name = String::from("thumbnail");
    let context = String::from("e30=");
    assert_eq!(FunctionName::try_from(&name).unwrap(), name);
    assert_eq!(
        String::from(ClientContext::try_from(&context).unwrap()),
        context
    );
    // A set of names can be searched by text.
    let set: HashSet<FunctionName<'_>> = [FunctionName::try_from(&name).unwrap()].into();
    assert!(set.contains("thumbnail") && !set.contains("thumb"));
}

#[test]
fn keywords_are_exactly_the_services() {
    for value in [
        InvocationType::RequestResponse,
        InvocationType::Event,
        InvocationType::DryRun,
    ] {
        assert_eq!(value.as_str().parse(), Ok(value));
    }
    for value in [LogType::None, LogType::Tail] {
        assert_eq!(value.as_str().parse(), Ok(value));
    }
    for wrong in ["", "event", "EVENT", "Event ", "Dryrun"] {
        let error = wrong.parse::<InvocationType>().unwrap_err();
        assert_eq!(error.member(), Member::InvocationType, "{wrong:?}");
    }
    assert!("tail".parse::<LogType>().is_err());
}

#[test]
fn limits_are_those_of_the_service() {
    assert_eq!(limits::REQUEST_PAYLOAD, 6_291_456);
    assert_eq!(limits::EVENT_PAYLOAD, 1_048_576);
    assert_eq!(limits::INVOKE_ASYNC_PAYLOAD, 262_144);
    assert_eq!(limits::RESPONSE_PAYLOAD, 6_291_556);
    assert_eq!(limits::STREAM_PAYLOAD, 209_715_200);
    assert_eq!(limits::LOG_RESULT, 5_464);
    assert_eq!(InvocationType::Event.max_payload(), limits::EVENT_PAYLOAD);
    assert_eq!(
        InvocationType::RequestResponse.max_payload(),
        limits::REQUEST_PAYLOAD
    );
}

#[test]
fn a_client_context_keeps_any_bytes() {
    for json in [
        &b""[..],
        b"{}",
        b"\xff\x00",
        "{\"é\":\"\u{1f980}\"}".as_bytes(),
    ] {
        let context = ClientContext::from_json(json).unwrap();
        assert_eq!(context.to_json(), json);
        let unpadded = context.as_base64().trim_end_matches('=');
        assert_eq!(ClientContext::try_from(unpadded).unwrap().to_json(), json);
    }
}

#[test]
fn a_client_context_that_is_not_base64_is_rejected_at_its_fault() {
    for (text, offset) in [
        ("{}", 0),
        ("e30\n", 3),
        ("e3 0", 2),
        ("e3-_", 2),
        ("e30==", 4),
        ("e30=e30=", 4),
        ("=", 0),
        ("e", 1),
        ("e3", 2),
        ("eyJh=", 4),
        ("e31", 3),
    ] {
        let error = ClientContext::try_from(text).unwrap_err();
        assert_eq!(error.offset(), offset, "{text:?}: {error}");
    }
}
