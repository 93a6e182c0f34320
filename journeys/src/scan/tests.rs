use std::borrow::Cow;

use proptest::prelude::*;

use super::{Found, MATCHES_MAX, Query, Take, VALUE_BYTES_MAX, quick, scan, whole};

fn query<'a>(selector: &str, take: Take<'a>, until: Option<usize>) -> Query<'a> {
    Query { selector: Cow::Owned(selector.parse().unwrap()), take, until }
}

/// What is found, by whichever pass; where both know the page, they find the same.
fn find(html: &str, selector: &str, take: Take<'_>, until: Option<usize>) -> Found {
    let queries = [query(selector, take, until)];
    let found = scan(html.as_bytes(), &queries).unwrap().remove(0);
    let by_whole = whole::pass(html.as_bytes(), &queries).unwrap().remove(0);
    assert_eq!(found, by_whole, "{selector} in {}", &html[..html.floor_char_boundary(html.len().min(200))]);
    found
}

fn texts(html: &str, selector: &str) -> Vec<String> {
    find(html, selector, Take::Text, None).values
}

#[test]
fn texts_include_descendants_and_resolve_references() {
    let html = "<h1> Lamp <b>&amp; chair</b> &eacute;&#33; </h1><p>x</p><h1>2</h1>";
    assert_eq!(texts(html, "h1"), ["Lamp & chair é!", "2"]);
    assert_eq!(texts("<div>a<div>b</div>c</div>d", "div"), ["abc", "b"]);
    assert_eq!(texts("<ul><li>one<li>two</ul>three", "li"), ["one", "two"]);
    assert_eq!(texts("<table><tr><td>1<td>2<tr><td>3</table>", "td"), ["1", "2", "3"]);
    assert_eq!(texts("<tr><td class=a>1<td>2<tr><td class=a>3</td>x</table>", ".a"), ["1", "3"]);
    assert_eq!(texts("<ul><li class=a>a<ul><li>b<li class=a>c</ul>d<li>e</ul>", ".a"), ["abcd", "c"]);
    assert_eq!(texts("<dl><dt>a<dd>b<p>c<p>d</dl><p>e", "dd, p"), ["bcd", "c", "d", "e"]);
    assert_eq!(texts("<script type=x>{\"a\": \"&amp;\"}</script>", "script"), ["{\"a\": \"&amp;\"}"]);
    assert_eq!(texts("<p>open to the end", "p"), ["open to the end"]);
    assert_eq!(texts("<input><br>", "input"), [""]);
}

#[test]
fn attributes_are_resolved_by_the_rule_for_attributes() {
    let html = r#"<a>none</a><a href="/s?a=1&amp;b=2&copy=3">x</a><a href=' /p/7 '>y</a>"#;
    assert_eq!(find(html, "a", Take::Attribute("href"), None).values, ["/s?a=1&b=2&copy=3", " /p/7 "]);
}

#[test]
fn the_search_ends_when_everything_is_found() {
    let html = "<i>0</i><i>1</i><i>2</i>";
    let found = find(html, "i", Take::Text, Some(1));
    assert_eq!((found.values, found.count), (vec!["0".to_owned(), "1".to_owned()], 2));
    assert_eq!(find(html, "i", Take::Count, None).count, 3);
    let queries = [query("i", Take::Text, Some(0)), query("b", Take::Count, None)];
    let found = scan(b"<i>0</i><b></b><b></b>", &queries).unwrap();
    assert_eq!((found[0].values[0].as_str(), found[1].count), ("0", 2));
}

