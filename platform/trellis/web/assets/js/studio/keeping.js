// A file's text is kept on the server with every pause in typing; without a connection or a session, in this browser until it comes back.
import { signedOut } from "../connection.js";
import { request } from "../lib/http.js";

const PAUSE = 500;
const AGAIN = 5000;

export class Keeper {
  constructor(form, read, write, show) {
    Object.assign(this, { form, read, write, show, version: Number(form.dataset.version), kept: null, timer: 0, busy: false, again: false });
    this.key = `trellis:studio:${form.dataset.key}:${form.dataset.path}`;
    this.note = document.querySelector("[data-saved]");
    this.clash = form.parentElement.querySelector("[data-clash]");
  }

  /** Look for what an earlier visit could not bring to the server. */
  begin() {
    this.kept = this.read();
    let left = null;
    try {
      left = JSON.parse(localStorage.getItem(this.key) ?? "null");
    } catch { /* forbidden: then there is nothing */ }
    addEventListener("online", () => this.pending && this.keep(true));
    addEventListener("focus", () => this.pending && this.keep(true));
    addEventListener("beforeunload", (event) => this.pending && !this.stored && event.preventDefault());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.pending && this.keep(true));
    if (left && left.text !== this.kept) {
      const from = left.version;
      this.write(left.text);
      this.version = from;
      this.say(this.form.dataset.sayRestored);
      this.keep(true);
    } else this.forget();
  }

  get pending() {
    return this.kept !== null && this.read() !== this.kept;
  }

  changed() {
    if (this.kept === null) return;
    this.say(this.form.dataset.saySaving);
    this.store();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keep(), PAUSE);
  }

  store() {
    try {
      localStorage.setItem(this.key, JSON.stringify({ text: this.read(), version: this.version, at: Date.now() }));
      this.stored = true;
    } catch {
      this.stored = false;
    }
  }

  forget() {
    localStorage.removeItem(this.key);
  }

  say(words) {
    if (this.note) this.note.textContent = words;
  }

  /** Bring the text to the server; one request at a time, the latest text last. */
  async keep(now = false) {
    clearTimeout(this.timer);
    if (this.busy) return void (this.again = true);
    if (!this.clash.hidden) return;
    const text = this.read();
    if (text === this.kept && !now) return this.say(this.form.dataset.saySaved);
    this.busy = true;
    try {
      const answer = await request(this.form.action, { method: "POST", body: { path: this.form.dataset.path, text, version: this.version } });
      const type = answer.headers.get("Content-Type") ?? "";
      const said = type.includes("json") ? await answer.json() : null;
      if (answer.ok && said) this.done(text, said);
      else if (answer.status === 409 && said) this.ask(said);
      else if (answer.status === 422 && said) this.say(said.message);
      else {
        this.say(this.form.dataset.sayOffline);
        if (answer.status === 401 || answer.redirected) signedOut();
        else this.timer = setTimeout(() => this.keep(), AGAIN);
      }
    } catch {
      this.say(this.form.dataset.sayOffline);
      this.timer = setTimeout(() => this.keep(), AGAIN);
    } finally {
      this.busy = false;
      if (this.again) {
        this.again = false;
        this.keep();
      }
    }
  }

  done(text, said) {
    this.version = said.version;
    this.kept = text;
    if (this.read() === text) this.forget();
    this.form.querySelector("[name=version]").value = said.version;
    this.say(said.is_changed ? this.form.dataset.saySaved : this.form.dataset.sayLive);
    if (said.is_busy) this.timer = setTimeout(() => this.keep(true), AGAIN); // kept, and to be checked when there is time
    else this.show(said);
  }

  /** Another window was faster: the person says which text counts; neither is lost before that. */
  ask(said) {
    const { clash } = this;
    clash.querySelector("[data-clash-text]").textContent = said.message;
    clash.hidden = false;
    clash.querySelector("[data-clash-theirs]").onclick = () => {
      clash.hidden = true;
      this.forget();
      if (said.text === null) return location.reload();
      this.version = said.version;
      this.kept = said.text;
      this.write(said.text);
      this.keep(true);
    };
    clash.querySelector("[data-clash-mine]").onclick = () => {
      clash.hidden = true;
      this.version = said.version;
      this.keep(true);
    };
    clash.querySelector("[data-clash-mine]").focus();
  }
}
