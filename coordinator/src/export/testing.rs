//! Programs that stand in for others in tests.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};

use super::aws;

/// Whether a need of a test is missing here; says so.
pub(crate) fn without(need: &str) -> bool {
    let missing = std::env::var("DOORBUSTER_WITHOUT").unwrap_or_default().split(',').any(|name| name == need);
    if missing {
        eprintln!("left out: {need} is missing on this machine");
    }
    missing
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program that listens on a port, and ends with its owner.
#[derive(Debug)]
pub(crate) struct Program(Child);

impl Program {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(command: &mut Command, port: u16) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut program = Self(child.expect("it starts: cargo xtask test installs it"));
        let deadline = Instant::now() + Duration::from_secs(120);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(program.0.try_wait().unwrap().is_none(), "{command:?} ended by itself");
            assert!(Instant::now() < deadline, "{command:?} does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        program
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A stand-in for AWS.
#[derive(Debug)]
pub(crate) struct MiniStack {
    _program: Program,
    port: u16,
}

impl MiniStack {
    /// Starts one of its own.
    pub(crate) fn start() -> Self {
        let port = free_port();
        let mut command = Command::new("ministack");
        command.envs([("BIND_HOST", "127.0.0.1"), ("MINISTACK_HOST", "127.0.0.1")]);
        command.env("GATEWAY_PORT", port.to_string());
        Self { _program: Program::start(&mut command, port), port }
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A client for it.
    pub(crate) async fn client(&self) -> Client {
        aws::test_client(&self.endpoint()).await
    }

    /// Puts a value of a metric with one dimension.
    pub(crate) async fn put(
        &self,
        client: &Client,
        namespace: &str,
        metric: &str,
        (name, value): (&str, &str),
        at_s: i64,
        sum: f64,
    ) {
        let datum = MetricDatum::builder()
            .metric_name(metric)
            .dimensions(Dimension::builder().name(name).value(value).build())
            .timestamp(DateTime::from_secs(at_s))
            .value(sum)
            .build();
        let request = client.put_metric_data().namespace(namespace).metric_data(datum);
        Box::pin(request.send()).await.unwrap();
    }
}
