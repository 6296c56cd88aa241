//! A call, as far as the queue knows it.

#[derive(Clone)]
pub(crate) struct Handler;

pub(crate) mod invocation {
    use std::time::{Duration, Instant};

    #[derive(Clone)]
    pub(crate) struct Function {
        pub(crate) name: String,
    }

    #[derive(Clone)]
    pub(crate) struct Call {
        pub(crate) function: Function,
        pub(crate) request_id: String,
        pub(crate) qualifier: Option<String>,
        pub(crate) client_context: Option<Vec<u8>>,
        pub(crate) tenant_id: Option<String>,
        pub(crate) durable_execution_name: Option<String>,
        pub(crate) trace_id: Option<String>,
    }

    impl Call {
        pub(crate) fn new(request_id: &str) -> Self {
            Self {
                function: Function {
                    name: "function".to_owned(),
                },
                request_id: request_id.to_owned(),
                qualifier: None,
                client_context: None,
                tenant_id: None,
                durable_execution_name: None,
                trace_id: None,
            }
        }
    }

    pub(crate) fn later(time: Instant, duration: Duration) -> Instant {
        time + duration
    }
}
