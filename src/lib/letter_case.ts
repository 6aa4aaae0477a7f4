/** Letters of ASCII in one case. All other characters stay what they are: names are bytes, and those beyond ASCII have no case. */

export function inLowerCase(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

export function inUpperCase(text: string): string {
  return text.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase());
}
