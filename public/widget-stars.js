// The widget's question how a chat was: stars and a comment. Asked when a person is done, after thanks, and when nothing was said
// for a while. Served in front of widget.js, whose chat this is.
function makeStars(make, chat) {
  const MOST_RATED = 20, FAILED = "That could not be stored. Please try again in a moment.";
  const question = make("p", {}), group = make("div", { class: "stars", role: "radiogroup", "aria-label": "1 to 5 stars" });
  const comment = make("input", { type: "text", maxlength: "2000", placeholder: "Anything to add? (optional)", "aria-label": "Anything to add?" });
  const rest = make("form", { class: "rest", hidden: "" }, comment, make("button", { type: "submit", class: "give" }, "Send"));
  const later = make("button", { type: "button", class: "later" }, "Not now");
  const element = make("section", { class: "rating", "aria-label": "How was it?", hidden: "" }, question, group, later, rest);
  const stars = [1, 2, 3, 4, 5].map((value) => {
    const star = make("button", { type: "button", role: "radio", "aria-label": value === 1 ? "1 star" : `${value} stars` });
    star.onclick = () => { choose(value); rest.hidden = false; comment.focus(); chat.toEnd(); };
    return star;
  });
  group.append(...stars);
  let episode = null, given = 0;
  const choose = (value) => {
    given = value;
    stars.forEach((star, place) => {
      star.textContent = place < value ? "★" : "☆";
      star.setAttribute("aria-checked", String(place + 1 === value));
    });
  };
  const hide = () => { element.hidden = true; episode = null; };
  const show = (told) => {
    if (!element.hidden && episode === told.episode) return; // what is being given stays
    episode = told.episode;
    question.replaceChildren("How was your chat with ", make("strong", {}, told.name || "the assistant"), "?");
    Object.assign(comment, { value: "" });
    rest.hidden = true;
    choose(0);
    element.hidden = false;
  };

  const name = (seq) => `${chat.state.conversation}/${seq}`;
  const call = (query, options) => fetch(`${chat.api}/chat/rating${query}`, {
    credentials: "omit", headers: { "Content-Type": "application/json", Authorization: `Bearer ${chat.token()}` }, ...options,
  }).then((answer) => answer.ok && answer.json()).catch(() => null);
  let waiting = 0;
  const look = (wait) => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      if (!chat.canAsk() || !chat.token() || !chat.state.conversation) return;
      const told = await call(`?conversation=${chat.state.conversation}`);
      if (!told?.episode || chat.state.rated.includes(name(told.episode))) return;
      show(told);
      if (!wait) chat.toEnd(); // else something is being read
    }, wait);
  };
  const settle = async (words) => {
    const body = JSON.stringify({ conversation: chat.state.conversation, episode, stars: given, comment: comment.value });
    if (words && !await call("", { method: "POST", body })) return chat.tell(FAILED);
    chat.state.rated = [...chat.state.rated, name(episode)].slice(-MOST_RATED);
    chat.keep();
    hide();
    if (words) chat.tell(words);
    chat.goOn();
  };
  later.onclick = () => settle("");
  rest.onsubmit = (event) => { event.preventDefault(); settle("Thank you for telling us."); };
  const css = `
    .rating{position:static;width:auto;height:auto;border:0;border-top:1px solid var(--edge);border-radius:0;box-shadow:none;padding:10px 14px;
      display:flex;flex-flow:row wrap;align-items:center;gap:0 6px;overflow:visible;background:transparent}
    .rating p{flex:1 0 100%}
    .rating strong{font-weight:600}
    .stars{display:flex}
    .stars button{min-width:38px;font-size:24px;line-height:1;color:var(--star)}
    .later{color:var(--quiet);padding:0 12px;margin-left:auto}
    .rating form{flex:1 0 100%;border:0;padding:4px 0 0;align-items:center}
    .rating input{flex:1;min-width:0;border:1px solid var(--quiet);border-radius:12px;padding:9px 12px;background:transparent}
    .rating input::placeholder{color:var(--quiet)}
    .give{background:var(--accent);color:var(--on);padding:0 16px;font-weight:600}`;
  return { element, look, hide, css };
}
