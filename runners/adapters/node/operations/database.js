import { COMMON, WATCH, watch } from "./shared.js";

const AGGREGATE =
  "pipeline allowDiskUse batchSize bypassDocumentValidation collation hint let maxTimeMS " +
  "maxAwaitTimeMS readConcern writeConcern readPreference";
const LIST = `${COMMON} filter nameOnly authorizedCollections batchSize`;
const CREATE =
  "capped size max validator validationLevel validationAction indexOptionDefaults viewOn " +
  "pipeline collation timeseries clusteredIndex expireAfterSeconds changeStreamPreAndPostImages " +
  "storageEngine writeConcern encryptedFields";
const COL_MOD =
  "index validator validationLevel validationAction viewOn pipeline expireAfterSeconds " +
  "changeStreamPreAndPostImages hidden cappedSize cappedMax";
const CURSOR = "command commandName batchSize comment cursorType maxTimeMS readPreference";
const RUN_CURSOR = `${CURSOR} session`;

/** The command's name has to be its first key. */
function inOrder(command, commandName) {
  return commandName ? { [commandName]: command[commandName], ...command } : command;
}

function commandCursor(db, given) {
  const { command, commandName, batchSize, comment, maxTimeMS, ...options } = given;
  const cursor = db.runCursorCommand(inOrder(command, commandName), options);
  if (batchSize !== undefined) cursor.setBatchSize(batchSize);
  if (comment !== undefined) cursor.setComment(comment);
  if (maxTimeMS !== undefined) cursor.setMaxTimeMS(maxTimeMS);
  return cursor;
}

export const DATABASE = {
  aggregate: [
    `${COMMON} ${AGGREGATE}`,
    (db, { pipeline, ...options }) => db.aggregate(pipeline, options).toArray(),
  ],
  createChangeStream: [WATCH, watch],
  createCollection: [
    `${COMMON} collection ${CREATE}`,
    (db, { collection, ...options }) => db.createCollection(collection, options),
  ],
  createCommandCursor: [
    RUN_CURSOR,
    async (db, options) => {
      const cursor = commandCursor(db, options);
      await cursor.cursorInit();
      return cursor;
    },
  ],
  dropCollection: [
    "collection session comment encryptedFields",
    async (db, { collection, ...options }) => {
      await db.dropCollection(collection, options);
    },
  ],
  listCollections: [
    LIST,
    (db, { filter, ...options }) => db.listCollections(filter, options).toArray(),
  ],
  listCollectionNames: [
    LIST,
    async (db, { filter, ...options }) => {
      const found = await db.listCollections(filter, { ...options, nameOnly: true }).toArray();
      return found.map(({ name }) => name);
    },
  ],
  listCollectionObjects: [
    COMMON,
    async (db, options) =>
      (await db.collections(options)).map(({ collectionName: name }) => ({ name })),
  ],
  modifyCollection: [
    `collection session ${COL_MOD}`,
    async (db, { collection, session, ...options }) => {
      await db.command({ collMod: collection, ...options }, { session });
    },
  ],
  runCommand: [
    "command commandName readPreference session",
    (db, { command, commandName, ...options }) =>
      db.command(inOrder(command, commandName), options),
  ],
  runCursorCommand: [RUN_CURSOR, (db, options) => commandCursor(db, options).toArray()],
};
