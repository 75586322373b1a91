// The people in a customer's chat: who has it, who types, back to the assistant, leave, and how it was, also with the assistant.
// The server tells through window messages: {frontdesk: "people" | "typing", …}; what it tells is shown as text only.
const TYPING_MILLISECONDS = 4000, THANKING_MILLISECONDS = 5000, QUIET_MILLISECONDS = 60000;
let state = { holder: "bot", name: "", rate: null, over: false, conversation: "" };
let typing = "", typingTimer = 0, stars = 0, isThanking = false, isQuiet = false, quietTimer = 0;

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const bar = make("section", { id: "people", hidden: true });
bar.setAttribute("aria-label", "Who is in this chat");
const status = make("p", { className: "who" });
status.setAttribute("role", "status");
const acts = make("div", { className: "acts" });
bar.append(status, acts);

const rated = () => JSON.parse(sessionStorage.getItem("rated") ?? "[]");
const isRated = () => rated().includes(`${state.conversation}/${state.rate}`);
const setRated = () => sessionStorage.setItem("rated", JSON.stringify([...rated(), `${state.conversation}/${state.rate}`]));

async function post(act, fields = {}) {
  for (const button of bar.querySelectorAll("button")) button.disabled = true;
  const response = await fetch(`/conversation/${encodeURIComponent(state.conversation)}/${act}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields),
  }).catch(() => null);
  for (const button of bar.querySelectorAll("button")) button.disabled = false;
  if (response?.ok) return true;
  const told = await response?.json().catch(() => null);
  status.textContent = typeof told?.detail === "string" ? told.detail : "That could not be done right now. Please try again in a moment.";
  return false;
}

const button = (text, onclick, className = "") => make("button", { type: "button", textContent: text, onclick, className });

function showHolder() {
  const withPerson = state.holder === "agent" && !state.lost;
  status.replaceChildren(make("i", { className: withPerson ? "here" : state.closed ? "closed" : "waiting" }));
  if (typing) status.append(make("strong", { textContent: state.name || typing }), " is writing…");
  else if (withPerson) status.append("You are talking to ", make("strong", { textContent: state.name || "a colleague" }));
  else if (state.closed) status.append("A colleague answers here when they are back");
  else status.append(state.lost ? `Waiting for ${state.name || "a colleague"} to come back` : "Waiting for a colleague");
  acts.replaceChildren(button("Back to the assistant", () => post("back")), button("Leave", () => post("leave"), "quiet"));
}

function showRating() {
  status.replaceChildren("How was your chat with ", make("strong", { textContent: state.name || "the assistant" }), "?");
  const group = make("div", { className: "stars" });
  group.setAttribute("role", "radiogroup");
  group.setAttribute("aria-label", "1 to 5 stars");
  const rest = make("form", { className: "rest", hidden: !stars });
  const comment = make("input", { type: "text", placeholder: "Anything to add? (optional)", maxLength: 2000 });
  comment.setAttribute("aria-label", "Anything to add?");
  rest.append(comment, make("button", { type: "submit", textContent: "Send" }));
  const paint = () => [...group.children].forEach((star, place) => {
    star.textContent = place < stars ? "★" : "☆";
    star.setAttribute("aria-checked", String(place + 1 === stars));
  });
  for (let value = 1; value <= 5; value += 1) {
    const star = button("☆", () => { stars = value; paint(); rest.hidden = false; comment.focus(); setTimeout(showLatest, 50); });
    star.setAttribute("role", "radio");
    star.setAttribute("aria-label", value === 1 ? "1 star" : `${value} stars`);
    group.append(star);
  }
  rest.onsubmit = async (event) => {
    event.preventDefault();
    if (!stars || !await post("rating", { episode: state.rate, stars, comment: comment.value })) return;
    setRated();
    isThanking = true;
    show();
    setTimeout(() => { isThanking = false; show(); }, THANKING_MILLISECONDS);
  };
  paint();
  acts.replaceChildren(group, rest, button("Not now", () => { setRated(); show(); }, "quiet"));
}

// Whose words a message is: the page knows it only as the name of a picture.
function nameAuthors() {
  for (const picture of document.querySelectorAll('[data-step-type="assistant_message"] img[alt^="Avatar for "]:not([data-author])')) {
    const author = picture.alt.slice("Avatar for ".length), message = picture.closest("[data-step-type]");
    picture.dataset.author = author;
    message.querySelector(".message-content")?.setAttribute("data-author", author);
    if (!state.assistant || author === state.assistant) continue;
    message.classList.add("by-person");
    picture.parentElement.dataset.initial = author.slice(0, 1);
  }
}

function show() {
  const people = state.holder === "agent" || state.holder === "queue";
  const canRate = !people && state.rate && !isRated() && (state.over || isQuiet);
  bar.hidden = !people && !canRate && !isThanking;
  bar.className = people ? state.holder : "rating";
  if (people) showHolder();
  else if (isThanking) { status.textContent = "Thank you for telling us."; acts.replaceChildren(); }
  else if (canRate) showRating();
  place();
}

function setTyping(name) {
  clearTimeout(typingTimer);
  typing = name;
  if (name) typingTimer = setTimeout(() => setTyping(""), TYPING_MILLISECONDS);
  show();
}

// A chat with the assistant has no end that anybody says, so how it was is asked when nothing was said for a while.
function waitForQuiet() {
  clearTimeout(quietTimer);
  const wasQuiet = isQuiet && !stars;
  isQuiet = isQuiet && stars > 0; // stars that are being given stay
  if (wasQuiet) show();
  if (state.rate && !state.over) quietTimer = setTimeout(() => { isQuiet = true; show(); }, QUIET_MILLISECONDS);
}

// The page builds its composer anew now and then; the bar stays right above it.
function place() {
  const composer = document.getElementById("message-composer");
  if (!composer) return bar.remove();
  if (composer.previousElementSibling === bar) return;
  const focused = bar.contains(document.activeElement) ? document.activeElement : null; // which moving it would lose
  composer.before(bar);
  focused?.focus();
}

window.addEventListener("message", ({ source, origin, data }) => {
  if (source !== window || origin !== location.origin) return;
  if (data?.frontdesk === "people") {
    const before = state;
    const { holder, name, lost, closed, rate, over, conversation, assistant } = data;
    state = { holder, name, lost, closed, rate, over, conversation, assistant };
    if (state.rate !== before.rate || state.conversation !== before.conversation) { stars = 0; isQuiet = false; }
    waitForQuiet();
    if (typing || JSON.stringify(state) !== JSON.stringify(before)) setTyping(""); // else a comment being written would be lost
    if (assistant) nameAuthors(); // it is named once people were here
    if (holder === "agent" || holder === "queue" || over) setTimeout(showLatest, 150);
  }
  if (data?.frontdesk === "typing" && state.holder === "agent") setTyping(String(data.name));
});

// What people say is read as it comes: the page itself moves on only for the assistant's replies.
function showLatest() {
  const steps = document.querySelectorAll("[data-step-type]");
  steps[steps.length - 1]?.closest(".overflow-y-auto")?.scrollTo({ top: 1e9 });
}

document.addEventListener("input", ({ target }) => { if (target.id === "chat-input") waitForQuiet(); });

const isStep = (node) => node.nodeType === 1 && (node.dataset.stepType || node.querySelector("[data-step-type]"));

new MutationObserver((changes) => {
  if (state.assistant) nameAuthors();
  const isWithPeople = state.holder === "agent" || state.holder === "queue";
  const hasNews = changes.some((change) => [...change.addedNodes].some(isStep));
  if (hasNews && isWithPeople) setTimeout(showLatest, 120);
  if (hasNews && !isWithPeople) waitForQuiet();
  if (bar.hidden) return;
  const isNewChat = location.pathname === "/" && !document.querySelector("[data-step-type]");
  if (isNewChat) { state = { ...state, holder: "bot", rate: null }; show(); } else place();
}).observe(document.documentElement, { childList: true, subtree: true });
