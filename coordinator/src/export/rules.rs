//! The plan's rules for systems that alert by themselves: recording and alerting rules for Prometheus, alarms for
//! CloudWatch. Both follow from the same objectives and rules that Doorbuster alerts by.

pub(crate) mod alarms;
pub(crate) mod limits;
pub(crate) mod prometheus;
pub(crate) mod put;
