/** ACL: users and their rights, as clients meet them. */
import { assertEquals, assertMatch } from "@std/assert";
import { bytesPerCall } from "../../src/lib/alloc.ts";
import { argsOf } from "../../src/protocol/args.ts";
import { loadMachinery } from "../../src/scripting/machinery.ts";
import { type Reply, ReplyError, type TestClient, TestServer } from "../support/harness.ts";

const lua = await loadMachinery();

const DENIED_KEY = "NOPERM No permissions to access a key";
const DENIED_CHANNEL = "NOPERM No permissions to access a channel";
const CHANGED = "NOPERM ACLs rules changed between the moment the transaction was accumulated " +
  "and the EXEC call. This command is no longer allowed for the following reason: ";

function failed(reply: Reply, message: string): void {
  assertEquals(reply instanceof ReplyError ? reply.message : reply, message);
}

/** A client of `server` that is logged in as `name`, whose rights are `rules`. */
function clientWith(server: TestServer, rules: string, name = "ann"): TestClient {
  server.run(`ACL SETUSER ${name} reset on nopass ${rules}`);
  const client = server.client();
  client.run(`AUTH ${name} any`);
  return client;
}

/** ACL LOG as objects. */
function logOf(server: TestServer): Record<string, Reply>[] {
  const entries = server.run("ACL LOG") as Reply[][];
  return entries.map((pairs) => {
    const entry: Record<string, Reply> = {};
    for (let i = 0; i < pairs.length; i += 2) entry[String(pairs[i])] = pairs[i + 1];
    return entry;
  });
}

Deno.test("a rule about any command of this server is about what it names", () => {
  const { acl, commands } = new TestServer().engine;
  for (const { fullName, number } of commands.original) {
    acl.setUser("ann", ["reset", `+${fullName}`]);
    assertEquals(acl.user("ann")?.root.allows[number], 1, `+${fullName}`);
    acl.setUser("ann", ["reset", "+@all", `-${fullName}`]);
    assertEquals(acl.user("ann")?.root.allows[number], 0, `-${fullName}`);
  }
});

Deno.test("a user may run only the commands that its rules allow, whole or by first argument", () => {
  const server = new TestServer();
  const client = clientWith(server, "-@all +get +config|get +select|1 ~*");
  assertEquals(client.run("GET a"), null);
  failed(client.run("SET a b"), "NOPERM User ann has no permissions to run the 'set' command");
  failed(
    client.run("CONFIG SET hz 10"),
    "NOPERM User ann has no permissions to run the 'config|set' command",
  );
  assertEquals(client.run("CONFIG GET hz"), ["hz", "10"]);
  assertEquals(client.run("SELECT 1"), "OK");
  failed(client.run("SELECT 0"), "NOPERM User ann has no permissions to run the 'select' command");
  assertEquals(client.run("AUTH ann again"), "OK");
});

Deno.test("a key must match a pattern that allows what the command does to it", () => {
  const server = new TestServer();
  const client = clientWith(server, "+@all ~rw:* %R~r:* %W~w:*");
  assertEquals(client.run("COPY r:1 w:1"), 0);
  failed(client.run("COPY w:1 r:1"), DENIED_KEY);
  failed(client.run("GET w:1"), DENIED_KEY);
  assertEquals(client.run("EXISTS w:1 r:1 rw:1"), 0);
  failed(client.run("EXISTS other"), DENIED_KEY);
  assertEquals(client.run("SET w:1 v"), "OK");
  failed(client.run("SET w:1 v GET"), DENIED_KEY);
  assertEquals(client.run("SET rw:1 v GET"), null);
  failed(client.run("BITFIELD w:1 GET u8 0"), DENIED_KEY);
  failed(client.run("BITFIELD r:1 SET u8 0 1"), DENIED_KEY);
  assertEquals(client.run("BITFIELD r:1 GET u8 0"), [0]);
  assertEquals(client.run("SORT r:2 STORE w:2"), 0);
  failed(client.run("SORT r:2 STORE r:3"), DENIED_KEY);
  failed(client.run("EVAL 'return 1' 1 r:1"), DENIED_KEY);
  failed(client.run("XREAD STREAMS r:1 w:1 0 0"), DENIED_KEY);
  failed(client.run("MIGRATE 127.0.0.1 1 '' 0 1 KEYS r:1"), DENIED_KEY);
});

