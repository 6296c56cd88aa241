//! Serves a function that sends server-sent events, with its URL and the console.
//!
//! ```sh
//! cargo run -p lambda-invoke-endpoint --example function_url -- 127.0.0.1:9001
//! curl -N http://127.0.0.1:9001/url/clock/
//! ```

use std::error::Error;
use std::time::Duration;

use lambda_invoke_endpoint::{Endpoint, Function, FunctionError, FunctionUrl};

/// A page that shows the events as they come.
const PAGE: &str = r#"{"statusCode": 200, "headers": {"content-type": "text/html; charset=utf-8"},
"body": "<!doctype html><title>clock</title><ol></ol><script>const events = new EventSource('/url/clock/'); events.onmessage = (event) => { const item = document.createElement('li'); item.textContent = event.data; item.dataset.at = performance.now(); document.querySelector('ol').append(item); }; events.addEventListener('end', () => { events.close(); document.title = 'done'; });</script>"}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let clock = Function::streaming("clock", |invocation, mut writer| async move {
        writer.content_type("text/event-stream");
        for tick in 1..=5 {
            invocation.log(format!("tick {tick}"));
            writer.write(format!("data: tick {tick}\n\n")).await?;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        writer.write("event: end\ndata: \n\n").await?;
        Ok::<_, FunctionError>(())
    });
    let page = Function::buffered("page", |_| async { Ok::<_, FunctionError>(PAGE) });
    let server = Endpoint::builder()
        .functions([clock, page])
        .builtins()
        .default_url(FunctionUrl::new())
        .console(true)
        .bind(address.as_deref().unwrap_or("127.0.0.1:9001"))
        .await?;
    println!("{}", server.url());
    println!("{}", server.console_url().unwrap_or_default());
    server.run().await;
    Ok(())
}
