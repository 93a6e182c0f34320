//! Limits of others, as data: they are mended here when they change.

use url::Url;

/// How many connections an environment of a function holds at most, with room for what else it has open.
pub const ENVIRONMENT_CONNECTIONS_MAX: u64 = 900;
/// An environment's descriptors. Source: AWS Lambda, "Lambda quotas".
pub const ENVIRONMENT_DESCRIPTORS_MAX: u64 = 1_024;
/// How many new environments a function gets, and in how many seconds. Source: AWS Lambda, "Lambda function scaling".
pub const ENVIRONMENTS_AT_ONCE_MAX: u64 = 1_000;
/// In so many seconds.
pub const ENVIRONMENTS_AT_ONCE_S: u64 = 10;

/// A distribution's requests in a second, unless a higher quota was granted. Source: Amazon CloudFront, "Quotas".
pub const DISTRIBUTION_REQUESTS_PER_S_MAX: f64 = 250_000.0;
/// Its bits in a second. Source: as above.
pub const DISTRIBUTION_BITS_PER_S_MAX: f64 = 150e9;

/// Where AWS says what it takes for a network stress test, and what it forbids.
pub const POLICY_URL: &str = "https://aws.amazon.com/ec2/testing/";
/// From so many bits in a second on, traffic from AWS may be shaped: the page's newer text. On some paths it is 100 Gbps.
pub const SHAPED_BITS_PER_S: f64 = 25e9;

/// The page's older text had a form to be filled in by who sends more bits in a second than this,
pub const EARLIER_BITS_PER_S: f64 = 1e9;
/// or more packets,
pub const EARLIER_PACKETS_PER_S: f64 = 1e9;
/// for longer than so many seconds.
pub const EARLIER_S: f64 = 60.0;

/// Bytes that a packet carries: Ethernet's 1,500, without the headers of IP and TCP with timestamps.
pub const SEGMENT_BYTES: f64 = 1_448.0;

/// The least capacity of a load balancer that can be reserved, in units. Below that it need not be.
/// Source: Elastic Load Balancing, "Capacity reservations".
pub const CAPACITY_UNITS_RESERVED_MIN: f64 = 100.0;
/// What a capacity unit of an Application Load Balancer is. Source: Elastic Load Balancing pricing.
const UNIT_NEW_CONNECTIONS_PER_S: f64 = 25.0;
const UNIT_ACTIVE_CONNECTIONS: f64 = 3_000.0;
const UNIT_BYTES_PER_HOUR: f64 = 1e9;

/// How many agents so many connections need, with at most [`ENVIRONMENT_CONNECTIONS_MAX`] each.
pub fn agents_for(connections: u64) -> u64 {
    connections.div_ceil(ENVIRONMENT_CONNECTIONS_MAX)
}

/// How many capacity units an Application Load Balancer uses: as many as what it has most of takes.
pub fn capacity_units(new_connections_per_s: f64, active_connections: f64, bits_per_s: f64) -> f64 {
    let bytes_per_hour = bits_per_s / 8.0 * 3_600.0;
    (new_connections_per_s / UNIT_NEW_CONNECTIONS_PER_S)
        .max(active_connections / UNIT_ACTIVE_CONNECTIONS)
        .max(bytes_per_hour / UNIT_BYTES_PER_HOUR)
}

/// Whether a target is a load balancer of AWS by its name.
pub fn looks_like_balancer(target: &Url) -> bool {
    target.host_str().is_some_and(|host| host.ends_with(".elb.amazonaws.com"))
}
