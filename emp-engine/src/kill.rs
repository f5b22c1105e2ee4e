//! The moments at which a worker's process can be made to die, for tests: just before or after each thing that cannot be taken back.
//!
//! Without the feature `kill-points` there is nothing here but empty functions, and that is how the product is built. With it, a
//! process that has `EMP_TEST_KILL_AT=after_intent` in its environment aborts when it comes to that moment: nothing is unwound,
//! nothing is given back.

macro_rules! points {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// A moment of a job's life at its worker.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Point {
            $($(#[$doc])* $name,)+
        }

        impl Point {
            /// Every moment.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word that names it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

points! {
    /// The store has given the job, and nothing was done.
    Claimed = "claimed",
    /// The steps before the submit are done, where there are any.
    Prepared = "prepared",
    /// The intent is about to be stored.
    BeforeIntent = "before_intent",
    /// The intent is stored, and no byte has left.
    AfterIntent = "after_intent",
    /// The submit is answered, and nobody has looked at the answer.
    Answered = "answered",
    /// An event of a streamed answer was read.
    Streaming = "streaming",
    /// The service job is known, and about to be stored.
    BeforeSubmitted = "before_submitted",
    /// The service job is stored, and nothing was asked with it.
    AfterSubmitted = "after_submitted",
    /// It is certain that nothing was accepted, and about to be stored.
    BeforeNotSent = "before_not_sent",
    /// It is stored that nothing was accepted.
    AfterNotSent = "after_not_sent",
    /// Whether a lost submit was accepted is about to be found out.
    Settling = "settling",
    /// The job waits for its next poll.
    Parked = "parked",
    /// A poll is about to be sent.
    Polling = "polling",
    /// A poll is answered.
    Polled = "polled",
    /// The socket is open.
    SocketOpen = "socket_open",
    /// Something was heard on the socket.
    SocketHeard = "socket_heard",
    /// A file of the result is about to be fetched.
    Fetching = "fetching",
    /// A file of the result is stored.
    Fetched = "fetched",
    /// The service is about to be told to cancel.
    Cancelling = "cancelling",
    /// The service has been told to cancel.
    Cancelled = "cancelled",
    /// How the claim ends is known, and about to be stored.
    BeforeEnd = "before_end",
    /// How the claim ends is stored.
    AfterEnd = "after_end",
    /// The service is about to be tidied up.
    CleaningUp = "cleaning_up",
    /// The leases are about to be renewed.
    Renewing = "renewing",
}

/// The process comes to a moment, and does not get past it when that is where it is to die.
#[cfg(feature = "kill-points")]
pub fn come_to(point: Point) {
    use std::sync::OnceLock;

    static ARMED: OnceLock<Option<String>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| std::env::var("EMP_TEST_KILL_AT").ok());
    if armed.as_deref() == Some(point.word()) {
        // A test that waits for this death sees it by the signal.
        std::process::abort();
    }
}

/// Nothing happens: the product is not built to die.
#[cfg(not(feature = "kill-points"))]
#[inline]
pub fn come_to(_point: Point) {}
