use proptest::prelude::*;

use crate::{BUILT_IN, Journey, built_in};

/// The faults of a journey whose steps are `steps`, each as `line:column: message`.
fn faults(steps: &str) -> Vec<String> {
    faults_of(&format!("journey: x\nsteps:\n{steps}"))
}

fn faults_of(text: &str) -> Vec<String> {
    let faults = Journey::parse("j.yaml", text).expect_err(text).to_string();
    faults.lines().map(|line| line.strip_prefix("j.yaml:").unwrap_or(line).to_owned()).collect()
}

/// Steps with one slip, and the one fault that is told of it.
const SLIPS: &[(&str, &str)] = &[
    ("  - { step: a, pots: / }", "3:16: unknown key \"pots\" in a step; did you mean \"post\"?"),
    (
        "  - { step: a }",
        "3:5: a step needs one of get, head, post, put, patch, delete, submit, or only the key \"think\"",
    ),
    ("  - { get: / }", "3:5: a step needs the key \"step\""),
    (
        "  - { step: a, get: /, post: / }",
        "3:24: found both \"get\" and \"post\": a step makes one request; write two steps",
    ),
    (
        "  - { step: a, get: /, form: { a: 1 } }",
        "3:24: \"form\" is a body, and get sends none; use post, or query for a search",
    ),
    (
        "  - { step: a, post: /, json: { a: 1 }, form: { a: 1 } }",
        "3:41: found both \"json\" and \"form\", expected one body",
    ),
    (
        "  - { step: a, post: /, body: x }",
        "3:25: a raw body needs a content-type header; write for example headers: { content-type: text/plain }",
    ),
    (
        "  - { step: a, get: cart }",
        "3:21: found the text \"cart\", expected a path such as /cart, a query such as ?page=2, or an http or https URL",
    ),
    (
        "  - { step: a, get: 'http://[x/' }",
        "3:21: found the text \"http://[x/\", expected a path such as /cart, a query such as ?page=2, or an http or https URL (invalid IPv6 address)",
    ),
    (
        "  - { step: a, get: '/a#b' }",
        "3:21: found the text \"/a#b\", expected a path such as /cart, a query such as ?page=2, or an http or https URL without a fragment (#…), which browsers keep to themselves",
    ),
    (
        "  - { step: a, get: / }\n  - { step: a, get: / }",
        "4:13: there is a step \"a\" in line 3 already; give each its own name",
    ),
    (
        "  - { step: 'a/b', get: / }",
        "3:13: found the text \"a/b\", expected a step's name: 1 to 100 letters, digits or any of _ . : -",
    ),
    ("  - { step: a, get: '/${b' }", "3:21: \"${b\" is not closed with }; write $${ for a literal ${"),
    (
        "  - { step: a, get: '/${b}' }",
        "3:21: \"b\" is never set; extract it in an earlier step or choose it; known here: shopper.number, shopper.name, shopper.email, shopper.mark, run.id",
    ),
    (
        "  - { step: a, get: '/${shopper.nmae}' }",
        "3:21: \"shopper.nmae\" is never set; extract it in an earlier step or choose it; did you mean \"shopper.name\"?",
    ),
    (
        "  - { step: a, get: '/${b}' }\n  - { step: b, get: /, extract: { b: { css: i } } }",
        "3:21: \"b\" is used before it is set in line 4; set it in an earlier step",
    ),
    (
        "  - { step: a, get: /, extract: { run.x: { css: i } } }",
        "3:35: \"run.x\" cannot be set: names that begin with shopper., run. or env. are built in",
    ),
    (
        "  - { step: a, get: /, extract: { b: { cs: i } } }",
        "3:40: unknown key \"cs\" in an extract; did you mean \"css\"?",
    ),
    (
        "  - { step: a, get: /, extract: { b: { pick: last } } }",
        "3:38: an extract needs one of css, regex, json, header or cookie, or is the word status or url",
    ),
    (
        "  - { step: a, get: /, extract: { b: { css: i, json: $.a } } }",
        "3:48: found both \"css\" and \"json\", expected one of css, regex, json, header or cookie, or is the word status or url",
    ),
    (
        "  - { step: a, get: /, extract: { b: { json: $.a, attribute: href } } }",
        "3:51: \"attribute\" goes with css, not with json",
    ),
    (
        "  - { step: a, get: /, extract: { b: { css: i, pick: any } } }",
        "3:54: found the text \"any\", expected first, last, random, fresh, all, a number from 0 to 9999, or weights such as [60, 30, 10]",
    ),
    (
        "  - { step: a, get: /, extract: { b: { css: 'a >' } } }",
        "3:45: \"a >\" is not a selector that can be used here: Dangling combinator in selector",
    ),
    (
        "  - { step: a, get: /, expect: { css: { 'a + b': x } } }",
        "3:41: \"a + b\" is not a selector that can be used here: Unsupported combinator `+` in selector",
    ),
    (
        "  - { step: a, get: /, expect: { matches: '(a' } }",
        "3:43: this is not a regular expression: unclosed group",
    ),
    (
        "  - { step: a, get: /, expect: { statsu: 200 } }",
        "3:34: unknown key \"statsu\" in expect; did you mean \"status\"?",
    ),
    (
        "  - { step: a, get: /, expect: { status: 99 } }",
        "3:42: found the number 99, expected a status from 100 to 599, or a list of them",
    ),
    (
        "  - { step: a, get: /, expect: { css: { a: { count: -1 } } } }",
        "3:53: found the number -1, expected a whole number from 0 to 1000000",
    ),
    ("  - { step: a, head: /, assets: true }", "3:5: an answer to head has no body to look at; use get"),
    ("  - { step: a, get: /, assets: 1 }", "3:32: found the number 1, expected true or false"),
    ("  - { step: a, get: /, redirects: never }", "3:35: found the text \"never\", expected follow or stop"),
    (
        "  - { step: a, get: /, timeout: 2h }",
        "3:33: found the text \"2h\", expected a timeout from 1ms to 1h",
    ),
    (
        "  - { step: a, get: /, headers: { Host: x } }",
        "3:35: the header \"host\" follows from the request itself; leave it out",
    ),
    ("  - { step: a, get: /, headers: { 'a b': x } }", "3:35: \"a b\" cannot be a header's name"),
    (
        "  - { step: a, get: /, choose: { w: [] } }",
        "3:37: found an empty list, expected a list of options, such as [lamp, chair]",
    ),
    (
        "  - { think: 5 }",
        "3:14: \"5\" is not a duration (the unit is missing); write for example 250ms, 1.5s, 2m or 1h30m",
    ),
    (
        "  - { think: { log_normal: { median: 8s, sigma: 9 } } }",
        "3:49: found sigma 9, expected a number above 0 and up to 5, such as 0.6",
    ),
    ("  - { think: { exponential: 0s } }", "3:29: the mean of exponential think times must be above 0s"),
    (
        "  - { think: { expnential: 8s } }",
        "3:16: unknown key \"expnential\" in a think time; did you mean \"exponential\"?",
    ),
    (
        "  - { think: 2h }",
        "3:14: a think time over 1h is not read: a shopper who is gone so long comes back as another",
    ),
    ("  - { think: 1s, gte: / }", "3:18: unknown key \"gte\" in a step; did you mean \"get\"?"),
    ("  - { step: a, get: /, read: some }", "3:30: found the text \"some\", expected all or until_found"),
    (
        "  - { step: a, get: /, read: until_found }",
        "3:30: found until_found without anything to find in the body, such as has or extract",
    ),
    (
        "  - { step: a, get: /, read: until_found, assets: true, expect: { lacks: x, size: 3 }, extract: { b: { css: i, pick: all }, c: { css: i } } }",
        "3:30: found until_found with assets, lacks, size, the extract \"b\", which only the end of a body decides",
    ),
    (
        "  - { step: a, post: /, graphql: { query: x }, read: until_found, expect: { json: $.a, css: { i: { count: 2 } } }, refused_when: { no: { has: x }, off: { status: 400 } } }",
        "3:54: found until_found with graphql, json, css that counts or rules out, refused_when, which only the end of a body decides",
    ),
    (
        "  - { step: a, get: /, read: until_found, expect: { has: x } }\n  - { step: b, get: /, when: { has: y } }",
        "4:30: the step \"a\" reads until_found, so that this may lie behind what was read; leave that out there",
    ),
    (
        "  - { step: a, get: /, read: until_found, expect: { has: x } }\n  - { step: b, submit: form }",
        "4:24: the step \"a\" reads until_found, so that a form may lie behind what was read; leave that out there",
    ),
    ("  - home", "3:5: found the text \"home\", expected a step as a mapping of keys to values"),
];

