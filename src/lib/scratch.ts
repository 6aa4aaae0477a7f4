/**
 * Objects of modules that every call uses again, so that none is allocated: cursors, slices. They belong to no
 * server, and between two calls they still refer to what the last one read. That would keep a dropped server or a
 * deleted value in memory, so the timer clears these references ten times a second, and so does a server that
 * stops.
 */

/** An object that can drop its references. */
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