Deno.test("a request must be allowed by one selector as a whole", () => {
  const server = new TestServer();
  const client = clientWith(server, "(+set ~w*) (+mget %R~r*)");
  assertEquals(client.run("SET w 1"), "OK");
  assertEquals(client.run("MGET r1 r2"), [null, null]);
  failed(client.run("SET r 1"), DENIED_KEY);
  failed(client.run("MGET r1 w"), DENIED_KEY);
  failed(client.run("GET w"), "NOPERM User ann has no permissions to run the 'get' command");
  assertEquals(logOf(server).map(({ object }) => object), ["get", "w", "r"]);
});

Deno.test("SORT BY and GET need the right to read all keys", () => {
  const server = new TestServer();
  const denied = (option: string): string =>
    `ERR ${option} option of SORT denied due to insufficient ACL permissions.`;
  const client = clientWith(server, "+sort +sort_ro ~list (+sort ~list %R~*)", "bob");
  const other = clientWith(server, "+sort +sort_ro ~list", "ann");
  assertEquals(client.run("SORT list BY w* GET v*"), []);
  failed(client.run("SORT_RO list BY w*"), denied("BY"));
  failed(other.run("SORT list BY w* GET v*"), denied("BY"));
  failed(other.run("SORT list GET #"), denied("GET"));
  assertEquals(other.run("SORT list BY nosort"), []);
});

Deno.test("channels must match, patterns of channels letter for letter, and leaving needs no right", () => {
  const server = new TestServer();
  const client = clientWith(server, "+@all allkeys &news:* &one");
  assertEquals(client.run("PUBLISH news:1 x"), 0);
  assertEquals(client.run("SPUBLISH one x"), 0);
  failed(client.run("PUBLISH two x"), DENIED_CHANNEL);
  failed(client.run("SUBSCRIBE one two"), DENIED_CHANNEL);
  failed(client.run("SSUBSCRIBE two"), DENIED_CHANNEL);
  failed(client.run("PSUBSCRIBE news:1"), DENIED_CHANNEL);
  assertEquals(client.run("PSUBSCRIBE news:*"), ["psubscribe", "news:*", 1]);
  assertEquals(client.run("UNSUBSCRIBE two"), ["unsubscribe", "two", 1]);
});

Deno.test("commands of a transaction are checked when they are queued, and again by EXEC", () => {
  const server = new TestServer();
  const client = clientWith(server, "+@all ~a* &c");
  client.run("MULTI");
  failed(client.run("GET b"), DENIED_KEY);
  failed(client.run("EXEC"), "EXECABORT Transaction discarded because of previous errors.");
  client.run("MULTI");
  for (const line of ["GET a", "PUBLISH c x", "PING"]) assertEquals(client.run(line), "QUEUED");
  server.run("ACL SETUSER ann resetkeys resetchannels -ping");
  const replies = client.run("EXEC") as Reply[];
  failed(replies[0], `${CHANGED}no permission to touch the specified keys`);
  failed(replies[1], `${CHANGED}no permission to access one of the channels used as arguments`);
  failed(replies[2], `${CHANGED}no permission to execute the command or subcommand`);
  assertEquals(logOf(server).map(({ context }) => context), ["multi", "multi", "multi", "multi"]);
  server.run("ACL SETUSER ann -exec");
  client.run("MULTI");
  failed(
    client.run("EXEC"),
    "EXECABORT Transaction discarded because of: NOPERM User ann has no permissions to run the " +
      "'exec' command",
  );
});

