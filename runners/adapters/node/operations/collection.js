import { bulkWriteResult, updateResult, writeResult } from "../results.js";
import { COMMON, WATCH, watch } from "./shared.js";

const WRITE = `${COMMON} bypassDocumentValidation`;
const UPDATE = `${WRITE} filter collation hint let upsert`;
const DELETE = `${COMMON} filter collation hint let`;
const FIND_AND_DELETE = `${DELETE} projection sort maxTimeMS`;
const FIND_AND_WRITE = `${UPDATE} projection sort maxTimeMS returnDocument`;
const FIND_ONE =
  `${COMMON} filter projection sort skip collation hint let max min maxTimeMS returnKey ` +
  "showRecordId allowDiskUse allowPartialResults readPreference";
const FIND =
  `${FIND_ONE} limit batchSize noCursorTimeout cursorType maxAwaitTimeMS oplogReplay`;
const AGGREGATE =
  `${COMMON} pipeline allowDiskUse batchSize bypassDocumentValidation collation hint let ` +
  "maxTimeMS maxAwaitTimeMS";
const COUNT = `${COMMON} filter skip limit collation hint maxTimeMS`;
const INDEX =
  "keys name unique sparse hidden expireAfterSeconds collation partialFilterExpression " +
  "wildcardProjection background bits min max default_language language_override " +
  "textIndexVersion weights version 2dsphereIndexVersion commitQuorum maxTimeMS";

function find(collection, { filter, cursorType, ...options }) {
  const tailable = cursorType !== undefined && cursorType !== "nonTailable";
  return collection.find(filter, {
    ...options,
    ...(tailable ? { tailable, awaitData: cursorType === "tailableAwait" } : {}),
  });
}

export const COLLECTION = {
  aggregate: [
    AGGREGATE,
    (collection, { pipeline, ...options }) => collection.aggregate(pipeline, options).toArray(),
  ],
  bulkWrite: [
    `${WRITE} requests ordered let`,
    async (collection, { requests, ...options }) =>
      bulkWriteResult(await collection.bulkWrite(requests, options)),
  ],
  count: [COUNT, (collection, { filter, ...options }) => collection.count(filter, options)],
  countDocuments: [
    COUNT,
    (collection, { filter, ...options }) => collection.countDocuments(filter, options),
  ],
  createChangeStream: [WATCH, watch],
  createFindCursor: [
    FIND,
    async (collection, options) => {
      const cursor = find(collection, options);
      await cursor.cursorInit();
      return cursor;
    },
  ],
  createIndex: [
    `${COMMON} ${INDEX}`,
    (collection, { keys, ...options }) => collection.createIndex(keys, options),
  ],
  createSearchIndex: ["model", (collection, { model }) => collection.createSearchIndex(model)],
  createSearchIndexes: ["models", (collection, { models }) => collection.createSearchIndexes(models)],
  deleteMany: [
    DELETE,
    async (collection, { filter, ...options }) =>
      writeResult(await collection.deleteMany(filter, options)),
  ],
  deleteOne: [
    DELETE,
    async (collection, { filter, ...options }) =>
      writeResult(await collection.deleteOne(filter, options)),
  ],
  distinct: [
    `${COMMON} fieldName filter collation hint maxTimeMS`,
    (collection, { fieldName, filter, ...options }) =>
      collection.distinct(fieldName, filter, options),
  ],
  drop: [
    `${COMMON} encryptedFields`,
    async (collection, options) => {
      await collection.drop(options);
    },
  ],
  dropIndex: [
    `${COMMON} name maxTimeMS`,
    async (collection, { name, ...options }) => {
      await collection.dropIndex(name, options);
    },
  ],
  dropIndexes: [
    `${COMMON} maxTimeMS`,
    async (collection, options) => {
      await collection.dropIndexes(options);
    },
  ],
  dropSearchIndex: ["name", (collection, { name }) => collection.dropSearchIndex(name)],
  estimatedDocumentCount: [
    `${COMMON} maxTimeMS`,
    (collection, options) => collection.estimatedDocumentCount(options),
  ],
  find: [FIND, (collection, options) => find(collection, options).toArray()],
  findOne: [
    FIND_ONE,
    (collection, { filter, ...options }) => collection.findOne(filter, options),
  ],
  findOneAndDelete: [
    FIND_AND_DELETE,
    (collection, { filter, ...options }) => collection.findOneAndDelete(filter, options),
  ],
  findOneAndReplace: [
    `${FIND_AND_WRITE} replacement`,
    (collection, { filter, replacement, ...options }) =>
      collection.findOneAndReplace(filter, replacement, options),
  ],
  findOneAndUpdate: [
    `${FIND_AND_WRITE} update arrayFilters`,
    (collection, { filter, update, ...options }) =>
      collection.findOneAndUpdate(filter, update, options),
  ],
  insertMany: [
    `${WRITE} documents ordered`,
    async (collection, { documents, ...options }) =>
      writeResult(await collection.insertMany(documents, options)),
  ],
  insertOne: [
    `${WRITE} document`,
    async (collection, { document, ...options }) =>
      writeResult(await collection.insertOne(document, options)),
  ],
  listIndexes: [
    `${COMMON} batchSize`,
    (collection, options) => collection.listIndexes(options).toArray(),
  ],
  listIndexNames: [
    `${COMMON} batchSize`,
    async (collection, options) => Object.keys(await collection.indexInformation(options)),
  ],
  listSearchIndexes: [
    "name aggregationOptions",
    (collection, { name, aggregationOptions }) =>
      name === undefined
        ? collection.listSearchIndexes(aggregationOptions).toArray()
        : collection.listSearchIndexes(name, aggregationOptions).toArray(),
  ],
  rename: [
    `${COMMON} to dropTarget`,
    async (collection, { to, ...options }) => {
      await collection.rename(to, options);
    },
  ],
  replaceOne: [
    `${UPDATE} replacement sort`,
    async (collection, { filter, replacement, ...options }) =>
      updateResult(await collection.replaceOne(filter, replacement, options)),
  ],
  updateMany: [
    `${UPDATE} update arrayFilters`,
    async (collection, { filter, update, ...options }) =>
      updateResult(await collection.updateMany(filter, update, options)),
  ],
  updateOne: [
    `${UPDATE} update arrayFilters sort`,
    async (collection, { filter, update, ...options }) =>
      updateResult(await collection.updateOne(filter, update, options)),
  ],
  updateSearchIndex: [
    "name definition",
    (collection, { name, definition }) => collection.updateSearchIndex(name, definition),
  ],
};
