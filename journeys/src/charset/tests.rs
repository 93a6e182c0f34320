use super::{Charset, ContentType};

fn charset(label: &str) -> Charset {
    Charset::of_label(label.as_bytes()).unwrap()
}

/// The name of the encoding in which a body is read.
fn read_as(content_type: &str, body: &[u8]) -> &'static str {
    ContentType::of(content_type.as_bytes()).read(body).0.name()
}

#[test]
fn the_mark_comes_before_the_header_and_the_header_before_the_page() {
    let meta = b"<meta charset=euc-jp>";
    for (content_type, body, expected) in [
        ("text/html; charset=Shift_JIS", b"\xef\xbb\xbfx".as_slice(), "UTF-8"),
        ("text/html", b"\xff\xfe<\0", "UTF-16LE"),
        ("text/html; charset=Shift_JIS", meta, "Shift_JIS"),
        ("text/html;charset = \"sjis\" ;x=y", meta, "Shift_JIS"),
        ("Text/HTML; Charset=x-sjis", b"", "Shift_JIS"),
        ("text/html; x=charset; charset=latin1", meta, "windows-1252"),
        ("text/html; charset=nonsense", meta, "EUC-JP"),
        ("text/html", meta, "EUC-JP"),
        ("application/xhtml+xml", meta, "EUC-JP"),
        ("", meta, "EUC-JP"),
        ("text/plain", meta, "UTF-8"),
        ("text/plain; charset=euc-jp", b"", "EUC-JP"),
        ("text/html", b"<p>", "UTF-8"),
        ("application/json; charset=Shift_JIS", b"{}", "UTF-8"),
        ("application/problem+json", b"\xff\xfe", "UTF-8"),
    ] {
        assert_eq!(read_as(content_type, body), expected, "{content_type} {body:?}");
    }
}

#[test]
fn pages_are_known_by_their_type_alone() {
    for (content_type, is_page) in [
        ("text/html", true),
        ("text/html;charset=x", true),
        (" Text/HTML ; charset=utf-8", true),
        ("application/xhtml+xml", true),
        ("text/plain", false),
        ("text/htmlx", false),
        ("text/html, text/html", false),
        ("application/xml; of=text/html", false),
        ("", false),
        (";text/html", false),
    ] {
        let value = content_type.as_bytes();
        assert_eq!(ContentType::names_page(value), is_page, "{content_type}");
        assert_eq!(ContentType::of(value).is_page(), is_page, "{content_type}");
    }
}

#[test]
fn pages_are_searched_as_browsers_search_them() {
    let late = format!("{}<meta charset=shift_jis>", "x".repeat(1_020));
    for (page, expected) in [
        ("<meta charset=shift_jis>", "Shift_JIS"),
        ("<!doctype html><html lang=ja><head><META/Charset = 'Shift_JIS' />", "Shift_JIS"),
        ("<meta http-equiv=Content-Type content=\"text/html; charset=Shift_JIS\">", "Shift_JIS"),
        ("<meta content='text/html; charset = \"euc-jp\"' http-equiv='content-type'>", "EUC-JP"),
        ("<meta content='text/html; charset=euc-jp'>", "UTF-8"),
        ("<meta content='text/html; charset=euc-jp' charset=sjis>", "Shift_JIS"),
        ("<meta name=charset content=sjis><meta charset=euc-jp>", "EUC-JP"),
        ("<meta charset=nonsense http-equiv=content-type content='charset=sjis'>", "UTF-8"),
        ("<!-- <meta charset=sjis> --><meta charset=euc-jp>", "EUC-JP"),
        ("<!--><meta charset=sjis>", "Shift_JIS"),
        ("<a title='<meta charset=sjis>'><meta charset=euc-jp>", "EUC-JP"),
        ("<? <meta charset=sjis><meta charset=euc-jp>", "EUC-JP"),
        ("a < b </ c><metadata charset=sjis><meta charset=euc-jp>", "EUC-JP"),
        ("<script>'<meta charset=sjis>'</script>", "Shift_JIS"),
        ("<meta charset=utf-16>", "UTF-8"),
        ("<meta charset=x-user-defined>", "windows-1252"),
        ("<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><html>", "Shift_JIS"),
        ("<?xml encoding='sjis'?><meta charset=euc-jp>", "EUC-JP"),
        ("<meta charset=sjis", "UTF-8"),
        (late.as_str(), "UTF-8"),
    ] {
        assert_eq!(read_as("text/html", page.as_bytes()), expected, "{page}");
    }
    assert_eq!(read_as("text/html", b"<\0?\0x\0m\0l\0"), "UTF-16LE");
}

