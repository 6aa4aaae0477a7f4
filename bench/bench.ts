/** `Deno.bench`, which with --smoke runs each benchmark twice: that shows whether it still works, and takes no time. */

const SMOKE = Deno.args.includes("--smoke") ? { n: 1, warmup: 1 } : {};

export function bench(name: string, options: { group?: string }, fn: () => void): void {
  Deno.bench({ name, fn, ...options, ...SMOKE });
}
