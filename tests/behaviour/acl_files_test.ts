/** Where users come from and go to: the ACL file, `user` lines, CONFIG REWRITE. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { UserLines } from "../../src/app/user_lines.ts";
import { parseConf } from "../../src/config/conf_file.ts";
import { Child } from "../support/child.ts";
import { ReplyError, TestServer } from "../support/harness.ts";
import { freePort } from "../support/live.ts";

const options = { sanitizeOps: false, sanitizeResources: false };

/** A server whose ACL file has this text, and the path of that. */
function withFile(text: string): { server: TestServer; path: string } {
  const path = `${Deno.makeTempDirSync()}/users.acl`;
  Deno.writeTextFileSync(path, text);
  return { server: new TestServer({ directives: { aclfile: path } }), path };
}

function listOf(server: TestServer): string[] {
  return server.engine.acl.users.map((user) => user.text);
}

Deno.test("ACL LOAD takes the users of the file, and disconnects all others' clients", () => {
  const { server, path } = withFile(
    "user ann on >pw ~a* +@read\n\n  user bob on nopass (+get ~b) ( +set ~c )\r\n",
  );
  server.run("ACL SETUSER old on nopass +@all");
  const client = server.client();
  client.run("AUTH old x");
  assertEquals(server.run("ACL LOAD"), "OK");
  assertEquals(listOf(server), [
    "ann on sanitize-payload #30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d4fee46e26170c4 ~a* " +
    "resetchannels -@all +@read",
    "bob on nopass sanitize-payload resetchannels -@all (~b resetchannels -@all +get) " +
    "(~c resetchannels -@all +set)",
    "default on nopass sanitize-payload ~* &* +@all",
  ]);
  assertEquals(client.isClosed, true);
  Deno.writeTextFileSync(path, "user default off\n");
  assertEquals(server.run("ACL LOAD"), "OK");
  assertEquals(
    (server.client().run("PING") as ReplyError).message,
    "NOAUTH Authentication required.",
  );
});

Deno.test("a file with a mistake changes nobody, and each mistake is named", () => {
  const { server, path } = withFile(
    "ann on\nuser a b +nosuch\nuser c\nuser c\nuser d\te\nuser f (+get\nuser g ~* ~x\n",
  );
  server.run("ACL SETUSER stays on");
  const error = server.run("ACL LOAD") as ReplyError;
  assertEquals(
    error.message,
    `ERR ${path}:1 should start with user keyword followed by the username. ` +
      `${path}:2: Syntax error. ` +
      `${path}:2: Error in applying operation '+nosuch': Unknown command or category name in ACL. ` +
      `WARNING: Duplicate user 'c' found on line 4. ` +
      `'${path}:5: username 'd\te' contains invalid characters. ` +
      `${path}:6: Unmatched parenthesis in selector definition.` +
      `${path}:7: Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does ` +
      `not have any effect. Try 'resetkeys' to start with an empty list of patterns. ` +
      `WARNING: ACL errors detected, no change to the previously active ACL rules was performed`,
  );
  assertEquals(server.run("ACL USERS"), ["default", "stays"]);
  Deno.removeSync(path);
  assertMatch(
    (server.run("ACL LOAD") as ReplyError).message,
    /^ERR Error loading ACLs, opening file '.*users.acl': No such file or directory$/,
  );
});

