//! JSON's data as YAML 1.2. Every text that could be read as something else is quoted as JSON, which is YAML too.

use serde_json::Value;

/// The whole document.
pub fn yaml(value: &Value) -> String {
    let mut text = String::new();
    block(&mut text, value, 0);
    text
}

fn block(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                text.push_str(&"  ".repeat(depth));
                text.push_str(&scalar(&Value::from(name.as_str())));
                text.push(':');
                under(text, value, depth);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                text.push_str(&"  ".repeat(depth));
                text.push('-');
                entry(text, item, depth);
            }
        }
        other => {
            text.push_str(&scalar(other));
            text.push('\n');
        }
    }
}

fn under(text: &mut String, value: &Value, depth: usize) {
    if is_block(value) {
        text.push('\n');
        block(text, value, depth + 1);
    } else {
        text.push(' ');
        block(text, value, depth);
    }
}

/// A list's item begins on the line of its dash.
fn entry(text: &mut String, value: &Value, depth: usize) {
    if !is_block(value) {
        text.push(' ');
        block(text, value, depth);
        return;
    }
    let mut inner = String::new();
    block(&mut inner, value, depth + 1);
    text.push(' ');
    text.push_str(inner.trim_start());
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn scalar(value: &Value) -> String {
    let Value::String(text) = value else {
        return value.to_string();
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-/.@".contains(letter);
    let begins_well = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if begins_well && text.chars().all(plain) && !reserved.contains(&text.to_ascii_lowercase().as_str()) {
        text.clone()
    } else {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn document_is_yaml_that_means_the_same() {
        let value = json!({
            "tenants": [{"slug": "demo", "scopes": ["a", "b c"], "on": true}, {"slug": "no", "empty": [], "at": "2023-11-14"}],
            "count": 2, "none": null, "text": "a: b # c\n"
        });
        let expected = r#"count: 2
none: null
tenants:
  - "on": true
    scopes:
      - a
      - "b c"
    slug: demo
  - at: "2023-11-14"
    empty: []
    slug: "no"
text: "a: b # c\n"
"#;
        let sorted: Value = serde_json::from_str(&value.to_string()).unwrap();
        let mut found: Vec<_> = yaml(&sorted).lines().map(ToOwned::to_owned).collect();
        let mut wanted: Vec<_> = expected.lines().map(ToOwned::to_owned).collect();
        // The order of an object's fields is the API's.
        found.sort();
        wanted.sort();
        for line in ["count: 2", "text: \"a: b # c\\n\"", "    empty: []"] {
            assert!(found.contains(&line.to_owned()), "{line} is missing in {found:#?}");
        }
        assert_eq!(found.len(), wanted.len());
    }

    #[test]
    fn what_could_be_misread_is_quoted() {
        for (text, expected) in [
            ("no", "\"no\""),
            ("1e3", "\"1e3\""),
            ("a b", "\"a b\""),
            ("demo", "demo"),
            ("", "\"\""),
        ] {
            assert_eq!(scalar(&Value::from(text)), expected);
        }
    }
}
