//! `#[websocket]` as `emp_core::spec` data.

use proc_macro2::TokenStream;
use quote::quote;

use super::print::{Print, slice};
use crate::spec::Websocket;

impl Print for Websocket {
    fn print(&self) -> TokenStream {
        let (channel, states) = (self.channel.print(), self.states.print());
        let (job, delta) = (slice(&self.job), slice(&self.delta));
        let idle_timeout =
            self.idle_timeout.map_or_else(|| quote!(__emp::spec::Websocket::IDLE), |idle| idle.print());
        quote! {
            __emp::spec::Websocket {
                channel: #channel,
                job: #job,
                states: #states,
                delta: #delta,
                idle_timeout: #idle_timeout,
            }
        }
    }
}
