/** What the tests of packages share: a fresh server. */
import { startServer } from "../support/live.ts";

/**
 * A test in which packages work with a fresh server. Deno's sanitizers fail it if something is left open or running after
 * `work`; `options` turns them off where a package itself leaves something.
 */
export function serverTest(
  name: string,
  work: (port: number) => Promise<void>,
  options: { sanitizeOps?: boolean; sanitizeResources?: boolean } = {},
): void {
  const fn = async (): Promise<void> => {
    const server = await startServer();
    try {
      await work(server.port);
    } finally {
      await server.stop();
    }
  };
  Deno.test({ name, fn, ...options });
}
