//! The JSON Schema beside the reader: what one takes, the other takes.

use std::path::{Path, PathBuf};
use std::process::Command;

use doorbuster_journeys::{BUILT_IN, Journey, SCHEMA, built_in};
use doorbuster_notation::{Kind, Node, parse};
use serde_json::{Value as Json, json};

use crate::transcript::Case;

/// Slips that an editor is to show.
const SLIPS: [&str; 8] = [
    "steps: [{ step: a, gte: / }]",
    "steps: [{ step: a, get: /, post: / }]",
    "steps: [{ get: / }]",
    "steps: [{ step: a, get: /, expect: { statsu: 200 } }]",
    "steps: [{ step: a, get: /, expect: { status: 99 } }]",
    "steps: [{ step: a, get: /, extract: { b: { css: i, pick: any } } }]",
    "steps: [{ step: a, get: / }, { think: fast }]",
    "step: [{ step: a, get: / }]",
];

fn as_json(node: &Node) -> Json {
    match &node.kind {
        Kind::Null => Json::Null,
        Kind::Bool(value) => json!(value),
        Kind::Int(value) => json!(value),
        Kind::Float(value) => json!(value),
        Kind::Text(value) => json!(value),
        Kind::List(items) => items.iter().map(as_json).collect(),
        Kind::Map(entries) => entries.iter().map(|(key, value)| (key.name.clone(), as_json(value))).collect(),
    }
}

/// Whether `jsonschema` finds all of these journeys good, and what it says.
fn judged(folder: &Path, journeys: &[String]) -> (bool, String) {
    let schema = folder.join("schema.json");
    std::fs::write(&schema, SCHEMA).unwrap();
    // Debian's own first: a shim of the same name may lead nowhere.
    let debian = Path::new("/usr/bin/jsonschema");
    let mut command = Command::new(if debian.exists() { debian } else { Path::new("jsonschema") });
    for (number, journey) in journeys.iter().enumerate() {
        let path: PathBuf = folder.join(format!("{number}.json"));
        std::fs::write(&path, as_json(&parse(journey).unwrap()).to_string()).unwrap();
        command.arg("-i").arg(path);
    }
    let output = command.arg(schema).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_schema_knows_what_the_reader_knows() {
    if std::env::var("DOORBUSTER_WITHOUT").unwrap_or_default().split(',').any(|name| name == "jsonschema") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut good: Vec<String> = BUILT_IN.iter().map(|name| built_in(name).unwrap().to_owned()).collect();
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    for name in ["boutique", "graphql"] {
        good.push(read(root.join("examples").join(name).with_extension("yaml")));
    }
    for file in root.join("tests/walks").read_dir().unwrap() {
        let text = read(file.unwrap().path());
        let journeys = Case::all(&text).map(|case| format!("journey: test\n{}", case.journey));
        good.extend(journeys.filter(|journey| Journey::parse("j.yaml", journey).is_ok()));
    }
    assert!(good.len() > 150);
    let folder = std::env::temp_dir().join(format!("doorbuster-schema-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (is_good, said) = judged(&folder, &good);
    assert!(is_good, "{said}");
    for slip in SLIPS {
        let slip = format!("journey: test\n{slip}\n");
        assert!(Journey::parse("j.yaml", &slip).is_err(), "{slip}");
        assert!(!judged(&folder, std::slice::from_ref(&slip)).0, "{slip}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
