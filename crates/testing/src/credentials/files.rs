//! The shared files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_credentials::{Error, Files, Settings, System, Variables, profile_names};

const CONFIG: &str = "/config";
const CREDENTIALS: &str = "/credentials";

/// A machine that has only the two files.
#[derive(Clone, Debug)]
struct Pair {
    config: Vec<u8>,
    credentials: Vec<u8>,
}

impl Files for Pair {
    fn read(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some(CONFIG) => Ok(self.config.clone()),
            Some(CREDENTIALS) => Ok(self.credentials.clone()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn write_private(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

fn environment() -> Variables {
    Variables::of([
        ("AWS_CONFIG_FILE", CONFIG),
        ("AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS),
    ])
}

fn settings(pair: &Pair, profile: &str) -> Result<Settings, Error> {
    static BARE: OnceLock<System> = OnceLock::new();
    let bare = BARE.get_or_init(|| System::default().with_environment(environment()));
    let system = bare.clone().with_files(pair.clone());
    Settings::builder().system(system).profile(profile).load()
}

/// The value of a property. No variable has the same name.
fn value(settings: &Settings, key: &str) -> Option<String> {
    let value = settings.value("UNSET", key).unwrap();
    value.map(|setting| setting.value)
}

/// Files as they are written read back, and any text has the same profiles with other line ends and
/// a byte order mark.
pub fn files(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else {
        return;
    };
    match kind % 3 {
        0 => {
            if let Ok(case) = Case::arbitrary(&mut Unstructured::new(rest)) {
                reads_back(&case);
            }
        }
        1 => any_file(rest, true),
        _ => any_file(rest, false),
    }
}

#[derive(Arbitrary, Debug)]
struct Case {
    config: Vec<Section>,
    credentials: Vec<Section>,
    /// Bits: `\r\n`, a byte order mark, no line end at the end.
    form: u8,
}

#[derive(Arbitrary, Debug)]
struct Section {
    name: u8,
    /// In the config file, whether the default profile is `[profile default]`.
    is_prefixed: bool,
    properties: Vec<Property>,
}

#[derive(Arbitrary, Debug)]
struct Property {
    key: u8,
    in_capitals: bool,
    /// Blanks, and what stands between the lines.
    style: u8,
    value: String,
    further: Vec<String>,
}

const NAMES: [&str; 8] = [
    "default", "dev", "a b", "it's", "x]y", "Zoë", "a#b ;c", "q\"w\\e",
];
const KEYS: [&str; 5] = ["region", "aws_access_key_id", "s3", "output", "a.b-c"];
const BETWEEN: [&str; 8] = ["", "", "", "", "\n", " \t\n", "# x = y\n", "  ; z\n"];

/// The name as a shell word.
fn quoted(name: &str) -> String {
    match name {
        "default" | "dev" => name.to_owned(),
        name if name.contains('\'') => {
            format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
        }
        name => format!("'{name}'"),
    }
}

/// A text that a value can consist of: on one line, without blanks around it or a comment.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars().take(40) {
        let is_comment = matches!(character, '#' | ';') && line.ends_with([' ', '\t']);
        line.push(match character {
            '\n' | '\r' => '/',
            _ if is_comment => '/',
            other => other,
        });
    }
    line.trim_matches([' ', '\t']).to_owned()
}

impl Property {
    fn key(&self) -> &'static str {
        KEYS[usize::from(self.key) % KEYS.len()]
    }

    /// The value, line by line. The lines after an empty value are properties.
    fn lines(&self) -> Vec<String> {
        // Without a blank before them, these begin no comment.
        let signs = ["", "a#b;c"][usize::from(self.style >> 7)];
        let first = one_line(&format!("{signs}{}", self.value));
        let further = self.further.iter().take(3).map(|line| {
            let line = one_line(line);
            match first.is_empty() {
                true => format!("k={line}").trim_matches([' ', '\t']).to_owned(),
                // What begins with these is a comment or nothing.
                false if line.is_empty() || line.starts_with(['#', ';']) => format!("k{line}"),
                false => line,
            }
        });
        let further: Vec<String> = further.collect();
        std::iter::once(first).chain(further).collect()
    }

    fn write(&self, file: &mut String) {
        let key = match self.in_capitals {
            true => self.key().to_ascii_uppercase(),
            false => self.key().to_owned(),
        };
        let lines = self.lines();
        // A blank before `#` or `;` would make a comment of the value.
        let equals = match self.style & 1 == 1 && !lines[0].starts_with(['#', ';']) {
            true => " \t= ",
            false => "=",
        };
        let comment = [" ", "\t# note = 1", " ;"][usize::from(self.style >> 1) % 3];
        file.push_str(&format!("{key}{equals}{}{comment}\n", lines[0]));
        for line in &lines[1..] {
            file.push_str(BETWEEN[usize::from(self.style >> 4) % BETWEEN.len()]);
            file.push_str(&format!("\t {line} \n"));
        }
        file.push_str(BETWEEN[usize::from(self.style >> 5) % BETWEEN.len()]);
    }
}

type Profiles = BTreeMap<&'static str, BTreeMap<&'static str, String>>;

/// Writes a file, and returns the profiles that are in it.
fn write(sections: &[Section], is_config: bool, form: u8) -> (Vec<u8>, Profiles) {
    let mut file = String::new();
    let mut profiles = Profiles::new();
    let sections = &sections[..sections.len().min(8)];
    let name = |section: &Section| NAMES[usize::from(section.name) % NAMES.len()];
    let replaces = |section: &&Section| name(section) == "default" && section.is_prefixed;
    // `[profile default]` replaces `[default]`.
    let has_prefixed = is_config && sections.iter().any(|section| replaces(&section));
    for section in sections {
        let name = name(section);
        let is_plain = !is_config || name == "default" && !section.is_prefixed;
        match is_plain {
            true => file.push_str(&format!("[{}]\n", quoted(name))),
            false => file.push_str(&format!("[ profile\t{} ] # {{}}\n", quoted(name))),
        }
        let is_replaced = is_plain && name == "default" && has_prefixed;
        let mut ignored = BTreeMap::new();
        let values = match is_replaced {
            true => &mut ignored,
            false => profiles.entry(name).or_default(),
        };
        for property in section.properties.iter().take(6) {
            property.write(&mut file);
            values.insert(property.key(), property.lines().join("\n"));
        }
    }
    if form & 4 == 4 && file.ends_with('\n') {
        file.pop();
    }
    if form & 1 == 1 {
        file = file.replace('\n', "\r\n");
    }
    if form & 2 == 2 {
        file.insert(0, '\u{feff}');
    }
    (file.into_bytes(), profiles)
}

fn reads_back(case: &Case) {
    let (config, of_config) = write(&case.config, true, case.form);
    let (credentials, of_credentials) = write(&case.credentials, false, case.form >> 3);
    let pair = Pair {
        config,
        credentials,
    };
    let expected: BTreeSet<&str> = of_config
        .keys()
        .chain(of_credentials.keys())
        .copied()
        .collect();
    let names = profile_names(&pair, &environment()).unwrap();
    assert!(names.iter().eq(&expected), "{names:?}, not {expected:?}");
    for name in expected {
        let settings = settings(&pair, name).unwrap();
        for key in KEYS {
            // The credentials file counts before the config file, and an empty value as none.
            let written = [&of_credentials, &of_config]
                .into_iter()
                .filter_map(|profiles| profiles.get(name)?.get(key))
                .find(|value| !value.is_empty());
            assert_eq!(value(&settings, key).as_ref(), written, "{key} of {name}");
        }
    }
}

/// The values of all profiles, or the error.
fn read(bytes: Vec<u8>, is_config: bool) -> Result<Vec<(String, String, String)>, String> {
    let (config, credentials) = match is_config {
        true => (bytes, Vec::new()),
        false => (Vec::new(), bytes),
    };
    let pair = Pair {
        config,
        credentials,
    };
    let names = profile_names(&pair, &environment()).map_err(|error| error.to_string())?;
    assert!(names.is_sorted() && names.iter().all(|name| !name.is_empty()));
    let bytes = [&pair.config[..], &pair.credentials].concat();
    let text = String::from_utf8_lossy(&bytes);
    let keys: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| {
            key.trim_matches([' ', '\t', '\u{feff}'])
                .to_ascii_lowercase()
        })
        .take(16)
        .collect();
    let mut found = Vec::new();
    for name in names.into_iter().take(8) {
        let settings = settings(&pair, &name).unwrap();
        assert_eq!(settings.profile(), name);
        for key in &keys {
            if let Some(value) = value(&settings, key) {
                let is_trimmed = |line: &str| line == line.trim_matches([' ', '\t']);
                assert!(!value.is_empty() && value.split('\n').all(is_trimmed));
                found.push((name.clone(), key.clone(), value));
            }
        }
    }
    Ok(found)
}

fn any_file(bytes: &[u8], is_config: bool) {
    let read = |bytes: &[u8]| read(bytes.to_vec(), is_config);
    let found = read(bytes);
    if let Err(error) = &found {
        // If it names a line, the file has that line.
        let number = error.split("line ").nth(1).and_then(|rest| {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            rest[..digits].parse::<usize>().ok()
        });
        let lines = bytes.split(|byte| *byte == b'\n').count();
        assert!(
            number.is_none_or(|number| (1..=lines).contains(&number)),
            "{error}"
        );
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    // Zeros and marks at the start say that the text is in another encoding.
    if text.contains('\0') || text.starts_with('\u{feff}') {
        return;
    }
    let plain: String = text
        .lines()
        .map(|line| format!("{}\n", line.trim_end_matches('\r')))
        .collect();
    let expected = match plain == text {
        true => found,
        false => read(plain.as_bytes()),
    };
    assert_eq!(read(plain.replace('\n', "\r\n").as_bytes()), expected);
    assert_eq!(read(format!("\u{feff}{plain}").as_bytes()), expected);
    assert_eq!(read(format!("{plain}\n # end\n").as_bytes()), expected);
    if let Some(plain) = plain.strip_suffix('\n') {
        assert_eq!(read(plain.as_bytes()), expected);
    }
}
