// What is known of the customer, and what is done for them: filled in, shown in words, confirmed, done once.
import { current } from "./chat.js";
import * as composer from "./composer.js";
import { ask, attempt, newId, say, toast } from "./net.js";
import { showTimes } from "./times.js";

const panel = document.getElementById("customer"), dialog = document.getElementById("tool");
const path = (rest) => `/desk/chats/${encodeURIComponent(current)}/${rest}`;
let loading = "", request = null;

// A slow back office keeps nobody from the chat: the card comes by itself.
export async function showCustomer({ again = false } = {}) {
  if (!current) return;
  const chat = current;
  if (!again) panel.innerHTML = '<p class="quiet pad">Looking the customer up…</p>';
  loading = chat;
  const told = await ask(path("customer")).catch((problem) => ({ problem }));
  if (chat !== current || loading !== chat) return;
  if (told.problem) panel.innerHTML = '<p class="quiet pad">The customer could not be looked up. <button type="button" class="small" data-act="look-again">Try again</button></p>';
  else panel.innerHTML = told.html;
  showTimes(panel);
}

export async function showTicket(button) {
  const history = button.parentElement.querySelector(".history");
  const isOpen = history.hidden;
  button.setAttribute("aria-expanded", String(isOpen));
  history.hidden = !isOpen;
  if (!isOpen) return;
  const told = await attempt(() => ask(path(`ticket?number=${encodeURIComponent(button.dataset.number)}`)));
  if (!told) return;
  history.innerHTML = told.html;
  showTimes(history);
}

export async function openTool(fields) {
  const told = await attempt(() => ask(path(`form?${new URLSearchParams(fields)}`)));
  if (!told) return;
  dialog.innerHTML = told.html;
  request = { id: newId(), chat: current };
  if (!dialog.open) dialog.showModal();
}

export const closeTool = () => dialog.close();

dialog.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-again]")) return;
  const form = document.getElementById("tool-form");
  openTool({ tool: form.dataset.tool, line: form.line.value, kind: form.kind.value });
});

dialog.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target, button = form.querySelector(".primary");
  if (request?.chat !== current) return closeTool();
  button.disabled = true;
  if (form.id === "tool-form") await propose(form);
  else await confirm(form);
  button.disabled = false;
});

// What was filled in stays beneath, so that "Back" loses nothing; other words are another request.
async function propose(form) {
  request.id = newId();
  const fields = { tool: form.dataset.tool, arguments: Object.fromEntries(new FormData(form)), id: request.id };
  const told = await attempt(() => ask(path("propose"), fields));
  if (!told) return;
  form.hidden = true;
  const sure = document.createElement("form");
  sure.id = "sure";
  sure.innerHTML = '<h2>Do this for the customer?</h2><p class="proposed"></p><p class="quiet small">It is done at once, and noted in the chat under your name.</p><p class="buttons"><button type="button" data-act="tool-back">Back</button><button class="primary">Confirm</button></p>';
  sure.querySelector(".proposed").textContent = told.words.charAt(0).toUpperCase() + told.words.slice(1);
  sure.dataset.proposal = told.proposal;
  dialog.append(sure);
  sure.querySelector(".primary").focus();
}

export function backToForm() {
  document.getElementById("sure")?.remove();
  document.getElementById("tool-form").hidden = false;
}

async function confirm(form) {
  const done = await attempt(() => ask(path("confirm"), { proposal: form.dataset.proposal }));
  if (!done) return;
  closeTool();
  say(done.words);
  toast(done.words, { label: "Put into the reply", run: () => composer.insert(done.words) });
  showCustomer({ again: true });
}
