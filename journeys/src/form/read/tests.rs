use proptest::prelude::*;

use super::read;
use crate::charset::Charset;
use crate::form::Form;
use crate::form::submit::Filled;

/// The first form of a page at `address`.
fn read_in_utf_8(html: &str, address: &str) -> Result<Option<Form>, String> {
    read(html.as_bytes(), address, Charset::default(), &"form".parse().unwrap(), None)
}

/// What pressing the default button of the first form sends.
fn sent(html: &str) -> String {
    let form = read_in_utf_8(html, "http://shop.test/a/b?c=d");
    let sent = form.unwrap().expect("a form").submit(&[]).unwrap();
    let body = sent.body.map(|body| String::from_utf8(body.to_vec()).unwrap()).unwrap_or_default();
    format!("{} {} {body}", sent.method, sent.url)
}

#[test]
fn controls_belong_to_the_form_that_is_open() {
    assert_eq!(
        sent(
            "<form method=post action=x><p><input name=a value=1><table><tr><td><input name=b value='2&amp;'></table><form><input name=c value=3></form><input name=d value=4>"
        ),
        "POST http://shop.test/a/x a=1&b=2%26&c=3"
    );
    assert_eq!(sent("<form><input name=a value=1></form>"), "GET http://shop.test/a/b?a=1 ");
    assert_eq!(
        sent(
            "<input name=z form=f value=0><form id=f><template><input name=t></template></form><input name=a form=f><input name=b>"
        ),
        "GET http://shop.test/a/b?z=0&a= "
    );
}

#[test]
fn what_is_filled_in_keeps_the_order_of_the_page() {
    let html = "<form method=post><input name=a value=1><input type=checkbox name=g value=yes><select name=s><option value=1>x<option value=2>y</select><input type=radio name=c value=r checked><input type=radio name=c value=b><input name=z><button name=go value=1>";
    let form = read_in_utf_8(html, "http://shop.test/").unwrap().unwrap();
    let values = |values: &[&str]| Filled::Values(values.iter().map(|value| (*value).into()).collect());
    let body = |filled: &[(String, Filled)]| {
        String::from_utf8(form.clone().submit(filled).unwrap().body.unwrap().to_vec()).unwrap()
    };
    assert_eq!(body(&[]), "a=1&s=1&c=r&z=&go=1");
    let filled = [
        ("g".to_owned(), Filled::Checked(true)),
        ("s".to_owned(), values(&["2"])),
        ("c".to_owned(), values(&["b"])),
        ("a".to_owned(), values(&["7", "8"])),
        ("z".to_owned(), values(&[])),
        ("new".to_owned(), values(&["n"])),
    ];
    assert_eq!(body(&filled), "a=7&a=8&g=yes&s=2&c=b&go=1&new=n");
    assert_eq!(body(&[("c".to_owned(), values(&["other"]))]), "a=1&s=1&c=other&z=&go=1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_page_panics(html in "(<form |<input |<select>|<option |<textarea>|</form>|</select>|<fieldset disabled>|<legend>|</fieldset>|<button |name=a |value=x |form=a |id=a |type=range |type=image |selected |>|\\PC){0,60}") {
        let form = read_in_utf_8(&html, "http://shop.test/");
        if let Ok(Some(form)) = form { drop(form.submit(&[])); }
    }
}
