// What Chainlit's page does not do by itself. It is told by the server through window messages: {frontdesk: …}.
"use strict";

(() => {
  const THEME = "vite-ui-theme";
  if (localStorage.getItem(THEME) === null) localStorage.setItem(THEME, "system");

  const composer = () => document.getElementById("chat-input");
  let lastText = "";

  // Remember what is being sent, before the box is emptied.
  const remember = () => { if (composer()?.value.trim()) lastText = composer().value; };
  document.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target === composer()) remember(); }, true);
  document.addEventListener("click", (event) => { if (event.target.closest?.("#chat-submit")) remember(); }, true);

  // A refused message goes back into the box, unless something else is being written there.
  const putBack = () => {
    const box = composer();
    if (!box || box.value || !lastText) return;
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, lastText);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    lastText = "";
  };

  // On a narrow screen the page does not move on to its conversation's address by itself, and a refresh would lose it.
  const keepAddress = (id) => setTimeout(() => {
    if (location.pathname === "/") history.replaceState(history.state, "", `/thread/${id}`);
  }, 1500);

  // Somebody signed in or out: this page is the one before's. It waits until the new cookie has surely come.
  const beginAnew = (address) => address ? location.assign(address) : location.reload();

  // What is told of people before their script has come would be lost: then it is told again.
  let early = null, isPeopleHere = false;
  import("/public/people.js").then(() => {
    isPeopleHere = true;
    if (early) window.postMessage(early, location.origin);
  });

  window.addEventListener("message", ({ source, origin, data }) => {
    if (source !== window || origin !== location.origin) return;
    if (data?.frontdesk === "people" && !isPeopleHere) early = data;
    if (data?.frontdesk === "refused") setTimeout(putBack, 50);
    if (data?.frontdesk === "conversation") keepAddress(data.id);
    if (data?.frontdesk === "visit_over") setTimeout(() => beginAnew(data.begin_at), 1000);
  });

  // A thumb needs no second click: there is nothing to fill in.
  const sendThumb = () => document.getElementById("submit-feedback")?.click();

  // A reply that is taller than the window is shown from its question on, not from its end.
  const showStart = () => {
    const replies = document.querySelectorAll('[data-step-type="assistant_message"]');
    const questions = document.querySelectorAll('[data-step-type="user_message"]');
    const reply = replies[replies.length - 1], question = questions[questions.length - 1];
    const scroller = reply?.closest(".overflow-y-auto");
    if (!scroller || !question || !(question.compareDocumentPosition(reply) & Node.DOCUMENT_POSITION_FOLLOWING)) return;
    const tall = scroller.scrollHeight - question.offsetTop > scroller.clientHeight;
    if (tall) scroller.scrollTo({ top: question.offsetTop - 16 });
  };

  // The page's icons have no names; people who do not see them need some.
  const NAMES = {
    "#chat-submit": "Send message",
    "#stop-button": "Stop this reply",
    "#new-chat-button": "New chat",
    "#sidebar-trigger-button": "Your conversations",
    "#search-chats-button": "Search your conversations",
    "#chat-input": "Your message",
    ".positive-feedback-off, .positive-feedback-on": "Helpful",
    ".negative-feedback-off, .negative-feedback-on": "Not helpful",
    "[data-step-type='assistant_message'] button:has(.lucide-copy)": "Copy this reply",
  };
  const giveNames = () => {
    for (const [selector, name] of Object.entries(NAMES)) {
      for (const element of document.querySelectorAll(`:is(${selector}):not([aria-label])`)) element.setAttribute("aria-label", name);
    }
    document.querySelector("[data-step-type]")?.closest(".overflow-y-auto")?.setAttribute("role", "log");
  };

  const isReply = (node) => node.nodeType === 1 && (node.dataset.stepType === "assistant_message"
    || node.querySelector('[data-step-type="assistant_message"]') !== null);

  new MutationObserver((changes) => {
    sendThumb();
    giveNames();
    if (changes.some((change) => [...change.addedNodes].some(isReply))) setTimeout(showStart, 60);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
