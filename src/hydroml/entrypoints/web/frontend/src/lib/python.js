// Python in colours, without an editor: a pass over its tokens.
import { h } from "./dom.js";

const KEYWORDS = new Set("and as assert break class continue def del elif else except False finally for from global if import in is lambda None not or pass raise return True try while with yield".split(" "));
const TOKENS = /(#.*)|([rbf]?(?:"""[^]*?"""|'''[^]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|\b(\d[\w.]*(?:e[+-]?\d+)?)|([A-Za-z_]\w*)/g;

/** The text's nodes, for an element that shows it as it is. */
export function coloured(text) {
  const nodes = [];
  let at = 0;
  for (const { 0: token, 1: comment, 2: string, 3: number, 4: name, index } of text.matchAll(TOKENS)) {
    const kind = (comment && "py-comment") || (string && "py-string") || (number && "py-number") || (KEYWORDS.has(name) && "py-keyword");
    if (!kind) continue;
    nodes.push(text.slice(at, index), h("span", { class: kind }, token));
    at = index + token.length;
  }
  return [...nodes, text.slice(at)];
}
