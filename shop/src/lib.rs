//! The demo target: a small shop behind a CloudFront-like edge, with faults to switch on.
