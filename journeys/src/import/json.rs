//! JSON whose members keep the order in which they were sent.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A value of JSON whose numbers a journey file can hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl Json {
    /// The member of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    /// How many values stand within each other.
    pub(super) fn depth(&self) -> usize {
        let inner = match self {
            Self::List(items) => items.iter().map(Self::depth).max(),
            Self::Map(members) => members.iter().map(|(_, value)| value.depth()).max(),
            _ => None,
        };
        inner.map_or(1, |depth| depth + 1)
    }

    /// The longest name, in bytes.
    pub(super) fn longest_name(&self) -> usize {
        let inner = match self {
            Self::List(items) => items.iter().map(Self::longest_name).max(),
            Self::Map(members) => {
                members.iter().map(|(name, value)| name.len().max(value.longest_name())).max()
            }
            _ => None,
        };
        inner.unwrap_or(0)
    }

    /// Appends the texts and numbers with the names they stand under.
    pub(super) fn leaves(&self, key: &str, out: &mut Vec<(String, String)>) {
        match self {
            Self::Null | Self::Bool(_) | Self::Float(_) => {}
            Self::Int(number) => out.push((key.to_owned(), number.to_string())),
            Self::Text(text) => out.push((key.to_owned(), text.clone())),
            Self::List(items) => items.iter().for_each(|item| item.leaves(key, out)),
            Self::Map(members) => members.iter().for_each(|(key, value)| value.leaves(key, out)),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Json, E> {
        i64::try_from(value).map(Json::Int).map_err(|_| E::custom(format!("the number {value} is too large")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    /// Of members with the same name the last counts, as it does in browsers.
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = access.next_entry::<String, Json>()? {
            match members.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = value,
                None => members.push((name, value)),
            }
        }
        Ok(Json::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::Json;

    #[test]
    fn members_keep_their_order_and_values_their_types() {
        let json: Json = serde_json::from_str(r#"{"b": 1, "a": [1.5, null, true, "x"], "b": -2}"#).unwrap();
        let list = vec![Json::Float(1.5), Json::Null, Json::Bool(true), Json::Text("x".to_owned())];
        let expected = [("b", Json::Int(-2)), ("a", Json::List(list))];
        assert_eq!(json, Json::Map(expected.map(|(name, value)| (name.to_owned(), value)).into()));
        assert_eq!((json.depth(), json.longest_name()), (3, 1));
        assert!(serde_json::from_str::<Json>("18446744073709551615").is_err());
    }
}