Deno.test("a blocked command whose right was taken away is refused when it would be served", () => {
  const server = new TestServer();
  const client = clientWith(server, "+@all allkeys");
  client.send(new TextEncoder().encode("BLPOP list 0\r\n"));
  server.run("ACL SETUSER ann resetkeys");
  server.run("RPUSH list x");
  failed(client.read(), DENIED_KEY);
  assertEquals(server.run("LLEN list"), 1);
  // As in Redis, what is refused is no call.
  const stats = String(server.run("INFO commandstats"));
  assertMatch(stats, /cmdstat_blpop:calls=0,usec=0,.*,rejected_calls=1,failed_calls=0\r\n/);
});

Deno.test("scripts have the rights of who runs them", () => {
  const server = new TestServer({ lua });
  const client = clientWith(server, "+@all -mget ~a* &c");
  const script = (code: string): Reply => client.call("EVAL", code, "0");
  const failure = (code: string): string => (script(code) as ReplyError).message;
  assertMatch(
    failure("return redis.call('get', 'b')"),
    /^ERR ACL failure in script: No permissions to access a key script: /,
  );
  assertMatch(
    failure("return redis.pcall('mget', 'a')"),
    /^ERR ACL failure in script: User ann has no permissions to run the 'mget' command$/,
  );
  assertMatch(failure("return redis.call('publish', 'd', 'x')"), /access a channel script/);
  assertEquals(script("return redis.call('get', 'a')"), null);
  assertEquals(script("return redis.acl_check_cmd('get', 'a')"), 1);
  assertEquals(script("return redis.acl_check_cmd('get', 'b')"), null);
  assertMatch(failure("return redis.acl_check_cmd('nosuch')"), /^ERR Invalid command passed to/);
  assertEquals(server.run(`EVAL "return redis.acl_check_cmd('get', 'b')" 0`), 1);
  const [entry] = logOf(server);
  assertEquals([entry.reason, entry.context, entry.object], ["channel", "lua", "d"]);
  assertMatch(String(entry["client-info"]), / cmd=eval user=ann /);
});

Deno.test("subscribers are disconnected when they lose a channel, and stay when they do not", () => {
  const server = new TestServer();
  const client = clientWith(server, "+@all &a* &b");
  const other = clientWith(server, "+@all &a*", "bob");
  client.run("SUBSCRIBE b");
  other.run("PSUBSCRIBE a*");
  server.run("ACL SETUSER ann &c");
  server.run("ACL SETUSER bob allchannels");
  assertEquals([client.isClosed, other.isClosed], [false, false]);
  server.run("ACL SETUSER ann resetchannels &a*");
  server.run("ACL SETUSER bob resetchannels &a*");
  assertEquals([client.isClosed, other.isClosed], [true, false]);
});

Deno.test("the clients of a user that is removed are disconnected, the one that did it after its reply", () => {
  const server = new TestServer();
  const client = clientWith(server, "+@all");
  const other = server.client();
  other.run("AUTH ann x");
  const stranger = clientWith(server, "+@all", "bob");
  assertEquals(client.run("ACL DELUSER ann nobody"), 1);
  assertEquals([client.isClosed, other.isClosed, stranger.isClosed], [true, true, false]);
  failed(server.run("ACL DELUSER default"), "ERR The 'default' user cannot be removed");
});

Deno.test("what a transaction still has to run does not have the rights of a user that it removed", () => {
  const server = new TestServer();
  server.run("CONFIG SET requirepass secret");
  const client = clientWith(server, "+@all allkeys");
  for (const line of ["MULTI", "ACL DELUSER ann", "SET stolen 1"]) client.run(line);
  client.run("EXEC");
  assertEquals(server.run("EXISTS stolen"), 0);
});

