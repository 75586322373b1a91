// The chat on any page of the company: <script src="https://chat.example.com/widget.js" defer></script>
// Attributes: data-title, data-greeting, data-colour, data-on-colour, data-theme (auto, light, dark), data-position (right, left).
// For signed-in customers: frontdesk.signIn(async () => TOKEN) and frontdesk.signOut(); also frontdesk.open() and .close().
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || window.frontdesk) return;
  const base = new URL(".", script.src).href;
  const api = `${base}api/v1`;
  const given = script.dataset;
  const words = {
    title: given.title || "Chat with us",
    greeting: given.greeting || "Hello, how can we help? I am an AI assistant and show where each answer comes from.",
  };
  const THANKS = /\b(thanks|thank you|cheers|bye|goodbye|that's all)\b/i, QUIET_MS = 60_000;
  const AWAY = "No connection. What you write is sent as soon as there is one.";
  const REFRESH_MS = 60_000, LONGEST_PAUSE_MS = 30_000, LOOK_MS = 15_000, MOST_QUIET_LOOKS = 2;

  const newId = () => "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) => // randomUUID is for https alone
    (Number(digit) ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (Number(digit) / 4)))).toString(16));

  // -- what outlives a page

  const key = `frontdesk ${base}`;
  const kept = (() => { try { return JSON.parse(localStorage.getItem(key)) || {}; } catch { return {}; } })();
  const state = { renew: null, conversation: null, read: 0, open: false, pending: [], rated: [], ...kept };
  const keep = () => {
    try { localStorage.setItem(key, JSON.stringify(state)); } catch { /* a browser that keeps nothing: one page at a time */ }
  };

  // -- the page's part

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
    element.append(...children);
    return element;
  };
  const icon = (path) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": true })) svg.setAttribute(name, value);
    const line = document.createElementNS(space, "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  };
  const button = (label, path, name) => {
    const made = make("button", { type: "button", class: name, "aria-label": label, title: label });
    made.append(icon(path));
    return made;
  };

  const host = make("frontdesk-chat", { "data-theme": given.theme || "auto", "data-position": given.position || "right" });
  const root = host.attachShadow({ mode: "open" });
  const badge = make("span", { class: "badge", hidden: "" });
  const launcher = button("Open the chat", "M4 4h16v12H8l-4 4z", "launcher");
  launcher.append(badge);
  const person = button("Talk to a person", "M12 4a4 4 0 110 8 4 4 0 010-8M4 21c0-5 4-7 8-7s8 2 8 7", "person");
  const anew = button("Start a new chat", "M12 5v14M5 12h14", "anew");
  const closer = button("Close the chat", "M6 6l12 12M18 6L6 18", "closer");
  const title = make("h2", { id: "title" }, words.title);
  const lines = make("div", { class: "lines", role: "log", "aria-live": "polite", "aria-label": "Messages", tabindex: "0" });
  const status = make("p", { class: "status", role: "status" });
  const box = make("textarea", { rows: "1", maxlength: "4000", "aria-label": "Your message", placeholder: "Write a message" });
  const form = make("form", {}, box, Object.assign(button("Send", "M4 12h14M12 5l7 7-7 7", "send"), { type: "submit" }));
  const rating = makeStars(make, {
    api, state, keep, token: () => token, tell: (text) => tell(text), toEnd: () => bottom(), goOn: () => box.focus(),
    canAsk: () => state.open && !box.value && !["queue", "agent"].includes(holder.now),
  });
  const header = make("header", {}, title, person, anew, closer);
  const panel = make("section", { id: "panel", role: "dialog", "aria-labelledby": "title", hidden: "" }, header, lines, status, rating.element, form);
  launcher.setAttribute("aria-controls", "panel");
  launcher.setAttribute("aria-expanded", "false");
  root.append(panel, launcher);

  const colour = /^#[0-9a-f]{6}$/i.test(given.colour || "") ? given.colour : "#0b6b4f";
  const luminance = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const onColour = /^#[0-9a-f]{6}$/i.test(given.onColour || "") ? given.onColour : luminance > 0.3 ? "#111111" : "#ffffff";
  const dark = "--ink:#e6edea;--paper:#131a18;--quiet:#a3b3ac;--edge:#2c3834;--mine:#24332d;--star:#f0c674;--ring:#e6edea;color-scheme:dark";
  const sheet = new CSSStyleSheet(); // no style element, so that the page's Content-Security-Policy has nothing against it
  sheet.replaceSync(`
    :host{all:initial;--accent:${colour};--on:${onColour};--ink:#1d2a26;--paper:#fff;--quiet:#56655f;--edge:#d9e0dc;--mine:#eef4f1;--star:#8a5a00;--ring:var(--accent);
      color-scheme:light;font:16px/1.5 system-ui,sans-serif;position:fixed;z-index:2147483000;bottom:20px;right:20px}
    :host([data-position=left]){right:auto;left:20px}
    :host([data-theme=dark]){${dark}}
    @media (prefers-color-scheme:dark){:host([data-theme=auto]){${dark}}}
    *{box-sizing:border-box;margin:0;font:inherit;color:inherit}
    [hidden]{display:none!important}
    button{cursor:pointer;border:0;background:none;display:grid;place-items:center;min-width:44px;min-height:44px;border-radius:22px}
    :focus-visible{outline:3px solid var(--ring);outline-offset:2px}
    header :focus-visible{outline-color:var(--on);outline-offset:-4px}
    svg{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
    .launcher{width:60px;height:60px;border-radius:30px;background:var(--accent);color:var(--on);box-shadow:0 4px 16px #0005}
    .badge{position:absolute;top:-4px;right:-4px;min-width:24px;height:24px;line-height:24px;border-radius:12px;padding:0 6px;
      background:#b3261e;color:#fff;font-size:14px;font-weight:600;text-align:center}
    #panel{position:absolute;bottom:76px;right:0;width:min(400px,calc(100vw - 40px));height:min(640px,calc(100dvh - 120px));
      display:flex;flex-direction:column;background:var(--paper);color:var(--ink);border:1px solid var(--edge);border-radius:16px;
      overflow:hidden;box-shadow:0 8px 40px #0004}
    :host([data-position=left]) #panel{right:auto;left:0}
    header{display:flex;align-items:center;background:var(--accent);color:var(--on);padding:6px 8px 6px 18px}
    h2{font-weight:600;flex:1;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
    .lines{flex:1;overflow-y:auto;overscroll-behavior:contain;padding:16px;display:flex;flex-direction:column;gap:12px}
    .line{max-width:88%;overflow-wrap:anywhere;align-self:flex-start}
    .line *+p,.line ul,.line ol,.line .sources{margin-top:8px}
    .line ul,.line ol{padding-left:22px}
    .line strong{font-weight:600}
    .line code{font-family:ui-monospace,monospace;font-size:.92em}
    .line a{color:inherit;text-decoration:underline;text-underline-offset:2px}
    .name,.sources{color:var(--quiet);font-size:14px}
    .customer{align-self:flex-end;background:var(--mine);border-radius:14px;padding:8px 14px;white-space:pre-wrap}
    .agent{border-left:3px solid var(--accent);padding-left:12px}
    .system{align-self:center;color:var(--quiet);font-size:14px;text-align:center}
    .pending{opacity:.6}
    .status{color:var(--quiet);font-size:14px;padding:0 18px 6px;min-height:1.5em}
    form{display:flex;align-items:flex-end;gap:6px;border-top:1px solid var(--edge);padding:10px}
    textarea{flex:1;resize:none;max-height:140px;border:1px solid var(--quiet);border-radius:12px;padding:9px 12px;background:transparent}
    textarea::placeholder{color:var(--quiet)}
    .send{background:var(--accent);color:var(--on)}
    @media (max-width:600px){
      :host([data-open]){inset:0}
      :host([data-open]) .launcher{display:none}
      #panel{position:fixed;inset:0!important;width:100vw;height:100dvh;border:0;border-radius:0}
    }
    @media (prefers-reduced-motion:no-preference){.line{animation:in .15s ease-out}@keyframes in{from{opacity:0;transform:translateY(4px)}}}${rating.css}`);
  root.adoptedStyleSheets = [sheet];

  // -- lines

  const { link, blocks } = makeWords(make, base);
  const shown = new Map(); // by seq, by client id, and what is being written by "writing N"
  const bottom = () => { lines.scrollTop = lines.scrollHeight; };
  const put = (name, element) => {
    const before = shown.get(name), near = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 120;
    if (before) before.replaceWith(element); else lines.append(element);
    shown.set(name, element);
    if (near) reveal(element);
  };
  const reveal = (element) => { // the beginning of what is longer than the window, else its end
    if (element.offsetHeight < lines.clientHeight) bottom();
    else lines.scrollTop += element.getBoundingClientRect().top - lines.getBoundingClientRect().top - 12;
  };
  const drop = (name) => { shown.get(name)?.remove(); shown.delete(name); };
  const where = (one) => (one.heading && one.heading !== one.title ? `${one.title} › ${one.heading.replaceAll(" > ", " › ")}` : one.title);
  const draw = (line) => {
    const element = make("div", { class: `line ${line.speaker}` });
    if (line.speaker === "customer") element.append(line.text);
    else {
      if (line.speaker === "agent") element.append(make("p", { class: "name" }, line.name));
      element.append(...blocks(line.text, line.sources));
      if (line.sources.length) {
        const told = line.sources.flatMap((one) => [link(`[${one.number}] ${where(one)}`, one.url), make("br")]);
        element.append(make("p", { class: "sources" }, ...told));
      }
    }
    return element;
  };
  const greet = () => {
    lines.replaceChildren(make("div", { class: "line bot" }, make("p", {}, words.greeting)));
    shown.clear();
    for (const said of state.pending) drawPending(said);
  };
  const drawPending = (said) => put(said.client_id, make("div", { class: "line customer pending" }, said.text || "I'd like to talk to a person"));

  // -- unread

  let last = 0;
  const unread = new Set();
  const count = () => {
    badge.hidden = !unread.size;
    badge.textContent = String(unread.size);
    const also = unread.size ? `, ${unread.size} unread ${unread.size === 1 ? "message" : "messages"}` : "";
    launcher.setAttribute("aria-label", `${state.open ? "Close" : "Open"} the chat${also}`);
  };
  const readAll = () => { unread.clear(); state.read = Math.max(state.read, last); keep(); count(); };

  // -- the server's part

  let token = null, ws = null, pause = 1000, renewal = 0, signing = null, joined = false, generation = 0, quiet = 0, away = false;
  const tell = (text = tell.now) => { tell.now = text; status.textContent = away ? AWAY : text || ""; };
  const begin = () => (begin.now ??= startSession().finally(() => { begin.now = null; })); // two at once would be two customers
  const startSession = async () => {
    const body = state.renew ? { renew_token: state.renew } : {};
    if (signing) body.customer_token = await signing();
    const answer = await fetch(`${api}/chat/session`, {
      method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    if (answer.status === 401 && state.renew) {
      Object.assign(state, { renew: null, conversation: signing ? state.conversation : null });
      keep();
      return startSession();
    }
    if (!answer.ok) throw new Error(String(answer.status));
    const told = await answer.json();
    token = told.token;
    state.renew = told.renew_token;
    keep();
    clearTimeout(renewal);
    renewal = setTimeout(async () => { try { await begin(); join(); } catch { ws?.close(); } }, told.expires_in * 1000 - REFRESH_MS);
  };
  const join = () => {
    const wanted = { type: "join", token, after: last };
    ws?.send(JSON.stringify(state.conversation ? { ...wanted, conversation: state.conversation } : wanted));
  };
  const connect = async () => {
    const mine = ++generation;
    clearTimeout(connect.later);
    quiet = 0;
    try {
      if (!token) await begin();
      if (mine !== generation) return;
      ws = new WebSocket(`${api.replace(/^http/, "ws")}/ws`);
      ws.onopen = join;
      ws.onmessage = (event) => { if (mine === generation) { quiet = 0; hear(JSON.parse(event.data)); } };
      ws.onclose = (event) => { if (mine === generation) again(event.code === 4401); };
    } catch { if (mine === generation) again(true); }
  };
  const again = (anew) => {
    clearTimeout(connect.later);
    [ws, joined] = [null, false];
    if (anew) token = null;
    away = true;
    tell();
    connect.later = setTimeout(connect, pause * (0.5 + Math.random()));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  };
  // A socket whose other end went away without a word stays open for minutes, and what was written to it waits as long.
  const lose = () => { generation += 1; ws?.close(); again(false); };
  const look = () => {
    if (ws && (quiet += 1) > MOST_QUIET_LOOKS) lose();
    else if (joined) ws.send(JSON.stringify({ type: "ping" }));
  };
  const give = (said) => ws.send(JSON.stringify(state.conversation ? { ...said, conversation: state.conversation } : said));
  const settle = (id) => { state.pending = state.pending.filter((said) => said.client_id !== id); keep(); };

  const hear = (told) => {
    if (told.type === "joined") {
      [joined, away, pause] = [true, false, 1000];
      state.conversation = told.conversation || state.conversation;
      tell();
      holder(told.holder);
      if (!hear.flushed || told.after === last) state.pending.forEach(give);
      hear.flushed = true;
      keep();
    } else if (told.type === "accepted") settle(told.client_id);
    else if (told.type === "holder") holder(told.holder);
    else if (told.type === "sentence") {
      tell("");
      put(`writing ${told.answers}`, make("div", { class: "line bot", "aria-busy": "true" }, ...blocks(told.text, [])));
    } else if (told.type === "line") hearLine(told.line);
    else if (told.type === "problem") hearProblem(told);
  };
  const hearLine = (line) => {
    if (line.conversation !== state.conversation || line.seq <= last) return;
    last = line.seq;
    if (line.answers) { drop(`writing ${line.answers}`); tell(""); }
    if (line.client_id) { settle(line.client_id); shown.set(line.seq, shown.get(line.client_id)); shown.delete(line.client_id); }
    if (shown.get(line.seq) === undefined) shown.delete(line.seq);
    put(line.seq, draw(line));
    if (line.speaker === "customer" && holder.now === "bot") tell("The assistant is looking …");
    if (line.speaker !== "customer" && line.seq > state.read && !state.open) unread.add(line.seq);
    if (state.open) readAll(); else count();
    rating.look(line.speaker === "bot" && THANKS.test(hearLine.said) ? 0 : QUIET_MS);
    if (line.speaker === "customer") hearLine.said = line.text;
  };
  const hearProblem = ({ problem, client_id: id }) => {
    if (problem.status === 404 && state.conversation) return startAnew(); // erased, or another's by now
    if (problem.status === 401 || problem.status === 503) return;
    const said = state.pending.find((one) => one.client_id === id);
    if (said) {
      settle(id);
      drop(id);
      box.value ||= said.text || "";
      grow();
    }
    tell(problem.detail);
  };
  const holder = (now) => {
    if (holder.now === "agent" && now !== "agent") rating.look(0);
    holder.now = now;
    person.hidden = now === "queue" || now === "agent";
    title.textContent = now === "queue" ? "Waiting for a colleague" : now === "agent" ? "Chat with a colleague" : words.title;
  };

  // -- what the customer does

  const say = (said) => {
    state.pending.push(said);
    keep();
    drawPending(said);
    rating.hide();
    bottom();
    if (joined) give(said);
    else if (!ws) { pause = 1000; connect(); }
  };
  const open = () => {
    state.open = true;
    panel.hidden = false;
    host.setAttribute("data-open", "");
    launcher.setAttribute("aria-expanded", "true");
    if (!ws) connect();
    readAll();
    rating.look(QUIET_MS);
    bottom();
    box.focus({ preventScroll: true });
  };
  const close = () => {
    state.open = false;
    panel.hidden = true;
    host.removeAttribute("data-open");
    launcher.setAttribute("aria-expanded", "false");
    keep();
    count();
    launcher.focus({ preventScroll: true });
  };
  const startAnew = () => {
    Object.assign(state, { conversation: null, read: 0 });
    [last, joined] = [0, false];
    keep();
    holder("bot");
    tell("");
    rating.hide();
    greet();
    ws?.close();
    connect();
  };
  launcher.onclick = () => (state.open ? close() : open());
  closer.onclick = close;
  anew.onclick = () => { startAnew(); box.focus(); };
  person.onclick = () => { say({ type: "escalate", client_id: newId() }); box.focus(); }; // the button goes, and focus with it
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    grow();
    say({ type: "message", client_id: newId(), text });
    box.focus();
  };
  const grow = () => { // with what is typed, wrapped lines too, up to its max-height
    box.style.height = "auto";
    if (box.offsetHeight) box.style.height = `${box.scrollHeight + box.offsetHeight - box.clientHeight}px`;
  };
  box.oninput = () => { rating.look(QUIET_MS); grow(); };
  panel.onkeydown = (event) => {
    event.stopPropagation(); // the page's own shortcuts are not for what is typed here
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.target !== box) return;
    event.preventDefault();
    form.requestSubmit();
  };

  // -- the page changes

  const attach = () => { if (!host.isConnected && document.body) document.body.append(host); };
  const start = () => {
    attach();
    new MutationObserver(attach).observe(document.documentElement, { childList: true, subtree: false });
    new MutationObserver(attach).observe(document.body, { childList: true });
    greet();
    count();
    holder("bot");
    setInterval(look, LOOK_MS);
    if (state.conversation) connect(); // so that an answer is seen on whatever page the customer is by then
    if (state.open && matchMedia("(min-width: 601px)").matches) open(); else state.open = false;
  };
  addEventListener("offline", () => { if (state.open || state.conversation) lose(); });
  addEventListener("online", () => { pause = 1000; if (!ws && (state.open || state.conversation)) connect(); });
  addEventListener("pagehide", () => { keep(); });
  window.frontdesk = {
    open, close,
    signIn: async (giveToken) => { signing = giveToken; await begin.now?.catch(() => {}); token = null; if (ws || state.conversation) { ws?.close(); await connect(); } },
    signOut: async () => {
      await begin.now?.catch(() => {});
      const old = token;
      signing = token = null;
      Object.assign(state, { renew: null, pending: [] });
      startAnew();
      if (old) await fetch(`${api}/chat/session`, { method: "DELETE", credentials: "omit", headers: { Authorization: `Bearer ${old}` } });
    },
  };
  if (document.body) start(); else addEventListener("DOMContentLoaded", start);
})();
