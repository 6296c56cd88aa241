//! `lambda-invoke map`: sends many payloads to a function.

mod ahead;
mod files;
mod input;
mod journal;
mod options;
mod plan;
mod progress;
mod results;
mod summary;

use std::time::Instant;

use lambda_invoke::{Execution, Qualifier, TenantId};
use lambda_invoke_map::journal::SourceId;
use lambda_invoke_map::{Ended, Map, Mode, Rerun, Retry, Run, RunError, Target, open_files};

use self::input::Input;
pub(crate) use self::options::Arguments;
use self::plan::Plan;
use self::progress::Shown;
use self::results::Results;
use self::summary::Summary;
use crate::call::outcome::failure;
use crate::call::{self, Prepared};
use crate::exit::call_state::call_state;
use crate::exit::{Exit, Failure};
use crate::interrupt::CatchTwice;
use crate::number::counted;
use crate::terminal::{say, say_json};

/// The number of files that the program has open in addition to the connections of calls.
const OTHER_FILES: u64 = 64;

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let calls = usize::try_from(arguments.concurrency).unwrap_or(usize::MAX);
    let threads = arguments.call.threads(calls);
    call::run(&arguments.call, threads, map(&arguments))
}

async fn map(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.call.payload.is_given() {
        return Err(Failure::usage(
            "map sends many payloads\n  hint: they come from stdin, one JSON text per line, or from \
             --input; use invoke for one payload",
        ));
    }
    files::check(arguments)?;
    let input = Input::new(arguments)?;
    let prepared = arguments.call.prepare().await?;
    let source = input.identify()?;
    if arguments.call.dry_run {
        return plan(arguments, &input, source, &prepared).await;
    }
    let mut settings = settings(arguments, &prepared)?.total(source.map(|source| source.items));
    if let Some(folder) = &arguments.output_dir {
        settings = settings.keep(results::keeper(folder, arguments.journal.is_some())?);
    }
    let results = Results::new(arguments)?;
    if let Some(path) = &arguments.journal {
        settings = settings.journal(journal::open(path, arguments, &input, &prepared, source)?);
    }
    call_state().execution = Execution::Unknown;
    let began = Instant::now();
    let run = settings.run(input.start()?);
    // In a task, which the runtime's own threads poll; this thread would have to be woken for each
    // result.
    let driven = tokio::spawn(drive(run, results, Summary::new()?, arguments.call.json)).await;
    let (run, summary, ended) =
        driven.map_err(|error| Failure::new(Exit::Transport, format!("the run: {error}")))?;
    let progress = run.progress();
    let name = prepared.name.as_str();
    match arguments.call.json {
        true => say_json(summary.json(name, &progress, began.elapsed())),
        false => say(format_args!(
            "lambda-invoke: {}",
            summary.text(name, &progress, began.elapsed())
        )),
    }
    match ended {
        Err(Stopped::Output(failure)) => Err(failure),
        Err(Stopped::Run(RunError::Source(error))) => Err(input.failure(&error)),
        Err(Stopped::Run(RunError::Journal(error))) => Err(journal::unusable(
            arguments.journal.as_deref().unwrap_or("".as_ref()),
            &error,
            Exit::Transport,
        )),
        Err(Stopped::Run(error)) => Err(Failure::new(Exit::Transport, error)),
        Ok(()) => verdict(&run, &summary),
    }
}

/// Writes a note to stderr: neither a result nor a failure.
fn note(as_json: bool, text: &str) {
    match as_json {
        true => say_json(serde_json::json!({ "note": text })),
        false => say(format_args!("lambda-invoke: {text}")),
    }
}

/// The exit code of a run.
fn verdict(run: &Run, summary: &Summary) -> Result<(), Failure> {
    let exit = summary.exit();
    match run.ended() {
        Ended::Interrupted => Err(Failure::silent(Exit::Interrupted)),
        Ended::Rejected(error) => Err(failure(&error)),
        Ended::TooManyFailures => Err(Failure::new(
            exit.unwrap_or(Exit::FunctionFailed),
            "no more items were started: too many failed (--max-failures)",
        )),
        Ended::Complete | _ => exit.map_or(Ok(()), |exit| Err(Failure::silent(exit))),
    }
}

/// Why a run did not end by itself.
enum Stopped {
    /// Results cannot be written.
    Output(Failure),
    Run(RunError),
}

