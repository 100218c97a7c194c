import { clientBulkWriteResult } from "../results.js";
import { COMMON, WATCH, watch } from "./shared.js";

const LIST = `${COMMON} filter nameOnly authorizedDatabases`;

async function listDatabases({ client }, options) {
  return (await client.db("admin").admin().listDatabases(options)).databases;
}

/** `{insertOne: {…}}` as the driver has it: `{name: "insertOne", …}`. */
function writeModel(model) {
  const [[name, fields]] = Object.entries(model);
  return { name, ...fields };
}

export const CLIENT = {
  appendMetadata: [
    "driverInfoOptions",
    ({ client }, { driverInfoOptions }) => client.appendMetadata(driverInfoOptions),
  ],
  clientBulkWrite: [
    `${COMMON} models ordered bypassDocumentValidation let verboseResults writeConcern`,
    async ({ client }, { models, ...options }) =>
      clientBulkWriteResult(await client.bulkWrite(models.map(writeModel), options)),
  ],
  close: ["", ({ client }) => client.close()],
  createChangeStream: [WATCH, ({ client }, options) => watch(client, options)],
  dropDatabase: [
    "database session comment",
    async ({ client }, { database, ...options }) => {
      await client.db(database).dropDatabase(options);
    },
  ],
  listDatabases: [LIST, listDatabases],
  listDatabaseNames: [
    LIST,
    async (observed, options) => {
      const databases = await listDatabases(observed, { ...options, nameOnly: true });
      return databases.map(({ name }) => name);
    },
  ],
  "spec.topologyDescription": ["", (observed) => observed.topology],
  "spec.connectionsCheckedOut": ["", (observed) => observed.checkedOut],
};
