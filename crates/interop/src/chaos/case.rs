//! The definition of a case: a call, and what breaks during it.

use std::fmt;

use lambda_invoke::RetryPolicy;

use super::schedule::clock::{Jump, When};
use super::schedule::connect::{Obstacle, Stage};
use super::schedule::processes::{Death, Event};
use super::schedule::scripts::Script;

/// One call, or several, and what breaks during it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique, and sufficient to find the case again: the name begins with the section.
    pub name: String,
    pub asked: Asked,
    pub policy: Policy,
    pub trouble: Trouble,
    pub waits: Waits,
}

impl Case {
    /// The first word of the name.
    pub fn section(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }
}

/// What the caller waits for in vain. Only these waits need short timeouts; in all others a busy
/// machine must not reach the timeout, since that would turn the case into another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// For nothing, since the call must succeed.
    Never,
    /// For the rest of a body. The head of a response arrives, or the connection ends.
    ForBody,
    /// For the head of a response, which never arrives.
    ForHead,
    /// For the head, or only for the rest of the body, since the length of the head varies; or for the
    /// end of a body that never pauses.
    ForEither,
    /// For a response that may be late. It arrives, or the connection ends, so the timeouts are long.
    ForLong,
    /// For a process that is suspended, or for a function that never ends.
    ForProcess,
    /// The same, where the only timeout is that of the whole call.
    ForProcessInTotal,
    /// As long as other clients wait in the same cases, for anything.
    AsPeers,
}

impl Waits {
    pub const ALL: [Self; 8] = [
        Self::Never,
        Self::ForBody,
        Self::ForHead,
        Self::ForEither,
        Self::ForLong,
        Self::ForProcess,
        Self::ForProcessInTotal,
        Self::AsPeers,
    ];
}

/// What breaks.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Nothing: the call must succeed.
    None { over: Over },
    /// A connection between the client and the endpoint is damaged.
    Wire { over: Over, strike: Strike },
    /// The caller drops the call, and makes another one.
    Drop { over: Over, moment: Moment },
    /// A server responds to the first request as the script says, and correctly to all others.
    Script(Script),
    /// No connection can be made.
    Connect(Obstacle),
    /// The caller drops the call while it connects, and makes another one when nothing prevents it.
    Abandon(Stage),
    /// A process is killed or suspended.
    Process(Death),
    /// The endpoint's clock differs from the client's by this many seconds: on the first
    /// connection, and on later ones.
    Clock { first: i64, later: i64 },
    /// The client's own clock is wrong, or jumps.
    Jump(Jump),
}

impl Trouble {
    /// What the caller waits for, if byte offsets do not matter.
    pub fn waits(&self) -> Waits {
        match self {
            Self::None { .. } | Self::Drop { .. } | Self::Abandon(_) => Waits::Never,
            Self::Script(script) => script.waits(),
            Self::Clock { .. } => Waits::ForBody,
            Self::Wire { .. } | Self::Connect(_) => Waits::ForHead,
            Self::Process(death) => match death.event {
                // A process that ends closes its connections.
                Event::Kill | Event::Nothing => Waits::ForLong,
                Event::Suspend => Waits::ForProcess,
                Event::SuspendInTotal => Waits::ForProcessInTotal,
            },
            Self::Jump(jump) if jump.when == When::Stalled => Waits::ForProcess,
            Self::Jump(_) => Waits::ForLong,
        }
    }
}

/// When a caller drops its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When this many bytes have passed; at offset 0 of the request, before anything happens.
    Bytes(Direction, u64),
    /// When the first attempt has failed, before or during the next one.
    Retry,
}

/// What happens to a connection at a byte offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    pub direction: Direction,
    /// The offset in the bytes that pass in this direction.
    pub at: u64,
    pub damage: Damage,
    pub on: Connections,
}

/// Which connections are damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// Only the first connection, on its first request. All others work, so that a request that is
    /// sent again runs again.
    First,
    /// Only the first connection, on its second request, for which it is taken from the pool.
    Pooled,
    /// All connections.
    Every,
}

