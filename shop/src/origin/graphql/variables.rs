//! Variables as a typed schema takes them: nothing is converted, nothing is left over.
//! <https://spec.graphql.org/October2021/#sec-Coercing-Variable-Values>

use serde_json::{Map, Value};

use super::answer::Refusal;

/// Variables, or the fields of an input object among them. `null` is the same as nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Variables<'a>(&'a Map<String, Value>);

impl<'a> Variables<'a> {
    pub(super) fn new(given: &'a Map<String, Value>) -> Variables<'a> {
        Variables(given)
    }

    /// Refuses everything that has none of these names.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), Refusal> {
        match self.0.keys().find(|name| !names.contains(&name.as_str())) {
            Some(name) => Err(Refusal::bad_input(format!("\"{name}\" is not defined."))),
            None => Ok(()),
        }
    }

    /// `String!`
    pub(super) fn text(&self, name: &str) -> Result<&'a str, Refusal> {
        self.optional_text(name)?.ok_or_else(|| missing(name, "String!"))
    }

    /// `String`
    pub(super) fn optional_text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        value.as_str().map(Some).ok_or_else(|| mistyped(name, "String", value))
    }

    /// `ID!`: a string, or an integer that stands for one.
    pub(super) fn id(&self, name: &str) -> Result<String, Refusal> {
        match self.value(name) {
            Some(Value::String(id)) => Ok(id.clone()),
            Some(Value::Number(id)) if id.is_i64() || id.is_u64() => Ok(id.to_string()),
            Some(value) => Err(mistyped(name, "ID", value)),
            None => Err(missing(name, "ID!")),
        }
    }

    /// `Int!`
    pub(super) fn int(&self, name: &str) -> Result<i32, Refusal> {
        self.optional_int(name)?.ok_or_else(|| missing(name, "Int!"))
    }

    /// `Int`: 32 bits, signed.
    pub(super) fn optional_int(&self, name: &str) -> Result<Option<i32>, Refusal> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let int = value.as_i64().and_then(|int| i32::try_from(int).ok());
        int.map(Some).ok_or_else(|| mistyped(name, "Int", value))
    }

    /// An input object of that type, with these fields alone.
    pub(super) fn object(
        &self,
        name: &str,
        type_name: &str,
        fields: &[&str],
    ) -> Result<Variables<'a>, Refusal> {
        let value = self.value(name).ok_or_else(|| missing(name, type_name))?;
        let object = Variables(value.as_object().ok_or_else(|| mistyped(name, type_name, value))?);
        object.only(fields)?;
        Ok(object)
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

fn missing(name: &str, type_name: &str) -> Refusal {
    Refusal::bad_input(format!("\"{name}\" of type {type_name} is missing."))
}

fn mistyped(name: &str, type_name: &str, value: &Value) -> Refusal {
    let given = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Refusal::bad_input(format!("\"{name}\" is of type {type_name}, not {given}."))
}

#[cfg(test)]
mod tests {
    use super::Variables;
    use serde_json::{Map, Value, json};

    fn map(value: Value) -> Map<String, Value> {
        if let Value::Object(map) = value { map } else { Map::new() }
    }

    #[test]
    fn types_are_taken_as_they_are() {
        let given = map(json!({
            "text": "a", "int": 3, "float": 3.0, "digits": "3", "big": 3_000_000_000_u64, "nothing": null,
            "object": { "text": "b" }, "list": [1],
        }));
        let variables = Variables::new(&given);
        assert_eq!(variables.text("text"), Ok("a"));
        assert_eq!(variables.int("int"), Ok(3));
        assert_eq!((variables.id("text"), variables.id("int")), (Ok("a".to_owned()), Ok("3".to_owned())));
        for name in ["text", "float", "digits", "big", "nothing", "object", "list", "absent"] {
            assert!(variables.int(name).is_err(), "{name}");
        }
        for name in ["int", "nothing", "object", "list", "absent"] {
            assert!(variables.text(name).is_err(), "{name}");
        }
        for name in ["float", "nothing", "object", "absent"] {
            assert!(variables.id(name).is_err(), "{name}");
        }
        assert_eq!(
            (variables.optional_text("nothing"), variables.optional_int("absent")),
            (Ok(None), Ok(None))
        );
        assert_eq!(variables.object("object", "Object!", &["text"]).unwrap().text("text"), Ok("b"));
        assert!(variables.object("object", "Object!", &["other"]).is_err());
        assert!(variables.object("list", "Object!", &[]).is_err());
    }

    #[test]
    fn nothing_may_be_left_over() {
        let given = map(json!({ "a": 1, "b": 2 }));
        assert_eq!(Variables::new(&given).only(&["b", "a", "c"]), Ok(()));
        let refusal = Variables::new(&given).only(&["a"]).unwrap_err();
        assert_eq!(refusal.to_string(), "\"b\" is not defined.");
    }
}
