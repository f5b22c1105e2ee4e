//! One direction of a connection.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::{NetFaults, Wanted};

/// Read at once.
const CHUNK: usize = 16 << 10;

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// From the client.
    Request,
    /// To the client.
    Reply,
}

/// The connection is to be closed, both directions of it.
#[derive(Debug)]
pub(super) struct Cut;

/// Carries bytes in one direction.
pub(super) struct Pump<'c> {
    way: Way,
    from: ReadHalf<'c>,
    to: WriteHalf<'c>,
    wanted: watch::Receiver<Wanted>,
    passed: u64,
}

impl<'c> Pump<'c> {
    pub(super) fn new(
        way: Way,
        from: ReadHalf<'c>,
        to: WriteHalf<'c>,
        wanted: watch::Receiver<Wanted>,
    ) -> Self {
        Self { way, from, to, wanted, passed: 0 }
    }

    /// Carries until the sender has closed.
    pub(super) async fn run(mut self) -> Result<(), Cut> {
        let mut chunk = vec![0; CHUNK];
        loop {
            audible(&mut self.wanted).await;
            let most = self.faults().slice.map_or(CHUNK, |slice| slice.clamp(1, CHUNK));
            let count = tokio::select! {
                read = self.from.read(&mut chunk[..most]) => read.map_err(|_| Cut)?,
                // Whatever it is now, it may hold for what has not come yet.
                changed = self.wanted.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Err(Cut),
                },
            };
            // It may have fallen silent while nothing came.
            audible(&mut self.wanted).await;
            let faults = self.faults();
            if count == 0 {
                tokio::time::sleep(faults.slow_close).await;
                self.to.shutdown().await.map_err(|_| Cut)?;
                return Ok(());
            }
            let passes = self.passes(&faults, count);
            self.delay(&faults, passes).await;
            self.to.write_all(&chunk[..passes]).await.map_err(|_| Cut)?;
            self.passed += passes as u64;
            if passes < count || self.at_limit(&faults) {
                return Err(Cut);
            }
        }
    }

    fn faults(&self) -> NetFaults {
        self.wanted.borrow().faults.clone()
    }

    /// How many of the bytes that came are passed on.
    fn passes(&self, faults: &NetFaults, count: usize) -> usize {
        match (self.way, faults.limit_data) {
            (Way::Reply, _) if faults.cut_replies => 0,
            (Way::Reply, Some(limit)) => {
                let left = usize::try_from(limit.saturating_sub(self.passed)).unwrap_or(usize::MAX);
                count.min(left)
            }
            _ => count,
        }
    }

    fn at_limit(&self, faults: &NetFaults) -> bool {
        self.way == Way::Reply && faults.limit_data.is_some_and(|limit| self.passed >= limit)
    }

    /// Waits as long as the bytes are on their way; not longer than the faults hold.
    async fn delay(&mut self, faults: &NetFaults, count: usize) {
        let jitter = faults.jitter.mul_f64(fastrand::f64() * 2.0);
        let latency = (faults.latency + jitter).saturating_sub(faults.jitter);
        let transfer = faults
            .bandwidth
            .map_or(Duration::ZERO, |rate| Duration::from_secs_f64(count as f64 / f64::from(rate.max(1))));
        if (latency + transfer).is_zero() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(latency + transfer) => {}
            _ = self.wanted.wait_for(|wanted| wanted.faults != *faults) => {}
        }
    }
}

/// Waits while nothing passes.
pub(super) async fn audible(wanted: &mut watch::Receiver<Wanted>) {
    // A proxy that is gone has no faults any more.
    let _ = wanted.wait_for(|wanted| !wanted.faults.blackhole).await;
}
