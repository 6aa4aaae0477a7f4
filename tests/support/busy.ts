/** Many clients that are busy at the same time, in threads of their own. */

/** A thread with more of them would itself turn to some more often than to others (src/net/rounds.ts says why). */
export const BUSY_CLIENTS_OF_A_THREAD = 100;

/** Places in `counts`. */
export const CONNECTED = 0;
export const ANSWERED = 1;

/** What each thread is told. */
export interface BusyClients {
  readonly port: number;
  /** Clients of all threads. */
  readonly clients: number;
  /** Shared by all threads: two integers of 32 bits, clients that are CONNECTED and requests ANSWERED. */
  readonly counts: SharedArrayBuffer;
  /** Answers of all, after which they stop. */
  readonly total: number;
  /** Answers after which a client of the thread falls silent. */
  readonly quota: number;
}

/** Has clients send PING one at a time until they had `total` answers; one thread for each quota. Returns the answers of each client, by thread. */
export async function answersOfBusyClients(
  port: number,
  total: number,
  quotas: readonly number[],
): Promise<number[][]> {
  const counts = new SharedArrayBuffer(8);
  const clients = quotas.length * BUSY_CLIENTS_OF_A_THREAD;
  const threads = quotas.map(() =>
    new Worker(new URL("./busy_clients.ts", import.meta.url), { type: "module" })
  );
  try {
    return await Promise.all(
      threads.map((thread, index) =>
        new Promise<number[]>((resolve, reject) => {
          thread.onmessage = (event: MessageEvent<number[]>) => resolve(event.data);
          thread.onerror = (event) => reject(new Error(event.message));
          const told: BusyClients = { port, clients, counts, total, quota: quotas[index] };
          thread.postMessage(told);
        })
      ),
    );
  } finally {
    for (const thread of threads) thread.terminate();
  }
}