#[test]
fn every_limit_is_kept_and_shows() {
    let found = find(&"<i>x</i>".repeat(MATCHES_MAX + 1), "i", Take::Text, None);
    assert_eq!((found.values.len(), found.count, found.overflowed), (MATCHES_MAX, MATCHES_MAX + 1, true));
    let found = find(&format!("<i>{}</i>", "x".repeat(10 * VALUE_BYTES_MAX)), "i", Take::Text, None);
    assert_eq!((found.values[0].len(), found.overflowed), (VALUE_BYTES_MAX, true));
    let found = find(&format!("<i>{}</i>", "x".repeat(VALUE_BYTES_MAX)), "i", Take::Text, None);
    assert!(!found.overflowed);
    let nested = format!("{}{}", "<i>".repeat(500), "word ".repeat(20_000));
    let found = find(&nested, "i", Take::Text, None);
    assert!(found.overflowed && found.values.iter().map(String::len).sum::<usize>() < 8 << 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_page_panics(html in "([<>/=\"'& a-c]|<li|</li>|<script>|<!--|<table>|&#x|<svg/>|\\PC){0,60}") {
        let _ = find(&html, "li, b > a:not([c]), *", Take::Text, None);
        let _ = find(&html, "a", Take::Attribute("b"), Some(0));
    }
}

/// What pages are made of, whole or broken.
const PAGE: &str = r#"(<div class=a>|<div id=b>|</div>|<p>|<p class="b a">|</p>|<ul>|<li class='a b'>|<li>|</li>|</ul>|<a href="x>y" c=1>|<a class=a>|</a>|<b|</b>|<i c>|<i class=a>|</i>|<img class=a>|<input type=TEXT>|<br/>|<br class=a/>|</br>|<table>|<tr>|<td class=a>|</table>|<script>|<script a=>|</script>|</script |<!--|-->|--!>|<!-->|<!-|<!x|<\?|</>|</ |<style>|</style>|<title>|</title>|<textarea class=a>|</textarea>|<template>|</template>|<noscript>|</noscript>|<select>|</select>|<option>|<svg>|<svg/>|</svg>|<path class=a/>|<g class=a>|</g>|<foreignObject>|</foreignObject>|<desc/>|<desc>|</desc>|<font color=x>|<!\[CDATA\[|<math>|<plaintext>|</p|<option|class=a |c='|c = b |"|'|>|=|/|<|&amp;|&#65;|x|y z| |
|é){0,40}"#;
/// What journeys ask for.
const SELECTORS: &[&str] = &[
    "*",
    ".a",
    "#b",
    "li",
    "P, .b.a",
    "div > .a",
    "div .a",
    "ul li.a > i",
    "div#b p.a, td",
    "a[href]",
    "a[href^=\"x\"][c]",
    "[c='1']",
    "[C='1' i], input[type=text]",
    "[class~=b]",
    "[class|=b]",
    "[class$=\" a\"]",
    "[class*=' ']",
    "[class='A' i]",
    ".a:not(.b)",
    ":not(.a, [c])",
    "li:not(:first-child)",
    "li:nth-child(2)",
    "*:nth-child(2n+1) > .a",
    "i:first-of-type",
    "div > *:nth-of-type(-n+2)",
    "svg .a",
    "title, textarea, script, style",
    "g, path",
    "template li",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn both_ways_find_the_same(
        html in PAGE,
        selector in proptest::sample::select(SELECTORS),
        until in proptest::option::of(0_usize..3),
    ) {
        for take in [Take::Text, Take::Attribute("class"), Take::Count] {
            let _ = find(&html, selector, take, until);
        }
        let together = [query(selector, Take::Text, until), query(".a", Take::Text, None), query("li", Take::Count, None)];
        if let Some(found) = quick::pass(html.as_bytes(), &together) {
            prop_assert_eq!(found, whole::pass(html.as_bytes(), &together).unwrap());
        }
    }
}

#[test]
fn pages_of_every_day_need_no_other_way() {
    let page = "<!doctype html><!-- a > b --><html><head><title>a &lt; b</title><meta charset=utf-8>\
        <script>if (a < b) document.write('<p class=a>')</script><style>a > b {}</style></head><body>\
        <svg viewBox='0 0 1 1'><title>x</title><path class=a d='M0'/></svg>\
        <ul><li class=a>1<li>2</ul><p class=a>text<template><p class=a></p></template>\
        <a href=\"/p?a=1&amp;b=2\" class='a b'>link</a><textarea><p class=a></textarea></body></html>";
    for selector in SELECTORS {
        let queries = [query(selector, Take::Text, None)];
        assert!(quick::pass(page.as_bytes(), &queries).is_some(), "{selector}");
        let _ = find(page, selector, Take::Text, None);
    }
    let strange = ["<math>", "<plaintext>", "<svg><![CDATA[", "<script><!-- <script>", "<style a=>"];
    for strange in strange {
        let page = format!("<p class=a>{strange}<p class=a>");
        assert!(quick::pass(page.as_bytes(), &[query(".a", Take::Count, None)]).is_none(), "{strange}");
        let _ = find(&page, ".a", Take::Count, None);
    }
}

#[test]
fn many_selectors_take_turns() {
    let selectors: Vec<String> = (0..150).map(|number| format!("ul > .c{number}")).collect();
    let page: String =
        selectors.iter().map(|selector| format!("<ul><li class={}>x</ul>", &selector[6..])).collect();
    let queries: Vec<Query<'_>> =
        selectors.iter().map(|selector| query(selector, Take::Text, None)).collect();
    let found = quick::pass(page.as_bytes(), &queries).unwrap();
    assert!(found.len() == 150 && found.iter().all(|found| found.values == ["x"]), "{found:?}");
}

#[test]
fn elements_that_never_end_are_left_to_the_other_way() {
    let deep = "<i>".repeat(20_000);
    assert!(quick::pass(deep.as_bytes(), &[query("i", Take::Count, None)]).is_none());
    // End tags that are looked for among all that are open.
    let strays = "<i>".repeat(9_000) + &"</b>".repeat(50_000);
    assert!(quick::pass(strays.as_bytes(), &[query("i, u", Take::Count, Some(9_999))]).is_none());
    let names: String = (0..20_000).map(|number| format!("<x{number}></x{number}>")).collect();
    assert!(quick::pass(names.as_bytes(), &[query("[a]:first-of-type", Take::Count, None)]).is_none());
    let attributes = format!("<i {}>", "a ".repeat(2_000));
    assert!(quick::pass(attributes.as_bytes(), &[query("[a]", Take::Count, None)]).is_none());
}
