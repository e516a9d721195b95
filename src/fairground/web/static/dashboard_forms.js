// The forms of services, hours and the profile, which also work without it.

/** Hide the fields that another answer makes pointless, and do not send them: `price_model=hour`, `places=customer`. */
function showFieldsThatApply() {
  for (const part of document.querySelectorAll("[data-shown-if]")) {
    const [name, value] = part.dataset.shownIf.split("=");
    const applies = new FormData(part.closest("form")).getAll(name).includes(value);
    part.hidden = !applies;
    for (const input of part.querySelectorAll("input")) input.disabled = !applies;
  }
}

/** Copies the hours of a day in place; where a day has too few fields, the form is sent and the server copies them. */
function copyHours(event) {
  const button = event.target.closest?.("button[name=copy]");
  const form = button?.form;
  if (!form) return;
  const fieldsOf = (weekday) => [...form.querySelectorAll(`[data-weekday="${weekday}"] input[type=time]`)];
  const source = fieldsOf(form.elements.copy_from.value);
  const targets = (button.value === "all" ? [0, 1, 2, 3, 4, 5, 6] : [0, 1, 2, 3, 4]).map(fieldsOf);
  if (targets.some((fields) => fields.length < source.length)) return;
  event.preventDefault();
  for (const fields of targets) fields.forEach((field, at) => { field.value = source[at]?.value ?? ""; });
  const status = form.querySelector("[data-copied]");
  status.textContent = status.dataset.copied;
  status.classList.remove("visually-hidden");
}

/** A form for a new profile begins with the zone of the browser, if it is one of the list. */
function suggestZone() {
  const select = document.querySelector("select[data-browser-zone]");
  if (!select || select.value) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...select.options].some((option) => option.value === zone)) select.value = zone;
}

document.addEventListener("click", copyHours);
document.addEventListener("change", showFieldsThatApply);
addEventListener("pageshow", showFieldsThatApply);
showFieldsThatApply();
suggestZone();
