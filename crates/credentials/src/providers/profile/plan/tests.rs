use crate::official::{json, suite};
use serde_json::{Map, Value, json as object};

use super::*;
use crate::testing::{Machine, settings_of};

fn plan(config: &str, profile: &str) -> Result<Option<Plan>, Error> {
    let machine = Machine::default().config(config);
    let settings = settings_of(&machine, |builder| builder.profile(profile))?;
    let plan = resolve(&settings)?;
    if let Some(plan) = &plan {
        plan.check()?;
    }
    Ok(plan)
}

/// The steps, in the form of the cases.
fn steps(plan: &Plan, config: &Value, profile_keys: &Value) -> Value {
    let mut steps = Vec::new();
    let role = |role: &Role| {
        let mut step = Map::new();
        step.insert("role_arn".to_owned(), role.arn.clone().into());
        if let Some(name) = &role.session_name {
            step.insert("role_session_name".to_owned(), name.clone().into());
        }
        if let Some(id) = &role.external_id {
            step.insert("external_id".to_owned(), id.clone().into());
        }
        step
    };
    steps.push(match &plan.base {
        Base::Keys(keys) => {
            let mut step = Map::new();
            let keys = &keys.credentials;
            step.insert("access_key_id".to_owned(), keys.access_key_id().into());
            step.insert(
                "secret_access_key".to_owned(),
                keys.secret_access_key().into(),
            );
            if let Some(token) = keys.session_token() {
                step.insert("session_token".to_owned(), token.into());
            }
            // Lambda's endpoints do not depend on the account, so this is not read.
            if let Some(id) = profile_keys["aws_account_id"].as_str() {
                step.insert("account_id".to_owned(), id.into());
            }
            object!({ "AccessKey": step })
        }
        Base::WebIdentity(identity) => {
            let mut step = role(&identity.role);
            let file = identity.token_file.to_str().unwrap();
            step.insert("web_identity_token_file".to_owned(), file.into());
            object!({ "WebIdentityToken": step })
        }
        Base::SignOn(sign_on) => {
            let mut step = Map::new();
            if let Some(session) = &sign_on.session {
                step.insert("sso_session".to_owned(), session.clone().into());
            }
            step.insert("sso_region".to_owned(), sign_on.region.clone().into());
            step.insert("sso_start_url".to_owned(), sign_on.start_url.clone().into());
            if let Some((account, role)) = &sign_on.account {
                step.insert("sso_account_id".to_owned(), account.clone().into());
                step.insert("sso_role_name".to_owned(), role.clone().into());
            }
            object!({ "Sso": step })
        }
        Base::Login(session) => object!({ "LoginSession": { "login_session": session } }),
        Base::Process(command) => {
            let mut step = Map::new();
            step.insert("command".to_owned(), command.clone().into());
            if let Some(id) = profile_keys["aws_account_id"].as_str() {
                step.insert("account_id".to_owned(), id.into());
            }
            object!({ "CredentialProcess": command, "of": config["docs"] })
        }
        Base::Source(source) => object!({ "NamedSource": source.name() }),
    });
    steps.extend(
        plan.roles
            .iter()
            .map(|one| object!({ "AssumeRole": role(one) })),
    );
    steps.into()
}

#[test]
fn official_assume_role_chains() {
    suite("credentials/assume-role", |folder| {
        let path = "profile/smithy-rs/aws-config/test-data/assume-role-tests.json";
        let data = json(&folder.join(path));
        let cases = data.as_array().unwrap();
        for case in cases {
            let mut config = String::new();
            for (kind, member) in [("profile", "profiles"), ("sso-session", "sso_sessions")] {
                for (name, section) in case["input"][member].as_object().into_iter().flatten() {
                    config.push_str(&format!("[{kind} {name}]\n"));
                    for (key, value) in section.as_object().unwrap() {
                        config.push_str(&format!("{key} = {}\n", value.as_str().unwrap()));
                    }
                }
            }
            let selected = case["input"]["selected_profile"].as_str().unwrap();
            let machine = Machine::default().config(&config);
            let found = settings_of(&machine, |builder| builder.profile(selected))
                .and_then(|settings| resolve(&settings));
            match &case["output"]["ProfileChain"] {
                // A profile without any setting for credentials is an error in the cases; here the
                // next provider is asked.
                Value::Null => assert!(matches!(found, Err(_) | Ok(None)), "{case}"),
                expected => {
                    let plan = found.unwrap().unwrap();
                    let keys = &case["input"]["profiles"][&plan.base_profile];
                    let found = steps(&plan, case, keys);
                    assert_eq!(found, *expected, "{case}");
                }
            }
        }
        cases.len()
    });
}

const KEYS: &str = "aws_access_key_id = AKID\naws_secret_access_key = secret\n";

#[test]
fn a_profile_has_the_same_credentials_as_a_source() {
    for rest in [
        "",
        "credential_process = prog\n",
        "login_session = arn\n",
        "sso_start_url = u\nsso_region = r\nsso_account_id = 1\nsso_role_name = x\n",
    ] {
        let config = format!(
            "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = b\n\
             [profile b]\n{KEYS}{rest}"
        );
        let kind = |name| std::mem::discriminant(&plan(&config, name).unwrap().unwrap().base);
        assert_eq!(kind("a"), kind("b"), "{rest}");
    }
}