#[test]
fn every_fault_is_told_at_its_place() {
    let mut wrong = Vec::new();
    for (steps, expected) in SLIPS {
        let found = faults(steps);
        if found != [*expected] {
            wrong.push(format!("{steps}\nexpected {expected:?}\n   found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_text() {
    let found = faults_of(
        "jurney: x\nchoose: { 'a b': [1] }\nsteps:\n  - { step: a, get: x, timeout: 0s }\n  - { think: soon }\n",
    );
    let places: Vec<&str> = found.iter().map(|fault| fault.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["1:1", "1:1", "2:11", "4:21", "4:33", "5:14"], "{found:#?}");
}

#[test]
fn faults_of_names_are_told_with_all_others_and_once() {
    let found = faults_of(
        "journey: x
choose: { word: [lamp, 'lamp,', 'lamp!'], other: [a, b], who: name }
steps:
  - { step: \"s-${word}\", get: / }
  - { step: \"p-${who}\", get: / }
  - { step: x-a, get: / }
  - { step: \"x-${other}\", get: / }
  - { step: x-a, get: / }
  - { step: last, get: /, timeout: 0s }
",
    );
    let begins = [
        "4:13: \"s-${word}\" cannot name samples: \"lamp,\" and \"lamp!\" would both",
        "5:13: \"p-${who}\" cannot name samples: its variable",
        "7:13: two steps would be counted as \"x-a\"; rename one",
        "8:13: there is a step \"x-a\" in line 6 already",
        "9:36: ",
    ];
    assert_eq!(found.len(), begins.len(), "{found:#?}");
    for (fault, begin) in found.iter().zip(begins) {
        assert!(fault.starts_with(begin), "{fault}");
    }
}

#[test]
fn whole_files_can_be_wrong() {
    for (text, expected) in [
        ("", "1:1: found nothing, expected the journey as a mapping of keys to values"),
        ("journey: x", "1:1: the journey needs the key \"steps\""),
        (
            "journey: x\nsteps: []",
            "1:1: the journey has no step that sends a request; write for example { step: home, get: / }",
        ),
        (
            "journey: x\nsteps: [{ think: 1s }]",
            "1:1: the journey has no step that sends a request; write for example { step: home, get: / }",
        ),
        ("steps: [{ step: a, get: / }]", "1:1: the journey needs the key \"journey\""),
        (
            "journey: x\ncache: often\nsteps: [{ step: a, get: / }]",
            "2:8: found the text \"often\", expected true or false",
        ),
    ] {
        assert_eq!(faults_of(text), [expected], "{text}");
    }
    let long = format!("journey: x\nsteps:\n{}", "  - { think: 1s }\n".repeat(1_001));
    assert_eq!(faults_of(&long), ["1:1: found 1001 steps, and at most 1000 are read; split the journey"]);
    let name = "n".repeat(101);
    assert!(
        faults_of(&format!("journey: {name}\nsteps: [{{ step: a, get: / }}]"))[0]
            .contains("1 to 100 letters")
    );
    assert!(faults_of(&"# x\n".repeat(300_000))[0].contains("1 MiB"));
    let variables: String = (0..1_001).map(|number| format!("v{number}: [1], ")).collect();
    let found = faults_of(&format!("journey: x\nchoose: {{ {variables} }}\nsteps: [{{ step: a, get: / }}]"));
    assert!(found[0].contains("\"v1000\" is one variable too many: at most 1000 are read"), "{found:?}");
}

#[test]
fn a_journey_knows_its_steps() {
    let text = "journey: a-b\nsteps:\n  - { step: one, get: /, assets: true }\n  - { think: 1s }\n  - step: two\n    post: /x\n";
    let journey = Journey::parse("j.yaml", text).unwrap();
    let steps: Vec<_> =
        journey.steps().iter().map(|step| (step.name.as_str(), step.line, step.fetches_assets)).collect();
    assert_eq!((journey.name(), steps), ("a-b", vec![("one", 3, true), ("two", 5, false)]));
}

#[test]
fn a_journey_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Journey>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_text_panics_the_reader(text in "\\PC{0,80}") {
        let _ = Journey::parse("j.yaml", &text);
    }

    #[test]
    fn no_pieces_of_a_journey_panic_the_reader(
        pieces in proptest::collection::vec(
            "(journey: x\nsteps:\n)|(  - \\{ step: [a-c], )|(get: )|(form: \\{)|(expect: \\{)|(extract: \\{ v: )|(css: )|(regex: )|(json: )|(think: )|(choose: )|(\\$\\{v\\})|(\\$\\{)|(pick: random)|(count: [0-9]{1,3})|[-,:'\"\\[\\]{}#/ \n0-9a-z$.*()>+~]|\\PC", 0..40)
    ) {
        let _ = Journey::parse("j.yaml", &pieces.concat());
    }

    #[test]
    fn no_damage_to_a_journey_panics_the_reader(which in 0..3_usize, at in 0..4_000_usize, cut in 0..40_usize, insert in "\\PC{0,5}") {
        let mut text: Vec<char> = built_in(BUILT_IN[which]).unwrap().chars().collect();
        let from = at.min(text.len());
        let to = (from + cut).min(text.len());
        text.splice(from..to, insert.chars());
        let _ = Journey::parse("j.yaml", &text.into_iter().collect::<String>());
    }
}
