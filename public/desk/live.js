// The chats that the assistant has: listed while somebody wants to see them, to read along or to take over.
import { ask } from "./net.js";
import { showTimes } from "./times.js";

const EVERY_MILLISECONDS = 4000;
const button = document.getElementById("show-live"), list = document.getElementById("with-bot");
const count = document.getElementById("live-count");
let timer = null, shown = "";

async function look() {
  clearTimeout(timer);
  if (list.hidden) return;
  const told = document.hidden ? null : await ask("/desk/live").catch(() => null);
  if (told && told.html !== shown) {
    const at = document.activeElement?.closest?.("#with-bot [data-chat]")?.dataset.chat;
    list.innerHTML = shown = told.html;
    if (at) list.querySelector(`[data-chat="${CSS.escape(at)}"]`)?.focus({ preventScroll: true });
    count.textContent = told.count;
    count.hidden = false;
    showTimes(list);
  }
  timer = setTimeout(look, EVERY_MILLISECONDS);
}

// What people have by now, and stands in the lists above, is not the assistant's any more: it goes before the next look.
document.addEventListener("desk:board", ({ detail }) => {
  const gone = [...list.children].filter((row) => row.querySelector("[data-chat]").dataset.chat in detail.chats);
  if (!gone.length) return;
  for (const row of gone) row.remove();
  [shown, count.textContent] = ["", list.children.length];
});

button.addEventListener("click", () => {
  list.hidden = !list.hidden;
  button.setAttribute("aria-expanded", String(!list.hidden));
  look();
});
