//! The operations of the service, by method and path.

use http::Method;

/// Each operation with its method and path, where `*` is one label. The invoke operations are not
/// listed.
///
/// From the service's published model of 2015-03-31, as in the AWS SDKs. If two operations have the
/// same method and path, the one with a query comes first.
const OPERATIONS: &str = "\
GET /2015-03-31/event-source-mappings ListEventSourceMappings
POST /2015-03-31/event-source-mappings CreateEventSourceMapping
DELETE /2015-03-31/event-source-mappings/* DeleteEventSourceMapping
GET /2015-03-31/event-source-mappings/* GetEventSourceMapping
PUT /2015-03-31/event-source-mappings/* UpdateEventSourceMapping
GET /2015-03-31/functions ListFunctions
POST /2015-03-31/functions CreateFunction
DELETE /2015-03-31/functions/* DeleteFunction
GET /2015-03-31/functions/* GetFunction
GET /2015-03-31/functions/*/aliases ListAliases
POST /2015-03-31/functions/*/aliases CreateAlias
DELETE /2015-03-31/functions/*/aliases/* DeleteAlias
GET /2015-03-31/functions/*/aliases/* GetAlias
PUT /2015-03-31/functions/*/aliases/* UpdateAlias
PUT /2015-03-31/functions/*/code UpdateFunctionCode
GET /2015-03-31/functions/*/configuration GetFunctionConfiguration
PUT /2015-03-31/functions/*/configuration UpdateFunctionConfiguration
GET /2015-03-31/functions/*/policy GetPolicy
POST /2015-03-31/functions/*/policy AddPermission
DELETE /2015-03-31/functions/*/policy/* RemovePermission
GET /2015-03-31/functions/*/versions ListVersionsByFunction
POST /2015-03-31/functions/*/versions PublishVersion
GET /2016-08-19/account-settings GetAccountSettings
DELETE /2017-03-31/tags/* UntagResource
GET /2017-03-31/tags/* ListTags
POST /2017-03-31/tags/* TagResource
DELETE /2017-10-31/functions/*/concurrency DeleteFunctionConcurrency
PUT /2017-10-31/functions/*/concurrency PutFunctionConcurrency
GET /2018-10-31/layers?find=LayerVersion GetLayerVersionByArn
GET /2018-10-31/layers ListLayers
GET /2018-10-31/layers/*/versions ListLayerVersions
POST /2018-10-31/layers/*/versions PublishLayerVersion
DELETE /2018-10-31/layers/*/versions/* DeleteLayerVersion
GET /2018-10-31/layers/*/versions/* GetLayerVersion
GET /2018-10-31/layers/*/versions/*/policy GetLayerVersionPolicy
POST /2018-10-31/layers/*/versions/*/policy AddLayerVersionPermission
DELETE /2018-10-31/layers/*/versions/*/policy/* RemoveLayerVersionPermission
DELETE /2019-09-25/functions/*/event-invoke-config DeleteFunctionEventInvokeConfig
GET /2019-09-25/functions/*/event-invoke-config GetFunctionEventInvokeConfig
POST /2019-09-25/functions/*/event-invoke-config UpdateFunctionEventInvokeConfig
PUT /2019-09-25/functions/*/event-invoke-config PutFunctionEventInvokeConfig
GET /2019-09-25/functions/*/event-invoke-config/list ListFunctionEventInvokeConfigs
GET /2019-09-30/functions/*/concurrency GetFunctionConcurrency
DELETE /2019-09-30/functions/*/provisioned-concurrency DeleteProvisionedConcurrencyConfig
GET /2019-09-30/functions/*/provisioned-concurrency?List=ALL ListProvisionedConcurrencyConfigs
GET /2019-09-30/functions/*/provisioned-concurrency GetProvisionedConcurrencyConfig
PUT /2019-09-30/functions/*/provisioned-concurrency PutProvisionedConcurrencyConfig
GET /2020-04-22/code-signing-configs ListCodeSigningConfigs
POST /2020-04-22/code-signing-configs CreateCodeSigningConfig
DELETE /2020-04-22/code-signing-configs/* DeleteCodeSigningConfig
GET /2020-04-22/code-signing-configs/* GetCodeSigningConfig
PUT /2020-04-22/code-signing-configs/* UpdateCodeSigningConfig
GET /2020-04-22/code-signing-configs/*/functions ListFunctionsByCodeSigningConfig
DELETE /2020-06-30/functions/*/code-signing-config DeleteFunctionCodeSigningConfig
GET /2020-06-30/functions/*/code-signing-config GetFunctionCodeSigningConfig
PUT /2020-06-30/functions/*/code-signing-config PutFunctionCodeSigningConfig
GET /2021-07-20/functions/*/runtime-management-config GetRuntimeManagementConfig
PUT /2021-07-20/functions/*/runtime-management-config PutRuntimeManagementConfig
DELETE /2021-10-31/functions/*/url DeleteFunctionUrlConfig
GET /2021-10-31/functions/*/url GetFunctionUrlConfig
POST /2021-10-31/functions/*/url CreateFunctionUrlConfig
PUT /2021-10-31/functions/*/url UpdateFunctionUrlConfig
GET /2021-10-31/functions/*/urls ListFunctionUrlConfigs
GET /2024-08-31/functions/*/recursion-config GetFunctionRecursionConfig
PUT /2024-08-31/functions/*/recursion-config PutFunctionRecursionConfig
GET /2025-11-30/capacity-providers ListCapacityProviders
POST /2025-11-30/capacity-providers CreateCapacityProvider
DELETE /2025-11-30/capacity-providers/* DeleteCapacityProvider
GET /2025-11-30/capacity-providers/* GetCapacityProvider
PUT /2025-11-30/capacity-providers/* UpdateCapacityProvider
GET /2025-11-30/capacity-providers/*/function-versions ListFunctionVersionsByCapacityProvider
GET /2025-11-30/functions/*/function-scaling-config GetFunctionScalingConfig
PUT /2025-11-30/functions/*/function-scaling-config PutFunctionScalingConfig
POST /2025-12-01/durable-execution-callbacks/*/fail SendDurableExecutionCallbackFailure
POST /2025-12-01/durable-execution-callbacks/*/heartbeat SendDurableExecutionCallbackHeartbeat
POST /2025-12-01/durable-execution-callbacks/*/succeed SendDurableExecutionCallbackSuccess
GET /2025-12-01/durable-executions/* GetDurableExecution
POST /2025-12-01/durable-executions/*/checkpoint CheckpointDurableExecution
GET /2025-12-01/durable-executions/*/history GetDurableExecutionHistory
GET /2025-12-01/durable-executions/*/state GetDurableExecutionState
POST /2025-12-01/durable-executions/*/stop StopDurableExecution
GET /2025-12-01/functions/*/durable-executions ListDurableExecutionsByFunction
";

