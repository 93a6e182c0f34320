//! How far apart requests are, on the wire too.

use super::*;

#[test]
fn requests_that_leave_late_keep_their_distance_all_the_same() {
    let mut script = Script::new(setting(false), &[page()]);
    let (mut edge, mut now_ns, mut wire) = (Edge::default(), 0, Vec::new());
    while let Some(Next::Fetch(ask)) = script.next(now_ns) {
        // Every now and then a connection must be opened first, which takes longer than two slots.
        let opening_ns = if wire.len().is_multiple_of(6) { 250_000_000 } else { 0 };
        let sent_ns = ask.at_ns + opening_ns;
        wire.push(sent_ns);
        now_ns = sent_ns + 5_000_000;
        let result = edge.answer(&ask, now_ns);
        script.sent(sent_ns);
        script.answer(*ask, now_ns, result);
    }
    assert!(wire.len() > 20);
    assert!(wire.windows(2).all(|pair| pair[1] - pair[0] >= 100_000_000), "{wire:?}");
}

#[test]
fn what_never_left_takes_a_slot_and_no_more() {
    let mut script = Script::new(setting(false), &[page()]);
    assert_eq!((script.slot(0), script.slot(0)), (0, 100_000_000));
    script.sent(50_000_000);
    assert_eq!(script.slot(0), 200_000_000, "a request that left within its slot moves nothing");
    script.sent(450_000_000);
    assert_eq!((script.slot(0), script.slot(700_000_000)), (550_000_000, 700_000_000));
}
