/** A command's usage as redis-cli shows it in help and hints: `key value [NX|XX] [GET]`. */
import type { UsageNode } from "../../protocol/usage.ts";

export function usageText(nodes: readonly UsageNode[]): string {
  return nodes.map(nodeText).join(" ");
}

function nodeText(node: UsageNode): string {
  const bare = bareText(node);
  const whole = withToken(node, bare);
  const again = node.isMultipleToken ? whole : bare;
  const text = node.isMultiple ? `${whole} [${again} ...]` : whole;
  return node.isOptional ? `[${text}]` : text;
}

function bareText(node: UsageNode): string {
  switch (node.type) {
    case "pure-token":
      return node.token === "" ? '""' : node.token ?? "";
    case "oneof":
      return node.children.map(nodeText).join("|");
    case "block":
      return usageText(node.children);
    default:
      return node.display ?? node.name;
  }
}

function withToken({ type, token }: UsageNode, bare: string): string {
  if (token === null || type === "pure-token") return bare;
  return `${token === "" ? '""' : token} ${bare}`;
}
