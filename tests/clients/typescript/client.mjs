// Calls the methods of S2's TypeScript SDK as told by lines of JSON on standard input, and answers
// each with a line (../README.md).
import { createInterface } from "node:readline";
import { S2, S2Environment, S2Error } from "@s2-dev/streamstore";
import { streamCalls } from "./streams.mjs";

const s2 = new S2({
	...S2Environment.parse(),
	compression: process.env.CLIENT_COMPRESSION ?? "none",
});
const tokenId = "user-1234-rw-token";

const calls = {
	...streamCalls(s2),

	documented_list: async () => shown(await s2.accessTokens.list()),

	documented_issue: async ({ expires_at }) => {
		const issued = await s2.accessTokens.issue({
			id: tokenId,
			scope: {
				basins: { prefix: "" }, // every basin
				streams: { prefix: "users/1234/" },
				opGroups: { stream: { read: true, write: true } },
			},
			expiresAt: new Date(expires_at),
		});
		return issued.accessToken;
	},

	documented_revoke: async () => {
		await s2.accessTokens.revoke({ id: tokenId });
		return null;
	},

	list: async ({ prefix, start_after, limit }) =>
		shown(await s2.accessTokens.list({ prefix, startAfter: start_after, limit })),

	list_all: async ({ prefix, limit }) => {
		const ids = [];
		for await (const token of s2.accessTokens.listAll({ prefix, limit })) {
			ids.push(token.id);
		}
		return ids;
	},

	issue: async ({ token }) => {
		const { access_tokens: accessTokens, op_groups: opGroups, ...scope } = token.scope;
		const issued = await s2.accessTokens.issue({
			id: token.id,
			scope: { ...scope, accessTokens, opGroups },
			autoPrefixStreams: token.auto_prefix_streams,
			expiresAt: token.expires_at,
		});
		return issued.accessToken;
	},

	revoke: async ({ id }) => {
		await s2.accessTokens.revoke({ id });
		return null;
	},
};

// A page as the wire has it.
function shown(page) {
	return {
		has_more: page.hasMore,
		access_tokens: page.accessTokens.map((token) => ({
			id: token.id,
			expires_at: token.expiresAt?.toISOString() ?? null,
			auto_prefix_streams: token.autoPrefixStreams,
			scope: {
				basins: token.scope?.basins,
				streams: token.scope?.streams,
				access_tokens: token.scope?.accessTokens,
				op_groups: token.scope?.opGroups,
				ops: token.scope?.ops,
			},
		})),
	};
}

function failure(error) {
	if (error instanceof S2Error && error.origin === "server") {
		const { status, code, message } = error;
		return { error: { status, code, message } };
	}
	return { error: { status: 0, code: "client", message: `${error.name}: ${error.message}` } };
}

for await (const line of createInterface({ input: process.stdin })) {
	const { call, ...given } = JSON.parse(line);
	let answer;
	try {
		answer = { answer: await calls[call](given) };
	} catch (error) {
		answer = failure(error);
	}
	process.stdout.write(JSON.stringify(answer) + "\n");
}
process.exit();
