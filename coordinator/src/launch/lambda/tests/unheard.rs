//! Agents that nobody hears any more, and that may send all the same: they are let go by the board, and stay on it.

use super::*;

/// What stands on the run's board.
fn board(cloud: &Cloud) -> Board {
    Board::decode(&cloud.objects()[BOARD]).unwrap()
}

/// The board, once it has been written with that lease.
async fn renewed(cloud: &Cloud, lambda: &Lambda, lease: u64) -> Board {
    lambda.places[REGION].board.tell(&ToAgent::Lease { counter: lease });
    let deadline = Instant::now() + Duration::from_secs(10);
    while board(cloud).lease != lease {
        assert!(Instant::now() < deadline, "{:?}", board(cloud));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    board(cloud)
}

/// What a duplicate says.
fn refusal() -> Vec<u8> {
    let hello = FromAgent::Hello { protocol: PROTOCOL, version: "1".to_owned() };
    let failed = FromAgent::Report(Report::Failed { message: "this is a duplicate".to_owned() });
    [hello.encode().unwrap(), failed.encode().unwrap()].concat()
}

/// An answer that is complete.
fn complete_of(bytes: &[u8]) -> Play {
    let mut steps = streamed(bytes, 50, 20);
    steps.push(ending(None));
    Play::Streams(steps)
}

/// Hears all that an agent says, and why it is gone.
async fn heard_out(events: &mut Receiver<(usize, Event)>) -> String {
    loop {
        if let Event::Gone(why) = next(events).await {
            return why;
        }
    }
}

#[tokio::test]
async fn whose_response_is_lost_is_let_go_and_stays_on_the_board() {
    for (last, expected) in [
        (Some(Step::Break), "broke: "),
        (None, "ended before"),
        (Some(Step::Bytes(chunk(&[255; 8]))), "no Doorbuster"),
    ] {
        let cloud = Cloud::start().await;
        let last = Mutex::new(last);
        cloud.function(move |_| {
            let mut steps = streamed(&greetings(), 50, 20);
            // Gone at once, what was sent before might not be read.
            steps.push(Step::Wait(Duration::from_millis(100)));
            steps.extend(last.lock().unwrap().take());
            Play::Streams(steps)
        });
        let lambda = opened(&cloud, "").await.unwrap();
        let (_agent, mut events) = launched(&lambda, assignment("r-0"));
        greeted(&mut events).await;
        let why = gone(&mut events).await;
        assert!(why.contains(expected), "{why}");
        assert_eq!(renewed(&cloud, &lambda, 1).await.let_go, ["r-0"], "{expected}");
        assert_eq!(renewed(&cloud, &lambda, 2).await.let_go, ["r-0"], "for as long as there are leases");
    }
}

#[tokio::test]
async fn who_was_heard_to_the_end_is_on_no_board() {
    let cloud = Cloud::start().await;
    cloud.function(|invoked| match invoked.earlier {
        0 => complete_of(&[greetings(), finished()].concat()),
        1 => Play::Streams(vec![ending(Some(("Sandbox.Timedout", "Task timed out")))]),
        _ => Play::Refused(403, "AccessDeniedException"),
    });
    let lambda = opened(&cloud, "").await.unwrap();
    for id in ["r-0", "r-1", "r-2"] {
        let (_agent, mut events) = launched(&lambda, assignment(id));
        heard_out(&mut events).await;
    }
    assert!(renewed(&cloud, &lambda, 1).await.let_go.is_empty());
}

#[tokio::test]
async fn a_duplicate_that_ends_says_nothing_of_the_first() {
    let cloud = Cloud::start().await;
    // The first went through, cold, though AWS said that it failed; the second is the duplicate.
    cloud.function(|invoked| match invoked.earlier {
        0 => Play::Refused(500, "ServiceException"),
        _ => complete_of(&refusal()),
    });
    let lambda = opened(&cloud, "").await.unwrap();
    let (_agent, mut events) = launched(&lambda, assignment("r-0"));
    assert_eq!(heard_out(&mut events).await, "its invocation ended");
    assert_eq!(invoked(&cloud), 2);
    assert_eq!(renewed(&cloud, &lambda, 1).await.let_go, ["r-0"]);

    // The same where AWS itself has invoked it twice.
    cloud.function(|_| complete_of(&refusal()));
    let (_agent, mut events) = launched(&lambda, assignment("r-1"));
    heard_out(&mut events).await;
    assert_eq!(renewed(&cloud, &lambda, 2).await.let_go, ["r-0", "r-1"]);
}

#[tokio::test]
async fn what_a_server_failed_to_tell_may_run() {
    let cloud = Cloud::start().await;
    cloud.function(|_| Play::Refused(500, "ServiceException"));
    let lambda = opened(&cloud, "").await.unwrap();
    cloud.keep(CLAIM, &greetings());
    let (_agent, mut events) = launched(&lambda, assignment("r-0"));
    let why = gone(&mut events).await;
    assert!(why.ends_with("it runs, and nobody hears it"), "{why}");
    assert_eq!(invoked(&cloud), 1, "a second one would be a duplicate");
    assert_eq!(renewed(&cloud, &lambda, 1).await.let_go, ["r-0"]);
}
