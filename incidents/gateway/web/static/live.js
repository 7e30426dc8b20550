"use strict";
// Counts down, and reads the page again when the gateway says that it has changed. Without script, a reload does both.
(() => {
  const units = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];
  const inWords = (span) => {
    let seconds = Math.round(Math.abs(span));
    const parts = [];
    for (const [unit, size] of units) {
      const count = Math.floor(seconds / size);
      seconds -= count * size;
      if (count) parts.push(count + unit);
    }
    return parts.slice(0, 2).join(" ") || "0s";
  };
  const count = () => {
    for (const time of document.querySelectorAll("time[data-countdown]")) {
      const left = (Date.parse(time.dateTime) - Date.now()) / 1000;
      time.textContent = Math.abs(left) < 1 ? "now" : left > 0 ? `in ${inWords(left)}` : `${inWords(left)} overdue`;
      const line = time.closest("li");
      if (line) line.classList.toggle("late", left < 0);
    }
  };
  count();
  setInterval(count, 1000);

  const main = document.getElementById("main");
  const events = main.dataset.events;
  const state = document.getElementById("live");
  if (!events || !state || !window.EventSource) return;
  const say = (text) => { if (state.textContent !== text) state.textContent = text; };

  const keyOf = (element) => element.id || element.getAttribute("href") || "";
  let reading = false, again = false;
  const read = async () => {
    if (reading) { again = true; return; }
    reading = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const open = [...main.querySelectorAll("details")].map((details) => details.open);
      const message = main.querySelector("#message");
      const focused = main.contains(document.activeElement) ? keyOf(document.activeElement) : "";
      main.replaceChildren(...fresh.getElementById("main").childNodes);
      if (message && !main.querySelector("#message")) main.prepend(message);
      main.querySelectorAll("details").forEach((details, place) => { details.open = open[place] || false; });
      if (focused) [...main.querySelectorAll("a, summary, [id]")].find((element) => keyOf(element) === focused)?.focus({ preventScroll: true });
      document.title = fresh.title;
      count();
      say("Live");
    } catch {
      say("Not up to date: reload the page");
    }
    reading = false;
    if (again) { again = false; read(); }
  };
  // A browser reconnects after a lost connection, and gives up after any answer but 200: then the status says what to do.
  const SHORTEST = 2000, LONGEST = 60000;
  let version = main.dataset.version, pause = SHORTEST;
  const statusNow = async () => {
    const stop = new AbortController();
    try {
      const headers = { accept: "text/event-stream" };
      return (await fetch(events, { credentials: "same-origin", headers, signal: stop.signal })).status;
    } catch {
      return 0;
    } finally {
      stop.abort();
    }
  };
  const reconnect = async () => {
    say("Reconnecting");
    const status = await statusNow();
    if (status === 403) { say("Not allowed any more: reload the page"); return; }
    setTimeout(connect, pause);
    pause = Math.min(2 * pause, LONGEST);
  };
  const connect = () => {
    const source = new EventSource(`${events}?version=${encodeURIComponent(version)}`);
    source.addEventListener("open", () => { pause = SHORTEST; say("Live"); });
    source.addEventListener("changed", (event) => { version = event.data; read(); });
    source.addEventListener("over", () => { source.close(); say(""); });
    source.addEventListener("error", () => { source.readyState === EventSource.CLOSED ? reconnect() : say("Reconnecting"); });
  };
  connect();
})();
