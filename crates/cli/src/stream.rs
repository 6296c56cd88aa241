use std::io::Write as _;

use lambda_invoke::{Client, Credentials};
use lambda_invoke_endpoint::Endpoint;

use crate::exit::{Exit, Failure};

/// Stream a function's answer to stdout, as it arrives
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The function: a name or an ARN
    function: String,
    /// The payload
    #[arg(short, long)]
    payload: Option<String>,
    /// Start an endpoint with functions to try in this process, and call it
    #[arg(long, required = true)]
    local: bool,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Transport, error))?
        .block_on(call(arguments))
}

async fn call(arguments: Arguments) -> Result<(), Failure> {
    let failed = |error: &dyn std::error::Error| Failure::new(Exit::Transport, error);
    let server = Endpoint::builder()
        .builtins()
        .bind_local()
        .await
        .map_err(|e| failed(&e))?;
    let client = Client::builder()
        .region("us-east-1")
        .credentials(Credentials::new("local", "local").map_err(|e| failed(&e))?)
        .endpoint_url(server.url())
        .build()
        .map_err(|e| failed(&e))?;
    let payload = arguments.payload.unwrap_or_default();
    let call = client.stream(arguments.function.as_str()).payload(payload);
    let mut stream = call.send().await.map_err(|e| failed(&e))?;
    let mut stdout = std::io::stdout().lock();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|e| failed(&e))?;
        stdout
            .write_all(&piece)
            .and_then(|()| stdout.flush())
            .map_err(|e| failed(&e))?;
    }
    Ok(())
}
