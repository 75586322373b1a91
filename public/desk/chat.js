// The chat that is open: its entries in order without gap or repeat, and what may be done in it.
import * as composer from "./composer.js";
import { mark } from "./lists.js";
import { ask, attempt, say } from "./net.js";
import { showTimes } from "./times.js";

const NEAR_PIXELS = 60, LIVE_MILLISECONDS = 3000;
let isAtEnd = true, lastTop = 0;
const main = document.getElementById("chat"), packet = document.getElementById("packet"), desk = document.getElementById("desk");
export let current = null;
let seq = 0, held = "", catchingUp = null, wanted = null, isOpening = false, boardMeanwhile = null;
const log = () => document.getElementById("log");
const path = (id, rest = "") => `/desk/chats/${encodeURIComponent(id)}${rest}`;

export async function openChat(id, { focus = true } = {}) {
  const mine = wanted = {};
  isOpening = true;
  const told = await attempt(() => ask(path(id))).finally(() => { if (mine === wanted) isOpening = false; });
  if (!told || mine !== wanted) return;  // by now another chat is asked for
  current = id;
  seq = told.seq;
  main.innerHTML = told.html;
  packet.innerHTML = told.packet;
  desk.classList.add("with-chat");
  held = heldNow();
  composer.restore();
  showTimes(main);
  showTimes(packet);
  mark(current);
  isAtEnd = true;
  watched.disconnect();
  watched.observe(log());
  toEnd();
  document.dispatchEvent(new Event("desk:chat"));
  if (focus) (composer.box() ?? main.querySelector(".acts .primary") ?? main).focus();
  composer.suggest(false);
  if (boardMeanwhile) follow(...boardMeanwhile);
}

// Whoever reads the latest stays there, whatever opens below; whoever reads further up is left in peace.
const watched = new ResizeObserver(() => { if (isAtEnd) toEnd(); });

export function toEnd() {
  log().scrollTop = log().scrollHeight;
}

main.addEventListener("scroll", ({ target }) => {
  if (target.id !== "log") return;
  const isUpwards = target.scrollTop < lastTop - 1;
  lastTop = target.scrollTop;
  if (target.scrollHeight - target.scrollTop - target.clientHeight < NEAR_PIXELS) isAtEnd = true;
  else if (isUpwards) isAtEnd = false;  // a log that shrank is not somebody scrolling
  if (isAtEnd) document.getElementById("newer").hidden = true;
}, true);

// A chat that the assistant has is in neither list: it is read again while somebody looks at it.
const holderShown = () => main.querySelector(".head")?.dataset.holder;
const isLive = () => holderShown() === "bot";
setInterval(() => { if (current && isLive() && !document.hidden) catchUp(); }, LIVE_MILLISECONDS);

const heldNow = () => main.querySelector("#composer") ? "mine" : "other";

export function closeChat() {
  desk.classList.remove("with-chat");
}

// The lists say where each chat stands: read what is missing, and build the chat anew when it changed hands.
export async function follow(chats, me) {
  boardMeanwhile = isOpening ? [chats, me] : null;
  if (!current || isOpening) return;
  const stands = chats[current];
  if (stands && stands[0] < seq) return;  // the lists are older than the chat, and would build it anew under the agent's hands
  if (!stands && isLive()) return catchUp();
  const now = stands && stands[1] === "agent" && stands[2] === me ? "mine" : "other";
  if (now !== held || (stands && stands[1] !== holderShown()) || (!stands && main.querySelector(".acts .primary"))) {
    held = now;
    const focus = main.contains(document.activeElement);
    if (composer.box()) composer.keep();
    await openChat(current, { focus });
  } else if (stands) {
    await reach(stands[0]);
  }
}

export async function addEntry(entry) {
  if (entry.conversation !== current || entry.seq <= seq) return;
  if (entry.seq > seq + 1) return reach(entry.seq);
  append(entry);
}

// What is being read already may have been asked for too early: then it is read once more.
async function reach(place) {
  for (let tries = 0; tries < 2 && place > seq; tries += 1) await catchUp();
}

async function catchUp() {
  catchingUp ??= (async () => {
    const id = current;
    const missing = await ask(path(id, `/entries?after=${seq}`)).catch(() => []);
    catchingUp = null;
    if (id === current) missing.filter((entry) => entry.seq > seq).forEach(append);
  })();
  return catchingUp;
}

function append(entry) {
  seq = entry.seq;
  if (!entry.html.trim()) return;
  const list = log();
  list.insertAdjacentHTML("beforeend", entry.html);
  showTimes(list);
  if (isAtEnd) toEnd();
  else document.getElementById("newer").hidden = false;
  if (entry.customers) {
    composer.suggest(false);
    refreshPacket();
  }
}

async function refreshPacket() {
  const id = current;
  const told = await ask(path(id, "/packet")).catch(() => null);
  if (!told || id !== current) return;
  packet.innerHTML = told.packet;
  showTimes(packet);
}

export function showEntry(number) {
  const entry = document.getElementById(`entry-${number}`);
  if (!entry) return;
  entry.scrollIntoView({ block: "center" });
  entry.classList.remove("seen");
  entry.focus({ preventScroll: true });
  requestAnimationFrame(() => entry.classList.add("seen"));
}

export async function act(name, id, fields = {}) {
  const done = await attempt(() => ask(path(id, `/${name}`), fields));
  if (!done) return false;
  if (name === "claim") { await openChat(id); say("The chat is yours."); }
  else if (name !== "pass-by" && id === current) { held = ""; await openChat(id, { focus: false }); main.focus(); }
  return true;
}

export function openDialog(name) {
  main.querySelector(`dialog[data-for="${name}"]`)?.showModal();
}

main.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id === "composer") { event.preventDefault(); composer.send(); return; }
  if (!form.dataset.act || event.submitter?.value !== "do") return;
  event.preventDefault();
  act(form.dataset.act, current, Object.fromEntries(new FormData(form))).then((done) => done && form.closest("dialog")?.close());
});
