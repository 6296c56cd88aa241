//! Runs a function in Python as a process of this machine, and prints its response as it is written.
//!
//! ```text
//! cargo run -p lambda-invoke-runtime --example python_function
//! ```

use std::error::Error;
use std::time::Duration;

use lambda_invoke_runtime::{Event, Outcome, Pool, Program};

const SOURCE: &str = "\
def handler(event, context):
    for word in ['Hello', ', ', event['name'], '!']:
        yield word
";

fn main() -> Result<(), Box<dyn Error>> {
    // This must come first: instances start through a copy of this program, which ends them when
    // the program ends.
    lambda_invoke_runtime::supervise_if_asked();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("lambda-invoke-example-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("app.py"), SOURCE)?;
    let program = Program::source(folder.join("app.py"))?.timeout(Duration::from_secs(10));
    let pool = Pool::new(program).on_log(|line| eprintln!("{}", line.text));

    let event = Event::new("request-1", r#"{"name":"Ada"}"#);
    let mut response = pool.invoke(event).await?;
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await {
        text.extend_from_slice(&chunk);
    }
    let report = response.finish().await;
    println!("{}", String::from_utf8_lossy(&text));
    pool.shutdown().await;
    std::fs::remove_dir_all(&folder)?;
    match report.outcome {
        Outcome::Succeeded => Ok(()),
        outcome => Err(format!("{outcome:?}").into()),
    }
}
