// Lets mongospec check the MongoDB Node.js driver: calls come in on standard input, a line of JSON
// each; answers and events go out on standard output. See docs/adding-a-driver.md.

import { createInterface } from "node:readline";
import { MongoError, BSON } from "mongodb";
import { Adapter } from "./adapter.js";
import { capabilities } from "./capabilities.js";
import { report } from "./errors.js";
import { Broken, Unsupported } from "./refusals.js";
import { fromJson, toJson } from "./values.js";
import { version } from "./version.js";

const PROTOCOL = 1;
console.log = console.error; // standard output is for the protocol alone

const adapter = new Adapter((client, event, body) => give({ event, client, body }));
const callbacks = new Map(); // by the id of a withTransaction: what hears of the callback's end
const failures = new Map(); // by the id of an operation within a callback: the driver's own error

const CALLS = {
  open: () => ({
    result: { protocol: PROTOCOL, name: "node", version, language: "JavaScript", capabilities },
  }),
  create: async ({ kind, entity, spec }) => void (await adapter.create(kind, entity, fromJson(spec))),
  run,
  close: async ({ entity }) => void (await adapter.close(entity)),
  reset: async () => {
    failures.clear();
    await adapter.reset();
  },
  logic: ({ name }) => {
    throw new Unsupported(`logic.${name}`);
  },
  ping: () => undefined,
  shutdown: async () => void (await adapter.reset()),
};

async function run({ id, entity, operation, arguments: given, saveAs, callback, within }) {
  const body = callback && (() => runCallback(id));
  try {
    const result = await adapter.run(entity, operation, fromJson(given), saveAs, body);
    return { result: toJson(result ?? null) };
  } catch (error) {
    if (!(error instanceof MongoError) && !BSON.BSONError.isBSONError(error)) throw error;
    if (within) failures.set(id, error);
    return { error: report(error) };
  }
}

/** What the driver runs in a transaction: the harness sends its operations, then says how it ended. */
async function runCallback(id) {
  const ended = new Promise((resolve) => callbacks.set(id, resolve));
  give({ callback: id });
  const { failed, abandoned } = await ended;
  if (abandoned) throw new Broken("the harness has given up this transaction");
  if (failed) throw failures.get(failed);
}

async function answer(call) {
  try {
    const known = CALLS[call.call];
    if (!known) throw new Broken(`there is no call ${call.call}`);
    return await known(call);
  } catch (error) {
    if (error instanceof Unsupported) return { unsupported: error.message };
    if (!(error instanceof Broken)) console.error(error);
    return { broken: String(error.message) };
  }
}

function give(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const lines = createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  const call = JSON.parse(line);
  if (call.call === "ended") return callbacks.get(call.within)(call);
  const answered = await answer(call);
  await new Promise(setImmediate); // events that came before it go first
  give({ id: call.id, ...answered });
  if (call.call === "shutdown") process.exit(0);
});
lines.on("close", () => process.exit(0));
