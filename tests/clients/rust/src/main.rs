//! Calls the methods of S2's Rust SDK as told by lines of JSON on standard input, and answers each
//! with a line (../README.md).

mod streams;
mod words;

use std::{error::Error, io};

use futures_util::TryStreamExt;
use s2_sdk::{
    error::{AppendError, AppendSessionError, ReadError, ReadSessionError, RequestError},
    types::{
        AccessTokenScopeInput, BasinMatcher, Compression, IssueAccessTokenInput,
        ListAccessTokensInput, ListAllAccessTokensInput, OperationGroupPermissions,
        ReadWritePermissions, S2Config, S2Endpoints, StreamMatcher,
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
        other => streams::call(s2, other, given).await,
    }
}

/// The request's error in whatever the call's was.
fn request_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a RequestError> {
    let of_append = error.downcast_ref::<AppendError>();
    let of_read = error.downcast_ref::<ReadError>();
    let of_append_session = error.downcast_ref::<AppendSessionError>();
    let of_read_session = error.downcast_ref::<ReadSessionError>();
    error
        .downcast_ref::<RequestError>()
        .or(of_append.and_then(AppendError::request_error))
        .or(of_read.and_then(ReadError::request_error))
        .or(of_append_session.and_then(AppendSessionError::request_error))
        .or(of_read_session.and_then(ReadSessionError::request_error))
}

fn failure(error: &(dyn Error + 'static)) -> Value {
    match request_error(error) {
        Some(RequestError::Server(error)) => json!({"error": {
            "status": error.status.as_u16(), "code": error.code, "message": error.message}}),
        _ => json!({"error": {"status": 0, "code": "client", "message": error.to_string()}}),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let compression = match std::env::var("CLIENT_COMPRESSION").as_deref() {
        Ok("gzip") => Compression::Gzip,
        Ok("zstd") => Compression::Zstd,
        _ => Compression::None,
    };
    let config = S2Config::new(std::env::var("S2_ACCESS_TOKEN")?)
        .with_endpoints(S2Endpoints::from_env()?)
        .with_compression(compression);
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