/// Reads all results.
async fn drive(
    mut run: Run,
    mut results: Results,
    mut summary: Summary,
    as_json: bool,
) -> (Run, Summary, Result<(), Stopped>) {
    let control = run.control();
    let mut catch = CatchTwice::new();
    let mut shown = Shown::new(as_json);
    let mut ticks = tokio::time::interval(shown.period());
    // The first tick is immediate.
    ticks.tick().await;
    let mut caught = 0;
    let mut stopped = None;
    loop {
        tokio::select! {
            biased;
            () = catch.caught(caught) => {
                caught += 1;
                match caught {
                    1 => {
                        control.drain();
                        note(as_json, "no more items are started; Ctrl-C again to end at once");
                    }
                    _ => control.stop(),
                }
            }
            _ = ticks.tick() => shown.show(&run.progress()),
            event = run.next() => match event {
                None => break,
                Some(Ok(event)) => {
                    let mut is_time = false;
                    let mut next = Some(event);
                    while let Some(event) = next {
                        summary.add(&event);
                        is_time |= results.add(&event);
                        next = run.take_ready();
                    }
                    if is_time && !results.write().await {
                        control.drain();
                    }
                }
                Some(Err(error)) => stopped = Some(Stopped::Run(error)),
            },
            () = results.due() => if !results.write().await {
                control.drain();
            },
        }
    }
    drop(shown);
    let written = results.finish().await.map_err(Stopped::Output);
    (run, summary, stopped.map_or(written, Err))
}

/// The settings of a run, without input and journal.
fn settings(arguments: &Arguments, prepared: &Prepared<'_>) -> Result<Map, Failure> {
    let options = &arguments.call;
    let mut target = Target::new(prepared.name.clone().into_owned());
    target.client_context = prepared.client_context.clone();
    if let Some(qualifier) = &options.qualifier {
        let qualifier = Qualifier::try_from(qualifier.clone());
        target.qualifier = Some(qualifier.map_err(Failure::usage)?);
    }
    if let Some(tenant) = &options.tenant_id {
        let tenant = TenantId::try_from(tenant.clone());
        target.tenant_id = Some(tenant.map_err(Failure::usage)?);
    }
    let headers = options.headers.iter();
    target.headers = headers
        .map(|header| (header.name.clone(), header.value.clone()))
        .collect();
    let mut map = Map::of(prepared.client.clone(), target)
        .mode(match (arguments.event, arguments.stream) {
            (true, _) => Mode::Event,
            (_, true) => Mode::Stream,
            _ => Mode::Invoke,
        })
        .concurrency(concurrency(arguments)?)
        .rate(arguments.rate)
        .batch(usize::from(arguments.batch))
        .retry(match options.retry {
            call::Retry::None => Retry::None,
            call::Retry::Safe => Retry::Safe,
            call::Retry::AtLeastOnce => Retry::AtLeastOnce,
        })
        .rerun(
            Rerun::default()
                .failed(arguments.retry_failed)
                .unknown(arguments.retry_unknown),
        )
        .ordered(arguments.ordered)
        .max_failures(arguments.max_failures)
        .log_tail(options.log_tail);
    if let Some(most) = prepared.max_attempts {
        map = map.max_attempts(most);
    }
    Ok(map)
}

/// The maximum number of concurrent calls, limited by the connections that this process may have.
fn concurrency(arguments: &Arguments) -> Result<usize, Failure> {
    let wanted = usize::try_from(arguments.concurrency).unwrap_or(usize::MAX);
    // An endpoint in this process also has the other ends of the connections.
    let each = if arguments.call.is_local() { 2 } else { 1 };
    let needed = wanted as u64 * each + OTHER_FILES;
    let Some(most) = open_files(needed).filter(|most| *most < needed) else {
        return Ok(wanted);
    };
    let possible = usize::try_from(most.saturating_sub(OTHER_FILES) / each).unwrap_or(wanted);
    if possible == 0 {
        return Err(Failure::usage(format!(
            "this process may have only {}\n  hint: raise the limit with ulimit -n",
            counted(most, "open file")
        )));
    }
    let why = format!(
        "at most {} at once, because this process may have only {} (ulimit -n)",
        counted(possible, "call"),
        counted(most, "open file")
    );
    note(arguments.call.json, &why);
    Ok(possible)
}

/// `--dry-run`.
async fn plan(
    arguments: &Arguments,
    input: &Input,
    source: Option<SourceId>,
    prepared: &Prepared<'_>,
) -> Result<(), Failure> {
    let most = usize::from(arguments.sample.unwrap_or_default());
    let (source, items) = match source {
        Some(source) => (source, input.first(most)?),
        // Stdin cannot be read twice: the sample is kept while the rest is counted.
        None => input.count(most)?,
    };
    let sample = match arguments.sample {
        Some(_) => Some((settings(arguments, prepared)?, items)),
        None => None,
    };
    let (client, name) = (&prepared.client, &prepared.name);
    let batch = u64::from(arguments.batch);
    let plan = Plan::make(client, name, &arguments.call, source, batch, sample).await?;
    match arguments.call.json {
        true => say_json(plan.json()),
        false => say(format_args!("lambda-invoke: {}", plan.text())),
    }
    Ok(())
}
