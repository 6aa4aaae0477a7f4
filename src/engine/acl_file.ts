/**
 * The ACL file: one user a line, "user alice on #5e88… ~cache:* +@read", as ACL LIST shows them. Reading it is all or nothing:
 * a file with a mistake changes nobody.
 */
import { BLANK, RuleError } from "./acl_rules.ts";
import { type AclContext, AclUser, joinSelectors } from "./acl_user.ts";

/** The users of a file, or what is wrong with it: a text with each mistake and its line. */
export type ParsedFile = { readonly users: readonly AclUser[] } | { readonly errors: string };

/** Reads the text of a file, which messages call `name`. Bytes are characters. */
export function parseAclFile(text: string, name: string, context: AclContext): ParsedFile {
  const users = new Map<string, AclUser>();
  let errors = "";
  for (const [i, whole] of text.split("\n").entries()) {
    const line = whole.replace(/^[ \t\r]+|[ \t\r]+$/g, "");
    if (line === "") continue;
    errors += readLine(line, name, i + 1, users, context);
  }
  if (errors === "") return { users: [...users.values()] };
  return {
    errors: `${errors}WARNING: ACL errors detected, no change to the previously active ACL rules ` +
      "was performed",
  };
}

/** Adds the user of a line; returns what is wrong with it, "" if nothing is. */
function readLine(
  line: string,
  file: string,
  number: number,
  users: Map<string, AclUser>,
  context: AclContext,
): string {
  const place = `${file}:${number}`;
  const [keyword, name, ...words] = line.split(" ");
  if (keyword !== "user" || name === undefined) {
    return `${place} should start with user keyword followed by the username. `;
  }
  if (BLANK.test(name)) return `'${place}: username '${name}' contains invalid characters. `;
  if (users.has(name)) return `WARNING: Duplicate user '${name}' found on line ${number}. `;
  const joined = joinSelectors(words);
  if ("unmatched" in joined) return `${place}: Unmatched parenthesis in selector definition.`;
  const user = new AclUser(name, context);
  users.set(name, user);
  let errors = "";
  for (const rule of joined.rules) {
    const detail = user.apply(rule);
    if (detail === null) continue;
    const what = detail === RuleError.unknown ? `Error in applying operation '${rule}': ` : "";
    errors += `${place}: ${what}${detail}. `;
  }
  return errors;
}
