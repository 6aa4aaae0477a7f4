import { assert, assertEquals } from "@std/assert";
import { setImmediate } from "node:timers";
import { ROUND_SIZE, Rounds } from "./rounds.ts";

/** Reads that the runtime completes in one poll. */
const POLL_BUDGET = 128;

/** Resolves after the end of this poll. */
function endOfPoll(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Resolves when `isTrue` does, which some polls must bring about. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let ms = 0; !isTrue(); ms++) {
    assert(ms < 2000, "it did not come about");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** A test of a `Rounds` of its own, which ends when nobody waits any more and the timer is over. */
function test(name: string, body: (rounds: Rounds) => void | Promise<void>): void {
  Deno.test(name, async () => {
    const rounds = new Rounds();
    await body(rounds);
    await until(() => rounds.waiting === 0);
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
}

/** Has `count` connections wait; returns the list of those who were let go. */
function letWait(rounds: Rounds, count: number): number[] {
  const gone: number[] = [];
  for (let i = 0; i < count; i++) void rounds.turn().then(() => void gone.push(i));
  return gone;
}

/**
 * The runtime as tokio makes it: what is ready beyond the budget of a poll is put off, in reverse order, behind those that became
 * ready meanwhile. Every client sends its next request as soon as it was answered. Returns how often each was served.
 */
async function serve(clients: number, polls: number, rounds: Rounds | null): Promise<number[]> {
  const served = Array.from({ length: clients }, () => 0);
  let ready = served.map((_, client) => client);
  for (let poll = 0; poll < polls; poll++) {
    const now = ready.splice(0, POLL_BUDGET);
    const putOff = ready.reverse();
    ready = [];
    for (const client of now) {
      served[client]++;
      rounds?.countRead(served[client] > 1);
      if (rounds === null) ready.push(client);
      else void rounds.turn().then(() => void ready.push(client));
    }
    await endOfPoll();
    if (putOff.length + ready.length === 0) {
      await until(() => ready.length > 0);
    }
    ready.push(...putOff);
  }
  return served.sort((a, b) => a - b);
}

test("Rounds lets a connection read on at once where one poll serves all who are busy", (rounds) => {
  for (let i = 0; i < ROUND_SIZE; i++) assertEquals(rounds.isCrowded(i), false);
  assertEquals(rounds.isCrowded(ROUND_SIZE), true);
});
test("Rounds has everybody wait while somebody waits", async (rounds) => {
  const turn = rounds.turn();
  assertEquals(rounds.isCrowded(0), true);
  await turn;
  assertEquals(rounds.isCrowded(0), false);
});
test("Rounds lets those who wait go in the order in which they came, as many as one poll serves", async (rounds) => {
  const gone = letWait(rounds, 3 * ROUND_SIZE);
  assertEquals(gone.length, 0);
  await endOfPoll();
  assertEquals(gone.length, ROUND_SIZE);
  for (let i = 0; i < 10; i++) rounds.countRead(true);
  const late = letWait(rounds, 1);
  await endOfPoll();
  assertEquals(gone.length, ROUND_SIZE + 10);
  assertEquals(gone, gone.toSorted((a, b) => a - b));
  assertEquals(late, []);
  await until(() => late.length === 1);
  assertEquals(gone.length, 3 * ROUND_SIZE);
});
test("Rounds lets the next go when those who may read have nothing to say", async (rounds) => {
  const gone = letWait(rounds, 10 * ROUND_SIZE);
  await until(() => gone.length === 10 * ROUND_SIZE);
  // Those who were silent until now do not make room for more than a poll serves.
  for (let i = 0; i < 10 * ROUND_SIZE; i++) rounds.countRead(true);
  const next = letWait(rounds, 2 * ROUND_SIZE);
  await endOfPoll();
  assert(next.length <= ROUND_SIZE, `${next.length} were let go`);
  await until(() => next.length === 2 * ROUND_SIZE);
});
test("Rounds gives the places of those who fall silent to others", async (rounds) => {
  letWait(rounds, ROUND_SIZE);
  await endOfPoll();
  const busy = letWait(rounds, 20 * ROUND_SIZE);
  // One of those who were let go reads in each poll, all others are silent.
  await until(() => {
    rounds.countRead(true);
    letWait(rounds, 1);
    return busy.length === 20 * ROUND_SIZE;
  });
});
test("Rounds does not keep those who were let go while the queue is never empty", async (rounds) => {
  letWait(rounds, 2 * ROUND_SIZE);
  for (let poll = 0; poll < 100; poll++) {
    for (let i = 0; i < ROUND_SIZE; i++) {
      rounds.countRead(true);
      letWait(rounds, 1);
    }
    await endOfPoll();
    assert(rounds.waiting < 2000, `${rounds.waiting} wait`);
  }
});
test("Rounds lets nobody go after a full poll, until a poll was not full", async (rounds) => {
  const gone: number[] = [];
  for (let poll = 0; poll < 3; poll++) {
    for (let i = 0; i < POLL_BUDGET; i++) {
      rounds.countRead(false);
      void rounds.turn().then(() => void gone.push(i));
    }
    await endOfPoll();
    assertEquals(gone, []);
  }
  rounds.countRead(false);
  letWait(rounds, 1);
  await endOfPoll();
  assertEquals(gone.length, ROUND_SIZE);
});
test("Rounds goes on after a full poll that nobody follows", async (rounds) => {
  for (let i = 0; i < POLL_BUDGET; i++) rounds.countRead(false);
  const gone = letWait(rounds, POLL_BUDGET);
  await until(() => gone.length === POLL_BUDGET);
});
test("Rounds serves each of many busy clients as often as the others, where the runtime alone does not", async (rounds) => {
  for (const clients of [129, 300, 500, 2000]) {
    const polls = 20 * Math.ceil(clients / ROUND_SIZE);
    const alone = await serve(clients, polls, null);
    assert(alone[0] <= 0.7 * alone[clients >> 1], `alone: ${alone[0]} of ${alone[clients >> 1]}`);
    const inTurn = await serve(clients, polls, rounds);
    assert(inTurn[0] >= 0.8 * inTurn[clients >> 1], `in turn: ${inTurn[0]}`);
    await until(() => rounds.waiting === 0);
    assert(inTurn[clients - 1] <= 1.2 * inTurn[clients >> 1] + 1);
  }
});
