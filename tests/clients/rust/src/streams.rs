//! The calls that use basins and streams (../README.md).

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use s2_sdk::{
    append_session::AppendSessionConfig,
    types::{
        AppendAck, AppendInput, AppendRecord, AppendRecordBatch, BasinConfig, CommandRecord,
        CreateBasinInput, CreateStreamInput, DeleteBasinInput, DeleteStreamInput,
        ListAllBasinsInput, ListStreamsInput, ReadFrom, ReadInput, ReadLimits, ReadSessionConfig,
        ReadStart, ReadStop, SequencedRecord,
    },
    S2Basin, S2Stream, S2,
};
use serde_json::{json, Value};

use crate::{words::text, Answer};

fn number(value: &Value) -> usize {
    value
        .as_u64()
        .and_then(|n| n.try_into().ok())
        .unwrap_or_default()
}

fn basin(s2: &S2, given: &Value) -> Result<S2Basin, Box<dyn std::error::Error>> {
    Ok(s2.basin(text(&given["basin"]).parse()?))
}

fn stream(s2: &S2, given: &Value) -> Result<S2Stream, Box<dyn std::error::Error>> {
    Ok(basin(s2, given)?.stream(text(&given["stream"]).parse()?))
}

fn batch(bodies: &Value) -> Result<AppendInput, Box<dyn std::error::Error>> {
    let bodies = bodies.as_array().into_iter().flatten();
    let records: Vec<_> = bodies
        .map(|body| AppendRecord::new(text(body).to_owned()))
        .collect::<Result<_, _>>()?;
    Ok(AppendInput::new(AppendRecordBatch::try_from_iter(records)?))
}

fn command(command: CommandRecord) -> Result<AppendInput, Box<dyn std::error::Error>> {
    Ok(AppendInput::new(AppendRecordBatch::try_from_iter([
        AppendRecord::from(command),
    ])?))
}

fn range(ack: &AppendAck) -> Value {
    json!([ack.start.seq_num, ack.end.seq_num])
}

fn bodies(records: &[SequencedRecord]) -> Value {
    records
        .iter()
        .map(|record| String::from_utf8_lossy(&record.body))
        .collect()
}

fn start(given: &Value) -> ReadStart {
    ReadStart::new().with_from(ReadFrom::SeqNum(number(&given["first"]) as u64))
}

async fn list_streams(s2: &S2, given: &Value) -> Answer {
    let mut input = ListStreamsInput::new()
        .with_prefix(text(&given["prefix"]).parse()?)
        .with_start_after(text(&given["start_after"]).parse()?);
    if given["limit"].is_u64() {
        input = input.with_limit(number(&given["limit"]));
    }
    let page = basin(s2, given)?.list_streams(input).await?;
    let names: Vec<_> = page
        .values
        .iter()
        .map(|info| info.name.to_string())
        .collect();
    Ok(json!({"streams": names, "has_more": page.has_more}))
}

async fn create_basin(s2: &S2, given: &Value) -> Answer {
    let config = BasinConfig::new().with_create_stream_on_append(given["create_on_append"] == true);
    let input = CreateBasinInput::new(text(&given["basin"]).parse()?).with_config(config);
    Ok(json!(s2.create_basin(input).await?.name.to_string()))
}

async fn append(s2: &S2, given: &Value, input: AppendInput) -> Answer {
    Ok(range(&stream(s2, given)?.append(input).await?))
}

async fn read(s2: &S2, given: &Value) -> Answer {
    let limits = ReadLimits::new().with_count(number(&given["count"]));
    let input = ReadInput::new()
        .with_start(start(given))
        .with_stop(ReadStop::new().with_limits(limits));
    Ok(bodies(&stream(s2, given)?.read(input).await?.records))
}

async fn append_session(s2: &S2, given: &Value) -> Answer {
    let session = stream(s2, given)?.append_session(AppendSessionConfig::new());
    let pause = Duration::from_secs_f64(given["pause"].as_f64().unwrap_or_default());
    let batches = given["batches"].as_array().into_iter().flatten();
    let mut acks = Vec::new();
    for (number, bodies) in batches.enumerate() {
        if number > 0 {
            tokio::time::sleep(pause).await;
        }
        let ticket = session.submit(batch(bodies)?).await?;
        acks.push(range(&ticket.await?));
    }
    session.close().await?;
    Ok(json!(acks))
}

async fn read_session(s2: &S2, given: &Value) -> Answer {
    let input = ReadInput::new().with_start(start(given));
    let mut session = stream(s2, given)?
        .read_session(input, ReadSessionConfig::default())
        .await?;
    let mut records = Vec::new();
    while records.len() < number(&given["count"]) {
        match session.next().await {
            Some(read) => records.extend(read?.records),
            None => break,
        }
    }
    Ok(bodies(&records))
}

pub async fn call(s2: &S2, name: &str, given: &Value) -> Answer {
    match name {
        "list_basins" => {
            let input = ListAllBasinsInput::new().with_prefix(text(&given["prefix"]).parse()?);
            let basins: Vec<_> = s2.list_all_basins(input).try_collect().await?;
            Ok(basins.iter().map(|basin| basin.name.to_string()).collect())
        }
        "create_basin" => create_basin(s2, given).await,
        "delete_basin" => {
            s2.delete_basin(DeleteBasinInput::new(text(&given["basin"]).parse()?))
                .await?;
            Ok(Value::Null)
        }
        "basin_config" => {
            let config = s2.get_basin_config(text(&given["basin"]).parse()?).await?;
            Ok(json!(config.create_stream_on_append))
        }
        "list_streams" => list_streams(s2, given).await,
        "create_stream" => {
            let input = CreateStreamInput::new(text(&given["stream"]).parse()?);
            let created = basin(s2, given)?.create_stream(input).await?;
            Ok(json!(created.name.to_string()))
        }
        "delete_stream" => {
            let input = DeleteStreamInput::new(text(&given["stream"]).parse()?);
            basin(s2, given)?.delete_stream(input).await?;
            Ok(Value::Null)
        }
        "stream_config" => {
            let name = text(&given["stream"]).parse()?;
            basin(s2, given)?.get_stream_config(name).await?;
            Ok(Value::Null)
        }
        "check_tail" => Ok(json!(stream(s2, given)?.check_tail().await?.seq_num)),
        "append" => append(s2, given, batch(&given["bodies"])?).await,
        "fence" => {
            let token = text(&given["fencing_token"]).parse()?;
            append(s2, given, command(CommandRecord::fence(token))?).await
        }
        "trim" => {
            let first = number(&given["first"]) as u64;
            append(s2, given, command(CommandRecord::trim(first))?).await
        }
        "read" => read(s2, given).await,
        "append_session" => append_session(s2, given).await,
        "read_session" => read_session(s2, given).await,
        other => Err(format!("no such call: {other:?}").into()),
    }
}
