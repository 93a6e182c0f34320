//! What linters miss in the templates.

use super::*;

/// The blocks of a section, by name, each as its lines.
fn blocks<'a>(text: &'a str, title: &str) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in section(text, title) {
        match key_at(line, 2) {
            Some(name) => found.push((name, Vec::new())),
            None => {
                if let Some((_, lines)) = found.last_mut() {
                    lines.push(line);
                }
            }
        }
    }
    found
}

/// The values of a key, wherever it is, also in `{ key: value, … }`.
fn values<'a>(lines: &[&'a str], key: &str) -> Vec<&'a str> {
    let marked = format!("{key}: ");
    let mut found = Vec::new();
    for line in lines {
        for (at, _) in line.match_indices(&marked) {
            let is_whole = at == 0 || line[..at].ends_with([' ', '{', '-']);
            let value = line[at + marked.len()..].trim();
            if is_whole && !line.trim_start().starts_with('#') {
                found.push(value.split([',', '}']).next().unwrap_or(value).trim());
            }
        }
    }
    found
}

fn resources(part: Part) -> Vec<(&'static str, Vec<&'static str>)> {
    blocks(text(part), "Resources")
}

fn is_of(lines: &[&str], kind: &str) -> bool {
    values(lines, "Type").first() == Some(&kind)
}

#[test]
fn parameters_are_found_and_each_is_described() {
    assert_eq!(parameters(ALARMS), ["Fleet", "Email", "EachAlarmTells", "AgentsWarning", "BudgetUsd"]);
    assert!(parameters(FLEET).contains(&"AgentKey") && parameters(FLEET).contains(&"LocalZone"));
    for part in Part::ALL {
        for (name, lines) in blocks(text(part), "Parameters") {
            let told = lines.iter().position(|line| line.trim_start().starts_with("Description:"));
            let told = told.map(|at| lines[at..].join(" ")).unwrap_or_default();
            let words =
                told.trim_start().trim_start_matches("Description:").trim_start_matches([' ', '>', '-']);
            assert!(words.split_whitespace().count() >= 4, "{part:?} {name}: \"{words}\"");
            assert!(!values(&lines, "Type").is_empty(), "{part:?} {name} has no type");
        }
    }
}

#[test]
fn who_reads_by_itself_is_told_where() {
    let (_, probe) = resources(Part::Probes).into_iter().find(|(name, _)| *name == "Probe").unwrap();
    assert_eq!(values(&probe, "AWS_ENDPOINT_URL"), ["!Ref Endpoint"]);
    assert!(parameters(PROBES).contains(&"Endpoint"));
    assert_eq!(default(PROBES, "Endpoint"), Some(""), "in AWS nothing stands in for it");
}

#[test]
fn defaults_are_found() {
    assert_eq!(default(FLEET, "AgentKey"), Some(""));
    assert_eq!(default(FLEET, "InstanceType"), Some("c7i.large"));
    assert_eq!(default(FLEET, "LocalZoneCidr"), Some("172.31.240.0/24"));
    assert_eq!(default(ALARMS, "Nothing"), None);
}

