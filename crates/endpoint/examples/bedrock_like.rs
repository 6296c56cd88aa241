//! Serves a function that writes as a language model does: a JSON line for each token, with pauses.
//!
//! ```text
//! cargo run -p lambda-invoke-endpoint --example bedrock_like           # calls itself once and ends
//! cargo run -p lambda-invoke-endpoint --example bedrock_like -- serve  # until Ctrl-C
//! ```
//!
//! Call it with `lambda-invoke stream model --endpoint-url URL -p '{"prompt":"hi"}'`, or with any
//! SDK and the keys `local` and `local`.

use std::error::Error;
use std::time::Duration;

use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn model() -> Function {
    Function::streaming("model", |call, mut writer| async move {
        let request: Value = call.json()?;
        let prompt = request["prompt"].as_str().unwrap_or("nothing");
        let text = format!("You said {prompt}, which is as good as anything.");
        writer.content_type("application/x-ndjson");
        for token in text.split_inclusive(' ') {
            let line = json!({ "type": "content_block_delta", "delta": { "text": token } });
            writer.write(format!("{line}\n")).await?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        writer.write("{\"type\":\"message_stop\"}\n").await?;
        Ok::<_, FunctionError>(())
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Signatures are not verified here, so that plain HTTP can show the stream.
    let endpoint = Endpoint::builder().function(model()).verify(false);
    let server = endpoint.bind_local().await?;
    if std::env::args().nth(1).is_some() {
        println!("{}", server.url());
        match server.run().await {}
    }
    let mut socket = tokio::net::TcpStream::connect(server.local_addr()).await?;
    let request = "POST /2015-03-31/functions/model/invocations HTTP/1.1\r\nhost: x\r\n\
                   connection: close\r\ncontent-length: 15\r\n\r\n{\"prompt\":\"hi\"}";
    socket.write_all(request.as_bytes()).await?;
    let mut response = String::new();
    socket.read_to_string(&mut response).await?;
    println!("{response}");
    match response.contains("message_stop") {
        true => Ok(()),
        false => Err("the stream is incomplete".into()),
    }
}
