//! Whatever style sheet comes: its addresses are found without a panic, and there are not too many.

#![no_main]

use doorbuster_journeys::assets;
use libfuzzer_sys::fuzz_target;
use url::Url;

fuzz_target!(|css: &[u8]| {
    let url = Url::parse("http://shop.test/css/main.css").unwrap();
    let sheet = assets::of_style(css, &url);
    assert!(sheet.assets.len() <= 100 && sheet.pictures.len() <= 200);
    assets::drawn(b"<main class=a><p id=b>x</main>", &sheet.pictures);
});
