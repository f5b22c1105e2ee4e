//! What all jobs of one service and credential share.
/// What all jobs of one connector, base and credential share.
#[derive(Debug)]
pub struct Service;
/// A job's place among those in flight.
#[derive(Debug)]
pub struct Place;
