use lol_html::Selector;

use super::Pattern;

#[test]
fn selectors_of_every_day_are_read() {
    for selector in [
        "*",
        "a",
        "H1",
        "#buy",
        ".a.b#c[d]",
        "form#buy input[name=csrf]",
        "  ul > li.a  ,\n td",
        "a[href^='/p/']",
        "a[ data-x = \"a b\" i ]",
        "input[type=hidden][name|=x][class~=y][id$=z][a*='/']",
        "-a_b-c",
        "li:first-child, li:first-of-type",
        "li:nth-child( 2n+1 ), li:nth-of-type(-n+3), li:nth-child(odd), li:nth-child(7)",
        ":not(.a, [b], #c, *, li, :nth-child(2))",
    ] {
        assert!(selector.parse::<Selector>().is_ok(), "{selector}");
        assert!(Pattern::of(selector).is_some(), "{selector}");
    }
}

#[test]
fn what_is_not_sure_is_left_to_the_other_way() {
    for selector in [
        "",
        "a,",
        ">a",
        "a + b",
        "a ~ b",
        "a\\:b",
        "#é",
        ".aé",
        "é",
        "svg|a",
        "[svg|a]",
        "[a='\\'']",
        "[a=1]",
        "[a=b x]",
        "a:hover",
        "a::before",
        "a:not(b.c)",
        "a:not(:not(b))",
        "a:nth-child(2 n)",
        "a:nth-child(2n + 1)",
        "a:nth-child(2n1)",
        "a:nth-last-child(2)",
        "a/* */b",
        "a$b",
    ] {
        assert_eq!(Pattern::of(selector), None, "{selector}");
    }
    let long = ["a"; 65].join(" ");
    assert_eq!(Pattern::of(&long), None);
    assert!(Pattern::of(&long[2..]).is_some());
}

#[test]
fn forms_are_read_from_where_one_may_begin() {
    let page = b"<p class=x>a</p><form id=buy class=x><form name=other><form>";
    for (selector, begin) in [
        ("form#buy", 16),
        ("form.x", 0),
        ("form[name=other]", 37),
        ("form", 16),
        ("form#other", 37),
        ("form[name=other], #buy", 16),
        ("form#buy:not(.y)", 16),
        ("form:not(.x)", 16),
        ("form:nth-of-type(2)", 0),
        ("form:not(:first-child)", 0),
        ("*", 0),
        ("#none", page.len()),
    ] {
        assert_eq!(Pattern::of(selector).unwrap().begin(page), begin, "{selector}");
    }
}
