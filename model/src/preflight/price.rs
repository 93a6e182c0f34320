//! Prices, as data: in US dollars, without taxes, free amounts and discounts by quantity. Regions differ a little; where
//! nothing else is said they are those of us-east-1.

/// What a unit costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// US dollars.
    pub usd: f64,
    /// For one of these.
    pub unit: &'static str,
    /// Where it is told.
    pub source: &'static str,
    /// When it was so; `unconfirmed` where it was not read there.
    pub as_of: &'static str,
}

const LAMBDA: &str = "https://aws.amazon.com/lambda/pricing/";
const S3: &str = "https://aws.amazon.com/s3/pricing/";
const CLOUDFRONT: &str = "https://aws.amazon.com/cloudfront/pricing/";
const TRANSFER: &str = "https://aws.amazon.com/ec2/pricing/on-demand/";

/// A function's memory and time on x86-64.
pub(super) const COMPUTE_X86_64: Price =
    Price { usd: 1.666_67e-5, unit: "GB-s", source: LAMBDA, as_of: "2026-11" };
/// The same on arm64.
pub(super) const COMPUTE_ARM64: Price =
    Price { usd: 1.333_34e-5, unit: "GB-s", source: LAMBDA, as_of: "2026-11" };
/// An invocation.
pub(super) const INVOCATION: Price =
    Price { usd: 2e-7, unit: "invocation", source: LAMBDA, as_of: "2026-11, unconfirmed" };
/// What a function streams beyond [`STREAMED_FREE_BYTES`] an invocation.
pub(super) const STREAMED: Price =
    Price { usd: 0.008, unit: "GB", source: LAMBDA, as_of: "2026-11, unconfirmed" };
/// What an invocation may stream for nothing.
pub(super) const STREAMED_FREE_BYTES: f64 = 6e6;
/// An object that is read.
pub(super) const OBJECT_READ: Price =
    Price { usd: 4e-7, unit: "request", source: S3, as_of: "2026-11, unconfirmed" };
/// An object that is written.
pub(super) const OBJECT_WRITTEN: Price =
    Price { usd: 5e-6, unit: "request", source: S3, as_of: "2026-11, unconfirmed" };
/// What leaves an AWS region for the internet: the dearest that there is, where nothing else is said.
pub(super) fn transfer_out(aws: &str) -> Price {
    let is_in = |places: &[&str]| places.iter().any(|begin| aws.starts_with(begin));
    let usd = if is_in(&["us-", "ca-", "eu-"]) {
        0.09
    } else if is_in(&["ap-northeast-1", "ap-northeast-3"]) {
        0.114
    } else {
        0.154
    };
    Price { usd, unit: "GB", source: TRANSFER, as_of: "2026-11, unconfirmed" }
}

/// What an edge of CloudFront costs where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct EdgePrices {
    pub(super) http: Price,
    pub(super) https: Price,
    pub(super) transfer: Price,
}

const fn edge_prices(http: f64, https: f64, transfer: f64) -> EdgePrices {
    const fn of(usd: f64, unit: &'static str, as_of: &'static str) -> Price {
        Price { usd, unit, source: CLOUDFRONT, as_of }
    }
    EdgePrices {
        http: of(http, "request", "2026-11, unconfirmed"),
        https: of(https, "request", "2026-11, unconfirmed"),
        transfer: of(transfer, "GB", "2025"),
    }
}

const UNITED_STATES: EdgePrices = edge_prices(7.5e-7, 1e-6, 0.085);
const EUROPE: EdgePrices = edge_prices(9e-7, 1.2e-6, 0.085);
const JAPAN: EdgePrices = edge_prices(9e-7, 1.2e-6, 0.114);
/// The dearest that is usual, for everywhere else.
const ELSEWHERE: EdgePrices = edge_prices(9e-7, 1.2e-6, 0.12);

/// What the edges cost that a region's requests reach: those near its AWS region, or near what its name says.
pub(super) fn edges_near(region: &str, aws: Option<&str>) -> EdgePrices {
    let place = aws.unwrap_or(region);
    let is_in = |places: &[&str]| places.iter().any(|begin| place.starts_with(begin));
    if is_in(&["us-", "ca-", "new-york"]) {
        UNITED_STATES
    } else if is_in(&["eu-", "london"]) {
        EUROPE
    } else if is_in(&["ap-northeast-1", "ap-northeast-3", "tokyo"]) {
        JAPAN
    } else {
        ELSEWHERE
    }
}
