//! Workspace tests: the built binary against real servers on loopback. An annotated index.
//!
//! Tests that send load take turns ([`util::turn`]), so that they do not measure one another. What a test needs
//! beside cargo is listed in `xtask/src/needs.rs`; `cargo xtask test` installs it, and a test whose need is named in
//! `DOORBUSTER_WITHOUT` says so and is left out. Tests called `long_…` run with `cargo xtask long`.

// Integration tests are the place for these.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

/// Who is told of alerts: webhooks, Slack and PagerDuty as they are configured, a real Alertmanager, SNS in MiniStack.
mod alerts;
/// What a page fetches beside itself, where redirects lead it, and what is left of it.
mod assets;
/// Audits of the demo shop's edge: nothing found where nothing is wrong, and what cannot be audited is said.
mod audit;
/// Bad input and targets that misbehave: a clear message, the right exit code, bounded memory, nothing hung.
mod bad_input;
/// A shopper's cache: what is fresh is not sent, what is stale is asked about.
mod cache;
/// Varnish and nginx as edges: nothing found where they are right, and each thing that people get wrong in them.
mod caches;
/// What the edge has promised: what runs tell of it, and that a right shop has no findings.
mod cdn;
/// Counts agree to the request: the report's with the shop's log and with nginx's.
mod counts;
/// Three styles of shop: the demo shop's own pages, forms as of old, GraphQL; and one journey with everything shown.
mod faces;
/// The fleet: put into three regions of a stand-in for AWS, counted to the request, its load over once its coordinator is
/// killed, and removed without a trace.
mod fleet;
/// A run as a relay of generations: to the target it is the same run, and losing one loses no other.
mod generations;
/// Agents of somebody else's: another program, and a team's Goose scenarios with counts to the request.
mod goose;
/// Agents that dial in: enrolment, counts to the request, a coordinator that is killed, thirty agents in three networks.
mod join;
/// Losing an agent, losing the coordinator, being interrupted: never a pass, and load stops.
mod lost;
/// Every fault about the CDN: as load shows it, as an audit proves it, each where it is and nowhere else.
mod matrix;
/// The pre-flight: what is refused, what is asked of AWS, and that the target hears nothing of it.
mod preflight;
/// Probing all year round: counts as the shop's log has them, lost regions, incidents, crashes of the coordinator.
mod probe;
/// A probing agent: each journey at its time, each walk told step by step, whatever the target does.
mod probe_agent;
/// What the report promises (CONTRACT's keys), exit codes, files that were asked for, help texts.
mod promises;
/// Bodies are read on only as far as a step wants them.
mod reading;
/// What redirects carry along, to another host and back.
mod redirects;
/// A relay of generations: each arrival once, in its own part of the run, from a second 0 that may be long past.
mod relay;
/// Runs are kept: listed, shown again, exported, removed; also without a store that can be used.
mod runs;
/// Audits over TLS: what is offered, how far apart requests are on the wire, and what goes in the clear.
mod secure;
/// Backtests of alerts, against an oracle.
mod slo;
/// What `slo export` writes: rules before Prometheus's own checker, alarms before a stand-in for AWS.
mod slo_export;
/// Proxies, TLS and HTTP/2, client certificates, basic authentication, own headers and addresses.
mod staging;
/// Who may import whom, and other rules about the tree.
mod tidy;
/// Versions of TLS and HTTP, as an audit finds them in servers that take what they should and what they should not.
mod transport;
/// Latencies are what arithmetic says, and load is what the plan says.
mod truth;

/// Starting servers and the binary.
mod util;
