//! What a run comes to before it begins, for people.

use std::time::Duration;

use doorbuster_model::preflight::{Item, POLICY_URL};
use doorbuster_notation::show_duration;

use super::super::colour::Paint;
use super::super::numbers::{NOT_AVAILABLE, bits_per_s, count, dollars, figure, rate};
use super::super::plain::plain;
use super::layout::{Grid, indented};
use crate::preflight::{Check, Preflight, Status};

/// What each region carries, each check, what costs, and what was assumed.
pub(crate) fn planned(preflight: &Preflight, colour: bool) -> String {
    let paint = Paint { on: colour };
    let mut parts = vec![regions(preflight).render(), checks(preflight, paint).render()];
    if !preflight.items.is_empty() {
        let sum = dollars(preflight.usd());
        let mut sources: Vec<&str> = preflight.items.iter().map(|item| item.price.source).collect();
        sources.sort_unstable();
        sources.dedup();
        let lines = [
            format!("{sum} at most, without taxes, free amounts and discounts"),
            format!("prices: {}", sources.join(" ")),
        ];
        let lines = lines.map(|line| indented("", &line)).concat();
        parts.push(format!("{}{lines}", costs(&preflight.items).render()));
    }
    let notes = preflight.assumed.iter().map(|note| indented("", note));
    let policy = format!("AWS on network stress tests: {POLICY_URL}");
    parts.push(notes.chain([indented("", &policy)]).collect::<Vec<_>>().concat());
    parts.push(verdict(preflight, paint));
    parts.join("\n")
}

fn regions(preflight: &Preflight) -> Grid {
    let mut grid = Grid::new("Regions: what is planned; shoppers, connections and descriptors are the most")
        .words("region")
        .number("agents")
        .words("by")
        .number("arrivals")
        .number("shoppers")
        .number("per agent")
        .number("connections")
        .number("descriptors")
        .number("generations");
    for region in &preflight.regions {
        let part = &region.part;
        let (least, most) = (part.connections.least, part.connections.most);
        let number = |number: Option<u64>| number.map_or_else(|| NOT_AVAILABLE.to_owned(), count);
        grid.row(vec![
            plain(&region.name),
            count(part.agents),
            region.launch.word().to_owned(),
            number(part.arrivals),
            count(part.shoppers_max),
            count(part.shoppers_per_agent),
            if most > least { format!("{}–{}", count(least), count(most)) } else { count(least) },
            number(region.descriptors_max),
            count(part.generations),
        ]);
    }
    grid
}

fn checks(preflight: &Preflight, paint: Paint) -> Grid {
    let mut grid =
        Grid::new("Checks: what each says, and what to change").words("status").words("check").words("says");
    for check in &preflight.checks {
        let status = match check.status {
            Status::Ok => paint.green(check.status.word()),
            Status::Warning => paint.yellow(check.status.word()),
            Status::Refuse => paint.red(check.status.word()),
        };
        grid.row(vec![status, check.name.to_owned(), says(check)]);
    }
    grid
}

fn says(check: &Check) -> String {
    let about = check.about.as_ref().map_or_else(String::new, |about| format!("{about}: "));
    let change = check.change.as_ref().map_or_else(String::new, |change| format!("; {change}"));
    plain(&format!("{about}{}{change}", check.says))
}

fn costs(items: &[Item]) -> Grid {
    let mut grid = Grid::new("Cost: what AWS charges, as far as it is known")
        .words("what")
        .number("quantity")
        .words("unit")
        .number("USD per unit")
        .number("cost")
        .words("price as of");
    for item in items {
        grid.row(vec![
            item.what.to_owned(),
            figure(Some(item.quantity)),
            item.price.unit.to_owned(),
            item.price.usd.to_string(),
            dollars(item.usd()),
            item.price.as_of.to_owned(),
        ]);
    }
    grid
}

/// The whole in one line.
fn verdict(preflight: &Preflight, paint: Paint) -> String {
    let length = Duration::try_from_secs_f64(preflight.length_s).unwrap_or_default();
    let crowd = &preflight.crowd;
    let says = format!(
        "\"{}\" of {}: at most {} requests and {}",
        plain(&preflight.plan),
        show_duration(length),
        rate(Some(crowd.requests_per_s_max)),
        bits_per_s(crowd.bits_per_s_max())
    );
    let word = match preflight.status() {
        Status::Ok => paint.green("it may begin"),
        Status::Warning => paint.yellow("it may begin, with warnings"),
        Status::Refuse => paint.red("it is refused"),
    };
    format!("{}\npre-flight: {word}\n", indented("", &says))
}

#[cfg(test)]
mod tests {
    use super::planned;
    use crate::preflight::tests::{a_sale_from_functions, a_sale_from_here};
    use crate::tell::tables::WIDTH_MAX;
    use crate::tell::tests::golden;

    #[test]
    fn the_table_of_a_sale_from_functions() {
        golden("plan-lambda.txt", &planned(&a_sale_from_functions(), false));
    }

    #[test]
    fn the_table_of_a_sale_from_this_machine() {
        golden("plan-local.txt", &planned(&a_sale_from_here(), false));
    }

    #[test]
    fn nothing_is_too_wide_and_what_is_refused_is_red() {
        let sale = a_sale_from_functions();
        let text = planned(&sale, false);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= WIDTH_MAX, "{widest}:\n{text}");
        assert!(text.ends_with("\npre-flight: it is refused\n"), "{text}");
        assert!(planned(&sale, true).contains("\u{1b}[31mrefuse"));
    }
}
