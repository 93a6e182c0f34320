//! Who is told of alerts: the built binary against receivers, a real Alertmanager, and SNS in MiniStack.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::util::{
    Finished, Folder, Nginx, certificates, read_head_text, server, signal, start_in, turn, without,
};

/// No proxy stands between these tests and their receivers.
const DIRECT: (&str, &str) = ("NO_PROXY", "127.0.0.1");
const AWS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "hunter2-aws")];

/// A receiver that gives every request the same answer, and keeps them all.
struct Sink {
    address: SocketAddr,
    /// Heads and bodies.
    received: Arc<Mutex<Vec<(String, String)>>>,
}

impl Sink {
    fn start(answer: &'static str) -> Self {
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        let address = server(move |mut stream| {
            while let Some(head) = read_head_text(&mut stream) {
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(": ")?;
                    name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
                });
                let mut body = vec![0; length.unwrap_or(0)];
                if stream.read_exact(&mut body).is_err() {
                    return;
                }
                kept.lock().unwrap().push((head, String::from_utf8(body).unwrap()));
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        });
        Self { address, received }
    }

    fn received(&self) -> Vec<(String, String)> {
        self.received.lock().unwrap().clone()
    }

    /// The bodies of requests to a path.
    fn bodies(&self, path: &str) -> Vec<Value> {
        let start = format!("POST {path} HTTP/1.1\r\n");
        let to_path = self.received().into_iter().filter(|(head, _)| head.starts_with(&start));
        to_path.map(|(_, body)| serde_json::from_str(&body).unwrap()).collect()
    }

    /// Waits until a condition on what came is met.
    fn wait(&self, is_met: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_met(self) {
            assert!(Instant::now() < deadline, "{:?}", self.received());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

const TAKES: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A plan that tells these.
fn plan(folder: &Folder, notify: &str) -> String {
    let load = "load: { arrivals: [{ hold: 1/s, for: 1s }] }";
    let text = format!("name: shop\njourneys: [browse]\n{load}\nalerts:\n  notify:\n{notify}");
    folder.write("plan.yaml", text)
}

/// `doorbuster alert test`.
fn alert_test(environment: &[(&str, &str)], arguments: &[&str]) -> Finished {
    start_in(environment, &[&["alert", "test"], arguments].concat()).finish()
}

/// The rows of the table, with single spaces.
fn rows(finished: &Finished) -> Vec<String> {
    let lines = finished.stdout.lines().skip(3);
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn a_test_reaches_everybody_and_says_that_it_is_one() {
    let (sink, folder) = (Sink::start(TAKES), Folder::new());
    let address = sink.address;
    let notify = format!(
        "    - {{ alertmanager: \"http://{address}\" }}\n    \
             - {{ webhook: \"http://{address}/hook\", secret_env: HOOK_SECRET }}\n    \
             - {{ slack: {{ url_env: SLACK_URL }} }}\n    \
             - {{ pagerduty: {{ routing_key_env: PD_KEY, url: \"http://{address}/pd\" }} }}\n"
    );
    let slack = format!("http://{address}/services/hunter2");
    let secrets =
        [DIRECT, ("HOOK_SECRET", "hunter2-hook"), ("SLACK_URL", slack.as_str()), ("PD_KEY", "hunter2-pd")];
    let finished = alert_test(&secrets, &[&plan(&folder, &notify)]);
    assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
    let rows = rows(&finished);
    for (row, expected) in rows.iter().zip([
        "alertmanager firing taken (200)",
        "alertmanager resolved taken (200)",
        "webhook firing taken (200)",
        "webhook resolved taken (200)",
        "slack firing taken (200)",
        "slack resolved taken (200)",
        "pagerduty firing taken (200)",
        "pagerduty resolved taken (200)",
    ]) {
        assert!(row.starts_with(expected), "{row}");
    }
    assert_eq!((rows.len(), sink.received().len()), (8, 8), "{}", finished.stdout);
    assert!(!finished.stdout.contains("hunter2") && !finished.stderr.contains("hunter2"));

    let alerts = sink.bodies("/api/v2/alerts");
    assert!(alerts.iter().all(|alert| alert[0]["labels"]["test"] == "true"));
    assert_eq!(alerts[0][0]["labels"], alerts[1][0]["labels"]);
    let hooks = sink.bodies("/hook");
    assert_eq!(
        (hooks[0]["status"].as_str(), hooks[1]["status"].as_str()),
        (Some("firing"), Some("resolved"))
    );
    for hook in &hooks {
        assert_eq!((hook["test"].as_bool(), hook["severity"].as_str()), (Some(true), Some("ticket")));
        assert_eq!(
            (hook["plan"].as_str(), hook["schema"].as_str()),
            (Some("shop"), Some("doorbuster.alert/1"))
        );
    }
    let heads: Vec<String> = sink.received().into_iter().map(|(head, _)| head.to_ascii_lowercase()).collect();
    assert_eq!(heads.iter().filter(|head| head.contains("x-doorbuster-signature: t=")).count(), 2);
    let slack = sink.bodies("/services/hunter2");
    assert!(slack.iter().all(|message| message["text"].as_str().unwrap().starts_with("TEST ")));
    let events = sink.bodies("/pd");
    assert_eq!(events[0]["dedup_key"], events[1]["dedup_key"]);
    assert!(events[0]["payload"]["summary"].as_str().unwrap().starts_with("TEST: "));
}

#[test]
fn a_refusal_fails_the_test_and_shows_no_secret() {
    let sink = Sink::start("HTTP/1.1 404 Not Found\r\nContent-Length: 27\r\n\r\nno_service services/hunter2");
    let folder = Folder::new();
    let notify = format!(
        "    - {{ slack: {{ url_env: SLACK_URL }} }}\n    \
             - {{ webhook: \"http://{}/hook\", secret_env: HOOK_SECRET }}\n",
        sink.address
    );
    let slack = format!("http://{}/services/hunter2", sink.address);
    // The webhook's secret is not there, and not needed.
    let secrets = [DIRECT, ("SLACK_URL", slack.as_str())];
    let plan = plan(&folder, &notify);
    let finished = alert_test(&secrets, &[&plan, "--only", "slack", "--severity", "page"]);
    assert_eq!(finished.code, 1, "{}", finished.stderr);
    let rows = rows(&finished);
    assert!(rows[0].starts_with("slack firing not taken: answered 404: no_service …"), "{rows:?}");
    assert!(rows[1].starts_with("slack resolved not taken: answered 404"), "{rows:?}");
    assert!(!finished.stdout.contains("hunter2") && !finished.stderr.contains("hunter2"));
    assert_eq!(sink.received().len(), 2);
    assert!(sink.bodies("/services/hunter2")[0]["text"].as_str().unwrap().contains("(page)"));
}

#[test]
fn what_cannot_be_sent_is_told_before_anything_is() {
    let (sink, folder) = (Sink::start(TAKES), Folder::new());
    let notify = format!(
        "    - {{ alertmanager: \"http://{}\" }}\n    - {{ slack: {{ url_env: DOORBUSTER_NO_SUCH_VARIABLE }} }}\n",
        sink.address
    );
    let plan_of_two = plan(&folder, &notify);
    let missing = alert_test(&[DIRECT], &[&plan_of_two]);
    assert_eq!((missing.code, sink.received().len()), (2, 0), "{}", missing.stdout);
    let expected = format!(
        "{plan_of_two}:7:7: the notifier \"slack\": the variable DOORBUSTER_NO_SUCH_VARIABLE is not set"
    );
    assert!(missing.stderr.contains(&expected), "{}", missing.stderr);
    let none = alert_test(&[DIRECT], &[&plan_of_two, "--only", "sns"]);
    assert_eq!(none.code, 2);
    assert!(none.stderr.contains("has no notifier of the kind sns"), "{}", none.stderr);
    let mistyped = alert_test(&[DIRECT], &[&plan_of_two, "--only", "slcak"]);
    assert!(mistyped.code == 2 && mistyped.stderr.contains("slack"), "{}", mistyped.stderr);
}

#[test]
fn an_interrupted_test_is_resolved() {
    let (sink, folder) = (Sink::start(TAKES), Folder::new());
    let notify = format!("    - {{ alertmanager: \"http://{}\" }}\n", sink.address);
    let plan = plan(&folder, &notify);
    let running = start_in(&[DIRECT], &["alert", "test", &plan, "--for", "10m"]);
    sink.wait(|sink| sink.received().len() == 1);
    // The answer is on its way; whoever listens for the signal listens after it.
    thread::sleep(Duration::from_millis(500));
    signal(running.child.id(), "INT");
    let finished = running.finish();
    assert_eq!((finished.code, sink.received().len()), (0, 2), "{}{}", finished.stdout, finished.stderr);
    let alerts = sink.bodies("/api/v2/alerts");
    let ends: Vec<&str> = alerts.iter().map(|alert| alert[0]["endsAt"].as_str().unwrap()).collect();
    assert!(ends[1] < ends[0], "{ends:?}");
}

#[test]
fn letters_go_through_the_environment_s_proxy() {
    let (proxy, folder) = (Sink::start(TAKES), Folder::new());
    let plan = plan(&folder, "    - { webhook: \"http://alerts.test/hook\", secret_env: HOOK_SECRET }\n");
    let address = format!("http://{}", proxy.address);
    let environment = [("HTTP_PROXY", address.as_str()), ("NO_PROXY", ""), ("HOOK_SECRET", "x")];
    let finished = alert_test(&environment, &[&plan]);
    assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
    let (head, _) = &proxy.received()[0];
    assert!(head.starts_with("POST http://alerts.test/hook HTTP/1.1\r\n"), "{head}");
}

#[test]
fn letters_go_over_tls_to_whom_this_system_trusts() {
    if without("nginx") || without("openssl") {
        return;
    }
    let _turn = turn();
    let folder = Folder::new();
    certificates(&folder);
    let nginx = Nginx::start(
        folder,
        "server { listen 127.0.0.1:PORT ssl; ssl_certificate FOLDER/server.pem; ssl_certificate_key FOLDER/server.key;\n\
         location / { return 200 ok; } }",
    );
    let notify =
        format!("    - {{ webhook: \"https://127.0.0.1:{}/hook\", secret_env: HOOK_SECRET }}\n", nginx.port);
    let plan = plan(&nginx.folder, &notify);
    let stranger = alert_test(&[DIRECT, ("HOOK_SECRET", "x")], &[&plan]);
    assert_eq!(stranger.code, 1, "an authority that nobody trusts");
    assert!(stranger.stdout.contains("UnknownIssuer"), "{}", stranger.stdout);
    let authority = nginx.folder.path("ca.pem").display().to_string();
    let known = alert_test(&[DIRECT, ("HOOK_SECRET", "x"), ("SSL_CERT_FILE", authority.as_str())], &[&plan]);
    assert_eq!(known.code, 0, "{}{}", known.stdout, known.stderr);
    assert_eq!(nginx.log().get("POST /hook 200"), Some(&2), "{:?}", nginx.log());
}

#[test]
fn silences_come_and_go() {
    let folder = Folder::new();
    let text = "name: shop\ntarget: http://127.0.0.1:1\nregions: [tokyo, london]\njourneys: [browse]\n\
                probe: { every: 20s }\nslo: { objectives: [\"browse availability 99.9%\"] }\n\
                alerts: { maintenance: [{ from: 2999-01-01T00:00:00Z, to: 2999-01-02T00:00:00Z, reason: far }] }\n";
    let (plan, data) = (folder.write("plan.yaml", text), folder.path("data").display().to_string());
    let alert = |command: &str, more: &[&str]| {
        let arguments = [&["alert", command, &plan, "--data-dir", &data], more].concat();
        start_in(&[], &arguments).finish()
    };
    let none = alert("silences", &[]);
    assert!(none.code == 0 && none.stdout.contains("2999-01-02T00:00:00Z"), "{}{}", none.stdout, none.stderr);
    let made = alert("silence", &["--for", "2h", "--scope", "tokyo", "--reason", "deploy of the cart"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    let id = made.stdout.split_whitespace().last().unwrap();
    let shown = alert("silences", &[]);
    for word in [id, "everything, tokyo", "deploy of the cart"] {
        assert!(shown.stdout.contains(word), "{}", shown.stdout);
    }
    let mistyped = alert("silence", &["--for", "2h", "--scope", "tokio", "--reason", "x"]);
    assert!(mistyped.code == 2 && mistyped.stderr.contains("did you mean \"tokyo\"?"), "{}", mistyped.stderr);
    assert_eq!(alert("unsilence", &["nothing"]).code, 2);
    assert_eq!(alert("unsilence", &[id]).code, 0);
    assert!(!alert("silences", &[]).stdout.contains(id));
    assert_eq!(alert("unsilence", &[id]).code, 2, "it is over already");
}

/// A server that a test started. It ends with it.
struct Peer {
    child: Child,
    folder: Folder,
    port: u16,
}

impl Peer {
    /// Starts a program, and waits until it listens. `PORT` and `FOLDER` in its arguments and variables are replaced.
    fn start(program: &str, folder: Folder, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let root = folder.path("").display().to_string();
        let own = |text: &str| text.replace("PORT", &port.to_string()).replace("FOLDER/", &root);
        let log = File::create(folder.path("log")).unwrap();
        let child = Command::new(program)
            .args(arguments.iter().map(|argument| own(argument)))
            .envs(environment.iter().map(|(name, value)| (*name, own(value))))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{program} starts: cargo xtask test installs it ({error})"));
        let peer = Self { child, folder, port };
        let deadline = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = fs::read_to_string(peer.folder.path("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{program} does not listen: {log}");
            thread::sleep(Duration::from_millis(50));
        }
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_real_alertmanager_tells_of_a_test_once() {
    if without("prometheus-alertmanager") {
        return;
    }
    let _turn = turn();
    let (sink, folder) = (Sink::start(TAKES), Folder::new());
    let configuration = folder.write(
        "alertmanager.yml",
        format!(
            "route: {{ receiver: sink, group_by: [incident], group_wait: 1s, group_interval: 1s }}\n\
             receivers: [{{ name: sink, webhook_configs: [{{ url: \"http://{}/told\" }}] }}]\n",
            sink.address
        ),
    );
    let peer = Peer::start(
        "prometheus-alertmanager",
        folder,
        &[
            &format!("--config.file={configuration}"),
            "--storage.path=FOLDER/data",
            "--web.listen-address=127.0.0.1:PORT",
            // Alone, not one of a cluster.
            "--cluster.listen-address=",
        ],
        &[],
    );
    let notify = format!("    - {{ alertmanager: \"http://127.0.0.1:{}\" }}\n", peer.port);
    let plan = plan(&peer.folder, &notify);
    let finished = alert_test(&[DIRECT], &[&plan, "--for", "4s"]);
    assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
    sink.wait(|sink| sink.bodies("/told").len() == 2);
    let told = sink.bodies("/told");
    assert_eq!((told[0]["status"].as_str(), told[1]["status"].as_str()), (Some("firing"), Some("resolved")));
    for told in &told {
        let alerts = told["alerts"].as_array().unwrap();
        assert_eq!(alerts.len(), 1, "{told}");
        let labels = &alerts[0]["labels"];
        assert_eq!((labels["plan"].as_str(), labels["test"].as_str()), (Some("shop"), Some("true")));
        assert_eq!((labels["severity"].as_str(), labels["scope"].as_str()), (Some("ticket"), Some("global")));
    }
    assert_eq!(told[0]["groupKey"], told[1]["groupKey"], "one incident");
}

/// Asks MiniStack's SNS for something.
fn sns(port: u16, form: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        form.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(form.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{form}: {answer}");
    answer
}

/// Makes a topic, and subscribes a path of the sink to it.
fn subscribe(port: u16, sink: &Sink, name: &str, attributes: &str) -> String {
    let arn = format!("arn:aws:sns:us-east-1:000000000000:{name}");
    sns(port, &format!("Action=CreateTopic&Version=2010-03-31&Name={name}{attributes}"));
    let endpoint = format!("http://{}/{name}", sink.address);
    let asked = "Action=Subscribe&Version=2010-03-31&Protocol=http";
    sns(port, &format!("{asked}&TopicArn={arn}&Endpoint={endpoint}"));
    let path = format!("/{name}");
    sink.wait(|sink| !sink.bodies(&path).is_empty());
    let token = sink.bodies(&path)[0]["Token"].as_str().unwrap().to_owned();
    sns(port, &format!("Action=ConfirmSubscription&Version=2010-03-31&TopicArn={arn}&Token={token}"));
    arn
}

#[test]
fn sns_delivers_a_test_to_its_subscribers() {
    if without("ministack") {
        return;
    }
    let _turn = turn();
    let sink = Sink::start(TAKES);
    let environment = [
        ("BIND_HOST", "127.0.0.1"),
        ("GATEWAY_PORT", "PORT"),
        ("MINISTACK_HOST", "127.0.0.1"),
        ("TMPDIR", "FOLDER/"),
    ];
    let peer = Peer::start("ministack", Folder::new(), &[], &environment);
    let fifo = "&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true";
    let topics = [subscribe(peer.port, &sink, "pages", ""), subscribe(peer.port, &sink, "pages.fifo", fifo)];
    let notify = topics.map(|arn| format!("    - {{ sns: {{ topic_arn: \"{arn}\" }} }}\n")).concat();
    let plan = plan(&peer.folder, &notify);
    let endpoint = format!("http://127.0.0.1:{}", peer.port);
    let environment = [DIRECT, AWS[0], AWS[1]];
    let finished = alert_test(&environment, &[&plan, "--aws-endpoint", &endpoint]);
    assert_eq!(finished.code, 0, "{}{}", finished.stdout, finished.stderr);
    for path in ["/pages", "/pages.fifo"] {
        // The first is what asked for the confirmation.
        sink.wait(|sink| sink.bodies(path).len() == 3);
        let told = sink.bodies(path).split_off(1);
        for (told, status) in told.iter().zip(["firing", "resolved"]) {
            assert_eq!(told["Type"], "Notification");
            let subject = format!("TEST {} (ticket): a test", status.to_uppercase());
            assert!(told["Subject"].as_str().unwrap().starts_with(&subject), "{told}");
            let document: Value = serde_json::from_str(told["Message"].as_str().unwrap()).unwrap();
            assert_eq!((document["status"].as_str(), document["test"].as_bool()), (Some(status), Some(true)));
        }
    }
    // A topic that is not there is a refusal, and credentials are needed.
    let gone = "    - { sns: { topic_arn: \"arn:aws:sns:us-east-1:000000000000:gone\" } }\n";
    let plan = self::plan(&peer.folder, gone);
    let refused = alert_test(&environment, &[&plan, "--aws-endpoint", &endpoint]);
    assert!(refused.code == 1 && refused.stdout.contains("answered 404"), "{}", refused.stdout);
    let nobody = alert_test(&[DIRECT, ("AWS_ACCESS_KEY_ID", "")], &[&plan, "--aws-endpoint", &endpoint]);
    assert!(nobody.code == 1 && nobody.stdout.contains("AWS_ACCESS_KEY_ID"), "{}", nobody.stdout);
}
