import { assertEquals } from "@std/assert";
import { bytesPerCall } from "../lib/alloc.ts";
import { argsOf, binaryText } from "../protocol/args.ts";
import { Propagation, Reader } from "./propagation.ts";

/** What a taker gets, a space for each line's end. */
class Notes {
  text = "";
  take(bytes: Uint8Array, end: number): void {
    this.text += binaryText(bytes, 0, end).replaceAll("\r\n", " ");
  }
}

function propagation(): { stream: Propagation; notes: Notes } {
  const stream = new Propagation();
  const notes = new Notes();
  stream.addTaker(notes);
  return { stream, notes };
}

const SELECT = (index: number): string => `*2 $6 SELECT $1 ${index} `;

Deno.test("Propagation selects a database once, and again for a new reader", () => {
  const { stream, notes } = propagation();
  for (const database of [0, 0, 3]) {
    stream.append(database, argsOf("incr", "k"));
    stream.endUnit();
  }
  stream.restart();
  stream.append(3, argsOf("incr", "k"));
  stream.endUnit();
  stream.flush();
  const incr = "*2 $4 incr $1 k ";
  assertEquals(notes.text, SELECT(0) + incr + incr + SELECT(3) + incr + SELECT(3) + incr);
});
Deno.test("Propagation puts a unit of several commands between MULTI and EXEC", () => {
  const { stream, notes } = propagation();
  stream.append(1, argsOf("a"));
  stream.append(1, argsOf("b"));
  stream.endUnit();
  stream.append(1, argsOf("c"));
  stream.endUnit();
  stream.flush();
  assertEquals(
    notes.text,
    `*1 $5 MULTI ${SELECT(1)}*1 $1 a *1 $1 b *1 $4 EXEC *1 $1 c `,
  );
});
Deno.test("Propagation gives messages to those who take them, and all the rest to everybody", () => {
  const { stream, notes } = propagation();
  const replica = new Notes();
  stream.message(0, argsOf("publish", "nobody"));
  stream.addTaker(replica, Reader.replica);
  stream.message(1, argsOf("publish", "a"));
  stream.endUnit();
  for (const [word, isMessage] of [["set", false], ["publish", true], ["incr", false]] as const) {
    if (isMessage) stream.message(1, argsOf(word));
    else stream.append(1, argsOf(word));
  }
  stream.endUnit();
  stream.append(1, argsOf("end"));
  stream.endUnit();
  stream.flush();
  const unit = (publish: string): string =>
    `*1 $5 MULTI *1 $3 set ${publish}*1 $4 incr *1 $4 EXEC *1 $3 end `;
  assertEquals(replica.text, `${SELECT(1)}*2 $7 publish $1 a ${unit("*1 $7 publish ")}`);
  assertEquals(notes.text, SELECT(1) + unit(""));
  stream.removeTaker(replica);
  stream.message(1, argsOf("publish", "nobody"));
  stream.append(1, argsOf("set"));
  stream.endUnit();
  stream.flush();
  assertEquals(notes.text, `${SELECT(1)}${unit("")}*1 $3 set `);
});
Deno.test("Propagation keeps the messages of a unit that is not complete", () => {
  const { stream, notes } = propagation();
  const replica = new Notes();
  stream.addTaker(replica, Reader.replica);
  stream.append(1, argsOf("set"));
  stream.endUnit();
  stream.message(1, argsOf("publish"));
  stream.flush();
  assertEquals(replica.text, `${SELECT(1)}*1 $3 set `);
  stream.append(1, argsOf("incr"));
  stream.message(1, argsOf("publish"));
  stream.endUnit();
  stream.flush();
  const set = `${SELECT(1)}*1 $3 set *1 $5 MULTI `;
  assertEquals(replica.text, `${set}*1 $7 publish *1 $4 incr *1 $7 publish *1 $4 EXEC `);
  assertEquals(notes.text, `${set}*1 $4 incr *1 $4 EXEC `);
});
Deno.test("Propagation writes removals of expired keys one by one, without MULTI", () => {
  const { stream, notes } = propagation();
  const key = argsOf("k");
  for (let i = 0; i < 2; i++) stream.removal(0, "DEL", key.bytesOf(0), key.start(0), key.end(0));
  stream.endUnit();
  stream.flush();
  assertEquals(notes.text, `${SELECT(0)}*2 $3 DEL $1 k *2 $3 DEL $1 k `);
});
Deno.test("Propagation announces once until it is taken, and hands over no half unit", () => {
  const { stream, notes } = propagation();
  let announced = 0;
  stream.onPending = () => announced++;
  stream.append(0, argsOf("a"));
  stream.flush();
  assertEquals(notes.text, "");
  stream.endUnit();
  stream.append(0, argsOf("b"));
  stream.endUnit();
  assertEquals(announced, 1);
  stream.flush();
  stream.append(0, argsOf("c"));
  stream.endUnit();
  assertEquals(announced, 2);
});
Deno.test("Propagation.append() allocates nothing", () => {
  const stream = new Propagation();
  stream.addTaker({ take() {} });
  const args = argsOf("set", "key:000000000042", "a value of thirty-two characters.");
  assertEquals(
    bytesPerCall(() => {
      stream.append(0, args);
      stream.endUnit();
      stream.flush();
    }),
    0,
  );
});
