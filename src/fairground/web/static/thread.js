// Asks for new messages while their thread is in sight: not in a hidden tab, and not when it is scrolled away.

const thread = document.querySelector("[data-follow-seconds]");
let isInSight = false;

function askForNew() {
  if (!isInSight || document.visibilityState !== "visible") return;
  // The item behind the newest message, which the answer replaces.
  thread.querySelector("[hx-trigger=follow]")?.dispatchEvent(new Event("follow"));
}

new IntersectionObserver((entries) => (isInSight = entries.at(-1).isIntersecting)).observe(thread);
setInterval(askForNew, 1000 * thread.dataset.followSeconds);
document.addEventListener("visibilitychange", askForNew);
