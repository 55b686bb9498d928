"""Calls the methods of S2's Python SDK as told by lines of JSON on standard input, and answers each
with a line (../README.md)."""

import asyncio
import datetime
import json
import os
import sys

from s2_sdk import (
    S2, AccessTokenScope, AppendInput, BasinConfig, CommandRecord, Compression, Endpoints,
    ExactMatch, Operation, OperationGroupPermissions, Permission, PrefixMatch, ReadLimit, Record,
    S2ServerError, SeqNum)

TOKEN_ID = "user-1234-rw-token"
PERMISSIONS = {(True, True): Permission.READ_WRITE, (True, False): Permission.READ,
               (False, True): Permission.WRITE}
ACCESSES = {"read": (Permission.READ, Permission.READ_WRITE),
            "write": (Permission.WRITE, Permission.READ_WRITE)}
GROUPS = "account", "basin", "stream"


def match(given):
    if not given:
        return None
    return PrefixMatch(given["prefix"]) if "prefix" in given else ExactMatch(given["exact"])


def shown_match(matched):
    if matched is None:
        return None
    return {"exact": matched.value} if isinstance(matched, ExactMatch) else {
        "prefix": matched.value}


def permission(given):
    return PERMISSIONS.get((given.get("read") is True, given.get("write") is True))


def scope(given):
    groups = given.get("op_groups") or {}
    return AccessTokenScope(
        **{name: match(given.get(name)) for name in ("basins", "streams", "access_tokens")},
        op_groups=OperationGroupPermissions(
            **{name: permission(groups.get(name) or {}) for name in GROUPS}),
        ops=[Operation(name) for name in given.get("ops") or []])


def shown_scope(given):
    groups = given.op_groups or OperationGroupPermissions()
    granted = {name: getattr(groups, name) for name in GROUPS}
    return {
        **{name: shown_match(getattr(given, name))
           for name in ("basins", "streams", "access_tokens")},
        "op_groups": {name: {access: permitted in which for access, which in ACCESSES.items()}
                      for name, permitted in granted.items()},
        "ops": [operation.value for operation in given.ops]}


def shown_page(page):
    return {"has_more": page.has_more, "access_tokens": [{
        "id": token.id, "scope": shown_scope(token.scope),
        "expires_at": token.expires_at and token.expires_at.isoformat(),
        "auto_prefix_streams": token.auto_prefix_streams} for token in page.items]}


def batch(bodies):
    return AppendInput(records=[Record(body=body.encode()) for body in bodies])


def range_of(ack):
    return [ack.start.seq_num, ack.end.seq_num]


def bodies(records):
    return [record.body.decode() for record in records]


class Calls:
    """What a line may ask for; `given` is the line."""

    def __init__(self, s2):
        self.s2 = s2

    def streams(self, given):
        return self.s2.basin(given["basin"])

    def stream(self, given):
        return self.streams(given).stream(given["stream"])

    async def documented_list(self, _):
        return shown_page(await self.s2.list_access_tokens())

    async def documented_issue(self, given):
        return await self.s2.issue_access_token(
            TOKEN_ID,
            scope=AccessTokenScope(
                basins=PrefixMatch(""),  # every basin
                streams=PrefixMatch("users/1234/"),
                op_groups=OperationGroupPermissions(stream=Permission.READ_WRITE)),
            expires_at=datetime.datetime.fromisoformat(given["expires_at"]))

    async def documented_revoke(self, _):
        await self.s2.revoke_access_token(TOKEN_ID)

    async def list(self, given):
        return shown_page(await self.s2.list_access_tokens(
            **{name: value for name, value in given.items() if value is not None}))

    async def list_all(self, given):
        return [token.id async for token in self.s2.list_all_access_tokens(
            prefix=given["prefix"])]

    async def issue(self, given):
        token = given["token"]
        expiry = token.get("expires_at")
        return await self.s2.issue_access_token(
            token["id"], scope=scope(token["scope"]),
            auto_prefix_streams=token.get("auto_prefix_streams") is True,
            expires_at=expiry and datetime.datetime.fromisoformat(expiry))

    async def revoke(self, given):
        await self.s2.revoke_access_token(given["id"])

    async def list_basins(self, given):
        return [basin.name async for basin in self.s2.list_all_basins(prefix=given["prefix"])]

    async def create_basin(self, given):
        config = BasinConfig(create_stream_on_append=given["create_on_append"])
        return (await self.s2.create_basin(given["basin"], config=config)).name

    async def delete_basin(self, given):
        await self.s2.delete_basin(given["basin"])

    async def basin_config(self, given):
        return (await self.s2.get_basin_config(given["basin"])).create_stream_on_append

    async def list_streams(self, given):
        page = await self.streams(given).list_streams(
            **{name: given[name] for name in ("prefix", "start_after", "limit") if name in given})
        return {"streams": [stream.name for stream in page.items], "has_more": page.has_more}

    async def create_stream(self, given):
        return (await self.streams(given).create_stream(given["stream"])).name

    async def delete_stream(self, given):
        await self.streams(given).delete_stream(given["stream"])

    async def stream_config(self, given):
        await self.streams(given).get_stream_config(given["stream"])

    async def check_tail(self, given):
        return (await self.stream(given).check_tail()).seq_num

    async def append(self, given):
        return range_of(await self.stream(given).append(batch(given["bodies"])))

    async def fence(self, given):
        command = CommandRecord.fence(given["fencing_token"])
        return range_of(await self.stream(given).append(AppendInput(records=[command])))

    async def trim(self, given):
        command = CommandRecord.trim(given["first"])
        return range_of(await self.stream(given).append(AppendInput(records=[command])))

    async def read(self, given):
        read = await self.stream(given).read(
            start=SeqNum(given["first"]), limit=ReadLimit(count=given["count"]))
        return bodies(read.records)

    async def append_session(self, given):
        acks = []
        async with self.stream(given).append_session() as session:
            for number, batched in enumerate(given["batches"]):
                if number > 0:
                    await asyncio.sleep(given["pause"])
                acks.append(range_of(await (await session.submit(batch(batched)))))
        return acks

    async def read_session(self, given):
        records = []
        start = SeqNum(given["first"])
        async with self.stream(given).read_session(start=start) as session:
            async for read in session:
                records += read.records
                if len(records) >= given["count"]:
                    break
        return bodies(records)


def failure(error):
    if isinstance(error, S2ServerError):
        return {"status": error.status_code, "code": error.code, "message": error.message}
    return {"status": 0, "code": "client", "message": f"{type(error).__name__}: {error}"}


async def answer(calls, line):
    given = json.loads(line)
    try:
        return {"answer": await getattr(calls, given.pop("call"))(given)}
    except Exception as error:  # whatever the SDK says of its failures
        return {"error": failure(error)}


async def main():
    compression = Compression(os.environ.get("CLIENT_COMPRESSION", "none"))
    async with S2(os.environ["S2_ACCESS_TOKEN"], endpoints=Endpoints.from_env(),
                  compression=compression) as s2:
        calls = Calls(s2)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await answer(calls, line)), flush=True)


asyncio.run(main())
