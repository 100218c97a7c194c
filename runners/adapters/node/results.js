import { present } from "./values.js";

const NOT_ACKNOWLEDGED = { acknowledged: false };

/** InsertOneResult, InsertManyResult and DeleteResult, which have the specification's names. */
export function writeResult({ acknowledged, ...result }) {
  return acknowledged ? result : NOT_ACKNOWLEDGED;
}

/** UpdateResult: the id is there where something was upserted. */
export function updateResult({ acknowledged, upsertedId, ...result }) {
  if (!acknowledged) return NOT_ACKNOWLEDGED;
  return result.upsertedCount ? { ...result, upsertedId } : result;
}

/** BulkWriteResult of a collection, also of one that failed. */
export function bulkWriteResult(result) {
  if (result.isOk && !result.isOk() && !result.getWriteErrorCount?.()) return NOT_ACKNOWLEDGED;
  const { insertedCount, matchedCount, modifiedCount, deletedCount, upsertedCount } = result;
  const counts = { insertedCount, matchedCount, modifiedCount, deletedCount, upsertedCount };
  return { ...counts, upsertedIds: result.upsertedIds, insertedIds: result.insertedIds };
}

/** ClientBulkWriteResult; each single result only where the bulk was verbose. */
export function clientBulkWriteResult({ acknowledged, ...result }) {
  if (acknowledged === false) return NOT_ACKNOWLEDGED;
  const { insertResults, updateResults, deleteResults, ...counts } = result;
  return present({
    ...counts,
    insertResults: byIndex(insertResults),
    updateResults: byIndex(updateResults, ({ didUpsert: _, ...result }) => result),
    deleteResults: byIndex(deleteResults),
  });
}

function byIndex(results, convert = (result) => result) {
  const entries = [...(results ?? [])].map(([index, each]) => [index, present(convert(each))]);
  return results && Object.fromEntries(entries);
}
