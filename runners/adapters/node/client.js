import { MongoClient, MongoParseError } from "mongodb";
import { EVENTS, isWanted, LOG_COMPONENTS, logMessage } from "./events.js";
import { Broken, Unsupported } from "./refusals.js";

const OPTIONS = [
  ...["id", "uri", "uriOptions", "useMultipleMongoses", "observeEvents", "observeLogMessages"],
  ...["ignoreCommandMonitoringEvents", "observeSensitiveCommands", "serverApi"],
  ...["awaitMinPoolSizeMS"],
];
const DATA_BEARING = ["Standalone", "Mongos", "RSPrimary", "RSSecondary", "LoadBalancer"];
const LOGGED_CHARACTERS = 1_000_000; // cases look into whole documents

/** A client, what is observed of it, and how many of its connections are in use. */
export class ObservedClient {
  constructor(spec, publish) {
    for (const key of Object.keys(spec)) {
      if (!OPTIONS.includes(key)) throw new Unsupported(`entity.client.${key}`);
    }
    // The driver takes timeoutMS, of anything, and does nothing with it (its timeout.ts says so).
    const options = Object.keys(spec.uriOptions ?? {}).map((name) => name.toLowerCase());
    if (options.includes("timeoutms")) throw new Unsupported("uriOption.timeoutMS");
    this.checkedOut = 0;
    this.ready = new Map(); // by address
    this.listening = !spec.awaitMinPoolSizeMS;
    this.client = make(spec, (log) => {
      // connect() selects a server for itself, which is no operation of a case.
      if (this.listening && log.operation !== "handshake") publish("log", logMessage(log));
    });
    this.observe(spec, publish);
    this.count();
  }

  /**
   * Watch the deployment from now on, where that can be seen.
   *
   * The driver begins with its first operation otherwise; one that did not connect is of no use.
   */
  async connect({ awaitMinPoolSizeMS, observeEvents = [], observeLogMessages }) {
    const seen = observeLogMessages || observeEvents.some((name) => !name.startsWith("command"));
    if (!awaitMinPoolSizeMS && !seen) return;
    await this.client.connect().catch(() => undefined); // an operation will tell why not
    if (awaitMinPoolSizeMS) await this.awaitPools(Date.now() + awaitMinPoolSizeMS);
    this.listening = true;
  }

  /** What the client knows of its deployment. */
  get topology() {
    const description = this.client.topology?.description;
    const servers = [...(description?.servers.values() ?? [])];
    return {
      type: description?.type ?? "Unknown",
      servers: servers.map(({ address, type }) => ({ address, type })),
    };
  }

  async close() {
    this.listening = false;
    await this.client.close();
  }

  observe(spec, publish) {
    for (const [name, [event, convert]] of Object.entries(EVENTS)) {
      if (!spec.observeEvents?.includes(event)) continue;
      this.client.on(name, (body) => {
        if (!this.listening || (name.startsWith("command") && !isWanted(body, spec))) return;
        const converted = convert(body);
        setImmediate(() => publish(event, converted)); // the driver logs what it has published
      });
    }
    for (const event of spec.observeEvents ?? []) {
      if (!Object.values(EVENTS).some(([name]) => name === event)) {
        throw new Unsupported(`event.${event}`);
      }
    }
  }

  count() {
    this.client.on("connectionCheckedOut", () => this.checkedOut++);
    this.client.on("connectionCheckedIn", () => this.checkedOut--);
    this.client.on("connectionReady", ({ address }) => {
      this.ready.set(address, (this.ready.get(address) ?? 0) + 1);
    });
  }

  async awaitPools(deadline) {
    const least = this.client.options.minPoolSize;
    const isFull = () => {
      const servers = this.topology.servers.filter(({ type }) => DATA_BEARING.includes(type));
      const full = servers.filter(({ address }) => (this.ready.get(address) ?? 0) >= least);
      return servers.length > 0 && full.length === servers.length;
    };
    while (!isFull()) {
      if (Date.now() > deadline) throw new Broken(`no ${least} connections in time`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function make(spec, write) {
  // The driver's ping on connecting would leave a connection in the pool before the case begins.
  const options = { monitorCommands: true, __skipPingOnConnect: true };
  if (spec.serverApi) options.serverApi = spec.serverApi;
  if (spec.observeLogMessages) {
    for (const component of Object.keys(spec.observeLogMessages)) {
      if (!LOG_COMPONENTS.includes(component)) throw new Unsupported(`log.${component}`);
    }
    options.mongodbLogComponentSeverities = spec.observeLogMessages;
    options.mongodbLogMaxDocumentLength = LOGGED_CHARACTERS;
    options.mongodbLogPath = { write };
  }
  try {
    return new MongoClient(spec.uri, options);
  } catch (error) {
    const unknown = error instanceof MongoParseError && /^options? (\w+)/.exec(error.message);
    if (unknown && error.message.endsWith("not supported")) {
      throw new Unsupported(`uriOption.${unknown[1]}`);
    }
    throw new Broken(`cannot create the client: ${error.message}`);
  }
}

