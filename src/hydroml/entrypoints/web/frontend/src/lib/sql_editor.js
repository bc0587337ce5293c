// The editor of the SQL page: CodeMirror with the tables' names, the allowed functions, and faults underlined where they are.
import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap, completionStatus, snippetCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { SQLDialect } from "@codemirror/lang-sql";
import { HighlightStyle, bracketMatching, indentOnInput, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { nonce } from "./dom.js";
import { placeIn } from "./places.js";
import { quoted, typeOf } from "./types.js";

const KEYWORDS = "all and anti as asc asof between by case cast cross desc distinct else end except exclude exists false first following from full group having ilike in inner intersect interval is join last left like limit not null nulls offset on or order outer over partition preceding qualify range right rows select semi then true try_cast unbounded union using when where with current row filter ignore";
const TYPES = "bigint boolean date double integer text timestamp varchar";

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--color-accent-ink)", fontWeight: "600" },
  { tag: tags.string, color: "var(--color-success-ink)" },
  { tag: tags.special(tags.string), color: "inherit" }, // a name in double quotes
  { tag: [tags.number, tags.bool, tags.null], color: "var(--color-warning-ink)" },
  { tag: [tags.lineComment, tags.blockComment], color: "var(--color-ink-subtle)", fontStyle: "italic" },
  { tag: [tags.standard(tags.name), tags.typeName], color: "var(--color-accent-strong)" },
]);
const look = EditorView.theme({
  "&": { color: "var(--color-ink)", backgroundColor: "var(--color-surface)", fontSize: "var(--text-sm)", height: "100%" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.25rem" },
  ".cm-content": { padding: ".5rem 0", caretColor: "var(--color-ink)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--color-ink)" },
  "&.cm-focused": { outline: "none" },
  ".cm-gutters": { backgroundColor: "var(--color-canvas)", color: "var(--color-ink-subtle)", borderRight: "1px solid var(--color-line)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--color-ink) 3%, transparent)" },
  "&.cm-focused .cm-selectionBackground, & .cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--color-accent) 24%, transparent)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--color-accent-soft)", outline: "1px solid var(--color-accent)" },
  ".cm-placeholder": { color: "var(--color-ink-subtle)" },
  ".cm-tooltip": { backgroundColor: "var(--color-raised)", color: "var(--color-ink)", border: "0", borderRadius: "var(--radius-md)", boxShadow: "var(--shadow-pop)", overflow: "hidden" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", fontSize: "var(--text-xs)", maxHeight: "15rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: ".1875rem .5rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--color-accent-soft)", color: "var(--color-accent-ink)" },
  ".cm-completionDetail": { color: "var(--color-ink-subtle)", fontFamily: "var(--font-sans)", fontStyle: "normal", marginLeft: ".75rem" },
  ".cm-completionInfo": { fontFamily: "var(--font-sans)", fontSize: "var(--text-xs)", padding: ".375rem .625rem", maxWidth: "20rem" },
  ".cm-diagnostic": { fontFamily: "var(--font-sans)", fontSize: "var(--text-xs)", padding: ".375rem .625rem" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--color-danger)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--color-danger)", textUnderlineOffset: "3px", textDecorationSkipInk: "none" },
});

