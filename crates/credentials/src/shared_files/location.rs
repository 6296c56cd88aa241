//! The paths of the shared files.

use std::path::PathBuf;

use super::home;
use super::parse::Kind;
use crate::Error;
use crate::system::{self, Environment};

/// The path of a file, from its environment variable or else in the home directory.
///
/// # Errors
///
/// If the variable cannot be a path.
pub(super) fn locate(
    environment: &dyn Environment,
    kind: Kind,
    is_windows: bool,
) -> Result<Option<PathBuf>, Error> {
    let variable = match kind {
        Kind::Config => "AWS_CONFIG_FILE",
        Kind::Credentials => "AWS_SHARED_CREDENTIALS_FILE",
    };
    let home = home::dir(environment, is_windows);
    Ok(match system::environment_path(environment, variable)? {
        Some(path) => Some(home::with_home(path, home.as_deref())),
        None => home.map(|home| home.join(".aws").join(kind.name())),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::official::{json, suite};

    use super::*;
    use crate::Variables;

    #[test]
    fn a_tilde_is_expanded_and_an_empty_variable_is_ignored() {
        let environment = Variables::of([
            ("HOME", "/home/ada"),
            ("AWS_CONFIG_FILE", "~/own"),
            ("AWS_SHARED_CREDENTIALS_FILE", ""),
        ]);
        let of = |kind| locate(&environment, kind, false).unwrap().unwrap();
        assert_eq!(of(Kind::Config), Path::new("/home/ada/own"));
        assert_eq!(
            of(Kind::Credentials),
            Path::new("/home/ada/.aws/credentials")
        );
        let homeless = Variables::of([("USERPROFILE", "/home/ada")]);
        assert_eq!(locate(&homeless, Kind::Config, false).unwrap(), None);
    }

    #[test]
    fn official_locations() {
        suite("credentials/file-locations", |folder| {
            let path = "profile/smithy-rs/aws-runtime/test-data/file-location-tests.json";
            let data = json(&folder.join(path));
            let cases = data["tests"].as_array().unwrap();
            for case in cases {
                let set = case["environment"].as_object().unwrap().iter();
                let environment = Variables::of(
                    set.map(|(name, value)| (name.as_str(), value.as_str().unwrap())),
                );
                let is_windows = case["platform"] == "windows";
                for (kind, expected) in [
                    (Kind::Config, &case["configLocation"]),
                    (Kind::Credentials, &case["credentialsLocation"]),
                ] {
                    let path = locate(&environment, kind, is_windows).unwrap().unwrap();
                    let path = path.to_str().unwrap();
                    // `Path` joins with the separator of the platform that runs the test.
                    let path = match is_windows {
                        true => path.replace('/', "\\"),
                        false => path.to_owned(),
                    };
                    assert_eq!(path, expected.as_str().unwrap(), "{case}");
                }
            }
            cases.len()
        });
    }
}
