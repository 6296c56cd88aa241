//! The query as the map `queryStringParameters`.

use serde_json::{Map, Value};

use crate::path::decode;

/// Returns the decoded parameters, with the values of a key joined by commas in their order.
///
/// The service documents the map but not its corner cases: empty pairs are left out, and a key
/// without `=` has an empty value.
pub(super) fn parameters(raw: &str) -> Map<String, Value> {
    let mut parameters = Map::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decode(value, true);
        match parameters.get_mut(&*decode(key, true)) {
            Some(Value::String(values)) => {
                values.push(',');
                values.push_str(&value);
            }
            _ => {
                parameters.insert(decode(key, true).into_owned(), value.into_owned().into());
            }
        }
    }
    parameters
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::path::Encoded;

    #[test]
    fn joins_the_values_of_a_key_and_decodes_both() {
        for (raw, expected) in [
            ("", json!({})),
            ("&&", json!({})),
            ("a=1&b=2&a=3", json!({"a": "1,3", "b": "2"})),
            ("%61=1&a=%C3%BC+x%2B", json!({"a": "1,ü x+"})),
            ("flag&empty=&flag", json!({"flag": ",", "empty": ""})),
            ("=v", json!({"": "v"})),
            ("a=b=c", json!({"a": "b=c"})),
            ("a=%zz%", json!({"a": "%zz%"})),
        ] {
            assert_eq!(Value::Object(parameters(raw)), expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn keeps_every_value_of_every_key_in_order(
            pairs in prop::collection::vec(("[ab]", any::<String>()), 0..6),
        ) {
            let raw: Vec<_> = pairs
                .iter()
                .map(|(key, value)| format!("{}={}", Encoded(key), Encoded(value)))
                .collect();
            let mut expected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (key, value) in &pairs {
                expected.entry(key).or_default().push(value);
            }
            let expected = expected
                .into_iter()
                .map(|(key, values)| (key.to_owned(), values.join(",").into()))
                .collect();
            prop_assert_eq!(parameters(&raw.join("&")), expected);
        }
    }
}
