import { assertEquals } from "@std/assert";
import { Flag } from "../../src/engine/command.ts";
import { binaryText } from "../../src/protocol/args.ts";
import { type EventCase, eventSections, eventText } from "../support/event_table.ts";
import { TestClient, TestServer } from "../support/harness.ts";

/** What a server's events are, as the table shows them. */
class EventLog {
  #told: string[] = [];

  constructor(server: TestServer) {
    const { hooks } = server.engine.keyspace;
    hooks.wantsAll = true;
    hooks.listenToEvents((database, bytes, start, end, event) =>
      this.#told.push(eventText(`${database}`, binaryText(bytes, start, end), event.name))
    );
  }

  /** The events since the last call. */
  take(): string {
    return this.#told.splice(0).join(", ");
  }
}

/** The lines of a case, each with the events that they cause. */
async function replay({ lines }: EventCase): Promise<string[]> {
  using server = new TestServer();
  const log = new EventLog(server);
  const client = server.client();
  const found: string[] = [];
  for (const { line } of lines) {
    if (line.startsWith("> ")) server.client().run(line.slice(2));
    else if (line.startsWith("wait ")) server.advance(Number(line.slice(5)));
    else run(server, client, line);
    // A client that was waiting goes on.
    await Promise.resolve();
    found.push(`${line} => ${log.take()}`);
  }
  return found;
}

function run(server: TestServer, client: TestClient, line: string): void {
  client.run(line);
  // A command that waits in vain ends after a while.
  if (client.client.blocked !== null) server.advance(20);
  client.raw();
}

for (const { title, cases } of eventSections()) {
  Deno.test(`commands cause Redis's keyspace events: ${title.toLowerCase()}`, async () => {
    for (const one of cases) {
      const expected = one.lines.map(({ line, events }) => `${line} => ${events}`);
      assertEquals(await replay(one), expected);
    }
  });
}

Deno.test("every command that writes has a line that says which events it causes", () => {
  const { engine } = new TestServer();
  const lines = eventSections().flatMap(({ cases }) => cases.flatMap((one) => one.lines));
  const used = lines.map(({ line }) => line.replace(/^> /, "").toLowerCase().split(" "));
  const missing = engine.commands.all().filter(({ flags, subcommands, fullName }) => {
    if ((flags & Flag.write) === 0 || subcommands !== null) return false;
    const words = fullName.split("|");
    return !used.some((line) => words.every((word, i) => line[i] === word));
  }).map(({ fullName }) => fullName);
  assertEquals(missing, []);
});
