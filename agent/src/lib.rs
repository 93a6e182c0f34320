//! The load engine: paces arrivals, walks journeys, measures every exchange.