Deno.test("passwords are right or wrong, users on or off, and a failure tells nothing else", () => {
  const server = new TestServer();
  const wrong = "WRONGPASS invalid username-password pair or user is disabled.";
  server.run("ACL SETUSER ann >one >two +@all");
  failed(server.run("AUTH ann one"), wrong);
  server.run("ACL SETUSER ann on");
  failed(server.run("AUTH ann three"), wrong);
  failed(server.run("AUTH nobody one"), wrong);
  assertEquals(server.run("AUTH ann two"), "OK");
  assertEquals(server.run("ACL WHOAMI"), "ann");
  assertMatch(String(server.run("CLIENT INFO")), / user=ann /);
  server.run("ACL SETUSER ann <two off");
  assertEquals(server.run("PING"), "PONG");
  assertEquals(server.run("RESET"), "RESET");
  assertEquals(server.run("ACL WHOAMI"), "default");
  assertEquals(logOf(server).map(({ reason, username, count }) => [reason, username, count]), [
    ["auth", "nobody", 1],
    ["auth", "ann", 2],
  ]);
  assertMatch(String(server.run("INFO stats")), /acl_access_denied_auth:3\r\n/);
});

Deno.test("whether clients must log in follows the default user at once", () => {
  const server = new TestServer();
  const admin = clientWith(server, "+@all", "admin");
  admin.run("ACL SETUSER default >secret");
  assertEquals(server.run("PING"), "PONG");
  const client = server.client();
  failed(client.run("PING"), "NOAUTH Authentication required.");
  admin.run("ACL SETUSER default nopass");
  assertEquals(client.run("PING"), "PONG");
  admin.run("CONFIG SET requirepass other");
  failed(client.run("PING"), "NOAUTH Authentication required.");
  assertEquals(client.run("AUTH other"), "OK");
  admin.run("ACL SETUSER default off");
  assertEquals(client.run("PING"), "PONG");
  failed(server.client().run("PING"), "NOAUTH Authentication required.");
});

Deno.test("equal refusals within a minute are one entry of ACL LOG, and acllog-max-len limits them", () => {
  const server = new TestServer();
  const client = clientWith(server, "+get ~a");
  for (const key of ["b", "c", "b", "b"]) client.run(`GET ${key}`);
  server.advance(1_500);
  const [entry, ...others] = logOf(server);
  assertEquals([entry.count, entry.object, entry.username, entry["age-seconds"]], [
    3,
    "b",
    "ann",
    "1.5",
  ]);
  assertEquals(others.length, 1);
  server.advance(60_001);
  client.run("GET b");
  assertEquals(logOf(server).map(({ count }) => count), [1, 3, 1]);
  server.run("CONFIG SET acllog-max-len 2");
  client.run("GET d");
  assertEquals(logOf(server).map(({ object }) => object), ["d", "b"]);
  assertEquals((server.run("ACL LOG 1") as Reply[]).length, 1);
  assertEquals(server.run("ACL LOG RESET"), "OK");
  assertEquals(logOf(server), []);
});

Deno.test("rules of renamed and removed commands go by Redis's names", () => {
  const server = new TestServer();
  assertEquals(server.engine.commands.rename("set", "put"), null);
  assertEquals(server.engine.commands.rename("del", ""), null);
  const client = clientWith(server, "+set +del ~*");
  assertEquals(client.run("PUT a b"), "OK");
  failed(
    server.run("ACL SETUSER ann +put"),
    "ERR Error in ACL SETUSER modifier '+put': Unknown command or category name in ACL",
  );
});

Deno.test("CLIENT KILL USER disconnects the clients of a user", () => {
  const server = new TestServer();
  const client = clientWith(server, "+@all");
  const other = clientWith(server, "+@all", "bob");
  assertEquals(server.run("CLIENT KILL USER ann"), 1);
  assertEquals([client.isClosed, other.isClosed], [true, false]);
  failed(server.run("CLIENT KILL USER nobody"), "ERR No such user 'nobody'");
});

