import { BSON, Double, Int32, Long } from "mongodb";

const { EJSON } = BSON;

/** The driver's value of a JSON value: doubles and longs stay what they are, ints are numbers. */
export function fromJson(value) {
  return plain(EJSON.deserialize(value, { relaxed: false }));
}

function plain(value) {
  if (value instanceof Int32) return value.valueOf();
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object" || value._bsontype || value instanceof Date) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

/** A number of milliseconds, documents …, which is an option rather than a BSON value. */
export function number(value) {
  return value instanceof Double || value instanceof Long ? Number(value) : value;
}

/** A value of the driver as canonical Extended JSON. */
export function toJson(value) {
  return EJSON.serialize({ value }, { relaxed: false }).value;
}

/** The object without keys that have no value. */
export function present(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value != null));
}
