//! The JSON Schemas (draft 2020-12) of what programs read: committed, and those of the structs.

use schemars::JsonSchema;
use serde_json::Value;

use super::{golden, in_crate};
use crate::tell::audit::Audit;
use crate::tell::preflight::Planned;
use crate::tell::report::Report;

/// A document for programs.
struct Document {
    /// The name of its struct.
    name: &'static str,
    /// The file of its schema.
    file: &'static str,
    /// The golden file of its keys.
    keys: &'static str,
    schema: Value,
}

fn schema<T: JsonSchema>() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn documents() -> [Document; 3] {
    [
        Document {
            name: "Report",
            file: "report.schema.json",
            keys: "schema-keys.txt",
            schema: schema::<Report>(),
        },
        Document {
            name: "Audit",
            file: "audit.schema.json",
            keys: "audit-schema-keys.txt",
            schema: schema::<Audit>(),
        },
        Document {
            name: "Planned",
            file: "plan.schema.json",
            keys: "plan-schema-keys.txt",
            schema: schema::<Planned>(),
        },
    ]
}

#[test]
fn the_committed_schemas_are_those_of_the_structs() {
    for Document { file, schema, .. } in documents() {
        let path = in_crate(file);
        // Compared as values: the order of keys depends on features of serde_json that others in a build may switch on.
        if std::env::var_os("RENEW").is_some() {
            std::fs::write(&path, serde_json::to_string_pretty(&schema).unwrap() + "\n").unwrap();
        }
        let committed: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(committed, schema, "{file} differs; RENEW=1 writes it anew");
    }
}

#[test]
fn the_schemas_describe_and_demand_every_key() {
    for Document { name, keys, schema, .. } in documents() {
        let definitions = schema["$defs"].as_object().unwrap().values().chain([&schema]);
        for definition in definitions.filter(|definition| definition["properties"].is_object()) {
            let required: Vec<&str> =
                definition["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
            for (key, property) in definition["properties"].as_object().unwrap() {
                assert!(required.contains(&key.as_str()), "{name}: {key} is not required");
                assert!(property["description"].is_string(), "{name}: {key} is not described");
            }
        }
        golden(keys, &keys_of(name, &schema));
    }
}

/// The keys of all definitions: a change of the contract is seen here at a glance.
fn keys_of(name: &str, schema: &Value) -> String {
    let mut definitions: Vec<(&str, &Value)> = vec![(name, schema)];
    definitions
        .extend(schema["$defs"].as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value)));
    let mut lines: Vec<String> = Vec::new();
    for (name, definition) in definitions {
        let Some(properties) = definition["properties"].as_object() else { continue };
        let mut keys: Vec<&str> = properties.keys().map(String::as_str).collect();
        keys.sort_unstable();
        lines.push(format!("{name}: {}", keys.join(" ")));
    }
    lines.sort_unstable();
    lines.join("\n") + "\n"
}
