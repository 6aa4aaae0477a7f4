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

const replies = new Uint8Array(REPLIES_MAX * reply.length);
for (let i = 0; i < REPLIES_MAX; i++) replies.set(reply, i * reply.length);

async function serve(socket: Deno.TcpConn): Promise<void> {
  socket.setNoDelay(true);
  const buffer = new Uint8Array(64 * 1024);
  let unanswered = 0;
  for (;;) {
    const read = await socket.read(buffer);
    if (read === null) return;
    unanswered += read;
    const count = Math.min(Math.floor(unanswered / size), REPLIES_MAX);
    unanswered -= count * size;
    if (count > 0) await socket.write(new Uint8Array(replies.buffer, 0, count * reply.length));
  }
}

for await (const socket of Deno.listen({ hostname: "127.0.0.1", port })) {
  serve(socket).catch(() => socket.close());
}
