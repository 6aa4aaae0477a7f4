/**
 * Objects of a module that one call after another uses, so that none is allocated: cursors, slices. They belong to no
 * server, and between two calls they still refer to what the last one read. A server that is dropped would stay in
 * memory for that, or a value that was deleted; so the timer has them forget it, ten times a second, and so does
 * a server that stops.
 */

/** What can be made to refer to nothing any more. */
export interface Scratch {
  forget(): void;
}

/** All of them: modules add theirs as they are loaded, and nobody afterwards. */
const REGISTERED: Scratch[] = [];

/** Declares an object of a module as scratch: what it refers to is forgotten between calls. */
export function scratch<T extends Scratch>(object: T): T {
  REGISTERED.push(object);
  return object;
}

/** Makes all scratch refer to nothing. Not to be called while a command runs. */
export function forgetScratch(): void {
  for (const object of REGISTERED) object.forget();
}
