// What calls an agent back to the page: a sound made here, a desktop notification, and the number in the title.
const title = document.title;
const sound = document.getElementById("sound");
const notify = document.getElementById("notify");
let context = null;
let count = 0;

const isOn = () => sound.getAttribute("aria-pressed") === "true";
sound.setAttribute("aria-pressed", localStorage.getItem("desk-sound") === "off" ? "false" : "true");
sound.addEventListener("click", () => {
  sound.setAttribute("aria-pressed", String(!isOn()));
  localStorage.setItem("desk-sound", isOn() ? "on" : "off");
  if (isOn()) chime([660, 880]);
});

const canNotify = "Notification" in window;
notify.hidden = !canNotify || Notification.permission !== "default";
notify.addEventListener("click", async () => {
  await Notification.requestPermission();
  notify.hidden = Notification.permission !== "default";
});

// Browsers let a page sound only after somebody has touched it.
for (const event of ["pointerdown", "keydown"]) {
  addEventListener(event, () => { context ??= "AudioContext" in window ? new AudioContext() : null; }, { once: true });
}

export function chime(notes) {
  if (!isOn() || !context) return;
  notes.forEach((pitch, place) => {
    const tone = context.createOscillator(), loudness = context.createGain();
    const at = context.currentTime + place * 0.14;
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.0001, at);
    loudness.gain.exponentialRampToValueAtTime(0.14, at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
    tone.connect(loudness).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.32);
  });
}

export function badge(number) {
  count = number;
  document.title = count ? `(${count}) ${title}` : title;
}

export function tell(words, detail, onClick) {
  if (!canNotify || Notification.permission !== "granted" || !document.hidden) return;
  const note = new Notification(words, { body: detail, tag: "frontdesk" });
  note.onclick = () => { window.focus(); onClick?.(); note.close(); };
}
