/** The client's TLS, against our own server. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { certificateFiles, makeCertificate } from "../support/certificates.ts";
import { freePort, startRespite } from "../support/live.ts";
import { runOurs } from "./clients.ts";

const authority = await makeCertificate("authority", { isAuthority: true });
const files = certificateFiles(authority);
const own = files.write("server", await makeCertificate("server", { issuer: authority }));
addEventListener("unload", () => Deno.removeSync(files.directory, { recursive: true }));

/** Runs `work` beside a server that speaks TLS on the port. */
async function withTls(work: (port: string) => Promise<void>): Promise<void> {
  const port = `${freePort()}`;
  const server = startRespite({
    "tls-port": port,
    "tls-cert-file": own.certificate,
    "tls-key-file": own.key,
    "tls-auth-clients": "no",
  });
  try {
    await work(port);
  } finally {
    await server.stop();
  }
}

Deno.test("--tls talks to a server whose authority --cacert or --cacertdir names", async () => {
  await withTls(async (port) => {
    const pong = { code: 0, output: "PONG\n", errors: "" };
    const trusted = await Deno.makeTempDir();
    await Deno.copyFile(files.authority, `${trusted}/authority.pem`);
    for (const trust of [["--cacert", files.authority], ["--cacertdir", trusted]]) {
      assertEquals(await runOurs(["-p", port, "--tls", ...trust, "ping"]), pong);
    }
    const uri = `rediss://127.0.0.1:${port}/0`;
    assertEquals(await runOurs(["-u", uri, "--cacert", files.authority, "ping"]), pong);
    await Deno.remove(trusted, { recursive: true });
  });
});

Deno.test("a certificate that nobody vouches for, or that is for another name, is refused", async () => {
  await withTls(async (port) => {
    const stranger = await runOurs(["-p", port, "--tls", "ping"]);
    assertEquals(stranger.code, 1);
    assertStringIncludes(stranger.errors, `Could not connect to Redis at 127.0.0.1:${port}: `);
    assertStringIncludes(stranger.errors, "UnknownIssuer");
    const trust = ["-p", port, "--tls", "--cacert", files.authority];
    const renamed = await runOurs([...trust, "--sni", "example.org", "ping"]);
    assertEquals(renamed.code, 1, renamed.output);
    assertStringIncludes(renamed.errors, "not valid for name");
    assertEquals((await runOurs([...trust, "--sni", "localhost", "ping"])).output, "PONG\n");
  });
});

Deno.test("a large reply comes whole through TLS", async () => {
  await withTls(async (port) => {
    const args = ["-p", port, "--tls", "--cacert", files.authority];
    const value = "x".repeat(3_000_000);
    assertEquals((await runOurs([...args, "-x", "set", "k"], { input: value })).output, "OK\n");
    assertEquals((await runOurs([...args, "get", "k"])).output, `${value}\n`);
  });
});
