/** --pipe: sends standard input to the server as it is, and counts the replies. */
import { humanBytes } from "../../lib/human_bytes.ts";
import { joined } from "../../lib/joined.ts";
import { writeAll } from "../../lib/write_all.ts";
import { type Connection, ConnectionLost } from "./connection.ts";
import type { Context } from "./context.ts";
import { Progress } from "./progress.ts";
import { textOf } from "../../protocol/reply.ts";
import { requestOf } from "../../protocol/request.ts";

const CHECK_EVERY_MS = 100;
/** After an unfinished inline command, a request would be part of it. */
const LINE_END = new Uint8Array([0x0d, 0x0a]);

/** Returns the exit code: 1 if there was an error. */
export async function transferPipe(context: Context): Promise<number> {
  const { client, output } = context;
  const connection = await client.connect();
  const transfer = new Transfer(context, connection);
  const sending = transfer.send();
  // If the server ends the connection, nobody waits for the rest of standard input.
  sending.catch(() => {});
  const isWhole = await transfer.receive();
  transfer.progress.clear();
  if (!isWhole) return 1;
  output.text("Last reply received from server.\n");
  output.text(`errors: ${transfer.errors}, replies: ${transfer.replies}\n`);
  output.flush();
  return transfer.errors > 0 ? 1 : 0;
}

class Transfer {
  replies = 0;
  errors = 0;
  readonly progress: Progress;
  /** The last command echoes it: then all replies before have come. */
  readonly #magic = crypto.randomUUID().replaceAll("-", "").slice(0, 20);
  #sentBytes = 0;
  #isSent = false;
  #repliedAt = performance.now();

  constructor(readonly context: Context, readonly connection: Connection) {
    this.progress = new Progress(context.surroundings);
  }

  async send(): Promise<void> {
    const { surroundings: { stdin }, output } = this.context;
    const buffer = new Uint8Array(1 << 16);
    for (let count = await stdin.read(buffer); count !== null; count = await stdin.read(buffer)) {
      await writeAll(this.connection.conn, buffer.subarray(0, count));
      this.#sentBytes += count;
      this.#show();
    }
    this.progress.clear();
    output.text("All data transferred. Waiting for the last reply...\n");
    output.flush();
    this.#isSent = true;
    this.#repliedAt = performance.now();
    await this.connection.sendBytes(joined([LINE_END, requestOf(["ECHO", this.#magic])]));
  }

  /** Counts replies up to the last one; false if it does not come. */
  async receive(): Promise<boolean> {
    const timer = setInterval(() => this.#endIfLate(), CHECK_EVERY_MS);
    try {
      return await this.#count();
    } catch (error) {
      if (error instanceof ConnectionLost) return false;
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  async #count(): Promise<boolean> {
    const { client, warn } = this.context;
    for (;;) {
      const reply = await client.receive();
      this.#repliedAt = performance.now();
      if (reply.kind === "string" && textOf(reply) === this.#magic) return true;
      this.replies++;
      if (reply.kind === "error") {
        this.errors++;
        this.progress.clear();
        warn(textOf(reply));
      }
      this.#show();
    }
  }

  /** Once all is sent, replies are waited for only for so long. */
  #endIfLate(): void {
    const { client, options: { pipeTimeoutSeconds }, warn } = this.context;
    const waited = performance.now() - this.#repliedAt;
    if (!this.#isSent || pipeTimeoutSeconds === 0 || waited < pipeTimeoutSeconds * 1000) return;
    this.progress.clear();
    warn(`No replies for ${pipeTimeoutSeconds} seconds: exiting.`);
    client.disconnect();
  }

  #show(): void {
    this.progress.show(() =>
      `${humanBytes(this.#sentBytes)} sent, ${this.replies} replies, ${this.errors} errors`
    );
  }
}