/// Source: Amazon CloudWatch API reference, `PutMetricAlarm`.
#[test]
fn alarms_say_what_cloudwatch_knows() {
    let statistics = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
    let operators = [
        "GreaterThanOrEqualToThreshold",
        "GreaterThanThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    ];
    let missing = ["breaching", "notBreaching", "ignore", "missing"];
    let mut count = 0;
    for part in Part::ALL {
        for (name, lines) in resources(part) {
            if !is_of(&lines, "AWS::CloudWatch::Alarm") {
                continue;
            }
            count += 1;
            for (key, known) in [
                ("Statistic", &statistics[..]),
                ("ComparisonOperator", &operators[..]),
                ("TreatMissingData", &missing[..]),
            ] {
                let found = values(&lines, key);
                assert!(found.len() == 1 && known.contains(&found[0]), "{part:?} {name} {key}: {found:?}");
            }
            let number = |key: &str| {
                let value = values(&lines, key)[0];
                // A parameter's default is what most have.
                let default = value.strip_prefix("!Ref ").map(|name| default(text(part), name).unwrap());
                default.unwrap_or(value).parse::<u32>().unwrap()
            };
            let (period, periods) = (number("Period"), number("EvaluationPeriods"));
            assert!([10, 20, 30].contains(&period) || period.is_multiple_of(60), "{name}: {period} s");
            assert!(period * periods <= 86_400 && number("DatapointsToAlarm") <= periods, "{name}");
            assert!(lines.iter().any(|line| line.contains("AlarmName: !Sub \"${Fleet}-")), "{name}");
        }
    }
    assert_eq!(count, 6);
}

#[test]
fn nothing_is_ever_tried_again() {
    let mut functions = 0;
    for part in Part::ALL {
        for (name, lines) in resources(part) {
            let retries = values(&lines, "MaximumRetryAttempts");
            let is_invoker =
                is_of(&lines, "AWS::Lambda::EventInvokeConfig") || is_of(&lines, "AWS::Scheduler::Schedule");
            assert_eq!(retries, if is_invoker { vec!["0"] } else { vec![] }, "{part:?} {name}");
            functions += usize::from(is_of(&lines, "AWS::Lambda::Function"));
            functions -= usize::from(is_of(&lines, "AWS::Lambda::EventInvokeConfig"));
        }
    }
    assert_eq!(functions, 0, "each function has its own rule about retries");
}

/// The actions that AWS knows, of the services that are used here. Source: Service Authorization Reference.
const ACTIONS: [&str; 12] = [
    "lambda:GetAccountSettings",
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:InvokeFunction",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:PutObject",
    "sns:Publish",
    "sts:AssumeRole",
];

#[test]
fn rights_are_few_and_name_what_they_are_for() {
    for part in Part::ALL {
        for (name, lines) in resources(part) {
            let is_denial = values(&lines, "Effect").contains(&"Deny");
            for (at, line) in lines.iter().enumerate() {
                let Some(actions) = line.trim_start().strip_prefix("Action: ") else { continue };
                let actions: Vec<&str> = actions.split('"').skip(1).step_by(2).collect();
                assert!(!actions.is_empty(), "{part:?} {name}: {line}");
                let unknown = actions.iter().find(|action| !ACTIONS.contains(action));
                assert!(unknown.is_none() || is_denial, "{part:?} {name}: {unknown:?}");
                let resource =
                    lines[at..].iter().find_map(|line| line.trim_start().strip_prefix("Resource: "));
                // A trust policy has no resource, and this one action none that is narrower.
                let may_be_any = actions == ["sts:AssumeRole"] || actions == ["lambda:GetAccountSettings"];
                assert!(
                    may_be_any || resource.is_some_and(|resource| resource != "\"*\""),
                    "{part:?} {name}: {line}"
                );
            }
            // Who may be trusted with everything is nobody.
            let is_open = lines.iter().any(|line| line.contains("Principal: \"*\""));
            assert!(!is_open || is_denial, "{part:?} {name}");
        }
    }
}

/// Source: AWS IAM API reference, `CreateRole`: `MaxSessionDuration` is 43,200 s at most, and 3,600 s by default.
#[test]
fn the_coordinator_may_stay_for_as_long_as_aws_lets() {
    for (name, lines) in resources(Part::Fleet) {
        let expected = if name == "CoordinatorRole" { &["43200"][..] } else { &[] };
        assert_eq!(values(&lines, "MaxSessionDuration"), expected, "{name}");
    }
}

#[test]
fn buckets_are_closed_and_instances_too() {
    let all = resources(Part::Fleet);
    let named = |wanted: &str| {
        all.iter().find(|(name, _)| *name == wanted).map(|(_, lines)| lines.join("\n")).unwrap()
    };
    let bucket = named("Bucket");
    for key in ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"] {
        assert!(bucket.contains(&format!("{key}: true")), "{key}");
    }
    assert!(named("LaunchTemplate").contains("HttpTokens: required"));
    assert!(named("LaunchTemplate").contains("Encrypted: true"));
    assert!(!named("InstanceGroup").contains("Ingress"));
    assert!(named("Instances").contains("DesiredCapacity: !Ref AgentsEc2"));
}

