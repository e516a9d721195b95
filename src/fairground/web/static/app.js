// Everything here improves pages that already work without it.

const RETRIED = new Set([502, 503, 504]);
const RETRIES = 2;
const LONGEST_WAIT_MS = 8000;

/** Back-off with jitter. */
function waitBefore(retry, retryAfter) {
  const least = /^\d+$/.test(retryAfter) ? 1000 * retryAfter : Date.parse(retryAfter) - Date.now();
  return Math.max(0, least || 0) + 200 * 2 ** retry * (0.5 + Math.random() / 2);
}

/** Retry where a server is busy. For GET alone, which is safe to repeat. */
async function fetchPatiently(address, request = {}) {
  for (let retry = 1; ; retry++) {
    let answer, failure;
    try {
      answer = await fetch(address, request);
    } catch (error) {
      failure = error;
    }
    const wait = waitBefore(retry, answer?.headers.get("Retry-After"));
    const isWorthIt = failure ? !request.signal?.aborted : RETRIED.has(answer.status);
    if (!isWorthIt || retry > RETRIES || wait > LONGEST_WAIT_MS) {
      if (failure) throw failure;
      return answer;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** Keep what was there, and offer a button to try again. */
function offerRetry({ sourceElement, target, swap, request }) {
  const words = document.body.dataset;
  const notice = document.createElement("div");
  notice.className = "alert bad not-loaded";
  notice.setAttribute("role", "alert");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button secondary small";
  button.textContent = words.tryAgain;
  button.addEventListener("click", () => {
    notice.remove();
    htmx.ajax("GET", request.action, { source: sourceElement, target, swap });
  });
  notice.append(words.notLoaded, button);
  target.querySelector(":scope > .not-loaded")?.remove();
  target.prepend(notice);
}

/** The header of a shared, cached page does not know who reads it; a signed-in reader's own part is fetched afterwards. */
async function showAccount() {
  const place = document.querySelector("[data-account-url]");
  if (!place || !document.cookie.split("; ").includes("signed_in=1")) return;
  for (const link of document.querySelectorAll("[data-signed-out]")) link.hidden = true;
  for (const link of document.querySelectorAll("[data-signed-in]")) link.hidden = false;
  const answer = await fetchPatiently(place.dataset.accountUrl, { headers: { Accept: "text/html" } });
  if (answer.ok && !answer.redirected) place.innerHTML = await answer.text();
}

function focusErrors() {
  document.querySelector(".error-summary")?.focus();
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

/** A second press of a submit button would send the form twice. */
function guardAgainstDoubleSubmit(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
}

/** Returning with the back button restores the page as it was left, guard included. */
function releaseForms() {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
}

function addPasswordButtons() {
  for (const input of document.querySelectorAll("input[type=password][data-show]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = input.dataset.show;
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      const isShown = input.type === "password";
      input.type = isShown ? "text" : "password";
      button.textContent = isShown ? input.dataset.hide : input.dataset.show;
      button.setAttribute("aria-pressed", String(isShown));
    });
    input.parentElement.append(button);
  }
}

/** Return what the reader's clock shows at the instant. */
function yourTime(instant) {
  const parts = { weekday: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(document.documentElement.lang, parts).format(instant);
}

/** Adds the reader's time where it differs from the provider's, which the server states: a browser may have old rules. */
function addYourTime() {
  for (const place of document.querySelectorAll("[data-both-clocks]")) {
    const time = place.querySelector("time[data-offset-minutes]");
    if (place.dataset.bothClocks) continue;
    place.dataset.bothClocks = "shown";
    const instant = new Date(time.dateTime);
    if (-instant.getTimezoneOffset() === Number(time.dataset.offsetMinutes)) continue;
    const note = document.createElement("small");
    note.textContent = document.body.dataset.yourTime.replace("{time}", yourTime(instant));
    place.append(note);
  }
}

/** The reader's time of a slot, with its day where that is another one; it defines itself, so new parts need no call. */
class YourTime extends HTMLElement {
  connectedCallback() {
    const instant = new Date(this.getAttribute("datetime"));
    const offset = Number(this.dataset.offsetMinutes);
    if (-instant.getTimezoneOffset() === offset) return;
    const theirs = new Date(instant.getTime() + 60000 * offset);
    const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    if (theirs.getUTCDate() !== instant.getDate()) parts.weekday = "short";
    const time = new Intl.DateTimeFormat(document.documentElement.lang, parts).format(instant);
    this.textContent = document.body.dataset.yourTime.replace("{time}", time);
  }
}

/** Arrow keys move between the free days of a month; Tab still visits each of them. */
function moveInCalendar(event) {
  const day = event.target.closest?.(".calendar a.day");
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
  if (!day || !step) return;
  const days = [...day.closest("table").querySelectorAll(".day")];
  const direction = getComputedStyle(day).direction === "rtl" && Math.abs(step) === 1 ? -step : step;
  for (let at = days.indexOf(day) + direction; days[at]; at += Math.sign(direction)) {
    if (days[at].matches("a")) {
      days[at].focus();
      return event.preventDefault();
    }
  }
}

/** Browsers of before December 2025 do not know buttons that open a dialog. */
function commandDialog(event) {
  const button = event.target.closest?.("button[commandfor]");
  if (!button || "commandForElement" in HTMLButtonElement.prototype) return;
  const dialog = document.getElementById(button.getAttribute("commandfor"));
  if (button.getAttribute("command") === "close") dialog.close();
  else dialog.showModal();
}

document.addEventListener("click", (event) => {
  closeMenus(event.target);
  commandDialog(event);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    document.querySelector("details.menu[open] > summary")?.focus();
    closeMenus(null);
  }
  moveInCalendar(event);
});
document.addEventListener("submit", guardAgainstDoubleSubmit);
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.request.method === "GET") ctx.fetch = fetchPatiently;
});
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (ctx.request.method !== "GET" || !RETRIED.has(ctx.response.status)) return;
  event.preventDefault();
  offerRetry(ctx);
});
document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx?.request.method === "GET" && !ctx.response) offerRetry(ctx);
});
document.addEventListener("htmx:after:swap", addYourTime);
addEventListener("pageshow", releaseForms);

showAccount();
focusErrors();
addPasswordButtons();
addYourTime();
customElements.define("your-time", YourTime);
