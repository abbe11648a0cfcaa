import metadata from "../package.json" with { type: "json" };

/** Version of the service. */
export const version: string = metadata.version;
