import { GridFSBucket } from "mongodb";
import { ObservedClient } from "./client.js";
import { OPERATIONS } from "./operations.js";
import { converted } from "./options.js";
import { Broken, Unsupported } from "./refusals.js";

const FIELDS = {
  database: ["id", "client", "databaseName", "databaseOptions"],
  collection: ["id", "database", "collectionName", "collectionOptions"],
  session: ["id", "client", "sessionOptions"],
  bucket: ["id", "database", "bucketOptions"],
};
const CONCERNS = ["readConcern", "readPreference", "writeConcern"];
const OPTIONS = {
  database: CONCERNS,
  collection: CONCERNS,
  session: ["causalConsistency", "defaultTransactionOptions", "snapshot"],
  bucket: [...CONCERNS, "bucketName", "chunkSizeBytes"],
};

/** The objects of the driver that a case uses, by name. */
export class Adapter {
  constructor(publish) {
    this.publish = publish;
    this.entities = new Map();
  }

  async create(kind, id, spec) {
    if (this.entities.has(id)) throw new Broken(`there is already an entity ${id}`);
    const find = (...named) => this.find(...named);
    if (kind === "client") {
      const observed = new ObservedClient(spec, (event, body) => this.publish(id, event, body));
      this.entities.set(id, { kind, value: observed });
      await observed.connect(spec);
      return;
    }
    if (!FIELDS[kind]) throw new Unsupported(`entity.${kind}`);
    refuseOthers(spec, FIELDS[kind], `entity.${kind}`);
    const options = spec[`${kind}Options`] ?? {};
    refuseOthers(options, OPTIONS[kind], `entity.${kind}.${kind}Options`);
    this.entities.set(id, { kind, value: this.make(kind, spec, converted(options, find)) });
  }

  make(kind, spec, options) {
    switch (kind) {
      case "database":
        return this.find("client", spec.client).client.db(spec.databaseName, options);
      case "collection":
        return this.find("database", spec.database).collection(spec.collectionName, options);
      case "session":
        return this.find("client", spec.client).client.startSession(options);
      default:
        return new GridFSBucket(this.find("database", spec.database), options);
    }
  }

  find(kind, id) {
    const entity = this.entities.get(id);
    if (!entity) throw new Broken(`there is no entity ${id}`);
    if (kind && entity.kind !== kind) throw new Broken(`${id} is a ${entity.kind}, not a ${kind}`);
    return entity.value;
  }

  async run(id, operation, given, saveAs, callback) {
    const target = this.find(null, id);
    const { kind } = this.entities.get(id);
    const known = OPERATIONS[kind]?.[operation];
    if (!known) throw new Unsupported(`operation.${kind}.${operation}`);
    refuseOthers(given, known.arguments, `operation.${kind}.${operation}`);
    const options = converted(given, (...named) => this.find(...named));
    const result = await known.perform(target, options, callback);
    if (!known.makes) return result;
    this.entities.set(saveAs ?? Symbol(operation), { kind: known.makes, value: result });
    return null;
  }

  async close(id) {
    const entity = this.entities.get(id);
    this.entities.delete(id);
    if (entity) await end(entity);
  }

  async reset() {
    const entities = [...this.entities.values()].reverse();
    this.entities.clear();
    for (const { kind, value } of entities) if (kind === "client") value.listening = false;
    for (const entity of entities) await end(entity);
  }
}

/** Nothing that is asked for may be left out silently. */
function refuseOthers(given, known, name) {
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) throw new Unsupported(`${name}.${key}`);
  }
}

/** The server may be gone by now: an error here says nothing about a case. */
async function end({ kind, value }) {
  try {
    if (kind === "session") await value.endSession();
    if (["client", "cursor", "changeStream"].includes(kind)) await value.close();
  } catch (error) {
    console.error(`a ${kind} could not be closed: ${error.message}`);
  }
}
