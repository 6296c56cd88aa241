//! The adapters for the AWS SDK, with its own types on the other side.
#![cfg(feature = "aws-sdk")]
#![allow(clippy::unwrap_used, clippy::panic)]

mod machine;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::provider::ProvideCredentials as SdkProvider;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_types::SdkConfig;
use lambda_invoke_credentials::aws_sdk::{FromSdk, sdk_config};
use lambda_invoke_credentials::{Cached, Credentials, ProvideCredentials};
use machine::Machine;

#[tokio::test]
async fn a_chain_is_a_provider_of_the_sdk_and_a_configuration() {
    let machine = Machine::new("sdk").no_instance().config(
        "[default]\nregion = eu-west-3\naws_access_key_id = AKID\naws_secret_access_key = secret\n\
         aws_session_token = token\n",
    );
    let chain = machine.builder().build().unwrap();
    let config = sdk_config(&chain).await.unwrap();
    assert_eq!(config.region().unwrap().as_ref(), "eu-west-3");
    let found = config
        .credentials_provider()
        .unwrap()
        .provide_credentials()
        .await
        .unwrap();
    assert_eq!(found.access_key_id(), "AKID");
    assert_eq!(found.secret_access_key(), "secret");
    assert_eq!(found.session_token(), Some("token"));
    // Without credentials, a chain of the SDK asks its next provider.
    let nothing = Machine::new("sdk-nothing")
        .no_instance()
        .builder()
        .build()
        .unwrap();
    let error = SdkProvider::provide_credentials(&nothing)
        .await
        .unwrap_err();
    assert!(
        matches!(error, CredentialsError::CredentialsNotLoaded(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_provider_of_the_sdk_is_one_of_ours() {
    let expiry = UNIX_EPOCH + Duration::from_secs(4_102_444_800);
    let theirs = aws_credential_types::Credentials::new(
        "AKID",
        "secret",
        Some("token".to_owned()),
        Some(expiry),
        "test",
    );
    let config = SdkConfig::builder()
        .credentials_provider(SharedCredentialsProvider::new(theirs))
        .build();
    let found = FromSdk::of_config(&config)
        .unwrap()
        .provide()
        .await
        .unwrap();
    assert_eq!(found.access_key_id(), "AKID");
    assert_eq!(found.session_token(), Some("token"));
    assert_eq!(SystemTime::from(found.expiry().unwrap()), expiry);
    assert!(FromSdk::of_config(&SdkConfig::builder().build()).is_none());
}

#[tokio::test]
async fn credentials_are_unchanged_after_both_conversions() {
    let ours = Credentials::new("AKID", "secret").unwrap();
    let ours = ours.with_expiry("20991231T000000Z".parse().unwrap());
    let back = FromSdk::new(Cached::new(ours.clone()))
        .provide()
        .await
        .unwrap();
    assert_eq!(back.access_key_id(), ours.access_key_id());
    assert_eq!(back.secret_access_key(), ours.secret_access_key());
    assert_eq!(back.expiry(), ours.expiry());
}
