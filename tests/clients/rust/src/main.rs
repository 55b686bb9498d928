//! Calls the access-token methods of S2's Rust SDK as told by lines of JSON on standard input, and
//! answers each with a line (../README.md).

mod words;

use std::{error::Error, io};

use futures_util::TryStreamExt;
use s2_sdk::{
    error::RequestError,
    types::{
        AccessTokenScopeInput, BasinMatcher, IssueAccessTokenInput, ListAccessTokensInput,
        ListAllAccessTokensInput, OperationGroupPermissions, ReadWritePermissions, S2Config,
        S2Endpoints, StreamMatcher,
    },
    S2,
};
use serde_json::{json, Value};

type Answer = Result<Value, Box<dyn Error>>;

const TOKEN_ID: &str = "user-1234-rw-token";

async fn documented_issue(s2: &S2, expires_at: &str) -> Answer {
    let permissions =
        OperationGroupPermissions::new().with_stream(ReadWritePermissions::read_write());
    let scope = AccessTokenScopeInput::from_op_group_perms(permissions)
        .with_basins(BasinMatcher::Prefix("".parse()?)) // every basin
        .with_streams(StreamMatcher::Prefix("users/1234/".parse()?));
    let token =
        IssueAccessTokenInput::new(TOKEN_ID.parse()?, scope).with_expires_at(expires_at.parse()?);
    Ok(json!(s2.issue_access_token(token).await?))
}

async fn list(s2: &S2, given: &Value) -> Answer {
    let mut input = ListAccessTokensInput::new()
        .with_prefix(words::text(&given["prefix"]).parse()?)
        .with_start_after(words::text(&given["start_after"]).parse()?);
    if let Some(limit) = given["limit"].as_u64() {
        input = input.with_limit(usize::try_from(limit)?);
    }
    Ok(words::page(&s2.list_access_tokens(input).await?))
}

async fn list_all(s2: &S2, given: &Value) -> Answer {
    let input = ListAllAccessTokensInput::new().with_prefix(words::text(&given["prefix"]).parse()?);
    let tokens: Vec<_> = s2.list_all_access_tokens(input).try_collect().await?;
    Ok(tokens.iter().map(|token| token.id.to_string()).collect())
}

async fn call(s2: &S2, given: &Value) -> Answer {
    match words::text(&given["call"]) {
        "documented_list" => Ok(words::page(
            &s2.list_access_tokens(ListAccessTokensInput::new()).await?,
        )),
        "documented_issue" => documented_issue(s2, words::text(&given["expires_at"])).await,
        "documented_revoke" => {
            s2.revoke_access_token(TOKEN_ID.parse()?).await?;
            Ok(Value::Null)
        }
        "list" => list(s2, given).await,
        "list_all" => list_all(s2, given).await,
        "issue" => Ok(json!(
            s2.issue_access_token(words::token(&given["token"])?)
                .await?
        )),
        "revoke" => {
            s2.revoke_access_token(words::text(&given["id"]).parse()?)
                .await?;
            Ok(Value::Null)
        }
        other => Err(format!("no such call: {other:?}").into()),
    }
}

fn failure(error: &(dyn Error + 'static)) -> Value {
    match error.downcast_ref::<RequestError>() {
        Some(RequestError::Server(error)) => json!({"error": {
            "status": error.status.as_u16(), "code": error.code, "message": error.message}}),
        _ => json!({"error": {"status": 0, "code": "client", "message": error.to_string()}}),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let config =
        S2Config::new(std::env::var("S2_ACCESS_TOKEN")?).with_endpoints(S2Endpoints::from_env()?);
    let s2 = S2::new(config)?;
    for line in io::stdin().lines() {
        let answer = match call(&s2, &serde_json::from_str(&line?)?).await {
            Ok(answer) => json!({"answer": answer}),
            Err(error) => failure(error.as_ref()),
        };
        println!("{answer}");
    }
    Ok(())
}
