/** What of Node's `process` is used. */
interface NodeProcess {
  getBuiltinModule(name: string): unknown;
}

/**
 * A module of Node's that the runtime has built in, such as "node:tls". An import would load it at every start, for some
 * 10 MB of memory; this loads it when it is needed, and at once.
 */
export function builtinModule<T>(name: string): T {
  const { process } = globalThis as unknown as { process: NodeProcess };
  return process.getBuiltinModule(name) as T;
}
