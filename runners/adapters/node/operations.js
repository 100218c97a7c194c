// The operations of the unified test format, by kind of entity. An entry has the arguments that
// the driver takes, in words, and what is done; an argument that is not there is `unsupported`.

import { BUCKET } from "./operations/bucket.js";
import { CLIENT } from "./operations/client.js";
import { COLLECTION } from "./operations/collection.js";
import { CURSOR } from "./operations/cursor.js";
import { DATABASE } from "./operations/database.js";
import { SESSION } from "./operations/session.js";

const MADE = {
  createFindCursor: "cursor",
  createCommandCursor: "cursor",
  createChangeStream: "changeStream",
  createCollection: "collection",
};

const words = (text) => [...new Set(text.split(" ").filter(Boolean))];

function table(entries) {
  return Object.fromEntries(
    Object.entries(entries).map(([name, [argumentsText, perform]]) => [
      name,
      { arguments: words(argumentsText), perform, makes: MADE[name] },
    ]),
  );
}

export const OPERATIONS = {
  client: table(CLIENT),
  database: table(DATABASE),
  collection: table(COLLECTION),
  cursor: table(CURSOR),
  changeStream: table(CURSOR),
  session: table(SESSION),
  bucket: table(BUCKET),
};
