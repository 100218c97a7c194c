/** Arguments of most operations. */
export const COMMON = "session comment timeoutMS rawData";

export const WATCH = `${COMMON} pipeline batchSize collation fullDocument fullDocumentBeforeChange
  maxAwaitTimeMS resumeAfter showExpandedEvents startAfter startAtOperationTime timeoutMode`.replaceAll(
  "\n ",
  "",
);

/** Open a change stream: the aggregate is sent at once. */
export async function watch(target, { pipeline, ...options }) {
  const stream = target.watch(pipeline, options);
  await stream.cursor.cursorInit();
  return stream;
}
