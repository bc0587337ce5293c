// A filter's conditions one by one, so that the bars and menus of a column change theirs and leave the others as they are written.
import { quoted } from "./types.js";

/** The parts of a formula that AND joins at its top, or null when OR joins some there or it is not written to its end. */
export function conjuncts(text) {
  const parts = [];
  let depth = 0;
  let start = 0;
  let between = 0;
  for (const { 0: token, index } of text.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[()]|\b(?:AND|OR|BETWEEN|CASE|END)\b|['"]/gi)) {
    const word = token.toUpperCase();
    if (token === "'" || token === '"') return null;
    if (token === "(" || word === "CASE") depth += 1;
    else if (token === ")" || word === "END") depth -= 1;
    else if (depth) continue;
    else if (word === "OR") return null;
    else if (word === "BETWEEN") between += 1;
    else if (word === "AND" && between) between -= 1;
    else if (word === "AND") {
      parts.push(text.slice(start, index).trim());
      start = index + token.length;
    }
    if (depth < 0) return null;
  }
  if (depth) return null;
  parts.push(text.slice(start).trim());
  return parts.filter(Boolean);
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const VALUE = "(?:-?[\\d.]+(?:e[-+]?\\d+)?|'(?:[^']|'')*'|TRUE|FALSE)";

/** Whether a condition is one that a bar or the menu of the column makes. */
function isOf(column, condition) {
  const name = escaped(quoted(column));
  return new RegExp(`^(?:\\(${name} >= ${VALUE} AND ${name} <=? ${VALUE}\\)|${name} (?:=|<>) ${VALUE}|${name} IS (?:NOT )?NULL)$`, "i").test(condition);
}

/** A filter with a condition of a column: in the place of the one its bars made before, behind the others, or without it when it was there. */
export function withCondition(filter, column, condition) {
  const parts = conjuncts(filter);
  if (parts === null) return `(${filter.trim()}) AND ${condition}`;
  if (parts.includes(condition)) return parts.filter((part) => part !== condition).join(" AND ");
  const at = parts.findIndex((part) => isOf(column, part));
  if (at < 0) parts.push(condition);
  else parts[at] = condition;
  return parts.filter((part, index) => index <= at || at < 0 || !isOf(column, part)).join(" AND ");
}

/** Whether the filter holds this condition. */
export const has = (filter, condition) => conjuncts(filter)?.includes(condition) ?? false;
