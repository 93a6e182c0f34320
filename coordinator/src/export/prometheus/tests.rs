//! The page as a whole, beside a file and before Prometheus's own checker.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{Format, page};
use crate::export::samples;
use crate::export::testing::without;
use crate::tell::golden;

#[test]
fn the_page_in_both_formats() {
    golden("metrics.txt", &page(&samples::snapshot(), Format::Text));
    golden("metrics.openmetrics.txt", &page(&samples::snapshot(), Format::OpenMetrics));
}

#[test]
fn a_page_without_figures_is_one_too() {
    let mut exporter = crate::export::Exporter::new("shop", samples::names(), None);
    let (_, snapshot) = (exporter.board(), exporter.snapshot);
    let text = page(&snapshot, Format::Text);
    assert!(text.contains("doorbuster_build_info{plan=\"shop\",version="), "{text}");
    assert!(text.contains("doorbuster_agents{plan=\"shop\",region=\"tokyo\"} 0\n"), "{text}");
    assert!(!text.contains("doorbuster_slo_burn_rate"), "no family without a sample:\n{text}");
}

/// The samples of a page: what stands before their values.
fn series(text: &str) -> Vec<&str> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect()
}

#[test]
fn every_series_is_told_once_and_the_same_in_both_formats() {
    let [text, open_metrics] =
        [Format::Text, Format::OpenMetrics].map(|format| page(&samples::snapshot(), format));
    let told = series(&text);
    assert_eq!(told.len(), told.iter().collect::<BTreeSet<_>>().len(), "a series twice");
    assert_eq!(told, series(&open_metrics));
    let families: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    assert_eq!(families.len(), families.iter().collect::<BTreeSet<_>>().len(), "a family in two places");
}

#[test]
fn an_alert_that_fires_again_is_one_series() {
    let text = page(&samples::snapshot(), Format::Text);
    let alert = |state: &str| {
        format!(
            "doorbuster_alert{{plan=\"shop\",objective=\"checkout availability 99.99% over 30d\",scope=\"global\",severity=\"page\",rule=\"page-14.4\",state=\"{state}\"}}"
        )
    };
    assert!(text.contains(&format!("{} 1\n", alert("firing"))), "{text}");
    assert!(text.contains(&format!("{} 0\n", alert("pending"))), "{text}");
}

#[test]
fn promtool_finds_nothing_wrong_with_the_page() {
    if without("promtool") {
        return;
    }
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts: cargo xtask test installs it");
    promtool.stdin.take().unwrap().write_all(page(&samples::snapshot(), Format::Text).as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(output.status.success() && said.is_empty(), "{said}");
}
