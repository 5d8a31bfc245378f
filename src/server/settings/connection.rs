//! Settings of the HTTP connections.

use crate::{
    config,
    server::connection::{Timeouts, TimerLimits},
};

pub(in crate::server) fn timeouts(server: &config::Server) -> Timeouts {
    Timeouts {
        timer: TimerLimits {
            head: server.header_timeout.get(),
            idle: server.idle_timeout.get(),
            age: server.max_connection_age.get(),
        },
        write_stall: server.write_stall_timeout.get(),
        half_close: server.half_close_timeout.get(),
    }
}
