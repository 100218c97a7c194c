import { EVENTS, LOG_COMPONENTS } from "./events.js";
import { OPERATIONS } from "./operations.js";

/** All that the adapter declares, read off its tables. */
export const capabilities = [
  ...["client", "database", "collection", "session", "bucket"].map((kind) => `entity.${kind}`),
  ...Object.values(EVENTS).map(([name]) => `event.${name}`),
  ...LOG_COMPONENTS.map((component) => `log.${component}`),
  ...Object.entries(OPERATIONS).flatMap(([kind, operations]) =>
    Object.entries(operations).flatMap(([name, operation]) => [
      `operation.${kind}.${name}`,
      ...operation.arguments.map((argument) => `operation.${kind}.${name}.${argument}`),
    ]),
  ),
];
