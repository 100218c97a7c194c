const TRANSACTION = "readConcern writeConcern readPreference maxCommitTimeMS";

const STATES = {
  NO_TRANSACTION: "none",
  STARTING_TRANSACTION: "starting",
  TRANSACTION_IN_PROGRESS: "in_progress",
  TRANSACTION_COMMITTED: "committed",
  TRANSACTION_COMMITTED_EMPTY: "committed",
  TRANSACTION_ABORTED: "aborted",
};

function pinnedServer(session) {
  const pinned = session.pinnedConnection ?? session.transaction.server?.description;
  return pinned?.address ?? null;
}

export const SESSION = {
  abortTransaction: ["", (session, options) => session.abortTransaction(options)],
  advanceClusterTime: [
    "clusterTime",
    (session, { clusterTime }) => session.advanceClusterTime(clusterTime),
  ],
  advanceOperationTime: [
    "operationTime",
    (session, { operationTime }) => session.advanceOperationTime(operationTime),
  ],
  commitTransaction: ["", (session, options) => session.commitTransaction(options)],
  endSession: ["", (session) => session.endSession()],
  startTransaction: [TRANSACTION, (session, options) => session.startTransaction(options)],
  withTransaction: [
    `${TRANSACTION} callback`,
    async (session, options, callback) => {
      await session.withTransaction(callback, options);
    },
  ],
  "spec.lsid": ["", (session) => session.id],
  "spec.transactionState": ["", (session) => STATES[session.transaction.state]],
  "spec.pinnedServer": ["", pinnedServer],
  "spec.dirty": ["", (session) => session.serverSession.isDirty],
};
