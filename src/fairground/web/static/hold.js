// How long a time is still held, on the page of payment.

/** Minutes only, spoken at five and one: a ticking clock hurries people and says nothing more. */
function watchHold() {
  const place = document.querySelector("[data-expires-at]");
  if (!place) return;
  const endsAt = Date.parse(place.dataset.expiresAt);
  const spoken = document.querySelector("[data-hold-spoken]");
  const update = () => {
    const left = Math.ceil((endsAt - Date.now()) / 60000);
    if (left <= 0) return location.reload();
    const text = (left === 1 ? place.dataset.one : place.dataset.many).replace("{minutes}", left);
    place.textContent = text;
    if (spoken && (left === 5 || left === 1)) spoken.textContent = text;
    setTimeout(update, 15000);
  };
  update();
}

watchHold();
