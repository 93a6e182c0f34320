use proptest::prelude::*;
use url::{Position, Url};

use super::{PAGE_ASSETS_MAX, of_page, of_style};
use crate::charset::Charset;

fn found(html: &str) -> Vec<String> {
    let base = Url::parse("https://shop.example/c/lamps").unwrap();
    of_page(html.as_bytes(), Charset::default(), &base).into_iter().map(|asset| asset.url.into()).collect()
}

#[test]
fn a_page_names_its_assets() {
    let html = r#"<!doctype html><link rel="Stylesheet" href="/s.css?a=1&amp;b=2"><link rel=canonical href=/no>
        <link rel="shortcut icon" href=logo.svg><link rel=preload as=font href="//cdn.example/f.woff2">
        <script src="app.js"></script><script>var a = '<img src="/no.png">'</script>
        <img src="/1.svg"><img src="/1.svg#again"><img src="data:image/png;base64,AA"><img src=""><img>
        <noscript><img src="/pixel.gif"></noscript><!-- <img src="/comment.png"> --><a href="/p/1">x</a>"#;
    assert_eq!(
        found(html),
        [
            "https://shop.example/s.css?a=1&b=2",
            "https://shop.example/c/logo.svg",
            "https://cdn.example/f.woff2",
            "https://shop.example/c/app.js",
            "https://shop.example/1.svg",
        ]
    );
}

#[test]
fn the_first_base_counts_and_the_number_is_bounded() {
    let html = "<base href=/a/><base href=/b/><img src=x.png>";
    assert_eq!(found(html), ["https://shop.example/a/x.png"]);
    let many: String = (0..1_000).map(|number| format!("<img src={number}.png>")).collect();
    assert_eq!(found(&many).len(), 2 * PAGE_ASSETS_MAX);
    assert!(found(&format!("<img src=\"/{}\">", "x".repeat(10_000))).is_empty());
}

#[test]
fn the_queries_of_a_page_are_in_its_encoding() {
    let html = "<link rel=stylesheet href='/s.css?山'><img src='/a?q=山#山'><img srcset='/b?山 1x'>\
                <body background='/山?山'><svg><image href='/d?山'/></svg><p style='background: url(/c?山)'>";
    let base = Url::parse("https://shop.example/").unwrap();
    let sjis = Charset::of_label(b"sjis").unwrap();
    let found = of_page(html.as_bytes(), sjis, &base).into_iter().map(|asset| asset.url);
    let found: Vec<String> = found.map(|url| url[Position::BeforePath..].to_owned()).collect();
    let expected = ["/s.css?%8ER", "/a?q=%8ER", "/b?%8ER", "/%E5%B1%B1?%8ER", "/d?%8ER", "/c?%E5%B1%B1"];
    assert_eq!(found, expected);
}

#[test]
fn fonts_are_told_by_their_families() {
    let base = Url::parse("https://shop.example/").unwrap();
    for (declaration, is_used) in [
        ("font-family: open sans", true),
        ("FONT-FAMILY : serif, \"Open Sans\" !important", true),
        ("font: italic 700 12px/1.5 'Open Sans', serif", true),
        ("font: 12px Open Sans", true),
        ("font: 12px serif, Open Sans", true),
        ("font-family: my open sans", false),
        ("font: 12px Open Sansa", false),
        ("font-size: open sans", false),
    ] {
        let css = format!("@font-face {{ font-family: 'Open Sans'; src: url(a) }} a {{ {declaration} }}");
        assert_eq!(of_style(css.as_bytes(), &base).assets.len(), usize::from(is_used), "{declaration}");
    }
}

#[test]
fn a_style_sheet_names_imports_and_the_fonts_it_uses() {
    let css = r#"@charset "utf-8"; @import "a.css"; @import url( 'b.css' ) screen; /* @import "no.css"; */
        @font-face { font-family: "Shop"; src: local("Shop"), url(x.eot) format("embedded-opentype"), url("shop.woff2") format("woff2"), url(shop.woff) }
        @font-face { font-family: Unused; src: url(unused.woff2) }
        body { font: bold 12px/1.5 Shop, serif; background: url(hero.png) } @import "late.css";"#;
    let base = Url::parse("https://shop.example/css/main.css").unwrap();
    let found: Vec<_> = of_style(css.as_bytes(), &base)
        .assets
        .into_iter()
        .map(|asset| (asset.url.path().to_owned(), asset.is_style))
        .collect();
    let expected = [("/css/a.css", true), ("/css/b.css", true), ("/css/shop.woff2", false)];
    assert_eq!(found, expected.map(|(path, is_style)| (path.to_owned(), is_style)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_page_and_no_style_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        tags in "(<img src=|<base href=|<link rel=icon href=|<img srcset=|<picture>|<source srcset=|<style>|@import |url\\(|@font-face|[-'\":/?#\\[\\]@ <>&x{};,(w1)\\\\]|\\PC){0,40}",
    ) {
        let base = Url::parse("https://shop.example/").unwrap();
        for text in [&bytes[..], tags.as_bytes()] {
            of_page(text, Charset::default(), &base);
            of_style(text, &base);
        }
    }
}
