// The frame of the stand-in for Stripe.js: three fields, which it checks and turns into a payment method at its own origin.

const fields = document.forms[0].elements;
const RULES = {
  number: [/^(\d ?){14,19}$/, "incomplete_number", "Your card number is incomplete."],
  expiry: [/^\d\d ?\/? ?\d\d$/, "incomplete_expiry", "Your card's expiration date is incomplete."],
  cvc: [/^\d{3,4}$/, "incomplete_cvc", "Your card's security code is incomplete."],
};

const say = (name, text) => {
  fields[name].setAttribute("aria-invalid", String(!!text));
  fields[name].nextElementSibling.textContent = text;
};

const CALLS = {
  show({ appearance = {}, locale }) {
    document.documentElement.lang = locale ?? "en";
    const { style } = document.documentElement;
    style.colorScheme = appearance.theme === "night" ? "dark" : "light";
    for (const [name, value] of Object.entries(appearance.variables ?? {})) style.setProperty(`--${name}`, value);
    style.setProperty("--border", appearance.rules?.[".Input"]?.border ?? "1px solid");
    return {};
  },

  focus() {
    (document.querySelector("[aria-invalid=true]") ?? fields.number).focus();
    return {};
  },

  submit() {
    let first;
    for (const [name, [rule, code, message]] of Object.entries(RULES)) {
      const isRight = rule.test(fields[name].value.trim());
      say(name, isRight ? "" : message);
      if (!isRight) first ??= { type: "validation_error", code, message };
    }
    return first ? { error: first } : {};
  },

  async create({ key, params }) {
    const [month, year] = fields.expiry.value.match(/\d\d/g);
    const form = new URLSearchParams({
      type: "card",
      "card[number]": fields.number.value.replaceAll(" ", ""),
      "card[exp_month]": month,
      "card[exp_year]": `20${year}`,
      "card[cvc]": fields.cvc.value,
    });
    for (const [name, value] of Object.entries(params.billing_details ?? {})) form.set(`billing_details[${name}]`, value);
    try {
      const answer = await fetch("/v1/payment_methods", { method: "POST", body: form, headers: { Authorization: `Bearer ${key}` } });
      const { error, ...paymentMethod } = await answer.json();
      return error ? { error } : { paymentMethod };
    } catch {
      return { error: { type: "api_connection_error", message: "We are experiencing issues connecting to our payments provider." } };
    }
  },
};

const post = (answer) => parent.postMessage({ height: document.body.scrollHeight, ...answer }, "*");

addEventListener("message", async ({ source, data: { id, call, ...values } }) => {
  if (source === parent) post({ id, ...(await CALLS[call](values)) });
});
addEventListener("resize", () => post({}));
document.forms[0].addEventListener("input", () => post({ event: "change", elementType: "payment" }));
document.forms[0].addEventListener("submit", (event) => event.preventDefault());
