/** Which addresses of a site may be given to push. */
import { UsageError } from "./usage.ts";

/**
 * Refuses an address that is neither that of the site nor that of its uploads: what was meant by it would be guessed.
 * @param uploadPath as the site says it; one that says nothing has an application of its own, which knows its addresses
 * @throws {UsageError}
 */
export function checkAddress(given: URL, uploadPath: string | undefined): void {
  const isQuery = given.search !== "";
  if (uploadPath === undefined || (!isQuery && ["/", uploadPath, `${uploadPath}/`].includes(given.pathname))) return;
  throw new UsageError(`push: no address that this site takes uploads at, got "${given.href}"; give ${given.origin}/ or ${given.origin}${uploadPath}`);
}
