//! Corrupted responses, and what clients make of them.
//!
//! ```text
//! corrupted serve                      serves a function for each case, and prints the URL
//! corrupted names streams|responses    prints the names of the cases
//! corrupted read CLIENT URL            prints what lambda-invoke or aws-sdk-lambda makes of each
//! corrupted table DOCUMENT FOLDER      compares the table in a document with the clients' output
//! ```
//!
//! A client's output has a line for each case: the name, a tab, and `accepted N` (the number of
//! chunks of a stream), `rejected` or `waits`.

mod cases;
mod readers;
mod table;

use std::time::Duration;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve"] => {
            let server = cases::endpoint().bind_local().await.unwrap();
            println!("{}", server.url());
            // Serves until it is killed, or for an hour if nobody does.
            tokio::time::sleep(Duration::from_secs(3_600)).await;
        }
        ["names", kind] => {
            let kind = match kind {
                "streams" => cases::streams(),
                _ => cases::responses(),
            };
            let names: Vec<_> = kind.iter().map(|case| case.name).collect();
            println!("{}", names.join(","));
        }
        ["read", client, url] => readers::read(client, url).await,
        ["table", document, folder] => table::check(document.as_ref(), folder.as_ref()),
        _ => panic!("expected: serve, names, read or table"),
    }
}
