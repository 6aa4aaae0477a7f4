import type { Context } from "./context.ts";
export async function runInteractive(context: Context): Promise<number> {
  await context.client.connect();
  return 0;
}
