/**
 * A thread with clients that each send one PING at a time, from when the clients of all threads are connected until they have had
 * the answers that were asked for. It posts how many answers each of its clients had.
 */
import { ANSWERED, BUSY_CLIENTS_OF_A_THREAD, type BusyClients, CONNECTED } from "./busy.ts";

const PING = new TextEncoder().encode("*1\r\n$4\r\nPING\r\n");
const PONG_BYTES = 7;

const thread = globalThis as unknown as {
  onmessage: (event: MessageEvent<BusyClients>) => void;
  postMessage(answers: number[]): void;
};

async function ping(conn: Deno.TcpConn): Promise<void> {
  await conn.write(PING);
  const bytes = new Uint8Array(PONG_BYTES);
  for (let received = 0; received < PONG_BYTES;) {
    const count = await conn.read(bytes.subarray(received));
    if (count === null) throw new Error("the server has closed the connection");
    received += count;
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function beBusy({ port, clients, counts, total, quota }: BusyClients): Promise<number> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const count = new Int32Array(counts);
  await ping(conn);
  Atomics.add(count, CONNECTED, 1);
  await until(() => Atomics.load(count, CONNECTED) === clients);
  let answers = 0;
  while (answers < quota && Atomics.load(count, ANSWERED) < total) {
    await ping(conn);
    answers++;
    Atomics.add(count, ANSWERED, 1);
  }
  // Those who have had their quota stay connected, in silence.
  await until(() => Atomics.load(count, ANSWERED) >= total);
  conn.close();
  return answers;
}

thread.onmessage = async ({ data }) => {
  const clients = Array.from({ length: BUSY_CLIENTS_OF_A_THREAD }, () => beBusy(data));
  thread.postMessage(await Promise.all(clients));
};
