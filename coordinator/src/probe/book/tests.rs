use doorbuster_model::ErrorClass;
use doorbuster_model::report::ProbeFailure;

use super::*;

/// A multiple of ten seconds.
const NOW_S: i64 = 1_795_000_000;

fn names() -> Names {
    Names {
        regions: vec!["tokyo".to_owned()],
        journeys: vec![("buy".to_owned(), vec!["pay".to_owned()])],
        ..Names::default()
    }
}

/// The book of a shop where every failure pages, as it was saved or new.
fn shop(saved: Option<Saved>) -> Book {
    let text = "name: shop\ntarget: http://127.0.0.1:1\nregions: [tokyo]\njourneys: [buy]\nprobe: { every: 1s }\n\
                slo:\n  objectives: [\"buy availability 99.9% over 1d\"]\n  \
                rules: [{ name: page, severity: page, factor: 10, long: 1m, short: 20s }]\n  \
                min_failures: 1\n  confirm: off\n";
    Book::open(&Plan::read("plan.yaml", text).unwrap(), &names(), saved).unwrap()
}

/// What there is after a restart.
fn reopened(book: &mut Book) -> Book {
    let unsaved = book.unsaved();
    shop(Some(Saved { pages: unsaved.pages, memo: unsaved.memo.unwrap() }))
}

/// Ten seconds of walks that fail, from a second on.
fn fail(book: &mut Book, from_s: i64) {
    for second in 1..10 {
        let failure = ProbeFailure::new(ErrorClass::Status, "GET http://shop.test/pay: got 503");
        let step = report::ProbedStep { step: 0, failure: Some(failure), latency_ns: None, page_ns: None };
        let walk = report::Probed { journey: 0, began_ns: 0, is_good: false, steps: vec![step] };
        let began_s = u64::try_from(from_s + second).unwrap();
        book.walked(&names(), 0, began_s * 1_000_000_000, &walk);
    }
}

fn silence(from_s: i64) -> Silence {
    Silence {
        id: "s-1".to_owned(),
        objective: None,
        scope: None,
        from_s,
        to_s: from_s + 3_600,
        reason: "deploy".to_owned(),
    }
}

#[test]
fn a_silence_that_was_taken_back_while_nobody_probed_is_over() {
    let mut book = shop(None);
    assert!(book.evaluate(NOW_S).is_empty());
    book.silence(vec![silence(NOW_S)]);
    fail(&mut book, NOW_S);
    assert!(book.evaluate(NOW_S + 10).is_empty());
    let mut again = reopened(&mut book);
    again.silence(vec![silence(NOW_S)]);
    fail(&mut again, NOW_S + 10);
    assert!(again.evaluate(NOW_S + 20).is_empty(), "it is the same one");
    let mut again = reopened(&mut again);
    again.silence(Vec::new());
    fail(&mut again, NOW_S + 20);
    let told = again.evaluate(NOW_S + 30);
    assert!(told.len() == 1 && told[0].status == AlertStatus::Firing, "{told:?}");
}

#[test]
fn what_was_told_is_told_anew_and_nothing_else() {
    let mut book = shop(None);
    book.evaluate(NOW_S);
    book.silence(vec![silence(NOW_S)]);
    fail(&mut book, NOW_S);
    assert!(book.evaluate(NOW_S + 10).is_empty());
    assert!(firing(&book.standing(NOW_S + 10)).is_empty(), "it fires, and nobody was told");
    book.silence(Vec::new());
    fail(&mut book, NOW_S + 10);
    let standing = reopened(&mut book).standing(NOW_S + 10);
    assert!(firing(&standing).is_empty(), "no silence covers it any more, and still nobody was told");
    let told = book.evaluate(NOW_S + 20);
    let mut again = reopened(&mut book);
    again.silence(vec![silence(NOW_S + 20)]);
    let anew = firing(&again.standing(NOW_S + 20));
    assert_eq!(anew.len(), 1, "a silence that came later takes nothing back: {anew:?}");
    assert_eq!((&anew[0].incident, anew[0].sequence), (&told[0].incident, told[0].sequence));
}
