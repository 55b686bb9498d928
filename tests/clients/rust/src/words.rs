//! Between the SDK's types and JSON as the wire has it.

use std::error::Error;

use s2_sdk::types::{
    AccessTokenInfo, AccessTokenMatcher, AccessTokenScope, AccessTokenScopeInput, BasinMatcher,
    IssueAccessTokenInput, Operation, OperationGroupPermissions, Page, ReadWritePermissions,
    StreamMatcher,
};
use serde_json::{json, Value};

const OPERATIONS: [(&str, Operation); 24] = [
    ("list-basins", Operation::ListBasins),
    ("create-basin", Operation::CreateBasin),
    ("delete-basin", Operation::DeleteBasin),
    ("reconfigure-basin", Operation::ReconfigureBasin),
    ("get-basin-config", Operation::GetBasinConfig),
    ("issue-access-token", Operation::IssueAccessToken),
    ("revoke-access-token", Operation::RevokeAccessToken),
    ("list-access-tokens", Operation::ListAccessTokens),
    ("list-streams", Operation::ListStreams),
    ("create-stream", Operation::CreateStream),
    ("delete-stream", Operation::DeleteStream),
    ("get-stream-config", Operation::GetStreamConfig),
    ("reconfigure-stream", Operation::ReconfigureStream),
    ("check-tail", Operation::CheckTail),
    ("append", Operation::Append),
    ("read", Operation::Read),
    ("trim", Operation::Trim),
    ("fence", Operation::Fence),
    ("account-metrics", Operation::GetAccountMetrics),
    ("basin-metrics", Operation::GetBasinMetrics),
    ("stream-metrics", Operation::GetStreamMetrics),
    ("list-locations", Operation::ListLocations),
    ("get-default-location", Operation::GetDefaultLocation),
    ("set-default-location", Operation::SetDefaultLocation),
];

/// A text; an empty one where there is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn operation(name: &str) -> Result<Operation, String> {
    let found = OPERATIONS.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, operation)| *operation)
        .ok_or(format!("no operation {name:?}"))
}

fn operation_name(operation: &Operation) -> &'static str {
    OPERATIONS
        .iter()
        .find(|(_, known)| known == operation)
        .map_or("?", |(name, _)| name)
}

fn permissions(group: &Value) -> ReadWritePermissions {
    let mut permissions = ReadWritePermissions::new();
    permissions.read = group["read"] == true;
    permissions.write = group["write"] == true;
    permissions
}

fn groups(given: &Value) -> OperationGroupPermissions {
    OperationGroupPermissions::new()
        .with_account(permissions(&given["account"]))
        .with_basin(permissions(&given["basin"]))
        .with_stream(permissions(&given["stream"]))
}

/// A set of the scope: nothing where it is absent.
macro_rules! matcher {
    ($kind:ident, $given:expr) => {
        if let Some(prefix) = $given["prefix"].as_str() {
            $kind::Prefix(prefix.parse()?)
        } else if let Some(exact) = $given["exact"].as_str() {
            $kind::Exact(exact.parse()?)
        } else {
            $kind::None
        }
    };
}

pub fn token(given: &Value) -> Result<IssueAccessTokenInput, Box<dyn Error>> {
    let scope = &given["scope"];
    let ops = scope["ops"].as_array().into_iter().flatten();
    let ops: Vec<_> = ops
        .map(|name| operation(text(name)))
        .collect::<Result<_, _>>()?;
    let input = AccessTokenScopeInput::from_ops(ops)
        .with_op_group_perms(groups(&scope["op_groups"]))
        .with_basins(matcher!(BasinMatcher, scope["basins"]))
        .with_streams(matcher!(StreamMatcher, scope["streams"]))
        .with_access_tokens(matcher!(AccessTokenMatcher, scope["access_tokens"]));
    let token = IssueAccessTokenInput::new(text(&given["id"]).parse()?, input)
        .with_auto_prefix_streams(given["auto_prefix_streams"] == true);
    Ok(match given["expires_at"].as_str() {
        Some(instant) => token.with_expires_at(instant.parse()?),
        None => token,
    })
}

macro_rules! set {
    ($kind:ident, $matcher:expr) => {
        match $matcher {
            Some($kind::Prefix(prefix)) => json!({"prefix": prefix.to_string()}),
            Some($kind::Exact(exact)) => json!({"exact": exact.to_string()}),
            Some($kind::None) => json!({"exact": ""}),
            None => Value::Null,
        }
    };
}

fn group(permissions: &Option<ReadWritePermissions>) -> Value {
    let permissions = permissions.clone().unwrap_or_default();
    json!({"read": permissions.read, "write": permissions.write})
}

fn scope(scope: &AccessTokenScope) -> Value {
    let groups = scope.op_group_perms.clone().unwrap_or_default();
    json!({
        "basins": set!(BasinMatcher, &scope.basins),
        "streams": set!(StreamMatcher, &scope.streams),
        "access_tokens": set!(AccessTokenMatcher, &scope.access_tokens),
        "op_groups": {"account": group(&groups.account), "basin": group(&groups.basin),
                      "stream": group(&groups.stream)},
        "ops": scope.ops.iter().map(operation_name).collect::<Vec<_>>(),
    })
}

fn listed(token: &AccessTokenInfo) -> Value {
    json!({
        "id": token.id.to_string(),
        "expires_at": token.expires_at.as_ref().map(ToString::to_string),
        "auto_prefix_streams": token.auto_prefix_streams,
        "scope": scope(&token.scope),
    })
}

pub fn page(page: &Page<AccessTokenInfo>) -> Value {
    json!({
        "has_more": page.has_more,
        "access_tokens": page.values.iter().map(listed).collect::<Vec<_>>(),
    })
}
