import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Binary } from "mongodb";
import { Unsupported } from "../refusals.js";

async function download(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return new Binary(Buffer.concat(chunks));
}

async function upload(stream, source, disableMD5 = true) {
  if (!disableMD5) throw new Unsupported("operation.bucket.upload.disableMD5"); // never computed
  await pipeline(Readable.from([source]), stream);
  return stream.gridFSFile._id;
}

export const BUCKET = {
  delete: ["id", (bucket, { id, ...options }) => bucket.delete(id, options)],
  download: [
    "id",
    (bucket, { id, ...options }) => download(bucket.openDownloadStream(id, options)),
  ],
  downloadByName: [
    "filename revision",
    (bucket, { filename, ...options }) =>
      download(bucket.openDownloadStreamByName(filename, options)),
  ],
  drop: ["", (bucket, options) => bucket.drop(options)],
  find: [
    "filter sort skip limit batchSize maxTimeMS",
    (bucket, { filter, ...options }) => bucket.find(filter, options).toArray(),
  ],
  rename: [
    "id newFilename",
    (bucket, { id, newFilename, ...options }) => bucket.rename(id, newFilename, options),
  ],
  upload: [
    "filename source chunkSizeBytes metadata disableMD5",
    (bucket, { filename, source, disableMD5, ...options }) =>
      upload(bucket.openUploadStream(filename, options), source, disableMD5),
  ],
  uploadWithId: [
    "id filename source chunkSizeBytes metadata disableMD5",
    (bucket, { id, filename, source, disableMD5, ...options }) =>
      upload(bucket.openUploadStreamWithId(id, filename, options), source, disableMD5),
  ],
};
