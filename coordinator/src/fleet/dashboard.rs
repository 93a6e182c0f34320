//! The dashboard of a fleet: a row of widgets for each question, all regions in each.
//!
//! Source: Amazon CloudWatch API Reference, "Dashboard body structure and syntax".

use serde_json::{Value, json};

/// How many columns a dashboard has.
const COLUMNS: usize = 24;
/// How high a widget is.
const HEIGHT: usize = 6;
/// The length of a period, in seconds.
const PERIOD_S: u64 = 60;

/// The metrics of agents, and how they are summed in a period.
const OF_AGENTS: [(&str, &str, &str); 4] = [
    ("Agents at a time", "ConcurrentExecutions", "Maximum"),
    ("Agents started", "Invocations", "Sum"),
    ("Agents that ended with an error", "Errors", "Sum"),
    ("Agents that AWS refused to start", "Throttles", "Sum"),
];

/// The dashboard's body.
pub(super) fn body(stack: &str, regions: &[String]) -> Value {
    let first = regions.first().cloned().unwrap_or_default();
    let width = COLUMNS / 2;
    let place = |number: usize| (number % 2 * width, number / 2 * HEIGHT);
    let mut widgets: Vec<Value> = Vec::new();
    for (title, metric, statistic) in OF_AGENTS {
        let lines: Vec<Value> = regions
            .iter()
            .map(|region| {
                let told = json!({ "region": region, "label": region });
                json!(["AWS/Lambda", metric, "FunctionName", format!("{stack}-agent"), told])
            })
            .collect();
        widgets.push(widget(title, statistic, &first, &lines, place(widgets.len()), width));
    }
    for (title, metric, statistic) in [("Probes: good", "good", "Sum"), ("Probes: all", "total", "Sum")] {
        let lines: Vec<Value> = regions
            .iter()
            .enumerate()
            .map(|(number, region)| {
                let search = format!("SEARCH('{{Doorbuster,region,journey}} MetricName=\"{metric}\"', '{statistic}', 300)");
                json!([{ "expression": search, "id": format!("e{number}"), "region": region, "label": region }])
            })
            .collect();
        widgets.push(widget(title, statistic, &first, &lines, place(widgets.len()), width));
    }
    json!({ "start": "-PT3H", "widgets": widgets })
}

/// The regions that a dashboard's body shows, in their order.
pub(super) fn regions(body: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let widgets = body["widgets"].as_array().into_iter().flatten();
    let lines = widgets.flat_map(|widget| widget["properties"]["metrics"].as_array().into_iter().flatten());
    let mut regions: Vec<String> = Vec::new();
    for region in lines.filter_map(|line| line.as_array()?.last()?["region"].as_str()) {
        if !regions.iter().any(|known| known == region) {
            regions.push(region.to_owned());
        }
    }
    regions
}

fn widget(
    title: &str,
    statistic: &str,
    region: &str,
    lines: &[Value],
    (x, y): (usize, usize),
    width: usize,
) -> Value {
    json!({
        "type": "metric", "x": x, "y": y, "width": width, "height": HEIGHT,
        "properties": {
            "title": title, "view": "timeSeries", "stacked": false, "stat": statistic, "period": PERIOD_S,
            "region": region, "metrics": lines, "yAxis": { "left": { "min": 0 } },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_says_which_regions_it_shows() {
        let shown = ["us-east-1", "ap-northeast-1"].map(str::to_owned);
        assert_eq!(regions(&body("shop", &shown).to_string()), shown);
        for strange in [
            "",
            "[]",
            "{}",
            r#"{"widgets":[{"type":"text"}]}"#,
            r#"{"widgets":[{"properties":{"metrics":[[]]}}]}"#,
        ] {
            assert!(regions(strange).is_empty(), "{strange}");
        }
    }

    /// Source: as above; what CloudWatch would refuse, and what it would draw wrongly.
    #[test]
    fn the_body_is_what_cloudwatch_draws() {
        let regions = ["ap-northeast-1", "eu-west-2", "us-east-1"].map(str::to_owned);
        let body = body("shop", &regions);
        let widgets = body["widgets"].as_array().unwrap();
        assert_eq!(widgets.len(), OF_AGENTS.len() + 2);
        let mut taken = std::collections::BTreeSet::new();
        for widget in widgets {
            let number = |key: &str| usize::try_from(widget[key].as_u64().unwrap()).unwrap();
            assert!(number("x") + number("width") <= COLUMNS && number("height") >= 1, "{widget}");
            assert!(taken.insert((number("x"), number("y"))), "{widget} lies on another");
            let properties = &widget["properties"];
            assert_eq!(widget["type"], "metric");
            assert!(["Sum", "Maximum"].contains(&properties["stat"].as_str().unwrap()));
            assert!(properties["period"].as_u64().unwrap().is_multiple_of(60));
            let lines = properties["metrics"].as_array().unwrap();
            assert_eq!(lines.len(), regions.len());
            for (line, region) in lines.iter().zip(&regions) {
                assert_eq!(line.as_array().unwrap().last().unwrap()["region"], region.as_str());
            }
        }
    }
}