Deno.test("ACL SAVE writes what ACL LOAD reads, for the owner only unless the file says otherwise", () => {
  const { server, path } = withFile("");
  const rules = ["on", ">pw", "%R~r*", "%W~w*", "&c", "+@all", "-@dangerous", "+select|1"];
  server.call("ACL", "SETUSER", "ann", ...rules, `(+get ~'"x"')`, "(+@all &*)");
  server.call("ACL", "SETUSER", Uint8Array.of(0xff, 0x27), Uint8Array.of(0x7e, 0x22, 0xfe));
  const list = listOf(server);
  Deno.chmodSync(path, 0o640);
  assertEquals(server.run("ACL SAVE"), "OK");
  assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o640);
  assertEquals(server.run("ACL LOAD"), "OK");
  assertEquals(listOf(server), list);
  Deno.removeSync(path);
  assertEquals(server.run("ACL SAVE"), "OK");
  assertEquals((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
  assertEquals([...Deno.readDirSync(path.replace("/users.acl", ""))].length, 1);
  Deno.removeSync(path);
  Deno.mkdirSync(path);
  assertMatch(
    (server.run("ACL SAVE") as ReplyError).message,
    /^ERR There was an error trying to save/,
  );
});

Deno.test("without an ACL file, ACL SAVE and LOAD say so", () => {
  const server = new TestServer();
  for (const line of ["ACL SAVE", "ACL LOAD"]) {
    assertMatch(
      (server.run(line) as ReplyError).message,
      /^ERR This Redis instance is not configured/,
    );
  }
});

Deno.test("the user lines of CONFIG REWRITE give the same users when they are read", () => {
  const server = new TestServer();
  const rules = ["on", ">pw", "~a", '~"q"', "%R~r*", "+@all", "-flushall"];
  server.call("ACL", "SETUSER", "ann", ...rules, `(+get ~"it's" allchannels)`);
  server.call("ACL", "SETUSER", "it's", Uint8Array.of(0x7e, 0xff));
  server.run("ACL SETUSER default >pw -@all +ping");
  const text = server.engine.acl.configurationLines.map((line) => `user ${line}\n`).join("");
  const lines = new UserLines(server.engine.commands);
  for (const { words } of parseConf(text, "redis.conf", () => "")) {
    assertEquals(lines.add(words), null, words.join(" "));
  }
  const other = new TestServer();
  assertEquals(other.engine.acl.configure(lines.rules), null);
  assertEquals(listOf(other), listOf(server));
});

Deno.test({
  name: "users that are not clear stop the start, with the reason",
  ...options,
  fn: async () => {
    const dir = await Deno.makeTempDir();
    await Deno.writeTextFile(`${dir}/bad.acl`, "user ann on +nosuch\n");
    const refused: [directives: string[], reason: string][] = [
      [["--aclfile", "/nowhere/users.acl"], "opening file '/nowhere/users.acl': No such file"],
      [["--aclfile", `${dir}/bad.acl`], "bad.acl:1: Error in applying operation '+nosuch'"],
      [["--aclfile", `${dir}/bad.acl`, "--user", "ann", "on"], "either in the ACL file"],
      [["--user", "ann", "on", "+nosuch"], "Error in user declaration '+nosuch': Unknown command"],
      [["--user", "ann", "on", "(+get"], "Error in user declaration '(+get': Wrong format"],
      [["--user", "ann", "--user", "ann"], "Error in user declaration 'ann': Duplicate user found"],
    ];
    const ends = refused.map(([directives]) => Child.spawn(freePort(), dir, ...directives).ended());
    for (const [i, { code, text }] of (await Promise.all(ends)).entries()) {
      assertEquals(code, 1, text);
      assertStringIncludes(text, refused[i][1]);
    }
  },
});

Deno.test({
  name: "a server starts with the users of its ACL file and saves them, within what it may touch",
  ...options,
  fn: async () => {
    const [dir, other] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
    const path = `${other}/users.acl`;
    await Deno.writeTextFile(
      path,
      "user default on nopass +ping +info +auth\nuser ann on >pw +acl\n",
    );
    const child = Child.spawn(freePort(), dir, "--aclfile", path, "--requirepass", "unused");
    const wire = await child.started();
    assertMatch(await wire.roundTrip("get a"), /^-NOPERM User default has no permissions to run/);
    assertEquals(await wire.roundTrip("auth ann pw"), "+OK\r\n");
    assertEquals(await wire.roundTrip("acl setuser bob on nopass +get"), "+OK\r\n");
    assertEquals(await wire.roundTrip("acl save"), "+OK\r\n");
    assertMatch(await Deno.readTextFile(path), /^user bob on nopass .* -@all \+get$/m);
    assertEquals(await wire.roundTrip("acl load"), "+OK\r\n");
    wire.close();
    assertMatch(await child.stop("SIGTERM"), /requirepass has no effect/);
  },
});

Deno.test.afterAll(() => Child.killAll());
