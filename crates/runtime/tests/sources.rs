//! Functions from source files, run by the embedded runtime clients in real processes.

mod support;

use lambda_invoke_runtime::{Outcome, Pool};
use support::{Folder, call, event, failure};

#[tokio::test]
async fn a_python_function_responds_and_logs() {
    let folder = Folder::new();
    let program = folder.source(
        "app.py",
        "import os\n\
         def lambda_handler(event, context):\n\
         \x20   print('got', event['n'])\n\
         \x20   return {'twice': event['n'] * 2, 'id': context.aws_request_id, \
         'name': context.function_name, 'cwd': os.getcwd(), 'env': sorted(os.environ)}\n",
    );
    let pool = Pool::new(program);
    let (body, report) = call(&pool, event("r-1", r#"{"n": 21}"#)).await;
    assert_eq!(report.outcome, Outcome::Succeeded);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["twice"], 42);
    assert_eq!(body["id"], "r-1");
    assert_eq!(body["name"], "app");
    assert_eq!(body["cwd"], folder.path().to_str().unwrap());
    assert_eq!(report.log, ["got 21"]);
    assert!(report.init_duration.is_some() && report.max_memory > 1_000_000);
    let leaked = |name: &str| {
        body["env"]
            .as_array()
            .unwrap()
            .iter()
            .any(|key| key == name)
    };
    assert!(!leaked("CARGO_MANIFEST_DIR"));
    // The second event meets the same process.
    let (_, report) = call(&pool, event("r-2", r#"{"n": 1}"#)).await;
    assert_eq!(report.init_duration, None);
    assert_eq!(pool.instances(), 1);
    pool.shutdown().await;
}

#[tokio::test]
async fn a_python_generator_streams_live() {
    let folder = Folder::new();
    let program = folder.source(
        "app.py",
        "import time\n\
         def handler(event, context):\n\
         \x20   for n in range(3):\n\
         \x20       yield f'chunk {n}'\n\
         \x20       time.sleep(0.2)\n",
    );
    let pool = Pool::new(program);
    let mut response = pool.invoke(event("r-1", "{}")).await.unwrap();
    assert!(response.head().streaming);
    let start = std::time::Instant::now();
    let mut times = Vec::new();
    while let Some(chunk) = response.chunk().await {
        assert_eq!(chunk, format!("chunk {}", times.len()));
        times.push(start.elapsed());
    }
    assert_eq!(times.len(), 3);
    assert!(
        times[2] - times[0] >= std::time::Duration::from_millis(300),
        "{times:?}"
    );
    assert_eq!(response.finish().await.outcome, Outcome::Succeeded);
    pool.shutdown().await;
}

#[tokio::test]
async fn a_python_error_has_its_type_and_stack() {
    let folder = Folder::new();
    let program = folder.source(
        "app.py",
        "def handler(event, context):\n\x20   raise ValueError('no ' + event)\n",
    );
    let pool = Pool::new(program);
    let failure = failure(&pool, event("r-1", r#""luck""#)).await;
    assert_eq!(
        (&*failure.error_type, &*failure.message),
        ("ValueError", "no luck")
    );
    let body: serde_json::Value = serde_json::from_slice(&failure.body).unwrap();
    assert_eq!(body["requestId"], "r-1");
    assert!(body["stackTrace"][0].as_str().unwrap().contains("app.py"));
    pool.shutdown().await;
}

#[tokio::test]
async fn a_python_stream_that_fails_keeps_what_came_before() {
    let folder = Folder::new();
    let program = folder.source(
        "app.py",
        "async def handler(event, context):\n\
         \x20   yield 'half'\n\
         \x20   raise RuntimeError('broken')\n",
    );
    let pool = Pool::new(program);
    let (body, report) = call(&pool, event("r-1", "{}")).await;
    assert_eq!(body, b"half");
    let Outcome::Failed(failure) = report.outcome else {
        panic!("the stream failed")
    };
    assert_eq!(
        (&*failure.error_type, &*failure.message),
        ("RuntimeError", "broken")
    );
    pool.shutdown().await;
}

#[tokio::test]
async fn a_failed_import_is_reported_once_with_its_type() {
    let folder = Folder::new();
    let program = folder.source(
        "app.py",
        "import no_such_module\ndef handler(event, context):\n\x20   return 1\n",
    );
    let pool = Pool::new(program);
    let start = std::time::Instant::now();
    let failure = failure(&pool, event("r-1", "{}")).await;
    assert_eq!(failure.error_type, "Runtime.ImportModuleError");
    assert!(failure.message.contains("no_such_module"), "{failure}");
    assert!(start.elapsed() < std::time::Duration::from_secs(8));
    pool.shutdown().await;
}

#[tokio::test]
async fn node_functions_respond_stream_and_fail() {
    let folder = Folder::new();
    let pool = Pool::new(folder.source(
        "index.mjs",
        "export const handler = async (event, context) => {\n\
         \x20 console.log('got', event);\n\
         \x20 if (event === 'bad') throw new TypeError('no');\n\
         \x20 return { event, id: context.awsRequestId };\n};\n",
    ));
    let (body, report) = call(&pool, event("r-1", r#""good""#)).await;
    assert_eq!(body, br#"{"event":"good","id":"r-1"}"#);
    assert!(
        report.log[0].ends_with("\tr-1\tINFO\tgot good"),
        "{:?}",
        report.log
    );
    let failed = failure(&pool, event("r-2", r#""bad""#)).await;
    assert_eq!((&*failed.error_type, &*failed.message), ("TypeError", "no"));
    pool.shutdown().await;

    let pool = Pool::new(folder.source(
        "stream.cjs",
        "exports.handler = awslambda.streamifyResponse(async (event, stream) => {\n\
         \x20 stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 });\n\
         \x20 stream.write('a');\n\
         \x20 await new Promise((resolve) => setTimeout(resolve, 50));\n\
         \x20 stream.write('b');\n\
         \x20 if (event) throw new Error('late');\n\
         \x20 stream.end();\n});\n",
    ));
    let mut response = pool.invoke(event("r-3", "false")).await.unwrap();
    let http = Some("application/vnd.awslambda.http-integration-response");
    assert_eq!(response.head().content_type.as_deref(), http);
    let mut chunks = Vec::new();
    while let Some(chunk) = response.chunk().await {
        chunks.push(chunk);
    }
    assert_eq!(chunks, [&br#"{"statusCode":201}"#[..], &[0; 8], b"a", b"b"]);
    assert_eq!(response.finish().await.outcome, Outcome::Succeeded);
    let (_, report) = call(&pool, event("r-4", "true")).await;
    assert!(matches!(report.outcome, Outcome::Failed(failure) if failure.message == "late"));
    pool.shutdown().await;
}

#[tokio::test]
async fn node_callbacks_wait_for_the_event_loop() {
    let folder = Folder::new();
    let pool = Pool::new(folder.source(
        "index.js",
        "exports.handler = (event, context, callback) => {\n\
         \x20 setTimeout(() => console.log('later'), 100);\n\
         \x20 callback(null, 'done');\n};\n",
    ));
    let (body, report) = call(&pool, event("r-1", "{}")).await;
    assert_eq!(body, br#""done""#);
    assert!(report.log[0].ends_with("later"), "{:?}", report.log);
    pool.shutdown().await;
}
