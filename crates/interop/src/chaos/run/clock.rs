//! Calls of a process whose clock is wrong, or jumps.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lambda_invoke::BoxError;
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::caller::{self, Outcome};
use super::elsewhere::{Answer, Elsewhere};
use super::listen::listen;
use super::preload::Preloaded;
use super::scripted::request;
use super::site::{Executions, function, payload, pieces, whole};
use super::{World, id, id_of_next, id_of_warm};
use crate::chaos::case::{Asked, Case, Waits};
use crate::chaos::oracle::{Ended, Next, Observation};
use crate::chaos::schedule::clock::{Jump, When};
use crate::chaos::schedule::text::{JSON, REQUEST_ID, sized};

/// How much later than its clock jumps a function responds: a timeout that followed the clock would have
/// ended the call by then.
const PAUSE: Duration = Duration::from_millis(200);

/// The precision of the times that are compared.
const PRECISION: Duration = Duration::from_millis(10);

/// Runs a case.
pub async fn observe(
    world: &World,
    nth: usize,
    case: &Case,
    jump: Jump,
) -> Result<Observation, BoxError> {
    let clock = Arc::new(world.preloaded(&id(nth), jump.from).await?);
    let server = endpoint(&world.site.executions, &clock, jump.when)?;
    let server = server.bind("127.0.0.1:0").await?;
    let front = Front::start(server.local_addr(), Arc::clone(&clock)).await?;
    let url = match jump.when {
        When::Attempts => format!("http://{}", front.address),
        _ => server.url(),
    };
    let caller = Elsewhere::start(&world.program, &url, case.policy, Some(&clock))?;
    let mut calling = Calling {
        caller,
        asked: case.asked,
    };
    let is_corrected = jump.is_corrected(case.policy);
    if jump.when != When::Start {
        let seconds = [jump.from; 2];
        let warm = id_of_warm(nth);
        let ended = calling.call(&warm, Waits::Never, seconds).await?;
        let is_whole = matches!(ended, Ended::Outcome(Outcome::Whole(_)));
        if is_whole != (is_corrected || jump.from == 0) {
            return Err(format!("before the clock jumped: {ended:?}").into());
        }
    }
    let seconds = match jump.when {
        When::Start => [jump.to; 2],
        When::Calls => {
            clock.set_clock(jump.to)?;
            [jump.to; 2]
        }
        When::Attempts | When::Running | When::Stalled => {
            clock.plan_jump(jump.to);
            [jump.from, jump.to]
        }
    };
    let mut seen = world.seen(nth, case.asked);
    let began = Instant::now();
    seen.ended = calling.call(&id(nth), case.waits, seconds).await?;
    let took = began.elapsed();
    if clock.is_to_jump() {
        return Err(format!("the clock did not jump: {:?}", seen.ended).into());
    }
    seen.struck = true;
    seen.ended_early = jump.when == When::Stalled && took < caller::wait(case.waits, case.asked);
    if is_corrected {
        let next = id_of_next(nth);
        seen.next = Some(Next {
            ended: calling.call(&next, Waits::Never, [jump.to; 2]).await?,
            expected: whole(case.asked, &next),
            executions: Some(world.site.executions.of(&next)),
        });
    }
    Ok(seen)
}

struct Calling {
    caller: Elsewhere,
    asked: Asked,
}

impl Calling {
    /// Makes a call, and checks that the process's clock was wrong by these seconds before and after it.
    async fn call(&mut self, id: &str, waits: Waits, seconds: [i64; 2]) -> Result<Ended, BoxError> {
        let payload = payload(self.asked, id);
        let began = now();
        let called = self.caller.call(self.asked, &payload, waits);
        let Ok(answer) = tokio::time::timeout(caller::limit(waits), called).await else {
            return Ok(Ended::Hung);
        };
        let Answer { outcome, saw } = answer?;
        for (saw, seconds) in saw.into_iter().zip(seconds) {
            let there = shifted(saw, -seconds);
            if there + PRECISION < began || there > now() + PRECISION {
                let text = format!("the clock should be wrong by {seconds} s, and showed {saw:?}");
                return Err(text.into());
            }
        }
        let outcome = outcome.ok_or("the call was dropped")?;
        Ok(Ended::Outcome(outcome))
    }
}

