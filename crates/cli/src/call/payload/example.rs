//! Sample events of the services that call functions.

use clap::ValueEnum;

/// A sample event, by the name of the service that sends such events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Example {
    /// A request to a REST API of API Gateway
    Apigw,
    /// A request to a function URL, or to an HTTP API of API Gateway (format 2.0)
    #[value(alias = "http-api")]
    FunctionUrl,
    /// A request to an Application Load Balancer
    Alb,
    /// An object that was created in S3
    S3,
    /// A message of an SQS queue
    Sqs,
    /// A notification of an SNS topic
    Sns,
    /// A changed item of a DynamoDB table
    Dynamodb,
    /// A record of a Kinesis stream
    Kinesis,
    /// An event of EventBridge
    Eventbridge,
    /// A scheduled event of EventBridge
    Schedule,
}

impl Example {
    /// The event as JSON.
    pub(crate) const fn json(self) -> &'static str {
        match self {
            Self::Apigw => include_str!("events/apigw.json"),
            Self::FunctionUrl => include_str!("events/function-url.json"),
            Self::Alb => include_str!("events/alb.json"),
            Self::S3 => include_str!("events/s3.json"),
            Self::Sqs => include_str!("events/sqs.json"),
            Self::Sns => include_str!("events/sns.json"),
            Self::Dynamodb => include_str!("events/dynamodb.json"),
            Self::Kinesis => include_str!("events/kinesis.json"),
            Self::Eventbridge => include_str!("events/eventbridge.json"),
            Self::Schedule => include_str!("events/schedule.json"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_example_is_json_with_the_marks_of_its_service() {
        // The members by which event parsers distinguish the events.
        let mark = |example| match example {
            Example::Apigw => ("/requestContext/resourcePath", "/orders/{id}"),
            Example::FunctionUrl => ("/version", "2.0"),
            Example::Alb => ("/httpMethod", "GET"),
            Example::S3 => ("/Records/0/eventSource", "aws:s3"),
            Example::Sqs => ("/Records/0/eventSource", "aws:sqs"),
            Example::Sns => ("/Records/0/EventSource", "aws:sns"),
            Example::Dynamodb => ("/Records/0/eventSource", "aws:dynamodb"),
            Example::Kinesis => ("/Records/0/eventSource", "aws:kinesis"),
            Example::Eventbridge => ("/source", "com.example.orders"),
            Example::Schedule => ("/source", "aws.events"),
        };
        for example in Example::value_variants() {
            let event: Value = serde_json::from_str(example.json()).unwrap();
            let (place, value) = mark(*example);
            assert_eq!(event.pointer(place).unwrap(), value, "{example:?}");
        }
    }
}
