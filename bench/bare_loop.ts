/**
 * What a Deno server can reach at most: reads, counts bytes, and answers what it has ready; it parses nothing. Measured
 * in the place of the server, it shows where the client and the system calls set the limit.
 *
 * Usage: deno run --allow-net bench/bare_loop.ts <port> <bytes of a request> <reply>
 *        ../shared/tools/versus --port <port> --tests set --pipelines 1,16
 */
const [port, size] = [Number(Deno.args[0]), Number(Deno.args[1])];
const reply = new TextEncoder().encode(Deno.args[2].replaceAll("\\r\\n", "\r\n"));
const REPLIES_MAX = 5000;
/** redis-benchmark asks for two settings first, and goes on without them. */
const REFUSALS = new TextEncoder().encode("-ERR\r\n".repeat(2));

const replies = new Uint8Array(REPLIES_MAX * reply.length);
for (let i = 0; i < REPLIES_MAX; i++) replies.set(reply, i * reply.length);

async function serve(socket: Deno.TcpConn): Promise<void> {
  socket.setNoDelay(true);
  const buffer = new Uint8Array(64 * 1024);
  let unanswered = 0;
  for (;;) {
    const read = await socket.read(buffer);
    if (read === null) return;
    if (unanswered === 0 && isConfig(buffer, read)) {
      await socket.write(REFUSALS);
      continue;
    }
    unanswered += read;
    const count = Math.min(Math.floor(unanswered / size), REPLIES_MAX);
    unanswered -= count * size;
    for (let sent = 0; sent < count * reply.length;) {
      sent += await socket.write(new Uint8Array(replies.buffer, sent, count * reply.length - sent));
    }
  }
}

function isConfig(bytes: Uint8Array, length: number): boolean {
  return new TextDecoder().decode(bytes.subarray(0, Math.min(length, 16))).includes("CONFIG");
}

for await (const socket of Deno.listen({ hostname: "127.0.0.1", port })) {
  serve(socket).catch(() => socket.close());
}
