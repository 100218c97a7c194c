/** The driver lacks something: the message is the name of a capability. */
export class Unsupported extends Error {}

/** The adapter cannot do what it was told. */
export class Broken extends Error {}
