//! The plan's rules for systems that alert by themselves: recording and alerting rules for Prometheus, alarms for
//! CloudWatch. Both follow from the same objectives and rules that Doorbuster alerts by.

pub(crate) mod alarms;
pub(crate) mod limits;
pub(crate) mod prometheus;
pub(crate) mod put;

use doorbuster_model::slo::{Objective, Scope};

/// The scopes in which an objective is counted: traffic has one, an objective about a region that region's, and others
/// every region's and the global one.
pub(crate) fn scopes_of(objective: &Objective, regions: &[String]) -> Vec<Scope> {
    match &objective.region {
        _ if objective.is_traffic => vec![Scope::Global],
        Some(region) => vec![Scope::Region(region.clone())],
        None => {
            let regions = regions.iter().cloned().map(Scope::Region);
            std::iter::once(Scope::Global).chain(regions).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn objectives_have_the_scopes_that_they_are_about() {
        let regions = samples::names().regions;
        let mut objective = samples::slo().objectives.swap_remove(0);
        let told = |objective: &Objective| {
            scopes_of(objective, &regions).iter().map(Scope::to_string).collect::<Vec<_>>()
        };
        assert_eq!(told(&objective), ["global", "tokyo", "london"]);
        objective.region = Some("london".to_owned());
        assert_eq!(told(&objective), ["london"]);
        objective.is_traffic = true;
        assert_eq!(told(&objective), ["global"]);
    }
}