fn now() -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default()
}

fn shifted(time: Duration, seconds: i64) -> Duration {
    let shift = Duration::from_secs(seconds.unsigned_abs());
    match seconds < 0 {
        true => time.saturating_sub(shift),
        false => time + shift,
    }
}

/// An endpoint whose functions let the caller's clock jump while they run, if it is to jump then.
fn endpoint(
    executions: &Executions,
    clock: &Arc<Preloaded>,
    when: When,
) -> Result<Endpoint, BoxError> {
    let jumping = move |clock: Arc<Preloaded>| async move {
        let jumped = match when {
            When::Running | When::Stalled => clock.jump(),
            When::Start | When::Calls | When::Attempts => Ok(false),
        };
        match jumped {
            Ok(true) if when == When::Stalled => std::future::pending().await,
            Ok(true) => tokio::time::sleep(PAUSE).await,
            Ok(false) => {}
            Err(error) => return Err(FunctionError::new("Clock", error.to_string())),
        }
        Ok::<_, FunctionError>(())
    };
    let shared = (executions.clone(), Arc::clone(clock));
    let buffered = Function::buffered(function(Asked::Invoke), move |invocation| {
        let (id, clock) = (shared.0.count(&invocation), Arc::clone(&shared.1));
        async move {
            let id = id?;
            jumping(clock).await?;
            Ok::<_, FunctionError>(whole(Asked::Invoke, &id))
        }
    });
    let shared = (executions.clone(), Arc::clone(clock));
    let streaming = Function::streaming(function(Asked::Stream), move |invocation, mut writer| {
        let (id, clock) = (shared.0.count(&invocation), Arc::clone(&shared.1));
        async move {
            for (number, piece) in pieces(&id?).into_iter().enumerate() {
                if number == 2 {
                    jumping(Arc::clone(&clock)).await?;
                }
                writer.write(piece).await?;
            }
            Ok::<_, FunctionError>(())
        }
    });
    Ok(Endpoint::builder()
        .functions([buffered, streaming])
        .seed(1)
        .recorded_bytes(0)
        .build()?)
}

/// A server in front of the endpoint that throttles the request during which the clock is to jump. All
/// others go to the endpoint, each with a connection of its own.
struct Front {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Front {
    async fn start(endpoint: SocketAddr, clock: Arc<Preloaded>) -> io::Result<Self> {
        let listener = listen().await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let clock = Arc::clone(&clock);
                connections.spawn(async move {
                    let _ = pass(socket, endpoint, &clock).await;
                });
            }
        });
        Ok(Self {
            address,
            _tasks: tasks,
        })
    }
}

async fn pass(mut socket: TcpStream, endpoint: SocketAddr, clock: &Preloaded) -> io::Result<()> {
    let mut received = Vec::new();
    let line = loop {
        if let Some(end) = received.windows(2).position(|two| two == b"\r\n") {
            break end + 2;
        }
        if socket.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    };
    // An unused connection would carry the next request past this server.
    let close = ("connection", "close");
    if clock.jump()? {
        request(&mut socket, &mut received).await?;
        let code = ("x-amzn-errortype", "TooManyRequestsException");
        let body = "{\"Type\":\"User\",\"message\":\"Rate exceeded\"}";
        let throttled = sized(
            "429 Too Many Requests",
            &[code, REQUEST_ID, JSON, close],
            body,
        );
        socket.write_all(&throttled).await?;
        return socket.shutdown().await;
    }
    let rest = received.split_off(line);
    received.extend_from_slice(format!("{}: {}\r\n", close.0, close.1).as_bytes());
    received.extend_from_slice(&rest);
    let mut server = TcpStream::connect(endpoint).await?;
    server.write_all(&received).await?;
    tokio::io::copy_bidirectional(&mut socket, &mut server).await?;
    Ok(())
}