impl Connections {
    fn suffix(self) -> &'static str {
        match self {
            Self::First => "",
            Self::Pooled => "-pooled",
            Self::Every => "-every",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Request,
    Response,
}

/// The kinds of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Both sides are closed gracefully (FIN).
    Close,
    /// Both sides are reset (RST).
    Reset,
    /// No more bytes pass, in either direction.
    Stall,
    /// This bit of the byte is flipped; everything else passes unchanged.
    Flip(u8),
    /// The client sees a graceful close, but its request is still passed on: the function may run.
    HangUp,
}

impl Damage {
    /// All kinds of damage, with this bit for the flip.
    pub fn all(bit: u8) -> [Self; 5] {
        [
            Self::Close,
            Self::Reset,
            Self::Stall,
            Self::Flip(bit),
            Self::HangUp,
        ]
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::Reset => "reset",
            Self::Stall => "stall",
            Self::Flip(_) => "flip",
            Self::HangUp => "hang-up",
        }
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Request => "request",
            Direction::Response => "response",
        };
        let (damage, on) = (self.damage.name(), self.on.suffix());
        write!(f, "{direction}/{damage}{on}@{}", self.at)?;
        match self.damage {
            Damage::Flip(bit) => write!(f, ".{bit}"),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    Plain,
    Tls,
    /// TLS that ends at the proxy, so that the damage is to what TLS carries.
    Inside,
}

impl Over {
    pub const ALL: [Self; 3] = [Self::Plain, Self::Tls, Self::Inside];

    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
            Self::Inside => "inside-tls",
        }
    }

    /// The name of the operation in tables.
    pub fn title(self) -> &'static str {
        match self {
            Self::Plain => "HTTP",
            Self::Tls => "TLS",
            Self::Inside => "inside TLS",
        }
    }
}

/// What the caller asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// A buffered response.
    Invoke,
    /// A streamed response.
    Stream,
    /// A buffered response of a function that fails: never a success.
    Failing,
    /// A stream whose function fails mid-stream, which only the log reports: never a success.
    FailingStream,
    /// A buffered response of many packets, to a request of many packets.
    LongInvoke,
    /// The same with a streamed response.
    LongStream,
    Event,
    DryRun,
    StreamDryRun,
}

impl Asked {
    /// The two operations.
    pub const OPERATIONS: [Self; 2] = [Self::Invoke, Self::Stream];
    /// The operations for which a function runs.
    pub const RUNNING: [Self; 7] = [
        Self::Invoke,
        Self::Stream,
        Self::Failing,
        Self::FailingStream,
        Self::LongInvoke,
        Self::LongStream,
        Self::Event,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Invoke => "invoke",
            Self::Stream => "stream",
            Self::Failing => "failing",
            Self::FailingStream => "failing-stream",
            Self::LongInvoke => "long-invoke",
            Self::LongStream => "long-stream",
            Self::Event => "event",
            Self::DryRun => "dry-run",
            Self::StreamDryRun => "stream-dry-run",
        }
    }

    pub fn is_stream(self) -> bool {
        matches!(
            self,
            Self::Stream | Self::FailingStream | Self::LongStream | Self::StreamDryRun
        )
    }

    pub fn is_long(self) -> bool {
        matches!(self, Self::LongInvoke | Self::LongStream)
    }

    pub fn fails(self) -> bool {
        matches!(self, Self::Failing | Self::FailingStream)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    Default,
    AtLeastOnce,
    None,
}

impl Policy {
    pub const ALL: [Self; 3] = [Self::Default, Self::AtLeastOnce, Self::None];

    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::AtLeastOnce => "at-least-once",
            Self::None => "none",
        }
    }

    pub fn to_retry(self) -> RetryPolicy {
        match self {
            Self::Default => RetryPolicy::default(),
            Self::AtLeastOnce => RetryPolicy::at_least_once(),
            Self::None => RetryPolicy::none(),
        }
    }
}
