//! Runs the cases.

mod abandon;
pub mod caller;
mod clock;
pub mod elsewhere;
pub mod folder;
mod listen;
pub mod obstacles;
mod preload;
pub mod processes;
pub mod proxy;
pub mod scripted;
pub mod site;
pub mod tally;

use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{self, StreamExt};
use lambda_invoke::BoxError;
use tokio::sync::{OnceCell, Semaphore};

use self::caller::{Caller, Callers, OurClients, Ours, Outcome, Reading, To};
use self::obstacles::Way;
use self::preload::{Library, Preloaded};
use self::proxy::{Plan, Proxy};
use self::scripted::Scripted;
use self::site::{HUGE_REQUEST, Site, payload, whole};
use super::case::{
    Asked, Case, Connections, Damage, Direction, Moment, Over, Policy, Strike, Trouble, Waits,
};
use super::oracle::reference::Received;
use super::oracle::{self, Ended, Next, Observation};
use super::schedule::scripts::Script;
use super::schedule::text::ID;
use super::schedule::{Exchange, Lengths};

/// The size of a batch of cases, which are judged together and whose counters are then forgotten.
const BATCH: usize = 20_000;

/// How long a request may still be on its way after its caller has given up.
const SETTLED: Duration = Duration::from_millis(500);

/// What all cases share.
pub struct World {
    pub site: Site,
    /// The number of concurrent cases: most of them only wait.
    pub at_once: usize,
    /// The program `chaos`, which is also that of its processes.
    pub program: PathBuf,
    /// The number of concurrent cases that use processes.
    processes: Semaphore,
    /// The number of concurrent cases that use only a caller's process.
    elsewhere: Semaphore,
    library: OnceCell<Library>,
    callers: Box<dyn Callers>,
}

/// Receives each case that is over, and what was observed of it, or why it could not be set up.
pub type Sink<'s> = dyn FnMut(&Case, Result<Observation, BoxError>) + 's;

impl World {
    /// With this project's client.
    pub async fn start() -> Result<Self, BoxError> {
        Self::of(Box::new(OurClients)).await
    }

    /// With another client.
    pub async fn of(callers: Box<dyn Callers>) -> Result<Self, BoxError> {
        Ok(Self {
            site: Site::start().await?,
            at_once: 128,
            program: std::env::current_exe()?,
            processes: Semaphore::new(6),
            elsewhere: Semaphore::new(6),
            library: OnceCell::new(),
            callers,
        })
    }

    /// Measures how many bytes pass in undisturbed exchanges.
    pub async fn lengths(&self) -> Result<Lengths, BoxError> {
        let mut lengths = Lengths::default();
        for over in Over::ALL {
            for asked in Asked::RUNNING {
                let mut exchanges = None;
                for _ in 0..20 {
                    exchanges = self.exchanges(over, asked).await?;
                    if exchanges.is_some() {
                        break;
                    }
                }
                let exchanges = exchanges.ok_or("no connection was used twice")?;
                lengths.note(over, asked, exchanges);
            }
        }
        Ok(lengths)
    }

