//! Settings of the HTTP connections.

use crate::{
    config,
    server::{
        connection::{Timeouts, TimerLimits},
        handle::StopLimits,
    },
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

pub(in crate::server) fn stop_limits(server: &config::Server) -> StopLimits {
    StopLimits { drain_delay: server.drain_delay.get(), shutdown_timeout: server.shutdown_timeout.get() }
}
