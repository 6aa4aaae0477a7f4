// The std library comes from npm:deno-std, which carries no types: what is used of it is declared here.

declare module "npm:deno-std@1.4.0/assert/mod.js" {
  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): void;
  export function assertThrows(
    fn: () => unknown,
    // deno-lint-ignore no-explicit-any -- the constructor of any error class
    ErrorClass?: new (...args: any[]) => Error,
    msgIncludes?: string,
  ): Error;
  export function assertRejects(
    fn: () => PromiseLike<unknown>,
    // deno-lint-ignore no-explicit-any -- the constructor of any error class
    ErrorClass?: new (...args: any[]) => Error,
    msgIncludes?: string,
  ): Promise<Error>;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  export function fail(msg?: string): never;
}

declare module "npm:deno-std@1.4.0/cli/parse_args.js" {
  export interface ParseOptions {
    boolean?: readonly string[];
    string?: readonly string[];
    default?: Record<string, unknown>;
    alias?: Record<string, string>;
    unknown?: (arg: string) => unknown;
  }
  export function parseArgs(
    args: readonly string[],
    options?: ParseOptions,
  ): Record<string, unknown> & { _: (string | number)[] };
}

declare module "npm:deno-std@1.4.0/fmt/colors.js" {
  export function bold(text: string): string;
  export function dim(text: string): string;
  export function red(text: string): string;
  export function green(text: string): string;
  export function yellow(text: string): string;
  export function cyan(text: string): string;
}
