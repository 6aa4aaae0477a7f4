/** A command's usage as redis-cli shows it in help and hints: `key value [NX|XX] [GET]`. */
import type { UsageNode } from "../../protocol/usage.ts";

export function usageText(nodes: readonly UsageNode[]): string {
  return nodes.map(nodeText).join(" ");
}

export function nodeText(node: UsageNode): string {
  const bare = bareText(node);
  const whole = withToken(node, bare);
  const again = node.isMultipleToken ? whole : bare;
  const text = node.isMultiple ? `${whole} [${again} ...]` : whole;
  return node.isOptional ? `[${text}]` : text;
}

/** A node after it was matched: it may come again. */
export function repeated(node: UsageNode): UsageNode {
  const token = node.isMultipleToken ? node.token : null;
  return { ...node, token, display: `${bareText(node)} ...`, isOptional: true, isMultiple: false };
}

function bareText(node: UsageNode): string {
  if (node.type === "pure-token") return node.token === "" ? '""' : node.token ?? "";
  if (node.display !== null) return node.display;
  switch (node.type) {
    case "oneof":
      return node.children.map(nodeText).join("|");
    case "block":
      return usageText(node.children);
    default:
      return node.name;
  }
}

function withToken({ type, token }: UsageNode, bare: string): string {
  if (token === null || type === "pure-token") return bare;
  return `${token === "" ? '""' : token} ${bare}`;
}
