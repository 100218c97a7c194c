import { toJson } from "./values.js";

// Command monitoring, "Security"; a hello that authenticates is known by its redacted body.
const SENSITIVE = new Set(
  ["authenticate", "saslStart", "saslContinue", "getnonce", "createUser", "updateUser"]
    .concat(["copydbgetnonce", "copydbsaslstart", "copydb"])
    .map((name) => name.toLowerCase()),
);

const nothing = () => ({});
const reason = (event) => ({ reason: event.reason });
const awaited = (event) => ({ awaited: event.awaited });
const types = (event) => ({
  previousDescription: { type: event.previousDescription.type },
  newDescription: { type: event.newDescription.type },
});
const command = (event) => ({
  commandName: event.commandName,
  databaseName: event.databaseName,
  hasServiceId: event.hasServiceId,
  hasServerConnectionId: event.serverConnectionId != null && event.serverConnectionId > 0n,
});

/** By the driver's name: the event's name in the unified test format, and its fields. */
export const EVENTS = {
  commandStarted: ["commandStartedEvent", (e) => ({ command: toJson(e.command), ...command(e) })],
  commandSucceeded: ["commandSucceededEvent", (e) => ({ reply: toJson(e.reply), ...command(e) })],
  commandFailed: ["commandFailedEvent", command],
  connectionPoolCreated: ["poolCreatedEvent", nothing],
  connectionPoolReady: ["poolReadyEvent", nothing],
  connectionPoolCleared: [
    "poolClearedEvent",
    (event) => ({
      hasServiceId: event.serviceId != null,
      interruptInUseConnections: event.interruptInUseConnections ?? false,
    }),
  ],
  connectionPoolClosed: ["poolClosedEvent", nothing],
  connectionCreated: ["connectionCreatedEvent", nothing],
  connectionReady: ["connectionReadyEvent", nothing],
  connectionClosed: ["connectionClosedEvent", reason],
  connectionCheckOutStarted: ["connectionCheckOutStartedEvent", nothing],
  connectionCheckOutFailed: ["connectionCheckOutFailedEvent", reason],
  connectionCheckedOut: ["connectionCheckedOutEvent", nothing],
  connectionCheckedIn: ["connectionCheckedInEvent", nothing],
  serverHeartbeatStarted: ["serverHeartbeatStartedEvent", awaited],
  serverHeartbeatSucceeded: ["serverHeartbeatSucceededEvent", awaited],
  serverHeartbeatFailed: ["serverHeartbeatFailedEvent", awaited],
  serverDescriptionChanged: ["serverDescriptionChangedEvent", types],
  topologyOpening: ["topologyOpeningEvent", nothing],
  topologyDescriptionChanged: ["topologyDescriptionChangedEvent", types],
  topologyClosed: ["topologyClosedEvent", nothing],
};

export const LOG_COMPONENTS = ["command", "connection", "topology", "serverSelection"];

/** Whether a command event is to be observed. A redacted body is empty. */
export function isWanted(event, { ignoreCommandMonitoringEvents = [], observeSensitiveCommands }) {
  const name = event.commandName.toLowerCase();
  const ignored = ignoreCommandMonitoringEvents.map((each) => each.toLowerCase());
  if (name === "configurefailpoint" || ignored.includes(name)) return false;
  const body = event.command ?? event.reply;
  const redacted = body !== undefined && Object.keys(body).length === 0;
  return observeSensitiveCommands || !(SENSITIVE.has(name) || redacted);
}

/** A message of the driver's log as the protocol has it. */
export function logMessage({ t: _time, s: level, c: component, ...data }) {
  const message = { level, component, data: toJson(data) };
  if (data.failure !== undefined) message.failureIsRedacted = data.failure === "(redacted)";
  return message;
}