#[test]
fn a_beginning_is_read_as_the_whole_once_that_is_certain() {
    let pages = [
        "<title>x</title><meta charset=shift_jis><meta charset=euc-jp>".to_owned(),
        "<?xml version=\"1.0\" encoding=\"Shift_JIS\"?><html><meta charset=euc-jp>".to_owned(),
        "\u{feff}<meta charset=euc-jp>".to_owned(),
        "x".repeat(1_100) + "<meta charset=euc-jp>",
        "x".repeat(1_002) + "<meta charset=euc-jp>",
    ];
    for (content_type, certain_from) in [
        ("text/html", [40, 69, 3, 1_024, 1_023]),
        ("", [40, 69, 3, 1_024, 1_023]),
        ("text/html; charset=shift_jis", [0; 5]),
        ("text/plain", [0; 5]),
        ("application/json", [0; 5]),
    ] {
        for (page, from) in pages.iter().zip(certain_from) {
            let (page, content_type) = (page.as_bytes(), ContentType::of(content_type.as_bytes()));
            let certain: Vec<usize> =
                (0..=page.len()).filter(|end| content_type.is_certain(&page[..*end])).collect();
            assert_eq!(certain, (from..=page.len()).collect::<Vec<_>>(), "{content_type:?} {page:?}");
            let whole = content_type.read(page).0;
            // A mark that is not complete yet comes first whatever is said.
            let from = if page.starts_with(b"\xef") { from.max(3) } else { from };
            let mut read = (from..=page.len()).map(|end| content_type.read(&page[..end]).0);
            assert!(read.all(|charset| charset == whole), "{content_type:?} {page:?}");
        }
    }
}

#[test]
fn only_what_is_not_utf_8_is_copied() {
    let html = ContentType::of(b"text/html");
    let utf_8 = b"<p>\xe5\xb1\xb1 \xff";
    assert_eq!(html.text(utf_8).as_ptr(), utf_8.as_ptr());
    let marked = b"\xef\xbb\xbf<p>";
    assert_eq!((html.text(marked).as_ptr(), &*html.text(marked)), (marked[3..].as_ptr(), b"<p>".as_slice()));
    let japanese = ContentType::of(b"text/html; charset=Shift_JIS");
    assert_eq!(&*japanese.text(b"\x93d\x8bC \xff"), "電気 \u{fffd}".as_bytes());
    let ascii = b"<p>x</p>";
    assert_eq!(japanese.text(ascii).as_ptr(), ascii.as_ptr());
    assert_eq!(&*html.text(b"\xff\xfeq\x5c"), "山".as_bytes());
}

#[test]
fn forms_are_sent_in_the_first_encoding_that_they_name() {
    let sjis = charset("sjis");
    for (accepted, page, expected) in [
        (None, sjis, "Shift_JIS"),
        (Some(""), sjis, "Shift_JIS"),
        (Some("nonsense, latin1 utf-8"), sjis, "windows-1252"),
        (Some("unknown"), sjis, "Shift_JIS"),
        (Some("utf-16"), sjis, "UTF-8"),
        (None, charset("utf-16be"), "UTF-8"),
    ] {
        assert_eq!(Charset::of_form(accepted, page).name(), expected, "{accepted:?}");
    }
    assert_eq!(&*sjis.encode("電気 é"), b"\x93d\x8bC &#233;");
    assert_eq!(sjis.encoded("山".to_owned()), b"\x8eR".as_slice());
    assert_eq!(&*sjis.encode_query("q=山é&x"), b"q=\x8eR%26%23233%3B&x");
}

#[test]
fn the_queries_of_links_are_in_the_encoding_of_their_page() {
    let sjis = charset("sjis");
    for (link, expected) in [
        ("/山?q=山&a=1#山", "/山?q=%8ER&a=1#山"),
        ("/p/7?a=b", "/p/7?a=b"),
        ("?é", "?%26%23233%3B"),
        ("#山", "#山"),
    ] {
        assert_eq!(sjis.link(link.to_owned()), expected);
    }
    assert_eq!(Charset::default().link("?q=山".to_owned()), "?q=山");
}

#[test]
fn every_encoding_is_known() {
    let names: std::collections::BTreeSet<&str> = Charset::all().map(Charset::name).collect();
    assert_eq!(names.len(), 40);
    for label in
        ["sjis", "euc-jp", "iso-2022-jp", "gb2312", "big5", "ks_c_5601-1987", "koi8-r", "iso-2022-kr"]
    {
        assert!(names.contains(charset(label).name()), "{label}");
    }
}
