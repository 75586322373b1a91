// Times as people read them: a clock time of an entry, and how long somebody has waited, counted up here.
const two = (number) => String(number).padStart(2, "0");
const LONG_SECONDS = 300;

export function showTimes(root = document) {
  for (const time of root.querySelectorAll("time[data-at]:empty")) {
    const at = new Date(time.dataset.at);
    if (Number.isNaN(at.getTime())) continue;
    time.dateTime = time.dataset.at;
    time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    if (time.hasAttribute("data-day") || at.toDateString() !== new Date().toDateString()) {
      time.textContent = `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time.textContent}`;
    }
  }
  for (const time of root.querySelectorAll("time[data-since]")) {
    const since = Date.parse(time.dataset.since);
    if (Number.isNaN(since)) continue;
    const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
    const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
    time.textContent = hours ? `${hours} h ${minutes} min` : `${minutes}:${two(seconds % 60)}`;
    time.classList.toggle("long", seconds >= LONG_SECONDS);
  }
}

showTimes();
setInterval(showTimes, 1000);