/** What is completed: tables, the columns of those that are named, keywords and functions. */
const offers = (known) => (context) => {
  const inside = syntaxTree(context.state).resolveInner(context.pos, -1).name;
  if (/String|Comment/.test(inside) && inside !== "QuotedIdentifier") return null;
  const word = context.matchBefore(/"?[\w\u00c0-\uffff]*$/);
  const dotted = context.matchBefore(/("[^"]+"|[\w\u00c0-\uffff]+)\."?[\w\u00c0-\uffff]*$/);
  const text = context.state.doc.toString();
  const { tables, functions } = known();
  if (dotted) {
    const name = dotted.text.slice(0, dotted.text.lastIndexOf(".")).replaceAll('"', "").toLowerCase();
    const aliased = new RegExp(`("[^"]+"|[\\w\\u00c0-\\uffff]+)\\s+(?:as\\s+)?"?${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}"?(?![\\w"])`, "i").exec(text)?.[1].replaceAll('"', "").toLowerCase();
    const table = tables.find((one) => one.name.toLowerCase() === name) ?? tables.find((one) => one.name.toLowerCase() === aliased);
    return { from: dotted.from + dotted.text.lastIndexOf(".") + 1, options: columnsOf(table ? [table] : tables), validFor: /^"?[\w\u00c0-\uffff]*$/ };
  }
  if (!word || (word.from === word.to && !context.explicit)) return null;
  const lower = text.toLowerCase();
  const named = tables.filter(({ name }) => lower.includes(name.toLowerCase()));
  const options = [
    ...tables.map(({ name, rows }) => ({ label: name, apply: quoted(name), type: "class", detail: rows === null ? "this session's table" : `${rows.toLocaleString("en")} rows`, boost: 2 })),
    ...columnsOf(named.length ? named : tables),
    ...KEYWORDS.split(" ").map((word) => ({ label: word.toUpperCase(), type: "keyword" })),
    ...functions.map(({ name, signature, help }) => snippetCompletion(/\(\)$/.test(signature) ? `${name}()` : `${name}(\${})`, { label: name, detail: signature.slice(name.length), info: help, type: "function", boost: -1 })),
  ];
  return { from: word.from, options, validFor: /^"?[\w\u00c0-\uffff]*$/ };
};
const columnsOf = (tables) => {
  const seen = new Set();
  return tables.flatMap(({ name: table, columns }) => columns.filter(({ name }) => !seen.has(name) && seen.add(name)).map(({ name, type }) => ({ label: name, apply: quoted(name), type: "property", detail: `${typeOf(type).label}, ${table}`, boost: 1 })));
};

/** `known()` answers `{tables, functions}`; `onChange` hears of what is typed, `onRun` of Ctrl+Enter, `onLeave` of Esc. */
export function createEditor(mount, { text, known, onChange, onRun, onLeave }) {
  const language = new Compartment();
  const dialect = () => SQLDialect.define({ keywords: KEYWORDS, types: TYPES, builtin: known().functions.map(({ name }) => name).join(" "), doubleQuotedStrings: false, identifierQuotes: '"' }).language;
  const completions = [{ autocomplete: offers(known) }]; // the same object each time, or it would be asked again and again
  const view = new EditorView({
    parent: mount,
    state: EditorState.create({
      doc: text,
      extensions: [
        EditorView.cspNonce.of(nonce()), lineNumbers(), history(), drawSelection(), indentOnInput(), bracketMatching(), closeBrackets(), highlightActiveLine(), syntaxHighlighting(colours), look,
        placeholder("SELECT … FROM …"), EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "Query", "aria-describedby": "sql-keys", spellcheck: "false", autocapitalize: "off" }),
        language.of(dialect()),
        EditorState.languageData.of(() => completions),
        autocompletion({ icons: false, maxRenderedOptions: 60 }),
        Prec.highest(keymap.of([
          { key: "Mod-Enter", run: () => (onRun(), true) },
          { key: "Tab", run: acceptCompletion },
          { key: "Escape", run: (editor) => (completionStatus(editor.state) ? closeCompletion(editor) : (onLeave(), true)) },
        ])),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...lintKeymap, ...defaultKeymap]),
        EditorView.updateListener.of((update) => update.docChanged && onChange(update.state.doc.toString())),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    setText(next) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: next.length } });
      view.focus();
    },
    /** Puts a name where the cursor is, with blanks around it where it would touch a word. */
    insert(name) {
      const { from, to } = view.state.selection.main;
      const before = view.state.sliceDoc(Math.max(0, from - 1), from);
      const put = `${/[\w")]/.test(before) ? " " : ""}${name}`;
      view.dispatch({ changes: { from, to, insert: put }, selection: { anchor: from + put.length }, scrollIntoView: true });
      view.focus();
    },
    /** Underlines the faults `{msg, at}`; one without a place is told elsewhere. */
    mark(faults) {
      const found = this.text;
      const marks = faults.filter(({ at }) => at).map(({ at, msg }) => ({ ...placeIn(found, at), msg })).map(({ start, end, msg }) => ({ from: Math.min(start, found.length), to: Math.min(Math.max(end, start), found.length), severity: "error", message: msg }));
      view.dispatch(setDiagnostics(view.state, marks));
      if (marks.length) view.dispatch({ effects: EditorView.scrollIntoView(marks[0].from, { y: "nearest" }) });
    },
    /** The functions have come, or the tables have changed. */
    refresh: () => view.dispatch({ effects: language.reconfigure(dialect()) }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
