use super::*;
use crate::Plan;

const PLAN: &str = "
name: friday
target: https://shop.example.com
regions:
  tokyo: { launch: lambda, aws: ap-northeast-1, agents: 8 }
  london: { launch: join }
  new-york: { launch: ec2, aws: us-east-1 }
  here:
journeys: [browse]
load: { arrivals: [{ hold: 1/s, for: 1h }] }
";

fn read(more: &str) -> Result<Plan, String> {
    Plan::read("plan.yaml", &format!("{PLAN}{more}")).map_err(|faults| faults.to_string())
}

#[test]
fn a_plan_without_a_fleet_has_the_usual_one() {
    let plan = read("").unwrap();
    let launches: Vec<LaunchBy> = plan.regions.iter().map(|region| region.launch).collect();
    assert_eq!(launches, [LaunchBy::Lambda, LaunchBy::Join, LaunchBy::Ec2, LaunchBy::Local]);
    let words: Vec<&str> = launches.iter().map(|launch| launch.word()).collect();
    assert_eq!(words, ["lambda", "join", "ec2", "local"]);
    assert_eq!(launches.iter().map(|launch| launch.joins()).collect::<Vec<_>>(), [false, true, true, false]);
    assert_eq!((plan.on_agent_loss, &plan.fleet), (OnLoss::Declare, &Fleet::default()));
    let fleet = plan.fleet;
    assert_eq!((fleet.stack.as_str(), fleet.pki.as_str()), ("doorbuster", "fleet-pki"));
    assert_eq!((fleet.listen.to_string().as_str(), fleet.memory_mb), ("0.0.0.0:7443", None));
    assert_eq!(fleet.function(), Function { memory_mb: 1_769, arm64: false });
    assert_eq!(fleet.function().architecture(), "x86-64");
    let longest = launches.iter().map(|launch| fleet.longest_generation(*launch).map(|most| most.as_secs()));
    assert_eq!(longest.collect::<Vec<_>>(), [Some(780), None, None, None]);
    let within = launches.iter().map(|launch| fleet.ready_within(*launch).as_secs());
    assert_eq!(within.collect::<Vec<_>>(), [30, 60, 60, 10]);
    let listed = Plan::read("p", &PLAN.replace("  here:\n", "")).unwrap();
    assert!(listed.regions.iter().all(|region| region.launch != LaunchBy::Local));
}

#[test]
fn everything_that_a_plan_may_say_of_its_fleet_is_read() {
    let plan = read(
        "on_agent_loss: abort
fleet:
  stack: black-friday
  generation: 90s
  responses: whole
  listen: \"[::1]:8443\"
  pki: keys/fleet
  start: { within: 45s, when_missing: wait }
  memory: 3538
  architecture: arm64
",
    )
    .unwrap();
    let expected = Fleet {
        stack: "black-friday".to_owned(),
        generation: Some(Duration::from_secs(90)),
        responses: Responses::Whole,
        listen: "[::1]:8443".parse().unwrap(),
        pki: "keys/fleet".to_owned(),
        start_within: Some(Duration::from_secs(45)),
        when_missing: WhenMissing::Wait,
        memory_mb: Some(3_538),
        arm64: Some(true),
    };
    assert_eq!((plan.on_agent_loss, &plan.fleet), (OnLoss::Abort, &expected));
    for launch in [LaunchBy::Local, LaunchBy::Lambda, LaunchBy::Ec2] {
        assert_eq!(plan.fleet.longest_generation(launch), Some(Duration::from_secs(90)), "of every launcher");
        assert_eq!(plan.fleet.ready_within(launch), Duration::from_secs(45));
    }
}

#[test]
fn what_cannot_be_is_a_fault_with_its_place_and_the_nearest_word() {
    for (more, expected) in [
        ("fleet: { stack: Friday }", "plan.yaml:11:17: found the text \"Friday\", expected a stack's name"),
        ("fleet: { stack: \"7-days\" }", "beginning with a letter"),
        (
            "fleet: { generation: 4s }",
            "plan.yaml:11:22: found the text \"4s\", expected whole seconds, 5s or more",
        ),
        ("fleet: { generation: 5500ms }", "expected whole seconds, 5s or more"),
        ("fleet: { generation: 14m }", "expected at most 13m, because a function ends after 15 minutes"),
        (
            "fleet: { start: { within: 14m } }",
            "plan.yaml:11:8: a function lives for 15m, and this leaves no generation of 5s in it: 14m until all are ready",
        ),
        ("graceful: 15m", "15m for journeys to end and 5s to spare"),
        ("fleet: { responses: hole }", "did you mean \"whole\"?"),
        ("fleet: { listen: \"7443\" }", "\"7443\" is not an address with a port"),
        ("fleet: { pki: \"\" }", "expected a folder"),
        ("fleet: { start: { within: 0s } }", "expected a duration from 1s to 15m"),
        ("fleet: { start: { when_missing: declared } }", "did you mean \"declare\"?"),
        ("fleet: { start: { withn: 5s } }", "unknown key \"withn\" in start; did you mean \"within\"?"),
        ("fleet: { memory: 64 }", "expected a whole number from 128 to 10240"),
        ("fleet: { architecture: arm }", "expected x86-64 or arm64"),
        ("fleet: { lisen: \"[::]:1\" }", "unknown key \"lisen\" in fleet; did you mean \"listen\"?"),
        ("on_agent_loss: ignore", "found \"ignore\", expected declare or abort"),
        ("on_agent_los: abort", "did you mean \"on_agent_loss\"?"),
        ("agent_binary: ours", "plan.yaml:11:15: agent_binary is for agents that are started here"),
    ] {
        let message = read(more).unwrap_err();
        assert!(message.contains(expected), "{more}:\n{message}\nexpected: {expected}");
    }
}

#[test]
fn a_function_is_in_an_aws_region() {
    let changed = |from: &str, to: &str| {
        assert!(PLAN.contains(from));
        Plan::read("plan.yaml", &PLAN.replace(from, to)).map_err(|faults| faults.to_string())
    };
    let nowhere = changed("launch: lambda, aws: ap-northeast-1", "launch: lambda").unwrap_err();
    assert!(nowhere.starts_with("plan.yaml:5:20: launch: lambda needs the AWS region"), "{nowhere}");
    let unknown = changed("ap-northeast-1", "Tokyo").unwrap_err();
    assert!(unknown.contains("found the text \"Tokyo\", expected an AWS region"), "{unknown}");
    let near = changed("launch: join", "launch: joined").unwrap_err();
    assert!(near.contains("expected local or lambda or join or ec2; did you mean \"join\"?"), "{near}");
    assert!(changed("us-east-1", "Ohio").is_ok(), "a note for people");
    // Without functions a generation may be as long as anybody likes, and a program of one's own be an agent.
    let joined = PLAN.replace("launch: lambda, aws: ap-northeast-1", "launch: join");
    let text = format!("{joined}agent_binary: ours\nfleet: {{ generation: 2h }}\n");
    assert!(Plan::read("plan.yaml", &text).is_ok());
}
