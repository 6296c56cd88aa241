//! `crates/interop/chaos`: fault injection, soak and load. See docs/testing.md.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lambda_invoke::BoxError;
use lambda_invoke_interop::chaos::case::Case;
use lambda_invoke_interop::chaos::oracle::{self, Observation};
use lambda_invoke_interop::chaos::run::tally::{Tally, panics, peak_mib, watch_panics};
use lambda_invoke_interop::chaos::run::{World, elsewhere, processes};
use lambda_invoke_interop::chaos::schedule::{self, Extent};
use lambda_invoke_interop::chaos::{load, peers, soak};

const USAGE: &str = "\
usage: chaos [--quick] [--seed N] [--only NAME] [--list]
       chaos soak [--minutes N]    calls real functions, with faults (30 minutes by default)
       chaos load [--minutes N]    many connections and streams, and too few file descriptors (20 minutes)
       chaos peers FOLDER [NAME]...  other clients in the same cases; see crates/interop/peers

    --quick      a sample that takes less than two minutes
    --seed N     chooses the sample, and the bits that are flipped (1 by default)
    --only NAME  only the cases whose names begin with NAME
    --list       prints the names of the cases
";

/// The maximum memory of this process in MiB, including servers, functions and everything that is
/// recorded.
const MAX_MIB: u64 = 512;

/// The time that a quick run has.
const QUICK: Duration = Duration::from_secs(120);

struct Arguments {
    extent: Extent,
    seed: u64,
    only: Option<String>,
    list: bool,
}

fn parse(arguments: &[String]) -> Result<Arguments, BoxError> {
    let mut parsed = Arguments {
        extent: Extent::Full,
        seed: 1,
        only: None,
        list: false,
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or(format!("{argument} needs a value"));
        match &argument[..] {
            "--quick" => parsed.extent = Extent::Quick,
            "--seed" => parsed.seed = value()?.parse()?,
            "--only" => parsed.only = Some(value()?.clone()),
            "--list" => parsed.list = true,
            _ => return Err(USAGE.into()),
        }
    }
    Ok(parsed)
}

/// The value of `--minutes`.
fn minutes(arguments: &[String], default: f64) -> Result<Duration, BoxError> {
    let minutes = match arguments {
        [] => default,
        [name, value] if name == "--minutes" => value.parse()?,
        _ => return Err(USAGE.into()),
    };
    Ok(Duration::try_from_secs_f64(minutes * 60.0)?)
}

async fn chaos(arguments: Arguments) -> Result<bool, BoxError> {
    let mut world = World::start().await?;
    if arguments.extent == Extent::Full {
        // Most of them wait for a timeout.
        world.at_once = 256;
    }
    let world = Arc::new(world);
    let lengths = world.lengths().await?;
    let mut cases = schedule::cases(&lengths, arguments.extent, arguments.seed);
    if let Some(only) = &arguments.only {
        let is_name = cases.iter().any(|case| case.name == *only);
        cases.retain(|case| match is_name {
            true => case.name == *only,
            false => case.name.starts_with(only),
        });
    }
    if arguments.list {
        for case in &cases {
            println!("{}", case.name);
        }
        return Ok(true);
    }
    let in_processes = |case: &Case| case.section() == "process";
    if cases.iter().any(in_processes) && !processes::has_interpreters() {
        return Err("the cases of processes need python3 and node".into());
    }
    if cases.is_empty() {
        return Err("no case has such a name; --list shows the names".into());
    }
    let quick = match arguments.extent {
        Extent::Quick => " --quick",
        Extent::Full => "",
    };
    let seed = arguments.seed;
    let mut tally = Tally::new(format!("crates/interop/chaos{quick} --seed {seed}"));
    let judge = &mut |case: &Case, seen: Result<Observation, BoxError>| match seen {
        Ok(seen) => tally.add(case, &seen, oracle::judge(case, &seen)),
        Err(error) => tally.failed(case, &error),
    };
    let started = Instant::now();
    world.run(cases, judge).await;
    let took = started.elapsed();
    println!("took {} s", took.as_secs());
    let is_quick = arguments.extent == Extent::Quick;
    let in_time = !is_quick || took < QUICK;
    if !in_time {
        println!("a quick run has to take less than {} s", QUICK.as_secs());
    }
    let peak = peak_mib();
    if peak > MAX_MIB {
        println!("more memory than {MAX_MIB} MiB");
    }
    Ok(tally.finish(peak) && peak <= MAX_MIB && in_time)
}

fn main() -> ExitCode {
    lambda_invoke_endpoint::runtime::supervise_if_asked();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime can be started");
    watch_panics();
    let done = runtime.block_on(async {
        match arguments.split_first() {
            Some((first, rest)) if first == "endpoint" => {
                let [folder, language] = rest else {
                    return Err("endpoint FOLDER LANGUAGE".into());
                };
                processes::serve(folder.as_ref(), language)
                    .await
                    .map(|()| true)
            }
            Some((first, rest)) if first == "call" => elsewhere::answer(rest).await.map(|()| true),
            Some((first, rest)) if first == "loaded" => {
                let descriptors = rest.first().ok_or("loaded DESCRIPTORS")?.parse()?;
                load::serve(descriptors).await.map(|()| true)
            }
            Some((first, rest)) if first == "peers" => {
                let (folder, words) = rest.split_first().ok_or("peers FOLDER [CLIENT]...")?;
                peers::compare(folder.as_ref(), words, 1).await
            }
            Some((first, rest)) if first == "soak" => {
                Ok(soak::soak(minutes(rest, 30.0)?).await? & (panics() == 0))
            }
            Some((first, rest)) if first == "load" => {
                Ok(load::load(minutes(rest, 20.0)?).await? & (panics() == 0))
            }
            _ => chaos(parse(&arguments)?).await,
        }
    });
    // A name lookup that is still running must not delay the end.
    runtime.shutdown_background();
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