Deno.test("rights hold with CLIENT REPLY SKIP, in RESP3, and after RESET", () => {
  const server = new TestServer();
  const admin = clientWith(server, "+@all allkeys", "admin");
  const rules = "-@all +client +ping +acl|whoami resetkeys ~a";
  assertEquals(admin.run(`ACL SETUSER default ${rules}`), "OK");
  const client = server.client();
  const denied = "NOPERM User default has no permissions to run the 'set' command";
  client.run("CLIENT REPLY SKIP");
  assertEquals(client.run("SET a 1"), undefined);
  assertEquals(client.run("PING"), "PONG");
  client.run("HELLO 3 AUTH admin x");
  assertEquals(client.run("EXISTS a"), 0);
  assertEquals(client.run("RESET"), "RESET");
  assertEquals(client.run("ACL WHOAMI"), "default");
  client.run("HELLO 3");
  failed(client.run("SET a 1"), denied);
});

Deno.test("passwords of users are shown nowhere", () => {
  const server = new TestServer();
  server.run("CONFIG SET slowlog-log-slower-than 0");
  const monitor = server.client();
  monitor.run("MONITOR");
  server.run("ACL SETUSER ann on >topsecret +@all");
  server.run("AUTH ann topsecret");
  server.run("HELLO 2 AUTH ann topsecret");
  server.run("AUTH ann topsecrets");
  const shown = [
    "ACL LIST",
    "ACL GETUSER ann",
    "ACL LOG",
    "SLOWLOG GET -1",
    "CONFIG GET *",
    "CLIENT LIST",
  ].map((line) => JSON.stringify(server.run(line))).join("");
  assertEquals(shown.includes("topsecret"), false);
  assertMatch(shown, /53336a676c64c1396553b2b7c92f38126768827c93b64d9142069c10eda7a721/);
  const seen = new TextDecoder().decode(monitor.client.reply.take());
  assertEquals(seen.includes("topsecret"), false);
  assertMatch(seen, /"AUTH" "\(redacted\)" "\(redacted\)"/);
});

Deno.test("of whom nothing is refused to, nothing is asked, whatever becomes of the users", () => {
  const server = new TestServer();
  const owner = server.client();
  server.engine.acl.admitOwner(owner.client);
  const [all, some] = [clientWith(server, "~* &* +@all"), clientWith(server, "+@all", "bob")];
  const asked = () => [owner, all, some].map(({ client }) => !client.isUnrestricted);
  assertEquals(asked(), [false, false, true]);
  server.run("ACL SETUSER default off");
  server.run("ACL SETUSER ann -get");
  server.run("ACL SETUSER bob (~* &* +@all)");
  assertEquals(asked(), [false, true, false]);
});

Deno.test("a request that is checked and allowed allocates nothing", () => {
  const server = new TestServer();
  server.run("ACL SETUSER ann on nopass +get +set +publish ~a:* %R~b:* &c:* (+mget ~z*)");
  const { acl, commands } = server.engine;
  const user = acl.user("ann") ?? acl.defaultUser;
  for (
    const words of [["get", "a:1"], ["set", "a:1", "v"], ["publish", "c:1", "x"], ["mget", "z"]]
  ) {
    const args = argsOf(...words);
    const command = commands.find(args);
    if (command === null) throw new Error(words[0]);
    assertEquals(acl.check(user, command, args), 0, words[0]);
    assertEquals(bytesPerCall(() => void acl.check(user, command, args)), 0, words[0]);
  }
});

Deno.test("of names that are very long ACL LOG keeps a part, and says how much more there was", () => {
  const server = new TestServer();
  const client = clientWith(server, "+@all ~a");
  const name = "n".repeat(5000);
  client.call("CLIENT", "SETNAME", name);
  failed(client.call("GET", "k".repeat(4096)), DENIED_KEY);
  failed(client.call("GET", `${"k".repeat(4096)}${"x".repeat(1000)}`), DENIED_KEY);
  client.call("AUTH", name, "wrong");
  const [login, long, whole] = logOf(server);
  assertEquals(whole.object, "k".repeat(4096));
  assertEquals(long.object, `${"k".repeat(4096)}... (1000 more bytes)`);
  assertEquals(login.username, `${"n".repeat(4096)}... (904 more bytes)`);
  assertMatch(String(long["client-info"]), /^id=\d+ .* name=n+\.\.\. \(\d+ more bytes\)$/);
});
