import {
  MongoBulkWriteError,
  MongoClientBulkWriteError,
  MongoNetworkTimeoutError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
} from "mongodb";
import { bulkWriteResult, clientBulkWriteResult } from "./results.js";
import { present, toJson } from "./values.js";

const TIMEOUTS = [MongoOperationTimeoutError, MongoNetworkTimeoutError, MongoServerSelectionError];
const MAX_TIME_EXPIRED = 50;

/** A driver's error as the protocol has it. */
export function report(error) {
  if (error instanceof MongoClientBulkWriteError) return ofClientBulkWrite(error);
  if (error instanceof MongoBulkWriteError) return ofBulkWrite(error);
  return ofAny(error);
}

/** A bulk write that ends in an error of the network wraps that. */
function isFromServer(error) {
  const wrapped = error instanceof MongoBulkWriteError && error.errorResponse;
  return error instanceof MongoServerError && (!(wrapped instanceof Error) || isFromServer(wrapped));
}

function ofAny(error) {
  const fromServer = isFromServer(error);
  return present({
    message: error.message,
    kind: error.name,
    clientError: !fromServer,
    timeout: isTimeout(error),
    labels: error.errorLabels ?? [],
    code: fromServer ? error.code : undefined,
    codeName: fromServer ? error.codeName : undefined,
    response: fromServer && error.errorResponse ? toJson(error.errorResponse) : undefined,
  });
}

function isTimeout(error) {
  return (
    TIMEOUTS.some((type) => error instanceof type) ||
    error.name === "WaitQueueTimeoutError" ||
    error.code === MAX_TIME_EXPIRED
  );
}

function ofBulkWrite(error) {
  const writeErrors = [error.writeErrors].flat();
  const concern = error.result?.getWriteConcernError?.();
  return present({
    ...ofAny(error),
    message: [error.message, ...writeErrors.map((each) => each.errmsg)].join("; "),
    code: error.code ?? writeErrors[0]?.code,
    result: error.result ? toJson(bulkWriteResult(error.result)) : undefined,
    writeErrors: Object.fromEntries(writeErrors.map((each) => [each.index, single(each)])),
    writeConcernErrors: concern ? [single(concern)] : undefined,
  });
}

function ofClientBulkWrite(error) {
  const cause = error.cause instanceof Error ? ofAny(error.cause) : {};
  return present({
    ...ofAny(error),
    ...cause,
    kind: error.name,
    clientError: cause.clientError ?? false,
    message: [error.message, cause.message].filter(Boolean).join("; "),
    labels: [...new Set([...(error.errorLabels ?? []), ...(cause.labels ?? [])])],
    result: error.partialResult ? toJson(clientBulkWriteResult(error.partialResult)) : undefined,
    writeErrors: Object.fromEntries([...error.writeErrors].map(([i, each]) => [i, single(each)])),
    writeConcernErrors: error.writeConcernErrors.map(single),
  });
}

/** A write error or write concern error, by the CRUD specification's names. */
function single({ code, errmsg, message, errInfo, details }) {
  return toJson(present({ code, message: errmsg ?? message, details: errInfo ?? details }));
}
