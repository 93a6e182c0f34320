//! Whatever page comes: values are taken, forms submitted and assets found without a panic, and the same each time.

#![no_main]

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use doorbuster_journeys::{Answer, Charset, ContentType, Journey, Next, Run, Shopper, Walk, assets};
use libfuzzer_sys::fuzz_target;
use rand_core::TryRng;
use url::Url;

/// Takes whatever can be taken of a page, then submits its form.
const JOURNEY: &str = "journey: page
steps:
  - step: page
    get: /
    expect: { css: { '#a .b': { count: { at_least: 0 } } } }
    extract:
      text: { css: '.a > b', pick: random, default: '' }
      link: { css: 'a[href]', attribute: href, pick: all, default: '' }
      word: { regex: '([a-z]+)', default: '' }
      node: { json: '$..a', default: '' }
  - { step: sent, submit: form, button: '#go', fields: { a: '1', b: true, c: ~, new: ['${text}', '${word}'] }, when: { css: 'form #go' } }
  - { step: end, get: '/${text}?${link}' }
";

static PARSED: LazyLock<Arc<Journey>> = LazyLock::new(|| Arc::new(Journey::parse("page", JOURNEY).unwrap()));

struct Zero;

impl TryRng for Zero {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        Ok(())
    }
}

/// Everything that a walk over the page does.
fn walk(page: &[u8], url: &Url) -> String {
    let run = Arc::new(Run { id: "run".into(), mark: "dbm-3fa09c11d2e4-".into() });
    let mut walk = Walk::new(Arc::clone(&PARSED), Shopper { number: 1, run });
    let mut said = String::new();
    loop {
        match walk.next(&mut Zero) {
            Next::Fetch(fetch) => {
                said.push_str(&format!("{fetch:?}\n"));
                let headers = http::HeaderMap::new();
                let body = if fetch.wants_body { page } else { b"" };
                let content_type = ContentType::of(b"text/html");
                let answer = Answer {
                    status: 200,
                    headers: &headers,
                    content_type,
                    url,
                    hops: &[],
                    cookies: "",
                    body,
                    cut: false,
                };
                if let Err(failure) = walk.answer(&answer, &mut Zero) {
                    said.push_str(&failure.message);
                }
            }
            Next::Think(_) => {}
            Next::Done(ending) => return format!("{said}{ending:?}"),
        }
    }
}

fuzz_target!(|page: &[u8]| {
    let url = Url::parse("http://shop.test/a/b?c=d").unwrap();
    assert_eq!(walk(page, &url), walk(page, &url));
    assert!(assets::of_page(page, Charset::default(), &url).len() <= 2 * assets::PAGE_ASSETS_MAX);
});
