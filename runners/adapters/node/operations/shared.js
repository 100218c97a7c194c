/** Arguments of most operations. */
export const COMMON = "session comment rawData";

/** Arguments of a change stream. */
export const WATCH =
  "session comment rawData pipeline batchSize collation fullDocument fullDocumentBeforeChange " +
  "maxAwaitTimeMS resumeAfter showExpandedEvents startAfter startAtOperationTime";

/** Open a change stream: the aggregate is sent at once. */
export async function watch(target, { pipeline, ...options }) {
  const stream = target.watch(pipeline, options);
  await stream.cursor.cursorInit();
  return stream;
}
