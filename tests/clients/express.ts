/** What the tests of express share: an application that listens, and a visitor. */
// @ts-types="npm:@types/express@5.0.6"
import type { Express } from "express";
import type { AddressInfo } from "node:net";

/** Runs `work` with the address of `app`, which listens meanwhile. */
export async function serving(
  app: Express,
  work: (address: string) => Promise<void>,
): Promise<void> {
  const listener = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  try {
    await work(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
  } finally {
    await new Promise((resolve) => listener.close(resolve));
  }
}

/** Asks as a browser that has these cookies and keeps no connection open. */
export async function ask(url: string, cookie = ""): Promise<{ text: string; response: Response }> {
  const response = await fetch(url, { headers: { cookie, connection: "close" } });
  return { text: await response.text(), response };
}
