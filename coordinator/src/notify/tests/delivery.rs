//! The postman on paused time: order, keys, attempts, crashes, and those who forget.

use std::sync::atomic::Ordering;

use tokio::time::{sleep, timeout};

use super::office::{End, Office, Reply, work};
use super::*;
use crate::notify::postman::Trouble;

const DAY: Duration = Duration::from_secs(86_400);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn is_delivered(end: &Option<End>) -> bool {
    matches!(end, Some(End::Delivered(_)))
}

#[tokio::test(start_paused = true)]
async fn nobody_hears_of_an_end_before_the_beginning() {
    let office = Office::new(|_, _, before| if before < 3 { Reply::Fails } else { Reply::Takes });
    office.write_both("hook", "a");
    let _at_work = office.open();
    sleep(seconds(60)).await;
    let sent = office.sent_to("hook");
    assert_eq!(sent.iter().map(|sent| sent.sequence).collect::<Vec<_>>(), [0, 0, 0, 0, 1]);
    assert!(sent.windows(2).take(3).all(|pair| pair[1].after - pair[0].after >= seconds(1)), "{sent:?}");
    assert!(office.outbox.ends().iter().all(is_delivered));
    let rows = office.outbox.rows.lock().unwrap();
    assert_eq!((rows[0].failures.len(), rows[0].failures[0].as_str()), (3, "answered 503"));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_holds_up_no_other() {
    let office = Office::new(|notifier, _, _| if notifier == "slow" { Reply::Hangs } else { Reply::Takes });
    (0..1_000).for_each(|number| office.write("slow", &format!("incident-{number}"), AlertStatus::Firing));
    (0..50).for_each(|number| office.write("quick", &format!("incident-{number}"), AlertStatus::Firing));
    let _at_work = office.open();
    sleep(seconds(10)).await;
    assert_eq!(office.sent_to("slow").len(), 4, "no more than four at a time");
    assert_eq!(office.sent_to("quick").len(), 50);
    assert_eq!(office.outbox.ends().iter().filter(|end| is_delivered(end)).count(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_letters_is_sent_a_few_at_a_time() {
    let office = Office::new(|_, _, _| Reply::TakesAfter(Duration::from_millis(500)));
    for number in 0..400 {
        office.write_both(["a", "b"][number % 2], &format!("incident-{}", number / 2));
    }
    let _at_work = office.open();
    sleep(seconds(120)).await;
    assert!(office.outbox.ends().iter().all(is_delivered));
    assert_eq!((office.sent_to("a").len(), office.most_under_way()), (400, 8));
}

#[tokio::test(start_paused = true)]
async fn it_stops_within_two_seconds() {
    let behaviour = |notifier: &str, _: &Notice, _: usize| match notifier {
        "hangs" => Reply::Hangs,
        _ => Reply::TakesAfter(seconds(1)),
    };
    let office = Office::new(behaviour);
    office.write("hangs", "a", AlertStatus::Firing);
    office.write_both("slow", "a");
    let at_work = office.open();
    sleep(Duration::from_millis(100)).await;
    at_work.stop.send(()).unwrap();
    timeout(seconds(2), at_work.ended).await.unwrap().unwrap();
    // What came to its end within that time is noted, and nothing else is begun.
    let ends = office.outbox.ends();
    assert_eq!(ends.iter().map(is_delivered).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!((ends[0].clone(), ends[2].clone()), (None, None));
}

#[tokio::test(start_paused = true)]
async fn what_was_under_way_in_a_crash_is_sent_again_under_the_same_key() {
    // The first receiver gets the notice, and the coordinator dies before it hears of that.
    let office = Office::new(|_, _, before| if before == 0 { Reply::Hangs } else { Reply::Takes });
    office.write_both("hook", "a");
    let at_work = office.open();
    sleep(seconds(5)).await;
    at_work.ended.abort();
    assert!(at_work.ended.await.unwrap_err().is_cancelled());
    sleep(seconds(30)).await;
    assert_eq!(office.sent_to("hook").len(), 1, "nobody is at work");
    let _at_work = office.open();
    sleep(seconds(5)).await;
    let sent = office.sent_to("hook");
    let keys: Vec<(&str, u32)> = sent.iter().map(|sent| (sent.incident.as_str(), sent.sequence)).collect();
    assert_eq!(keys, [("a", 0), ("a", 0), ("a", 1)]);
    assert!(office.outbox.ends().iter().all(is_delivered));
}

#[tokio::test(start_paused = true)]
async fn a_day_is_long_enough() {
    let office = Office::new(|notifier, _, _| match notifier {
        "down" => Reply::Fails,
        _ => Reply::Takes,
    });
    office.write("down", "a", AlertStatus::Firing);
    let _at_work = office.open();
    sleep(DAY - seconds(1)).await;
    assert_eq!(office.outbox.ends(), [None]);
    // A letter that is old already is tried once.
    office.outbox.add("up", &notice(AlertStatus::Firing), BEGAN_S - 200_000);
    sleep(seconds(400)).await;
    let ends = office.outbox.ends();
    let Some(End::Refused(at_s, why)) = &ends[0] else { panic!("{ends:?}") };
    assert_eq!(why, "given up after 24 h: answered 503");
    assert!((86_400..=86_702).contains(&(at_s - BEGAN_S)), "{at_s}");
    assert!(is_delivered(&ends[1]));
    let attempts = office.sent_to("down");
    let longest = attempts.windows(2).map(|pair| pair[1].after - pair[0].after).max().unwrap();
    assert!(longest <= seconds(302) && longest > seconds(240), "{longest:?}");
    assert!((400..900).contains(&attempts.len()), "a few at first, then one in 150 s: {}", attempts.len());
}

#[tokio::test(start_paused = true)]
async fn what_a_silence_held_back_is_as_young_as_its_letter() {
    let office = Office::new(|_, _, before| if before < 5 { Reply::Fails } else { Reply::Takes });
    // It was over two days ago, and nobody wanted to hear of it until now.
    let over = Notice { at_s: BEGAN_S - 200_000, ..notice(AlertStatus::Resolved) };
    office.outbox.add("hook", &over, BEGAN_S);
    let _at_work = office.open();
    sleep(seconds(300)).await;
    assert_eq!(office.sent_to("hook").len(), 6);
    assert!(is_delivered(&office.outbox.ends()[0]));
}

#[tokio::test(start_paused = true)]
async fn what_a_receiver_asks_for_is_waited_out() {
    let office = Office::new(|_, _, before| if before == 0 { Reply::AsksFor(90) } else { Reply::Takes });
    office.write("hook", "a", AlertStatus::Firing);
    let _at_work = office.open();
    sleep(seconds(120)).await;
    let sent = office.sent_to("hook");
    assert_eq!(sent.len(), 2);
    assert!((seconds(90)..=seconds(93)).contains(&(sent[1].after - sent[0].after)), "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_given_up_and_the_next_goes_on() {
    let office = Office::new(|_, _, before| if before == 0 { Reply::Refuses } else { Reply::Takes });
    office.write_both("hook", "a");
    let _at_work = office.open();
    sleep(seconds(5)).await;
    let ends = office.outbox.ends();
    assert!(matches!(&ends[0], Some(End::Refused(_, why)) if why == "answered 404"), "{ends:?}");
    assert!(is_delivered(&ends[1]));
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_cannot_be_read_holds_up_nothing() {
    let office = Office::new(|_, _, _| Reply::Takes);
    office.write_both("hook", "a");
    office.outbox.rows.lock().unwrap()[0].letter.payload = "{".to_owned();
    let _at_work = office.open();
    sleep(seconds(5)).await;
    let ends = office.outbox.ends();
    assert!(matches!(&ends[0], Some(End::Refused(_, why)) if why.contains("cannot be read")), "{ends:?}");
    assert!(is_delivered(&ends[1]));
    assert_eq!(office.sent_to("hook").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_noted_is_not_sent_again() {
    let office = Office::new(|_, _, _| Reply::Takes);
    office.write("hook", "a", AlertStatus::Firing);
    office.outbox.is_full.store(true, Ordering::Relaxed);
    let postman = office.postman(&[]);
    let trouble = postman.trouble();
    let _at_work = work(postman);
    sleep(seconds(60)).await;
    assert_eq!((office.sent_to("hook").len(), office.outbox.ends()), (1, vec![None]));
    office.outbox.is_full.store(false, Ordering::Relaxed);
    let told = Trouble { reading: None, writing: Some("the disk is full".to_owned()) };
    assert_eq!(*trouble.borrow(), told);
    sleep(seconds(3)).await;
    assert!(is_delivered(&office.outbox.ends()[0]));
    assert_eq!((office.sent_to("hook").len(), trouble.borrow().clone()), (1, Trouble::default()));
}

/// What came, to the minute.
fn minutes(office: &Office, notifier: &str) -> Vec<(u64, u32)> {
    let minute = |after: Duration| (after.as_secs() + 5) / 60;
    office.sent_to(notifier).iter().map(|sent| (minute(sent.after), sent.sequence)).collect()
}

#[tokio::test(start_paused = true)]
async fn those_who_forget_are_told_every_minute_until_it_is_over() {
    // The third reminder is lost.
    let office = Office::new(|_, _, before| if before == 3 { Reply::Fails } else { Reply::Takes });
    office.write("alertmanager", "a", AlertStatus::Firing);
    office.write("hook", "a", AlertStatus::Firing);
    let _at_work = office.open();
    sleep(seconds(310)).await;
    let fired: [(u64, u32); 6] = [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0)];
    assert_eq!(minutes(&office, "alertmanager"), fired);
    office.write("alertmanager", "a", AlertStatus::Resolved);
    sleep(seconds(600)).await;
    assert_eq!(minutes(&office, "alertmanager"), [&fired[..], &[(5, 1)]].concat());
    assert_eq!(minutes(&office, "hook"), [(0, 0)]);
    assert_eq!(office.outbox.ends().len(), 3, "reminders are no letters");
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_those_who_forget_are_told_at_once() {
    let office = Office::new(|_, _, _| Reply::Takes);
    let firing = |incident: &str| Notice { incident: incident.to_owned(), ..notice(AlertStatus::Firing) };
    let at_work = work(office.postman(&[firing("a")]));
    sleep(seconds(65)).await;
    assert_eq!(minutes(&office, "alertmanager"), [(0, 0), (1, 0)]);
    assert!(minutes(&office, "hook").is_empty());
    drop(at_work.stop);
    at_work.ended.abort();
    // It is over, but nobody knows that yet: a reminder would say otherwise.
    office.write("alertmanager", "b", AlertStatus::Resolved);
    let _at_work = work(office.postman(&[firing("b")]));
    sleep(seconds(300)).await;
    let of_b: Vec<u32> = office
        .sent_to("alertmanager")
        .iter()
        .filter(|sent| sent.incident == "b")
        .map(|sent| sent.sequence)
        .collect();
    assert_eq!(of_b, [1]);
}
