//! What goes out, and what comes back, when all is well.

mod support;

use support::{Server, Step, answer};

#[tokio::test]
async fn a_call_is_signed_and_its_reply_is_read() {
    let server = Server::start(|_, request| {
        assert!(request.head.starts_with(
            "POST /2015-03-31/functions/hello%3Alive/invocations?Qualifier=live HTTP/1.1\r\n"
        ));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("x-amz-log-type"), Some("Tail"));
        assert_eq!(request.header("content-length"), Some("14"));
        let agent = request.header("user-agent").unwrap();
        assert!(agent.starts_with("lambda-invoke/"), "{agent}");
        assert!(request.header("amz-sdk-request").is_none());
        let authorization = request.header("authorization").unwrap();
        assert!(authorization.contains("/us-east-1/lambda/aws4_request"));
        assert!(
            authorization.contains("SignedHeaders=content-type;host;x-amz-date;x-amz-log-type,"),
            "{authorization}"
        );
        let headers = [
            ("x-amz-executed-version", "7"),
            ("x-amzn-requestid", "the-id"),
            ("x-amz-log-result", "aGk="),
            ("content-type", "application/json"),
        ];
        vec![Step::Write(answer("200 OK", &headers, "[1,2]"))]
    })
    .await;
    let client = server.client();
    let call = client.invoke("hello:live").qualifier("live").log_tail();
    let reply = call.payload(r#"{"name":"Ada"}"#).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.executed_version().unwrap().as_str(), "7");
    assert_eq!(reply.request_id(), Some("the-id"));
    assert_eq!(reply.log().unwrap().as_bytes(), b"hi");
    assert_eq!(reply.attempts(), 1);
    assert_eq!(reply.json::<Vec<u8>>().unwrap(), [1, 2]);
}
