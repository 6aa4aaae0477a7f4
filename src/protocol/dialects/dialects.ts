/** All dialects, by their names. */
import type { Dialect } from "./dialect.ts";
import { book, framedText, nano } from "./framed_dialects.ts";
import { cdis, plain } from "./text_dialects.ts";

export const DIALECTS: readonly Dialect[] = [plain, cdis, book, nano, framedText];
