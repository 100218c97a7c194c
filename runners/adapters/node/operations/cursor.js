/** A change stream waits for a change by itself; a tailable cursor may have nothing for now. */
async function iterateUntilDocumentOrError(cursor) {
  while (!cursor.closed) {
    const document = await cursor.next();
    if (document !== null) return document;
  }
  return null;
}

export const CURSOR = {
  iterateUntilDocumentOrError: ["", iterateUntilDocumentOrError],
  iterateOnce: ["", (cursor) => cursor.tryNext()],
  close: ["", (cursor) => cursor.close()],
};