/// What instances begin with, as CloudFormation fills it in.
fn script() -> String {
    let all = resources(Part::Fleet);
    let (_, lines) = all.iter().find(|(name, _)| *name == "LaunchTemplate").unwrap();
    let from = lines.iter().position(|line| line.trim() == "#!/bin/bash").unwrap();
    let indent = lines[from].len() - lines[from].trim_start().len();
    let lines = lines[from..].iter().take_while(|line| line[..indent.min(line.len())].trim().is_empty());
    let text: String = lines.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
    let known = [
        ("${AWS::Region}", "eu-west-2"),
        ("${Bucket}", "bucket"),
        ("${ProgramKey}", "ec2/0/doorbuster"),
        ("${JoinUrl}", "https://coordinator.example.com:7443"),
        ("${Name}", "london"),
    ];
    known.iter().fold(text, |text, (name, value)| text.replace(name, value))
}

fn bash(arguments: &[&str]) -> (bool, String) {
    let output = std::process::Command::new("bash").args(arguments).output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn instances_begin_with_a_script_that_is_whole() {
    let script = script();
    assert!(!script.contains("${") && script.contains("systemctl enable"), "{script}");
    assert_eq!(bash(&["-n", "-c", &script]), (true, String::new()));
    for (name, path) in [
        ("\"$(basename \"ec2/0/doorbuster\")\"", "/usr/local/bin/doorbuster"),
        ("ca.pem", "\"$folder/ca.pem\""),
        ("tokens", "\"$folder/tokens\""),
    ] {
        assert!(script.contains(&format!("\nfetch {name} {path}\n")), "{name}: {script}");
    }
}

#[test]
fn what_instances_fetch_is_asked_for_again() {
    let script = script();
    let (from, to) = (script.find("source=").unwrap(), script.find("\n}\n").unwrap());
    let fetch = &script[from..to + 3];
    let told = |answers_at: u32| {
        bash(&[
            "-c",
            &format!(
                "set -eu\ncount=0\naws() {{ count=$((count + 1)); echo \"$*\"; [ \"$count\" -ge {answers_at} ]; }}\n\
                 sleep() {{ :; }}\n{fetch}fetch tokens /there\necho fetched\n"
            ),
        ])
    };
    let asked = "s3 cp --region eu-west-2 s3://bucket/ec2/0/tokens /there\n";
    assert_eq!(told(1), (true, format!("{asked}fetched\n")));
    assert_eq!(told(3), (true, format!("{asked}{asked}{asked}fetched\n")));
    let (is_fetched, said) = told(1_000);
    assert!(!is_fetched && said == asked.repeat(10), "{said}");
}

#[test]
fn agents_on_ec2_are_given_what_they_need_to_join() {
    let rules = blocks(FLEET, "Rules");
    let names: Vec<&str> = rules.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["LocalZoneInVpc", "VpcWithSubnets", "AgentsThatJoin"]);
    let after = |key: &str| {
        let lines = rules[2].1.iter().filter_map(move |line| line.trim_start().split_once(key));
        lines.map(|(_, value)| value).collect::<Vec<_>>()
    };
    let condition = "!And [!Equals [!Ref WithEc2, \"true\"], !Not [!Equals [!Ref AgentsEc2, \"0\"]]]";
    assert_eq!(after("RuleCondition: "), [condition]);
    let is_given = |name: &str| format!("!Not [!Equals [!Ref {name}, \"\"]]");
    assert_eq!(after("- Assert: "), ["JoinUrl", "ProgramKey"].map(is_given));
    // What has none of them has no agents either, so that a fleet may be made before there is a program.
    let defaults = ["AgentsEc2", "JoinUrl", "ProgramKey"].map(|name| default(FLEET, name).unwrap());
    assert_eq!(defaults, ["0", "", ""]);
}

#[test]
fn templates_fit_into_a_request() {
    // Source: AWS CloudFormation quotas, "Template body size in a request".
    for part in Part::ALL {
        assert!(text(part).len() < 51_200, "{part:?}: {} bytes", text(part).len());
        assert!(text(part).is_ascii(), "{part:?}: what is not ASCII is mangled by some consoles");
    }
}
