// The calls that use basins and streams (../README.md).
import { setTimeout } from "node:timers/promises";
import { AppendInput, AppendRecord } from "@s2-dev/streamstore";

const batch = (bodies) => AppendInput.create(bodies.map((body) => AppendRecord.string({ body })));
const command = (record) => AppendInput.create([record]);
const rangeOf = (ack) => [ack.start.seqNum, ack.end.seqNum];

export function streamCalls(s2) {
	const streamOf = ({ basin, stream }) => s2.basin(basin).stream(stream);
	const append = async (given, input) => rangeOf(await streamOf(given).append(input));

	return {
		list_basins: async ({ prefix }) => {
			const names = [];
			for await (const basin of s2.basins.listAll({ prefix })) {
				names.push(basin.name);
			}
			return names;
		},

		create_basin: async ({ basin, create_on_append: createStreamOnAppend }) => {
			const created = await s2.basins.create({ basin, config: { createStreamOnAppend } });
			return created.name;
		},

		delete_basin: async ({ basin }) => {
			await s2.basins.delete({ basin });
			return null;
		},

		basin_config: async ({ basin }) => {
			const config = await s2.basins.getConfig({ basin });
			return config.createStreamOnAppend;
		},

		list_streams: async ({ basin, prefix, start_after: startAfter, limit }) => {
			const page = await s2.basin(basin).streams.list({ prefix, startAfter, limit });
			return { streams: page.streams.map(({ name }) => name), has_more: page.hasMore };
		},

		create_stream: async ({ basin, stream }) => {
			const created = await s2.basin(basin).streams.create({ stream });
			return created.name;
		},

		delete_stream: async ({ basin, stream }) => {
			await s2.basin(basin).streams.delete({ stream });
			return null;
		},

		stream_config: async ({ basin, stream }) => {
			await s2.basin(basin).streams.getConfig({ stream });
			return null;
		},

		check_tail: async (given) => (await streamOf(given).checkTail()).tail.seqNum,

		append: (given) => append(given, batch(given.bodies)),
		fence: (given) => append(given, command(AppendRecord.fence(given.fencing_token))),
		trim: (given) => append(given, command(AppendRecord.trim(given.first))),

		read: async (given) => {
			const read = await streamOf(given).read({
				start: { from: { seqNum: given.first } },
				stop: { limits: { count: given.count } },
			});
			return read.records.map(({ body }) => body);
		},

		append_session: async (given) => {
			const acks = [];
			const session = await streamOf(given).appendSession();
			for (const [number, bodies] of given.batches.entries()) {
				if (number > 0) {
					await setTimeout(given.pause * 1000);
				}
				const ticket = await session.submit(batch(bodies));
				acks.push(rangeOf(await ticket.ack()));
			}
			await session.close();
			return acks;
		},

		read_session: async (given) => {
			const bodies = [];
			const session = await streamOf(given).readSession({
				start: { from: { seqNum: given.first } },
			});
			for await (const { body } of session) {
				if (bodies.push(body) >= given.count) {
					break;
				}
			}
			return bodies;
		},
	};
}
