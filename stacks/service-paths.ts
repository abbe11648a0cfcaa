/** Paths of the site that Slipway itself answers, so that no upload may go there. */
export const OWN_SERVICE_PATHS: readonly string[] = ["/_slipway", "/_files", "/internal", "/healthz", "/list", "/assets", "/api", "/files", "/tus"];
