//! What the function is connected to: its VPC, its key and its file systems.

use super::{INVOKE, MODELLED};
use crate::{Category, Execution, Fault, KnownError, RetryClass};

const NETWORK: KnownError = KnownError {
    status: 502,
    fault: Fault::Server,
    category: Category::Network,
    ..MODELLED
};

const KEYS: KnownError = KnownError {
    status: 502,
    fault: Fault::Server,
    category: Category::Keys,
    reason: "a 502 that is caused by the function's key or role: its environment is decrypted \
             before it runs, and that fails again until somebody changes the key or the role",
    ..MODELLED
};

const STORAGE: KnownError = KnownError {
    category: Category::Storage,
    ..MODELLED
};

const CONFIGURED: &str = "a 502 that is caused by the function's VPC settings: it is connected \
                          before it runs, and that fails again until somebody changes them";
const EXHAUSTED: &str = "a 502 that is caused by an exhausted resource of the account: the \
                         function is connected before it runs, and no backoff is long enough to \
                         free the resource";
const MOUNTING: &str = "file systems are mounted before the function runs; the next attempt may \
                        succeed";
const MOUNT_CONFIGURED: &str = "file systems are mounted before the function runs; that fails \
                                again until somebody changes the settings";

pub(super) const ERRORS: [KnownError; 18] = [
    KnownError {
        code: "EC2AccessDeniedException",
        meaning: "The function's role is not allowed to create its network interfaces.",
        advice: "Give the role the permissions of AWSLambdaVPCAccessExecutionRole.",
        reason: CONFIGURED,
        ..NETWORK
    },
    KnownError {
        code: "EC2UnexpectedException",
        class: RetryClass::Transient,
        meaning: "Amazon EC2 failed while the function's network was set up; EC2ErrorCode has the \
                  reason.",
        advice: "Send the request again; if it persists, look up the EC2 error code.",
        reason: "it happens while the function is set up, before it runs; EC2 may succeed the next \
                 time",
        ..NETWORK
    },
    KnownError {
        code: "ENILimitReachedException",
        meaning: "The VPC has reached its limit of network interfaces.",
        advice: "Delete unused interfaces, or request a quota increase.",
        reason: EXHAUSTED,
        ..NETWORK
    },
    KnownError {
        code: "ENINotReadyException",
        operations: INVOKE,
        class: RetryClass::Pending,
        meaning: "The function's network interface is not ready yet.",
        advice: "Wait a few seconds and send the request again.",
        reason: "the function does not run before it is connected; the interface becomes ready on \
                 its own",
        ..NETWORK
    },
    KnownError {
        code: "InvalidSecurityGroupIDException",
        meaning: "A security group of the function's VPC settings does not exist.",
        advice: "Correct the function's VPC settings.",
        reason: CONFIGURED,
        ..NETWORK
    },
    KnownError {
        code: "InvalidSubnetIDException",
        meaning: "A subnet of the function's VPC settings does not exist.",
        advice: "Correct the function's VPC settings.",
        reason: CONFIGURED,
        ..NETWORK
    },
    KnownError {
        code: "SubnetIPAddressLimitReachedException",
        meaning: "A subnet of the function's VPC settings has no free address.",
        advice: "Free addresses, or add a larger subnet.",
        reason: EXHAUSTED,
        ..NETWORK
    },
    KnownError {
        code: "KMSAccessDeniedException",
        meaning: "The function's role is not allowed to decrypt its environment.",
        advice: "Allow kms:Decrypt to the role in the key's policy; a role that was deleted and \
                 recreated has to be assigned to the function again.",
        ..KEYS
    },
    KnownError {
        code: "KMSDisabledException",
        meaning: "The key that the function's environment is encrypted with is disabled.",
        advice: "Enable the key, or encrypt with another key.",
        ..KEYS
    },
    KnownError {
        code: "KMSInvalidStateException",
        meaning: "The key that the function's environment is encrypted with is in a state that \
                  does not allow decryption, such as pending deletion.",
        advice: "Check the key's state, or encrypt with another key.",
        ..KEYS
    },
    KnownError {
        code: "KMSNotFoundException",
        meaning: "The key that the function's environment is encrypted with does not exist.",
        advice: "Correct the key in the function's settings.",
        ..KEYS
    },
    KnownError {
        code: "EFSIOException",
        status: 410,
        class: RetryClass::Transient,
        execution: Execution::Unknown,
        meaning: "Reading from or writing to the function's file system failed.",
        advice: "Find out whether the function ran, and check the file system's health.",
        reason: "only a running function reads and writes a file system: how far it got is unknown",
        ..STORAGE
    },
    KnownError {
        code: "EFSMountConnectivityException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's file system is unreachable over the network.",
        advice: "If it persists, check security groups and mount targets: port 2049 must be open.",
        reason: MOUNTING,
        ..STORAGE
    },
    KnownError {
        code: "EFSMountFailureException",
        status: 403,
        meaning: "The function's file system cannot be mounted because of its permissions or \
                  settings.",
        advice: "Check the access point and the role's permissions for the file system.",
        reason: MOUNT_CONFIGURED,
        ..STORAGE
    },
    KnownError {
        code: "EFSMountTimeoutException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's file system was reached but not mounted in time.",
        advice: "Send the request again; if it persists, check the file system's load.",
        reason: MOUNTING,
        ..STORAGE
    },
    KnownError {
        code: "S3FilesMountConnectivityException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's S3 Files access point is unreachable over the network.",
        advice: "If it persists, check the function's VPC settings and the access point.",
        reason: MOUNTING,
        ..STORAGE
    },
    KnownError {
        code: "S3FilesMountFailureException",
        status: 403,
        meaning: "The function's S3 Files access point cannot be mounted because of its \
                  permissions or settings.",
        advice: "Check the access point and the role's permissions for it.",
        reason: MOUNT_CONFIGURED,
        ..STORAGE
    },
    KnownError {
        code: "S3FilesMountTimeoutException",
        status: 408,
        class: RetryClass::Transient,
        meaning: "The function's S3 Files access point was reached but not mounted in time.",
        advice: "Send the request again; if it persists, check the access point's load.",
        reason: MOUNTING,
        ..STORAGE
    },
];
