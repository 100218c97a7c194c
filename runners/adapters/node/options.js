import { ReadPreference } from "mongodb";
import { Broken } from "./refusals.js";
import { number } from "./values.js";

const NUMBERS = [
  ...["batchSize", "chunkSizeBytes", "limit", "maxAwaitTimeMS", "maxCommitTimeMS", "maxTimeMS"],
  ...["revision", "skip"],
];

/** Arguments as the driver takes them; `find` gives the session of a name. */
export function converted(given, find) {
  const result = {};
  for (const [name, value] of Object.entries(given)) {
    result[name] = CONVERSIONS[name]?.(value, find) ?? value;
    if (NUMBERS.includes(name)) result[name] = number(value);
  }
  return result;
}

const CONVERSIONS = {
  session: (name, find) => find("session", name),
  readPreference: ({ mode, tagSets, maxStalenessSeconds, hedge }) =>
    new ReadPreference(uncapitalized(mode), tagSets, { maxStalenessSeconds, hedge }),
  returnDocument: (value) => {
    if (!/^(before|after)$/i.test(value)) throw new Broken("returnDocument is Before or After");
    return value.toLowerCase();
  },
  defaultTransactionOptions: (value, find) => converted(value, find),
  source: (value) => {
    if (typeof value.$$hexBytes !== "string") throw new Broken("source should be {$$hexBytes}");
    return Buffer.from(value.$$hexBytes, "hex");
  },
};

/** Files write modes as `Secondary`, too. */
function uncapitalized(text) {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
