//! Which pictures of style sheets a page draws: those behind elements that it has.

use std::borrow::Cow;

use super::{Asset, Picture};
use crate::scan::{Query, Take, scan};
use crate::selector::Css;

/// The pictures whose selectors match an element of `html`. Which rule wins over which is not asked, nor whether an
/// element is shown.
pub fn drawn<'a>(html: &[u8], pictures: impl IntoIterator<Item = &'a Picture>) -> Vec<Asset> {
    let (mut asked, mut queries) = (Vec::new(), Vec::new());
    for picture in pictures {
        if let Ok(selector) = picture.selector.parse::<Css>() {
            asked.push(picture);
            queries.push(Query { selector: Cow::Owned(selector), take: Take::Count, until: Some(0) });
        }
    }
    if asked.is_empty() {
        return Vec::new();
    }
    let found = scan(html, &queries).unwrap_or_default();
    let matching = asked.into_iter().zip(found).filter(|(_, found)| found.count > 0);
    matching.map(|(picture, _)| Asset { url: picture.url.clone(), is_style: false, applies: true }).collect()
}
