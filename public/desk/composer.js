// The box that an agent writes in: a draft for each chat, replies and notes, canned and suggested replies.
import { ask, attempt, newId } from "./net.js";

const TYPING_MILLISECONDS = 2500;
let typed = 0, suggestion = null;
const form = () => document.getElementById("composer");
export const box = () => document.getElementById("text");
const key = (chat, mode) => `desk-${mode}-${chat}`;
export const modeNow = () => document.querySelector('.modes [data-mode][aria-checked="true"]')?.dataset.mode ?? "say";

export function restore() {
  if (!form()) return;
  const chat = form().dataset.chat;
  box().value = sessionStorage.getItem(key(chat, modeNow())) ?? "";
}

export function keep() {
  sessionStorage.setItem(key(form().dataset.chat, modeNow()), box().value);
}

export function setMode(mode) {
  if (!form() || mode === modeNow()) return box()?.focus();
  keep();
  for (const button of form().querySelectorAll("[data-mode]")) button.setAttribute("aria-checked", String(button.dataset.mode === mode));
  form().classList.toggle("noting", mode === "note");
  box().placeholder = mode === "note" ? "Write a note for colleagues; the customer never sees it…" : "Write to the customer…";
  document.getElementById("send").textContent = mode === "note" ? "Keep note" : "Send";
  restore();
  box().focus();
}

// The same words keep their id until they are sent, so that a second try cannot send them twice.
function idFor(chat, mode, text) {
  const kept = JSON.parse(sessionStorage.getItem(`${key(chat, mode)}-id`) ?? "null");
  if (kept?.text === text) return kept.id;
  const id = newId();
  sessionStorage.setItem(`${key(chat, mode)}-id`, JSON.stringify({ text, id }));
  return id;
}

export async function send() {
  const mode = modeNow(), chat = form().dataset.chat, text = box().value;
  if (!text.trim()) return;
  const button = document.getElementById("send");
  button.disabled = true;
  const cited = suggestion && suggestion.chat === chat && mode === "say" && text.includes("[1]") ? suggestion.citations : [];
  const done = await attempt(() => ask(`/desk/chats/${encodeURIComponent(chat)}/${mode}`, { text, id: idFor(chat, mode, text), citations: cited }));
  button.disabled = false;
  if (!done) return;
  sessionStorage.removeItem(key(chat, mode));
  sessionStorage.removeItem(`${key(chat, mode)}-id`);
  if (form()?.dataset.chat === chat && modeNow() === mode && box().value === text) box().value = "";
  if (mode === "say") dismiss();
  else setMode("say");
}

export function insert(text) {
  if (!form()) return;
  setMode("say");
  box().setRangeText(text, box().selectionStart, box().selectionEnd, "end");
  keep();
  box().focus();
}

export function noteTyping() {
  keep();
  if (modeNow() !== "say" || Date.now() - typed < TYPING_MILLISECONDS || !box().value.trim()) return;
  typed = Date.now();
  ask(`/desk/chats/${encodeURIComponent(form().dataset.chat)}/typing`, {}).catch(() => {});
}

// -- canned replies

export function toggleCanned(open) {
  const list = document.getElementById("canned-list");
  if (!list) return;
  list.hidden = !(open ?? list.hidden);
  document.getElementById("canned").setAttribute("aria-expanded", String(!list.hidden));
  if (!list.hidden) list.querySelector("li")?.focus();
}

export function cannedKey(event) {
  const option = event.target.closest("#canned-list li");
  if (!option) return false;
  const step = { ArrowDown: "nextElementSibling", j: "nextElementSibling", ArrowUp: "previousElementSibling", k: "previousElementSibling" }[event.key];
  if (step) option[step]?.focus();
  else if (event.key === "Enter" || event.key === " ") pick(option);
  else if (event.key === "Escape") { toggleCanned(false); box().focus(); }
  else return false;
  event.preventDefault();
  return true;
}

export function pick(option) {
  toggleCanned(false);
  insert(option.dataset.text);
}

// -- suggested replies

export async function suggest(asked) {
  const chat = form()?.dataset.chat;
  if (!chat || (!asked && box().value)) return;
  const fetching = () => ask(`/desk/chats/${encodeURIComponent(chat)}/suggestion`);
  const found = await (asked ? attempt(fetching) : fetching().catch(() => null));
  if (!found || form()?.dataset.chat !== chat || (!asked && !found.text)) return;
  suggestion = { ...found, chat };
  document.getElementById("suggestion").innerHTML = found.html;
  document.getElementById("suggestion").hidden = false;
}

export function useSuggestion() {
  if (!suggestion?.text || suggestion.chat !== form()?.dataset.chat) return;
  setMode("say");
  box().value = suggestion.text;
  keep();
  document.getElementById("suggestion").hidden = true;
  box().focus();
}

export function dismiss() {
  const panel = document.getElementById("suggestion");
  if (panel) panel.hidden = true;
}