/// Returns the operation's name.
pub(super) fn find(method: &Method, path: &str, query: &str) -> Option<&'static str> {
    OPERATIONS.lines().find_map(|line| {
        let mut parts = line.split(' ');
        let (for_method, form, name) = (parts.next()?, parts.next()?, parts.next()?);
        let (form, parameter) = form.split_once('?').unwrap_or((form, ""));
        let fits = for_method == method.as_str()
            && matches(form, path)
            && (parameter.is_empty() || query.split('&').any(|pair| pair == parameter));
        fits.then_some(name)
    })
}

/// Whether a path has a form, with or without a slash at its end.
fn matches(form: &str, path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let (mut labels, mut forms) = (path.split('/'), form.split('/'));
    loop {
        match (labels.next(), forms.next()) {
            (None, None) => return true,
            (Some(label), Some("*")) if !label.is_empty() => {}
            (Some(label), Some(form)) if label == form => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_operation_by_its_own_method_and_path() {
        for line in OPERATIONS.lines() {
            let [method, form, name] = *line.split(' ').collect::<Vec<_>>() else {
                panic!("{line}");
            };
            let (path, query) = form.split_once('?').unwrap_or((form, ""));
            let path = path.replace('*', "arn%3Aaws%3Alambda");
            let method = method.parse().unwrap();
            assert_eq!(find(&method, &path, query), Some(name));
            assert_eq!(find(&method, &format!("{path}/"), query), Some(name));
            assert_eq!(find(&method, &format!("{path}/more/of/it"), query), None);
        }
    }

    #[test]
    fn a_path_of_no_operation_has_no_name() {
        for (method, path) in [
            (Method::POST, "/2015-03-31/functions/echo"),
            (Method::GET, "/2015-03-31/functions/echo/invocations"),
            (Method::GET, "/2015-03-31/functions//configuration"),
            (Method::GET, "/2015-03-31"),
            (Method::PATCH, "/2015-03-31/functions"),
        ] {
            assert_eq!(find(&method, path, ""), None, "{method} {path}");
        }
    }
}
