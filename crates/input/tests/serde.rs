//! Values are serialized as text, and validated when they are deserialized.
#![cfg(feature = "serde")]
// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_input::{
    ClientContext, DurableExecutionArn, DurableExecutionName, ExecutedVersion, FunctionName,
    InvocationType, LogType, Qualifier, TenantId, serde::borrow,
};
use serde::de::DeserializeOwned;
use serde::de::value::{BorrowedStrDeserializer, Error, StrDeserializer, StringDeserializer};
use serde::de::{Deserialize, IntoDeserializer};
use serde::{Deserialize as DeriveDeserialize, Serialize};

/// Checks that a type serializes as its text, that the text deserializes to the same value, and
/// that invalid text is an error.
#[track_caller]
fn check<T>(text: &str, wrong: &str, message: &str)
where
    T: Serialize + DeserializeOwned + ToString,
{
    let json = serde_json::to_string(text).unwrap();
    let value: T = serde_json::from_str(&json).unwrap();
    assert_eq!(value.to_string(), text);
    assert_eq!(serde_json::to_string(&value).unwrap(), json);
    let wrong = serde_json::to_string(wrong).unwrap();
    let error = serde_json::from_str::<T>(&wrong).err().unwrap();
    assert!(error.to_string().starts_with(message), "{error}");
    // From a reader, which lends no data.
    let value: T = serde_json::from_reader(json.as_bytes()).unwrap();
    assert_eq!(value.to_string(), text);
    let error = serde_json::from_str::<T>("7").err().unwrap();
    assert!(
        error
            .to_string()
            .starts_with("invalid type: integer `7`, expected a string"),
        "{error}"
    );
}

#[test]
fn every_value_is_its_text_and_validated() {
    check::<FunctionName<'static>>(
        "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:live",
        "thumb nail",
        "invalid function name: ' ' at byte 5",
    );
    check::<Qualifier<'static>>("$LATEST", "", "invalid qualifier: empty");
    check::<ClientContext<'static>>("e30=", "{}", "invalid client context: '{' at byte 0");
    check::<TenantId<'static>>("a b", "a,b", "invalid tenant id: ',' at byte 1");
    check::<DurableExecutionName<'static>>("order-1", "a.b", "invalid durable execution name: '.'");
    check::<ExecutedVersion<'static>>("7", "live", "invalid executed version: 'l' at byte 0");
    check::<DurableExecutionArn<'static>>(
        "arn:aws:lambda:eu-west-1:123456789012:function:f:7/durable-execution/n/i",
        "arn",
        "invalid durable execution ARN: ends at byte 3",
    );
    check::<InvocationType>(
        "DryRun",
        "dryrun",
        "unknown invocation type, expected RequestResponse",
    );
    check::<LogType>("Tail", "tail", "unknown log type, expected None or Tail");
}

#[derive(Debug, PartialEq, Serialize, DeriveDeserialize)]
struct Settings {
    function: FunctionName<'static>,
    qualifier: Option<Qualifier<'static>>,
    #[serde(default)]
    log: LogType,
}

#[test]
fn a_function_name_in_a_settings_file() {
    let text = r#"{"function":"thumbnail","qualifier":"7","log":"Tail"}"#;
    let settings: Settings = serde_json::from_str(text).unwrap();
    assert_eq!(settings.function, "thumbnail");
    assert_eq!(settings.log, LogType::Tail);
    assert_eq!(serde_json::to_string(&settings).unwrap(), text);
    let escaped: Settings =
        serde_json::from_str(r#"{"function":"thumbnai\u006c","qualifier":null}"#).unwrap();
    assert_eq!(
        (escaped.function.as_str(), escaped.qualifier),
        ("thumbnail", None)
    );
}

#[test]
fn a_borrowed_value_borrows_where_it_can() {
    let text = String::from("thumbnail:live");
    let lent = BorrowedStrDeserializer::<Error>::new(&text);
    let borrowed: FunctionName<'_> = borrow(lent).unwrap();
    assert_eq!(borrowed.as_str().as_ptr(), text.as_ptr());
    // The value is copied if the deserializer cannot lend its data.
    let copied: StrDeserializer<'_, Error> = text.as_str().into_deserializer();
    let copied: FunctionName<'_> = borrow(copied).unwrap();
    assert_eq!(copied, borrowed);
    assert_ne!(copied.as_str().as_ptr(), text.as_ptr());
    // A `String` is moved, not copied.
    let address = text.as_ptr();
    let given: StringDeserializer<Error> = text.clone().into_deserializer();
    let given: FunctionName<'_> = borrow(given).unwrap();
    assert_eq!(given, borrowed);
    // Without the attribute, a deserialized value is always owned.
    let lent = BorrowedStrDeserializer::<Error>::new(&text);
    let owned = FunctionName::deserialize(lent).unwrap();
    assert_eq!(owned, borrowed);
    assert_ne!(owned.as_str().as_ptr(), address);
}
