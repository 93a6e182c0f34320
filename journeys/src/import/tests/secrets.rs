//! Texts that stay what they are, and secrets that stay out.

use super::{FORM_URLENCODED, entry, imported, page, posting, sent_with, steps};

#[test]
fn texts_stay_texts_and_secrets_never_show() {
    let login = entry(100, "POST", "/login", 200, "text/html", "<p>Welcome</p>");
    let form = "user=no&note=%24%7Ba%7D&code=007&password=Tr0ub4dor%263&hint=Tr0ub4dor%263!";
    let imported = imported(&[page(0, "/", "<h1>Shop</h1>"), posting(login, FORM_URLENCODED, form)]);
    let expected = r#"  - { step: home, get: / }
  - step: login
    post: /login
    form: { user: "no", note: "$${a}", code: "007", password: "${env.SHOP_PASSWORD}", hint: "${env.SHOP_PASSWORD}!" }
"#;
    assert_eq!(steps(&imported), expected);
}

#[test]
fn bodies_of_other_kinds_hold_no_secrets_and_old_tokens_either() {
    let home = r#"<meta name="csrf-token" content="9f86d081884c7d659a2feaa0c55ad015">"#;
    let soap = sent_with(entry(100, "POST", "/soap", 200, "text/xml", "<ok/>"), "Content-Type", "text/xml");
    let xml = "<a><password>Pa55</password><csrf>9f86d081884c7d659a2feaa0c55ad015</csrf></a>";
    let pay = sent_with(entry(200, "POST", "/pay", 200, "", ""), "Content-Type", "text/plain");
    let lines =
        "card 4242 4242 4242 4242, at 2026-11-27\nmail: jane@example.com\n9f86d081884c7d659a2feaa0c55ad015";
    let imported =
        imported(&[page(0, "/", home), posting(soap, "text/xml", xml), posting(pay, "text/plain", lines)]);
    let expected = r#"  - { step: home, get: /, extract: { csrf: { css: 'meta[name="csrf-token"]', attribute: content } } }
  # look here: the body is sent as it was recorded, but for what could be told in it; see that no secret is left there
  - step: soap
    post: /soap
    headers: { content-type: text/xml }
    body: "<a><password>${env.SHOP_PASSWORD}</password><csrf>${csrf}</csrf></a>"
  # look here: the body is sent as it was recorded, but for what could be told in it; see that no secret is left there
  - step: pay
    post: /pay
    headers: { content-type: text/plain }
    body: "card ${env.SHOP_CARD}, at 2026-11-27\nmail: ${shopper.email}\n${csrf}"
"#;
    assert_eq!(steps(&imported), expected);
}

#[test]
fn no_way_to_write_a_password_into_a_body_brings_it_into_a_journey() {
    for (mime, body, secret, expected) in [
        (
            "text/xml",
            "<password><![CDATA[Geheim77]]></password>",
            "Geheim77",
            "<password><![CDATA[${env.SHOP_PASSWORD}]]></password>",
        ),
        (
            "application/json",
            r#"{"password":"Pa\"55word"} x"#,
            "55word",
            r#"'{"password":"${env.SHOP_PASSWORD}"} x'"#,
        ),
        ("text/yaml", "password: 'Top$ecret'", "Top$", "\"password: '${env.SHOP_PASSWORD}'\""),
    ] {
        let login = entry(100, "POST", "/login", 200, "", "");
        let imported = imported(&[page(0, "/", "<h1>Shop</h1>"), posting(login, mime, body)]);
        let text = steps(&imported);
        assert!(!text.contains(secret) && text.contains(expected), "{text}");
        assert!(text.contains("  # look here: the body is sent as it was recorded"), "{text}");
    }
}
