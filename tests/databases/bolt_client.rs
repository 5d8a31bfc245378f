//! Our Bolt client against scripted peers and a fake of Neo4j: versions, round trips, framing, refusals and ends.

mod connection;
mod ends;
mod framing;
mod logins;
mod refusals;
mod round_trips;
mod versions;
