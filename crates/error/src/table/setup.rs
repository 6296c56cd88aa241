//! What the function is connected to: its VPC, its key and its file systems.

use super::{INVOKE, MODELLED};
use crate::{Execution, Fault, RetryClass, Row, Topic};

const NETWORK: Row = Row {
    status: 502,
    fault: Fault::Server,
    topic: Topic::Network,
    ..MODELLED
};

const KEYS: Row = Row {
    status: 502,
    fault: Fault::Server,
    topic: Topic::Keys,
    reason: "a 502, but the function's key or role is at fault: its environment is decrypted \
             before it runs, and fails the same way until somebody changes them",
    ..MODELLED
};

const STORAGE: Row = Row {
    topic: Topic::Storage,
    ..MODELLED
};

const CONFIGURED: &str = "a 502, but the function's VPC settings are at fault: it is connected \
                          before it runs, and fails the same way until somebody changes them";
const EXHAUSTED: &str = "a 502, but something of the account's is used up: the function is \
                         connected before it runs, and nothing frees it within a backoff";
const MOUNTING: &str = "file systems are mounted before the function runs; the next mount may \
                        succeed";
const MOUNT_CONFIGURED: &str = "file systems are mounted before the function runs; it fails the \
                                same way until somebody changes the settings";

pub(super) const ROWS: [Row; 18] = [
    Row {
        code: "EC2AccessDeniedException",
        meaning: "The function's role may not set up its network interfaces.",
        advice: "Give the role the permissions of AWSLambdaVPCAccessExecutionRole.",
        reason: CONFIGURED,
        ..NETWORK
    },
    Row {
        code: "EC2UnexpectedException",
        class: RetryClass::Transient,
        meaning: "Amazon EC2 failed while the function's network was set up; EC2ErrorCode says \
                  how.",
        advice: "Send again; if it goes on, look up the EC2 error code.",
        reason: "it happens while the function is set up, before it runs; EC2 may answer \
                 otherwise the next time",
        ..NETWORK
    },
    Row {
        code: "ENILimitReachedException",
        meaning: "The VPC has reached its limit of network interfaces.",
        advice: "Delete unused interfaces, or ask for a higher quota.",
        reason: EXHAUSTED,
        ..NETWORK
    },
    Row {
        code: "ENINotReadyException",
        operations: INVOKE,
        class: RetryClass::Pending,
        meaning: "The function's network interface is not ready yet.",
        advice: "Wait a few moments and send again.",
        reason: "the function is not run before it is connected; the interface gets ready by \
                 itself",
        ..NETWORK
    },
    Row {
        code: "InvalidSecurityGroupIDException",
        meaning: "A security group of the function's VPC settings does not exist.",
        advice: "Correct the function's VPC settings.",
        reason: CONFIGURED,
        ..NETWORK
    },
    Row {
        code: "InvalidSubnetIDException",
        meaning: "A subnet of the function's VPC settings does not exist.",
        advice: "Correct the function's VPC settings.",
        reason: CONFIGURED,
        ..NETWORK
    },
    Row {
        code: "SubnetIPAddressLimitReachedException",
        meaning: "A subnet of the function's VPC settings has no free address.",
        advice: "Free addresses, or add a larger subnet.",
        reason: EXHAUSTED,
        ..NETWORK
    },
    Row {
        code: "KMSAccessDeniedException",
        meaning: "The function's role may not decrypt its environment.",
        advice: "Allow kms:Decrypt to the role in the key's policy; a role that was deleted and \
                 made again must be set on the function again.",
        ..KEYS
    },
    Row {
        code: "KMSDisabledException",
        meaning: "The key that the function's environment is encrypted with is disabled.",
        advice: "Enable the key, or encrypt with another one.",
        ..KEYS
    },
    Row {
        code: "KMSInvalidStateException",
        meaning: "The key that the function's environment is encrypted with cannot decrypt in its \
                  state, such as pending deletion.",
        advice: "Check the key's state, or encrypt with another one.",
        ..KEYS
    },
    Row {
        code: "KMSNotFoundException",
        meaning: "The key that the function's environment is encrypted with does not exist.",
        advice: "Correct the key in the function's settings.",
        ..KEYS
    },
    Row {
        code: "EFSIOException",
        status: 410,
        class: RetryClass::Transient,
        execution: Execution::Unknown,
        meaning: "Reading from or writing to the function's file system failed.",
        advice: "Find out whether the function ran, and look at the file system's health.",
        reason: "a file system is read and written by a function that runs: how far it got is not \
                 known",
        ..STORAGE
    },
    Row {
        code: "EFSMountConnectivityException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's file system cannot be reached over the network.",
        advice: "If it goes on, check security groups and mount targets: port 2049 must be open.",
        reason: MOUNTING,
        ..STORAGE
    },
    Row {
        code: "EFSMountFailureException",
        status: 403,
        meaning: "The function's file system cannot be mounted, for its permissions or settings.",
        advice: "Check the access point and the role's permissions for the file system.",
        reason: MOUNT_CONFIGURED,
        ..STORAGE
    },
    Row {
        code: "EFSMountTimeoutException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's file system was reached but not mounted in time.",
        advice: "Send again; if it goes on, look at the file system's load.",
        reason: MOUNTING,
        ..STORAGE
    },
    Row {
        code: "S3FilesMountConnectivityException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's S3 Files access point cannot be reached over the network.",
        advice: "If it goes on, check the function's VPC settings and the access point.",
        reason: MOUNTING,
        ..STORAGE
    },
    Row {
        code: "S3FilesMountFailureException",
        status: 403,
        meaning: "The function's S3 Files access point cannot be mounted, for its permissions or \
                  settings.",
        advice: "Check the access point and the role's permissions for it.",
        reason: MOUNT_CONFIGURED,
        ..STORAGE
    },
    Row {
        code: "S3FilesMountTimeoutException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's S3 Files access point was reached but not mounted in time.",
        advice: "Send again; if it goes on, look at the access point's load.",
        reason: MOUNTING,
        ..STORAGE
    },
];