    /// Measures a connection's first and second exchange. Returns `None` if the second call used another
    /// connection, because the first one was not back in the pool yet.
    async fn exchanges(&self, over: Over, asked: Asked) -> Result<Option<[Exchange; 2]>, BoxError> {
        let proxy = self.proxy(over, Plan::default()).await?;
        let undisturbed = Case {
            name: String::new(),
            asked,
            policy: Policy::None,
            trouble: Trouble::None { over },
            waits: Waits::Never,
        };
        let caller = self.caller(over, proxy.address, &undisturbed)?;
        let mut exchanges = [Exchange::default(); 2];
        let (mut request, mut response) = (0, 0);
        for exchange in &mut exchanges {
            let ended = caller.call(asked, payload(asked, &id(0))).await;
            if let (false, Outcome::Failed(failed)) = (asked.fails(), ended) {
                return Err(format!("undisturbed: {}", failed.text).into());
            }
            // The proxy counts bytes after it has written them, and the client still has to keep the
            // connection.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let head = proxy.seen.delivered().first().and_then(|delivered| {
                let after = delivered.get(response as usize..)?;
                Received::head_length(after)
            });
            *exchange = Exchange {
                request: proxy.seen.request_bytes() - request,
                response: proxy.seen.response_bytes() - response,
                head: head.unwrap_or(0) as u64,
            };
            request += exchange.request;
            response += exchange.response;
        }
        Ok((proxy.seen.connections() == 1).then_some(exchanges))
    }

    /// Runs cases. A case is over when no request of it can still be on its way.
    pub async fn run(self: &Arc<Self>, cases: Vec<Case>, sink: &mut Sink<'_>) {
        let mut nth = 1;
        for batch in cases.chunks(BATCH) {
            let observed = stream::iter(batch.iter().cloned().enumerate().map(|(at, case)| {
                let world = Arc::clone(self);
                let task = tokio::spawn(async move {
                    let mut seen = world.observe(nth + at, &case).await;
                    if let Ok(seen) = &mut seen {
                        seen.shorten();
                    }
                    (case, seen)
                });
                task.map(|joined| joined.expect("a case catches its panics"))
            }))
            .buffer_unordered(self.at_once)
            .collect::<Vec<_>>()
            .await;
            nth += batch.len();
            if cases.len() > BATCH {
                eprintln!("{} of {} cases", nth - 1, cases.len());
            }
            tokio::time::sleep(SETTLED).await;
            for (case, seen) in observed {
                sink(&case, seen);
            }
            self.site.executions.forget();
        }
    }

    /// Runs a case.
    pub async fn observe(&self, nth: usize, case: &Case) -> Result<Observation, BoxError> {
        match &case.trouble {
            Trouble::None { over } => self.wire(nth, case, *over, None).await,
            Trouble::Wire { over, strike } => self.wire(nth, case, *over, Some(*strike)).await,
            Trouble::Drop { over, moment } => self.drop_call(nth, case, *over, *moment).await,
            Trouble::Script(script) => self.script(nth, case, script).await,
            Trouble::Connect(obstacle) => {
                let way = Way::start(&self.site, *obstacle).await?;
                let transport = way.transport.clone();
                let reading = Reading::of(case);
                let caller = Ours::new(&way.url, case.policy, transport, reading, case.waits)?;
                let mut seen = self.seen(nth, case.asked);
                seen.ended = end(
                    case.waits,
                    caller.call(case.asked, payload(case.asked, &id(nth))),
                )
                .await;
                seen.struck = true;
                Ok(seen)
            }
            Trouble::Abandon(stage) => abandon::observe(self, nth, case, *stage).await,
            Trouble::Jump(jump) => {
                let _permit = self.elsewhere.acquire().await?;
                clock::observe(self, nth, case, *jump).await
            }
            Trouble::Process(death) => {
                let _permit = self.processes.acquire().await?;
                let mut seen = self.seen(nth, case.asked);
                let id = id(nth);
                let observing = processes::observe(self, case, *death, &id);
                let (ended, executions) =
                    match tokio::time::timeout(processes::LIMIT, observing).await {
                        Ok(observed) => observed?,
                        Err(_) => (Ended::Hung, 0),
                    };
                seen.ended = ended;
                seen.executions.store(executions, Ordering::SeqCst);
                // Otherwise the case would not have been observed.
                seen.struck = true;
                Ok(seen)
            }
            Trouble::Clock { first, later } => {
                let first = self.site.with_clock(*first).await?;
                let later = self.site.with_clock(*later).await?;
                let servers = vec![first.local_addr(), later.local_addr()];
                let proxy = Proxy::start(servers, None, Plan::default()).await?;
                let caller = self.caller(Over::Plain, proxy.address, case)?;
                let mut seen = self.seen(nth, case.asked);
                seen.ended = end(
                    case.waits,
                    caller.call(case.asked, payload(case.asked, &id(nth))),
                )
                .await;
                seen.struck = proxy.seen.response_bytes() > 0;
                Ok(seen)
            }
        }
    }

    /// What a caller's process shares with its case: a clock that is wrong by this many seconds.
    async fn preloaded(&self, name: &str, seconds: i64) -> Result<Preloaded, BoxError> {
        let library = self.library.get_or_try_init(Library::compile).await?;
        Ok(library.for_process(name, seconds)?)
    }

    /// An observation about which nothing is known yet.
    fn seen(&self, nth: usize, asked: Asked) -> Observation {
        Observation {
            ended: Ended::Hung,
            executions: self.site.executions.of(&id(nth)),
            expected: whole(asked, &id(nth)),
            has_begun: false,
            is_proved: false,
            struck: false,
            ended_early: false,
            was_good: false,
            next: None,
        }
    }

    /// Builds a client for an address.
    fn caller(
        &self,
        over: Over,
        address: SocketAddr,
        case: &Case,
    ) -> Result<Box<dyn Caller>, BoxError> {
        self.callers
            .caller(&self.site, Self::to(over, address, case))
    }

    /// Builds this project's client for an address, whichever client the case is about.
    fn our_caller(&self, address: SocketAddr, case: &Case) -> Result<Box<dyn Caller>, BoxError> {
        OurClients.caller(&self.site, Self::to(Over::Plain, address, case))
    }

    fn to(over: Over, address: SocketAddr, case: &Case) -> To {
        To {
            over,
            address,
            policy: case.policy,
            reading: Reading::of(case),
            waits: case.waits,
        }
    }

    /// Starts a proxy between a client and the endpoint.
    async fn proxy(&self, over: Over, plan: Plan) -> io::Result<Proxy> {
        Proxy::start(
            vec![self.site.address(over)],
            self.site.acceptor(over),
            plan,
        )
        .await
    }

    /// Makes a call over a connection that is damaged.
    async fn wire(
        &self,
        nth: usize,
        case: &Case,
        over: Over,
        strike: Option<Strike>,
    ) -> Result<Observation, BoxError> {
        let proxy = self.proxy(over, Plan { strike, tell: None }).await?;
        let caller = self.caller(over, proxy.address, case)?;
        let pooled = strike.is_some_and(|strike| strike.on == Connections::Pooled);
        let mut seen = self.seen(nth, case.asked);
        if pooled {
            let warm = id_of_warm(nth);
            // If this call fails because the machine is too busy, the next one uses a new
            // connection.
            let _ = end(
                Waits::Never,
                caller.warm(case.asked, payload(case.asked, &warm)),
            )
            .await;
            proxy.seen.arm();
        }
        seen.ended = end(
            case.waits,
            caller.call(case.asked, payload(case.asked, &id(nth))),
        )
        .await;
        seen.struck = strike.is_none() || proxy.seen.strikes() > 0;
        let delivered = proxy.seen.delivered();
        // Unless the pooled connection was damaged, the call used a new one, and what the first
        // connection delivered is the late response to the previous call.
        let first = usize::from(pooled && !seen.struck);
        oracle::digest(case, &mut seen, delivered.get(first..).unwrap_or_default());
        Ok(seen)
    }

    /// Makes a call that its caller drops, and another call of the same client.
    async fn drop_call(
        &self,
        nth: usize,
        case: &Case,
        over: Over,
        moment: Moment,
    ) -> Result<Observation, BoxError> {
        let plan = match moment {
            Moment::Bytes(direction, at) => Plan {
                strike: None,
                tell: Some((direction, at)),
            },
            Moment::Retry => Plan {
                strike: Some(Strike {
                    direction: Direction::Response,
                    at: 0,
                    damage: Damage::Close,
                    on: Connections::First,
                }),
                tell: None,
            },
        };
        let proxy = self.proxy(over, plan).await?;
        let caller = self.caller(over, proxy.address, case)?;
        let mut seen = self.seen(nth, case.asked);
        let call = caller.call(case.asked, payload(case.asked, &id(nth)));
        let call = end(case.waits, call);
        let is_due = async {
            match moment {
                // The call is dropped before it is first polled.
                Moment::Bytes(_, 0) => {}
                Moment::Bytes(..) => proxy.seen.told.notified().await,
                Moment::Retry => {
                    proxy.seen.told.notified().await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        };
        seen.ended = tokio::select! {
            biased;
            () = is_due => Ended::Dropped,
            ended = call => ended,
        };
        seen.struck = matches!(seen.ended, Ended::Dropped);
        let next = id_of_next(nth);
        let again = caller.call(case.asked, payload(case.asked, &next));
        seen.next = Some(Next {
            ended: end(case.waits, again).await,
            expected: whole(case.asked, &next),
            executions: Some(self.site.executions.of(&next)),
        });
        Ok(seen)
    }

    /// Calls a server that follows a script.
    async fn script(
        &self,
        nth: usize,
        case: &Case,
        script: &Script,
    ) -> Result<Observation, BoxError> {
        let server = Scripted::start(case.asked, script.clone()).await?;
        let caller = self.caller(Over::Plain, server.address, case)?;
        let mut seen = self.seen(nth, case.asked);
        seen.executions = Arc::clone(&server.seen.executions);
        seen.expected = [&vec![b'x'; script.before], &whole(case.asked, ID)[..]]
            .concat()
            .into();
        let request = match script.long_request {
            true => HUGE_REQUEST.clone(),
            false => payload(case.asked, ID),
        };
        seen.ended = end(case.waits, caller.call(case.asked, request.clone())).await;
        seen.was_good = server.seen.was_good();
        seen.struck = server.seen.was_reached();
        if script.again {
            seen.next = Some(Next {
                ended: end(case.waits, caller.call(case.asked, request)).await,
                expected: seen.expected.clone(),
                // The server counts the executions of both calls together.
                executions: None,
            });
        }
        oracle::digest(case, &mut seen, &[server.seen.sent()]);
        Ok(seen)
    }
}

/// The id of a case, with which its function is called.
fn id(nth: usize) -> String {
    format!("{nth:08}")
}

/// The id of the call before that of a case.
fn id_of_warm(nth: usize) -> String {
    format!("{}w", &id(nth)[1..])
}

/// The id of the call after that of a case.
fn id_of_next(nth: usize) -> String {
    format!("{}n", &id(nth)[1..])
}

/// Waits for the end of a call, in whatever way it ends. A call that has not ended well after its
/// timeouts hangs.
async fn end(waits: Waits, call: impl Future<Output = Outcome>) -> Ended {
    let caught = AssertUnwindSafe(call).catch_unwind();
    match tokio::time::timeout(caller::limit(waits), caught).await {
        Err(_) => Ended::Hung,
        Ok(Ok(outcome)) => Ended::Outcome(outcome),
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Ended::Panicked(text.unwrap_or_default())
        }
    }
}
