//! The coordinator's role, which is the account's: one region of a fleet makes it for all of them.

use super::alarms::{self, without};
use super::place::{Part, Place};
use super::stack::Stacks;

/// Whether a region that this command is not about makes the role already.
pub(super) async fn is_elsewhere(place: &Place, regions: &[String]) -> bool {
    // Who may not look makes one more, which lets nobody do anything else.
    let shown = Box::pin(alarms::shown(place)).await.ok().flatten().unwrap_or_default();
    for region in without(&shown, regions) {
        let other = Box::pin(Place::open(&region, &place.stack, place.endpoint.as_deref(), true)).await;
        let found = Box::pin(Stacks::of(&other).find(Part::Fleet)).await.ok().flatten();
        if found.is_some_and(|found| found.has_role()) {
            return true;
        }
    }
    false
}

/// Says that the role goes with this region, where others of the fleet stay.
pub(super) async fn say_goes(place: &Place, regions: &[String]) {
    let shown = Box::pin(alarms::shown(place)).await.ok().flatten();
    let staying = shown.map(|shown| without(&shown, regions));
    if let Some(text) = goes(&place.stack, staying.as_deref()) {
        place.say(&text);
    }
}

/// What is said then. `staying` are the regions that stay, where that is known.
fn goes(stack: &str, staying: Option<&[String]>) -> Option<String> {
    let (others, region) = match staying {
        Some(staying) => {
            (format!("and the fleet stays in {}", staying.join(", ")), staying.first()?.as_str())
        }
        None => ("and the fleet's other regions, if there are any, stay".to_owned(), "REGION"),
    };
    Some(format!(
        "the coordinator's role goes with this region, {others}: `doorbuster fleet up --coordinator-role --stack {stack} --region {region}` makes another"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_others_need_does_not_go_in_silence() {
        let staying = ["eu-west-2", "us-east-1"].map(str::to_owned);
        let said = goes("shop", Some(&staying)).unwrap();
        assert!(said.contains("the fleet stays in eu-west-2, us-east-1"), "{said}");
        assert!(said.contains("--coordinator-role --stack shop --region eu-west-2`"), "{said}");
        assert_eq!(goes("shop", Some(&[])), None, "the last region takes it along");
        assert!(goes("shop", None).unwrap().contains("--region REGION`"), "nobody knows");
    }
}
