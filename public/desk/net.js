// What the page asks of the server: always with the visit's token; who is signed out signs in again and loses nothing.
const body = document.body;
let signingIn = null;

export class Refused extends Error {}

export async function ask(path, fields) {
  const options = { headers: { "X-Desk-Token": body.dataset.token, Accept: "application/json" } };
  if (fields !== undefined) Object.assign(options, { method: "POST", body: JSON.stringify(fields) });
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Refused("The desk cannot be reached at the moment. What you wrote is kept.");
  }
  if (response.status === 401) {
    await signInAgain();
    return ask(path, fields);
  }
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(typeof told.detail === "string" ? told.detail : "That did not work. What you wrote is kept.");
  return told;
}

export function signInAgain() {
  signingIn ??= new Promise((done) => {
    const dialog = document.getElementById("again"), form = document.getElementById("again-form");
    const problem = form.querySelector(".problem");
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    form.onsubmit = async (event) => {
      event.preventDefault();
      const response = await fetch("/desk/login", {
        method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)),
      }).catch(() => null);
      if (response?.ok) {
        body.dataset.token = response.headers.get("X-Desk-Token");
        form.password.value = "";
        dialog.close();
        signingIn = null;
        document.dispatchEvent(new Event("desk:signed-in"));
        done();
      } else {
        problem.textContent = (await response?.json().catch(() => null))?.problem ?? "Signing in did not work. Please try again.";
        problem.hidden = false;
      }
    };
    dialog.showModal();
    form.password.focus();
  });
  return signingIn;
}

export function toast(words, action) {
  const box = document.createElement("div");
  box.className = "toast";
  box.textContent = words;
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small";
    button.textContent = action.label;
    button.onclick = () => { action.run(); box.remove(); };
    box.append(button);
  }
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), 9000);
}

export function say(words) {
  document.getElementById("live").textContent = words;
}

// Runs what may be refused, and tells why it was.
export async function attempt(work) {
  try {
    return await work();
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    toast(problem.message);
    return null;
  }
}

export const newId = () => crypto.randomUUID?.() ?? `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 14)}`;
