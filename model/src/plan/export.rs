//! Reading a plan's `export`: where figures go, besides the report.

use doorbuster_notation::{Fault, Faults, Fields, Node};

/// The most custom metrics of a plan, unless it says otherwise.
const METRICS_MAX_DEFAULT: u32 = 500;
/// The most that a plan may ask for.
const METRICS_MAX: u64 = 10_000;
/// The namespace, unless the plan says otherwise.
const NAMESPACE: &str = "Doorbuster";
/// How long a namespace may be (Amazon CloudWatch API reference, `PutMetricData`).
const NAMESPACE_BYTES_MAX: usize = 255;

/// Where figures go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Export {
    /// To Amazon CloudWatch.
    pub cloudwatch: Option<CloudWatch>,
}

/// Where in Amazon CloudWatch, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudWatch {
    /// The namespace of the metrics.
    pub namespace: String,
    /// The AWS region that keeps them.
    pub aws_region: String,
    /// The most custom metrics: each is paid for by the month.
    pub metrics_max: u32,
}

pub(super) fn export(node: &Node, faults: &mut Faults) -> Export {
    let Some(mut fields) = faults.keep(Fields::of(node, "export")) else { return Export::default() };
    let cloudwatch = fields.optional("cloudwatch").and_then(|node| cloudwatch(node, faults));
    fields.finish(faults);
    Export { cloudwatch }
}

fn cloudwatch(node: &Node, faults: &mut Faults) -> Option<CloudWatch> {
    let mut fields = faults.keep(Fields::of(node, "cloudwatch"))?;
    let namespace = match fields.optional("namespace") {
        Some(node) => faults.keep(node.parse_with("a namespace", namespace)),
        None => Some(NAMESPACE.to_owned()),
    };
    let aws_region = faults.keep(fields.required("region").and_then(aws_region));
    let metrics_max = match fields.optional("metrics_max") {
        Some(node) => faults.keep(node.integer(1, METRICS_MAX)).and_then(|most| u32::try_from(most).ok()),
        None => Some(METRICS_MAX_DEFAULT),
    };
    fields.finish(faults);
    Some(CloudWatch { namespace: namespace?, aws_region: aws_region?, metrics_max: metrics_max? })
}

/// What CloudWatch takes as a namespace, and leaves to its customers.
fn namespace(text: &str) -> Result<String, String> {
    let is_printable = text.chars().all(|c| c.is_ascii() && !c.is_ascii_control());
    if !is_printable || text.trim().is_empty() || text.len() > NAMESPACE_BYTES_MAX || text.starts_with(':') {
        return Err(format!(
            "\"{text}\" is no namespace of CloudWatch: 1 to {NAMESPACE_BYTES_MAX} ASCII characters, not beginning with a colon"
        ));
    }
    if text.starts_with("AWS/") {
        return Err(format!(
            "the namespace \"{text}\" begins with AWS/, which belongs to AWS's own services"
        ));
    }
    Ok(text.to_owned())
}

/// An AWS region's name.
pub(super) fn aws_region(node: &Node) -> Result<String, Fault> {
    let text = node.scalar("an AWS region such as eu-west-1")?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.contains('-') && text.len() <= 32 && text.chars().all(is_plain) {
        Ok(text)
    } else {
        Err(node.expected("an AWS region such as eu-west-1"))
    }
}

#[cfg(test)]
mod tests {
    use super::{CloudWatch, Export};
    use crate::Plan;

    fn read(export: &str) -> Result<Export, String> {
        let text = format!(
            "name: shop\njourneys: [browse]\nload: {{ arrivals: [{{ hold: 1/s, for: 10s }}] }}\n{export}\n"
        );
        Plan::read("plan.yaml", &text).map(|plan| plan.export).map_err(|faults| faults.to_string())
    }

    #[test]
    fn the_section_is_read() {
        assert_eq!(read("").unwrap(), Export::default());
        let cloudwatch = |namespace: &str, metrics_max| CloudWatch {
            namespace: namespace.to_owned(),
            aws_region: "eu-west-1".to_owned(),
            metrics_max,
        };
        let plain = read("export: { cloudwatch: { region: eu-west-1 } }").unwrap();
        assert_eq!(plain.cloudwatch, Some(cloudwatch("Doorbuster", 500)));
        let full = "export: { cloudwatch: { namespace: Shop/Probes, region: eu-west-1, metrics_max: 40 } }";
        assert_eq!(read(full).unwrap().cloudwatch, Some(cloudwatch("Shop/Probes", 40)));
    }

    #[test]
    fn what_cloudwatch_would_refuse_is_a_fault_with_its_place() {
        let long =
            format!("export: {{ cloudwatch: {{ region: eu-west-1, namespace: {} }} }}", "n".repeat(256));
        for (section, expected) in [
            ("export: { cloudwatch: { namespace: Shop } }", "cloudwatch needs the key \"region\""),
            (
                "export: { cloudwatch: { region: Ireland } }",
                "plan.yaml:4:33: found the text \"Ireland\", expected an AWS region",
            ),
            (
                "export: { cloudwatch: { region: eu-west-1, namespace: AWS/EC2 } }",
                "which belongs to AWS's own services",
            ),
            (
                "export: { cloudwatch: { region: eu-west-1, namespace: \":shop\" } }",
                "not beginning with a colon",
            ),
            (
                "export: { cloudwatch: { region: eu-west-1, namespace: café } }",
                "is no namespace of CloudWatch",
            ),
            (
                "export: { cloudwatch: { region: eu-west-1, metrics_max: 0 } }",
                "a whole number from 1 to 10000",
            ),
            ("export: { cloudwacth: { region: eu-west-1 } }", "did you mean \"cloudwatch\"?"),
            (long.as_str(), "1 to 255 ASCII characters"),
        ] {
            let message = read(section).unwrap_err();
            assert!(message.contains(expected), "{section}:\n{message}\nexpected: {expected}");
        }
    }
}
