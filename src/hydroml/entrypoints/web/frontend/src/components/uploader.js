// Bringing files in: drop, choose or paste them; they go up in pieces with progress, pause and resume, and what an earlier visit left
// unfinished is offered again. What they mean is asked afterwards, on the page of the import.
import { asProblem } from "../lib/api.js";
import { ACCEPT, MOST_FILES, dropped, isData, keepHead, pasted } from "../lib/files.js";
import { bytes, count, plural, seconds } from "../lib/format.js";
import { discard, limits, transfer, unfinished } from "../lib/tus.js";
import { ask, toast, toastError } from "../lib/ui.js";

const CHUNK = 8 * 1024 * 1024;
const changedKey = (id) => `hydroml.upload.${id}`; // when the chosen file was last changed, to know it again

const WORDS = { waiting: "waiting for the one before", paused: "paused", done: "uploaded", failed: "failed" };

/** `onUploaded(ids)` is called once all files of a batch are on the server. */
export function uploader(onUploaded) {
  const transfers = new Map(); // not reactive: files and requests must not be wrapped in proxies
  const held = new Map();
  let next = 1;
  return {
    accept: ACCEPT,
    over: false,
    limit: null,
    files: [],
    left: [],
    async startUploader() {
      addEventListener("dragover", (event) => event.preventDefault()); // a file dropped beside the zone must not replace the page
      addEventListener("drop", (event) => event.preventDefault());
      document.addEventListener("paste", (event) => {
        const found = pasted(event);
        if (found.length) this.take(found);
      });
      addEventListener("beforeunload", (event) => this.isSending && event.preventDefault());
      const [known, mine] = await Promise.allSettled([limits(), unfinished()]);
      if (known.status === "fulfilled") this.limit = known.value;
      if (mine.status === "fulfilled") this.left = mine.value.items.filter((one) => !this.files.some(({ id }) => id === one.id));
    },
    choose() {
      this.$refs.file.click();
    },
    chooseFolder() {
      this.$refs.folder.click();
    },
    chosen(event) {
      this.take([...event.target.files].filter((file) => !file.webkitRelativePath || isData(file.webkitRelativePath)));
      event.target.value = "";
    },
    async drop(event) {
      this.over = false;
      this.take(await dropped(event.dataTransfer));
    },
    leave(event) {
      if (!this.$refs.drop.contains(event.relatedTarget)) this.over = false;
    },
    take(given) {
      if (!given.length) return toast("There is no file in it that can be a table.", { tone: "warning" });
      if (given.length > MOST_FILES) return toast(`At most ${MOST_FILES} files at once; a zip of them can hold more.`, { tone: "warning" });
      for (const file of given) this.add(file);
      return this.goOn();
    },
    add(file) {
      const known = this.left.find((one) => this.isSame(one, file));
      const item = { key: next++, id: known?.id ?? "", name: file.name, size: file.size, sent: known?.received ?? 0, rate: 0, wait: 0, state: "waiting", problem: "" };
      if (known) this.left = this.left.filter((one) => one !== known);
      if (file.size === 0) this.refuse(item, "The file is empty: 0 bytes.");
      else if (this.limit && file.size > this.limit.max_bytes) this.refuse(item, `It has ${bytes(file.size)}; this server takes files of up to ${bytes(this.limit.max_bytes)}.`);
      held.set(item.key, file);
      this.files.push(item);
    },
    /** An upload of an earlier visit is this file's when name, size and last change are the same. */
    isSame(one, file) {
      const changed = localStorage.getItem(changedKey(one.id));
      return !one.complete && one.filename === file.name && one.bytes === file.size && (changed === null || Number(changed) === file.lastModified);
    },
    refuse(item, problem) {
      Object.assign(item, { state: "failed", problem });
    },
    /** One after another: they share one line to the server, and the first is ready sooner. */
    async goOn() {
      if (this.files.some(({ state }) => state === "sending")) return;
      const item = this.files.find(({ state }) => state === "waiting");
      if (item) {
        await this.send(item);
        this.goOn();
      } else if (this.files.length && this.files.every(({ state }) => state === "done")) this.finish();
    },
    async send(item) {
      const file = held.get(item.key);
      let from = null;
      const moving = transfers.get(item.key) ?? transfer(file, {
        id: item.id,
        chunk: this.limit?.chunk_bytes || CHUNK,
        onId: (id) => {
          item.id = id;
          localStorage.setItem(changedKey(id), file.lastModified);
        },
        onProgress: (sent) => {
          const now = Date.now();
          if (!from || sent < from.sent) from = { sent, now };
          else if (now - from.now > 700) {
            const rate = (1000 * (sent - from.sent)) / (now - from.now);
            item.rate = item.rate ? 0.6 * item.rate + 0.4 * rate : rate;
            from = { sent, now };
          }
          item.sent = sent;
        },
        onWait: (wait) => {
          item.wait = wait;
          from = null;
        },
      });
      transfers.set(item.key, moving);
      Object.assign(item, { state: "sending", problem: "", rate: 0, wait: 0 });
      try {
        await moving.start();
        await keepHead(item.id, file);
        Object.assign(item, { state: "done", sent: item.size });
      } catch (error) {
        if (error.name === "AbortError") item.state = "paused";
        else this.stopped(item, asProblem(error));
      }
    },
    stopped(item, problem) {
      transfers.delete(item.key);
      if (problem.status === 404 || problem.status === 410) item.id = ""; // it has expired: from the beginning
      this.refuse(item, problem.status === 404 || problem.status === 410 ? "The server no longer has the first part of it. Try again to send it from the beginning." : problem.detail || problem.title);
    },
    pause(item) {
      if (item.state === "waiting") item.state = "paused";
      else transfers.get(item.key)?.stop();
    },
    resume(item) {
      item.state = "waiting";
      this.goOn();
    },
    async remove(item) {
      const under = item.state === "sending";
      transfers.get(item.key)?.stop();
      this.files = this.files.filter((one) => one.key !== item.key);
      transfers.delete(item.key);
      held.delete(item.key);
      if (item.id) this.forget(item.id);
      if (under) await Promise.resolve();
      this.goOn();
    },
    async forget(id) {
      localStorage.removeItem(changedKey(id));
      try {
        await discard(id);
      } catch (error) {
        if (error.status !== 404) toastError(error, "Not discarded.");
      }
    },
    async discardLeft(one) {
      const yes = await ask({ title: `Discard “${one.filename}”?`, text: `The ${bytes(one.received)} that are on the server are deleted. The file on your machine stays.`, yes: "Discard", danger: true });
      if (!yes) return;
      this.left = this.left.filter(({ id }) => id !== one.id);
      this.forget(one.id);
    },
    importLeft(one) {
      onUploaded.call(this, [one.id]);
    },
    importDone() {
      this.finish();
    },
    finish() {
      const ready = this.files.filter(({ state }) => state === "done");
      for (const { id } of ready) localStorage.removeItem(changedKey(id));
      this.files = this.files.filter(({ state }) => state !== "done");
      onUploaded.call(this, ready.map(({ id }) => id));
    },
    get isSending() {
      return this.files.some(({ state }) => state === "sending");
    },
    get doneCount() {
      return this.files.filter(({ state }) => state === "done").length;
    },
    /** Some are here and the rest does not move: one may go on with those. */
    get canImportDone() {
      return this.doneCount > 0 && !this.files.some(({ state }) => state === "sending" || state === "waiting");
    },
    get importDoneLabel() {
      return `Import ${this.doneCount === 1 ? "the one that is" : `the ${count(this.doneCount)} that are`} uploaded`;
    },
    get uploadSummary() {
      const size = this.files.reduce((sum, item) => sum + item.size, 0);
      const sent = this.files.reduce((sum, item) => sum + item.sent, 0);
      return `${bytes(sent)} of ${bytes(size)}`;
    },
    get limitText() {
      return this.limit ? `Up to ${bytes(this.limit.max_bytes)} a file.` : "";
    },
    percentOf(item) {
      return item.size ? Math.floor((100 * item.sent) / item.size) : 0;
    },
    barOf(item) {
      return { failed: "is-danger", paused: "is-quiet", waiting: "is-quiet" }[item.state] ?? (item.wait ? "is-warning" : "");
    },
    lineOf(item) {
      if (item.state === "failed") return item.problem;
      const sent = `${bytes(item.sent)} of ${bytes(item.size)}`;
      if (item.state !== "sending") return `${sent}, ${WORDS[item.state]}`;
      if (item.wait) return `${sent}, no connection: next try in ${item.wait} s`;
      if (item.sent >= item.size) return `${sent}, being checked`;
      return item.rate ? `${sent}, ${bytes(item.rate)}/s, about ${seconds(Math.max(1, (item.size - item.sent) / item.rate))} left` : sent;
    },
    leftLine(one) {
      return one.complete ? `${bytes(one.bytes)}, uploaded and not imported yet` : `${bytes(one.received)} of ${bytes(one.bytes)} are here`;
    },
    get leftTitle() {
      return `${plural(this.left.length, "upload")} from earlier; to go on with an unfinished one, choose the same file again.`;
    },
  };
}
