// The two lists: what the server says they show, where the keyboard is in them, and what is new.
import { badge, chime, tell } from "./alerts.js";
import { say } from "./net.js";
import { showTimes } from "./times.js";

const queue = document.getElementById("queue"), mine = document.getElementById("mine");
const unread = new Set();
let known = null, offeredBefore = new Set(), waiting = [];
export let chats = {};

export const rows = () => [...document.querySelectorAll(".lists .open")];

export function applyBoard(board, current, open) {
  const focused = document.activeElement?.closest?.(".lists [data-chat], .lists [data-of]");
  const place = focused && { id: focused.dataset.chat ?? focused.dataset.of, act: focused.dataset.act };
  sync(queue, board.queue);
  sync(mine, board.mine);
  document.getElementById("load").textContent = board.load;
  document.getElementById("waiting").textContent = board.waiting.length;
  for (const button of document.querySelectorAll(".states [data-state]")) {
    button.setAttribute("aria-checked", String(button.dataset.state === board.state));
  }
  const offDuty = document.getElementById("off-duty");
  offDuty.hidden = board.state === "available";
  offDuty.querySelector("span").textContent = board.state === "busy" ? "You are busy: no new chats are offered to you." : "You are away: no chats are offered to you.";
  if (place) {
    const selector = place.act ? `[data-of="${CSS.escape(place.id)}"]` : `[data-chat="${CSS.escape(place.id)}"]`;
    document.querySelector(`.lists ${selector}`)?.focus({ preventScroll: true });
  }
  chats = board.chats;
  waiting = board.waiting;
  for (const id of unread) if (!(id in chats)) unread.delete(id);
  announce(board, open);
  mark(current);
  showTimes(document.querySelector(".lists"));
}

// Only rows that changed come along (null: as it was) and are built anew, so that nothing moves under a click.
function sync(list, wanted) {
  const before = new Map([...list.children].map((item) => [item.querySelector("[data-chat]").dataset.chat, item]));
  let place = list.firstElementChild;
  for (const [id, html] of wanted) {
    let item = before.get(id);
    before.delete(id);
    if (html !== null && item?.shown !== html) {
      const fresh = parse(html);
      fresh.shown = html;
      if (item) item.replaceWith(fresh);
      if (item === place) place = fresh;
      item = fresh;
    }
    if (item === place) place = place.nextElementSibling;
    else list.insertBefore(item, place);
  }
  for (const gone of before.values()) gone.remove();
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.firstElementChild;
}

function announce(board, open) {
  const fresh = known ? board.waiting.filter((id) => !known.has(id)) : [];
  const offers = board.offered.filter((id) => !offeredBefore.has(id));
  known = new Set(board.waiting);
  offeredBefore = new Set(board.offered);
  const [id] = offers.length ? offers : fresh;
  if (!id) return;
  const row = document.querySelector(`[data-chat="${CSS.escape(id)}"]`);
  const words = `${offers.length ? "A chat is offered to you" : "New in the queue"}: ${row?.querySelector(".reason")?.textContent ?? ""}`;
  say(words);
  chime(row?.closest(".urgent") ? [880, 880, 1175] : [660, 880]);
  tell(words, row?.querySelector(".preview")?.textContent ?? "", () => open(id));
}

export function noteMessage(id, current, open) {
  chime([520]);
  if (id === current && !document.hidden) return;
  unread.add(id);
  tell("A customer has written", "", () => open(id));
  mark(current);
}

export function mark(current) {
  if (!document.hidden) unread.delete(current);
  for (const button of rows()) {
    button.setAttribute("aria-current", String(button.dataset.chat === current));
    button.closest(".row").classList.toggle("current", button.dataset.chat === current);
    button.querySelector("[data-unread]").hidden = !unread.has(button.dataset.chat);
  }
  badge(unread.size + waiting.length);
}

export function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const from = at >= 0 ? at : all.findIndex((row) => row.getAttribute("aria-current") === "true");
  all[Math.max(0, Math.min(all.length - 1, from + step))].focus();
}
