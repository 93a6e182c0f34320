//! A real Alertmanager: what it makes of the postman's letters and reminders.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use url::Url;

use super::office::{End, Memory};
use super::*;
use crate::notify::Kind;
use crate::notify::alertmanager::Alertmanager as Notified;
use crate::notify::postman::Postman;

const PROGRAM: &str = "prometheus-alertmanager";

/// An Alertmanager of its own. It ends with it, and so does its folder.
struct Alertmanager {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Alertmanager {
    async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("doorbuster-alertmanager-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let configuration = folder.join("alertmanager.yml");
        std::fs::write(&configuration, "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n")
            .unwrap();
        let log = File::create(folder.join("log")).unwrap();
        let child = Command::new(PROGRAM)
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            // Alone, not one of a cluster.
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("Alertmanager starts: cargo xtask test installs it");
        let alertmanager = Self { child, folder, port };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let log = std::fs::read_to_string(alertmanager.folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "Alertmanager does not listen: {log}");
            sleep(Duration::from_millis(50)).await;
        }
        alertmanager
    }

    fn url(&self) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}/", self.port)).unwrap()
    }

    /// The alerts that fire.
    async fn alerts(&self) -> Vec<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        stream.write_all(b"GET /api/v2/alerts HTTP/1.0\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Waits until so many alerts fire.
    async fn wait_for(&self, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let alerts = self.alerts().await;
            if alerts.len() == count {
                return alerts;
            }
            assert!(Instant::now() < deadline, "{alerts:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn a_real_alertmanager_keeps_an_alert_firing_until_it_is_over() {
    let missing = std::env::var("DOORBUSTER_WITHOUT").unwrap_or_default();
    if missing.split(',').any(|program| program == PROGRAM) {
        eprintln!("left out: {PROGRAM} is missing on this machine");
        return;
    }
    let alertmanager = Alertmanager::start().await;
    let kind = Kind::Alertmanager(Notified::new(&alertmanager.url()).unwrap().lasting(5));
    let notifiers = notifiers(Notifier { name: "alertmanager".to_owned(), kind });
    let now_s = || Timestamp::now().as_second();
    let outbox = Arc::new(Memory::default());
    let began_s = now_s() - 60;
    let of = |status| Notice { began_s, at_s: now_s(), ..notice(status) };
    outbox.add("alertmanager", &of(AlertStatus::Firing), now_s());

    let clock = Arc::new(now_s);
    let postman = Postman::new("shop", Arc::clone(&outbox), notifiers, clock, &[])
        .reminding_every(Duration::from_secs(1));
    let (stop, stopped) = oneshot::channel::<()>();
    let at_work = tokio::spawn(postman.run(async move {
        let _ = stopped.await;
    }));
    let alerts = alertmanager.wait_for(1).await;
    let labels = &alerts[0]["labels"];
    assert_eq!(labels["alertname"], "DoorbusterErrorBudgetBurn");
    assert_eq!(labels["severity"], "page");
    assert_eq!(labels["objective"], "checkout availability 99.99% over 30d");
    let fingerprint = alerts[0]["fingerprint"].clone();
    // Each post lasts 5 s, and a letter was written once.
    let end = Instant::now() + Duration::from_secs(9);
    while Instant::now() < end {
        let alerts = alertmanager.alerts().await;
        assert_eq!(alerts.len(), 1, "{alerts:?}");
        assert_eq!(alerts[0]["fingerprint"], fingerprint);
        assert_eq!(alerts[0]["status"]["state"], "active");
        sleep(Duration::from_millis(200)).await;
    }
    assert!(matches!(outbox.ends()[..], [Some(End::Delivered(_))]), "{:?}", outbox.ends());

    outbox.add("alertmanager", &of(AlertStatus::Resolved), now_s());
    alertmanager.wait_for(0).await;
    // Nobody says again that it fires.
    sleep(Duration::from_secs(3)).await;
    assert_eq!(alertmanager.alerts().await, Vec::<Value>::new());
    stop.send(()).unwrap();
    at_work.await.unwrap();
}