#[test]
fn contradictions_are_named_before_anything_is_sent() {
    let role = "role_arn = arn:aws:iam::123456789012:role/x";
    for (config, what) in [
        (
            format!("[profile a]\n{role}\nmfa_serial = arn:aws:iam::1:mfa/me\nsource_profile = b\n[profile b]\n{KEYS}"),
            "needs the code of an MFA device",
        ),
        (
            format!("[profile a]\n{role}\ncredential_source = Ec2InstanceMetadata\nsource_profile = b\n[profile b]\n{KEYS}"),
            "source_profile and credential_source",
        ),
        (
            format!("[profile a]\n{role}\ncredential_source = ec2\n"),
            "credential_source of profile 'a' is 'ec2', expected one of Environment, EcsContainer",
        ),
        (
            format!("[profile a]\n{role}\nsource_profile = nope\n"),
            "source_profile of profile 'a' is 'nope'",
        ),
        (format!("[profile a]\n{role}\n"), "expected source_profile"),
        (
            format!("[profile a]\n{role}\nrole_session_name = a b\nsource_profile = b\n[profile b]\n{KEYS}"),
            "the role session name of profile 'a' is 'a b'",
        ),
        (
            format!("[profile a]\n{role}\nduration_seconds = 3601\nsource_profile = b\n[profile b]\n{role}\nsource_profile = c\n[profile c]\n{KEYS}"),
            "lasts at most 3600 seconds",
        ),
        (
            format!("[profile a]\n{role}\nduration_seconds = 7200\ncredential_source = Ec2InstanceMetadata\n"),
            "lasts at most 3600 seconds",
        ),
        (
            format!("[profile a]\n{role}\nduration_seconds = 1h\nsource_profile = b\n[profile b]\n{KEYS}"),
            "expected a number of seconds",
        ),
        (
            format!("[profile a]\n{role}\nduration_seconds = 899\nsource_profile = b\n[profile b]\n{KEYS}"),
            "expected 900 to 43200",
        ),
        (
            "[profile a]\nrole_arn = me\nsource_profile = a\n".to_owned() + KEYS,
            "expected an ARN such as",
        ),
        (
            "[profile a]\nsso_session = s\nsso_account_id = 1\n[sso-session s]\nsso_region = r\nsso_start_url = u\n".to_owned(),
            "sso_role_name is missing in the profile",
        ),
        (
            "[profile a]\nsso_session = s\n".to_owned(),
            "there is no section [sso-session s]",
        ),
        (
            "[profile a]\nsso_session = s\nsso_region = q\n[sso-session s]\nsso_region = r\nsso_start_url = u\n".to_owned(),
            "sso_region of profile 'a' is 'q', but that of its [sso-session s] is 'r'",
        ),
        (
            "[profile a]\naws_access_key_id = AKID\n".to_owned(),
            "only one half of the credentials was found",
        ),
    ] {
        let error = plan(&config, "a").unwrap_err();
        let said = error.to_string();
        assert!(said.contains(what), "{config}: {said}");
        assert_eq!(error.kind(), crate::ErrorKind::Configuration, "{said}");
    }
    // An hour is allowed with the keys of a role, and more with other keys.
    for config in [
        format!("[profile a]\n{role}\nduration_seconds = 3600\ncredential_source = EcsContainer\n"),
        format!(
            "[profile a]\n{role}\nduration_seconds = 43200\nsource_profile = b\n[profile b]\n{KEYS}"
        ),
        format!("[profile a]\n{role}\nduration_seconds = 43200\ncredential_source = Environment\n"),
    ] {
        plan(&config, "a").unwrap().unwrap();
    }
}

#[test]
fn the_kinds_of_a_profile_have_an_order() {
    let base = |config: &str, credentials: &str| {
        let machine = Machine::default().config(config).credentials(credentials);
        let settings = settings_of(&machine, |builder| builder).unwrap();
        resolve(&settings).unwrap().map(|plan| plan.base)
    };
    let file = format!("[default]\n{KEYS}");
    let process = "[default]\ncredential_process = prog\n";
    assert!(matches!(base(process, ""), Some(Base::Process(_))));
    assert!(matches!(base(process, &file), Some(Base::Keys(_))));
    let both = format!("{process}{KEYS}");
    assert!(matches!(base(&both, ""), Some(Base::Process(_))));
    let login = format!("{both}login_session = arn\n");
    assert!(matches!(base(&login, ""), Some(Base::Login(_))));
    let sso = format!(
        "{login}sso_start_url = u\nsso_region = r\nsso_account_id = 1\nsso_role_name = x\n"
    );
    assert!(matches!(base(&sso, &file), Some(Base::SignOn(_))));
    assert!(base("[default]\nregion = r\n", "").is_none());
    // A sign-on that selects no role is for services that take the token itself, whether it is
    // complete or not; with nothing else in the profile, its error says what is missing.
    let section = "[sso-session s]\nsso_start_url = u\nsso_region = r\n";
    for sign_on in ["sso_session = s\n", "sso_start_url = u\n"] {
        let config = format!("{section}{process}{sign_on}");
        assert!(matches!(base(&config, &file), Some(Base::Keys(_))));
        assert!(matches!(base(&config, ""), Some(Base::Process(_))));
        let config = format!("{section}[default]\n{KEYS}{sign_on}");
        assert!(matches!(base(&config, ""), Some(Base::Keys(_))));
    }
    let alone = format!("{section}[default]\nsso_session = s\n");
    assert!(matches!(base(&alone, ""), Some(Base::SignOn(_))));
}
