// The desk's page: the stream of changes, clicks and keys. What it shows is rendered by the server.
import { act, addEntry, closeChat, current, follow, openChat, openDialog, showEntry, toEnd } from "./chat.js";
import * as composer from "./composer.js";
import * as customer from "./customer.js";
import "./live.js";
import "./leave.js";
import { applyBoard, mark, move, noteMessage, rows } from "./lists.js";
import { ask, attempt, signInAgain } from "./net.js";
import { showTimes } from "./times.js";

const desk = document.getElementById("desk"), connection = document.getElementById("connection");
const me = document.body.dataset.agent;
const isTyping = (target) => target.matches?.("input, textarea, select");
let stream = null, quiet = null;

// -- the stream

function showConnection(state, words) {
  connection.dataset.state = state;
  connection.querySelector("span").textContent = words;
}

document.addEventListener("desk:chat", () => customer.showCustomer());

function connect() {
  stream?.close();
  stream = new EventSource("/desk/events");
  stream.onopen = () => showConnection("live", "Live");
  stream.addEventListener("board", ({ data }) => {
    const board = JSON.parse(data);
    applyBoard(board, current, openChat);
    follow(board.chats, me);
    document.dispatchEvent(new CustomEvent("desk:board", { detail: board }));
  });
  stream.addEventListener("entry", ({ data }) => {
    const entry = JSON.parse(data);
    addEntry(entry);
    if (entry.customers) noteMessage(entry.conversation, current, openChat);
  });
  stream.addEventListener("signed-out", () => { stream.close(); signInAgain(); });
  stream.onerror = () => {
    showConnection("lost", "Connection lost, trying again");
    if (stream.readyState !== EventSource.CLOSED) return;
    clearTimeout(quiet);
    quiet = setTimeout(comeBack, 2000);
  };
}

// A stream that the server refused: either the sign-in has run out, which this finds out, or the server is away.
async function comeBack() {
  try {
    await ask("/desk/search?q=");
    connect();
  } catch {
    quiet = setTimeout(comeBack, 2000);
  }
}

document.addEventListener("desk:signed-in", connect);
document.addEventListener("visibilitychange", () => mark(current));

// -- clicks

const ACTS = {
  claim: (button) => act("claim", button.dataset.of),
  "pass-by": (button) => act("pass-by", button.dataset.of),
  use: () => composer.useSuggestion(),
  dismiss: () => composer.dismiss(),
  insert: (button) => composer.insert(button.dataset.text),
  lists: () => closeChat(),
  ticket: (button) => customer.showTicket(button),
  "look-again": () => customer.showCustomer(),
  "tool-close": () => customer.closeTool(),
  "tool-back": () => customer.backToForm(),
};

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest?.(selector);
  let found;
  if ((found = at("button[data-act]"))) ACTS[found.dataset.act]?.(found);
  else if ((found = at(".open[data-chat]"))) openChat(found.dataset.chat);
  else if ((found = at("button[data-tool]"))) customer.openTool({ ...found.dataset });
  else if ((found = at("[data-dialog]"))) openDialog(found.dataset.dialog);
  else if ((found = at("a[data-entry]"))) { event.preventDefault(); desk.classList.remove("with-side"); showEntry(found.dataset.entry); }
  else if ((found = at(".states [data-state], .off-duty [data-state]"))) setState(found.dataset.state);
  else if ((found = at("[data-mode]"))) composer.setMode(found.dataset.mode);
  else if ((found = at("[role=tab]"))) showTab(found.id);
  else if ((found = at("#canned-list li"))) composer.pick(found);
  else if (at("#canned")) composer.toggleCanned();
  else if (at("#suggest")) composer.suggest(true);
  else if (at("#show-side")) desk.classList.toggle("with-side");
  else if (at("#hide-side")) desk.classList.remove("with-side");
  else if (at("#keys")) document.getElementById("shortcuts").showModal();
  else if (at("#newer")) toEnd();
});

function setState(state) {
  attempt(() => ask("/desk/state", { state }));
}

function showTab(id) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.setAttribute("aria-selected", String(tab.id === id));
    document.getElementById(tab.getAttribute("aria-controls")).hidden = tab.id !== id;
  }
}

// -- searching the articles

let searching = null;
const words = document.getElementById("words");
const search = async () => {
  const asked = words.value, told = await attempt(() => ask(`/desk/search?q=${encodeURIComponent(asked)}`));
  if (told && asked === words.value) document.getElementById("found").innerHTML = told.html;
};
words.addEventListener("input", () => { clearTimeout(searching); searching = setTimeout(search, 250); });
document.getElementById("search").addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(searching); search(); });

function openSearch() {
  desk.classList.add("with-side");
  showTab("tab-articles");
  words.focus();
  words.select();
}

// -- keys

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  "/": openSearch,
  "?": () => document.getElementById("shortcuts").showModal(),
  r: () => composer.setMode("say"),
  n: () => composer.setMode("note"),
  s: () => composer.useSuggestion(),
  h: () => openDialog("hand-back"),
  p: () => openDialog("pass-on"),
  c: () => openDialog("close"),
};

document.addEventListener("input", ({ target }) => { if (target.id === "text") composer.noteTyping(); });

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (composer.cannedKey(event)) return;
  if (event.target.id === "text") return typing(event);
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") return leave(event);
  if (isTyping(event.target)) return;
  const key = KEYS[event.key];
  if (key) { event.preventDefault(); key(); }
});

function typing(event) {
  if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); composer.send(); }
  else if (event.key === "/" && !event.target.value) { event.preventDefault(); composer.toggleCanned(true); }
  else if (event.key === "Escape") leave(event);
}

function leave(event) {
  desk.classList.remove("with-side");
  if (isTyping(event.target)) event.target.blur();
  (rows().find((row) => row.dataset.chat === current) ?? rows()[0] ?? document.getElementById("chat")).focus();
}

showTimes();
connect();
