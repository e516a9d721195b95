// Opens the pictures of a gallery above its page. Without it each is a page of its own, and links lead from one to the next.

const lightbox = document.querySelector("dialog.lightbox");
const [stage, spoken] = lightbox?.children ?? [];
const ARROWS = { ArrowLeft: "prev", ArrowRight: "next" };
const ARROWS_RTL = { ArrowLeft: "next", ArrowRight: "prev" };

async function show(link) {
  const answer = await fetch(`/_f${link.pathname}`).catch(() => undefined);
  // The page itself says what is wrong, and can be asked for again.
  if (!answer?.ok) return location.assign(link.href);
  stage.innerHTML = await answer.text();
  lightbox.dataset.shown = link.pathname;
  if (!lightbox.open) lightbox.showModal();
  // The link that was followed is gone, and so would be the reader's place.
  (stage.querySelector(`[rel="${link.rel}"]`) ?? stage.querySelector("[data-close]")).focus();
  spoken.textContent = stage.querySelector("picture > img").alt;
}

function openInLightbox(event) {
  const link = event.target.closest?.(".gallery a[href], .lightbox a[href]");
  // With such a key a reader wants a tab of its own.
  if (!link || !lightbox || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if ("close" in link.dataset) lightbox.close();
  else show(link);
}

function turnByArrow(event) {
  const viewer = document.querySelector(".viewer");
  if (!viewer || (lightbox && !lightbox.open) || event.ctrlKey || event.metaKey || event.altKey) return;
  const arrows = getComputedStyle(viewer).direction === "rtl" ? ARROWS_RTL : ARROWS;
  if (!arrows[event.key]) return;
  event.preventDefault();
  viewer.querySelector(`[rel="${arrows[event.key]}"]`)?.click();
}

document.addEventListener("click", openInLightbox);
document.addEventListener("keydown", turnByArrow);
lightbox?.addEventListener("close", () => {
  document.querySelector(`.gallery a[href="${lightbox.dataset.shown}"]`)?.focus();
  stage.replaceChildren();
});
