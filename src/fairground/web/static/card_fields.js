// The page of payment, with the card processor's own fields: the number of a card goes from the browser to the processor,
// and what this server gets is the name of the payment method that was made of it (docs.stripe.com/js).

const COLOURS = {
  colorPrimary: "--accent",
  colorBackground: "--bg",
  colorText: "--text",
  colorTextSecondary: "--muted",
  colorTextPlaceholder: "--muted",
  colorDanger: "--bad",
};
const DARK = matchMedia("(prefers-color-scheme: dark)");
// What these say is meant for the holder of the card, in the language of the fields.
const SAID_TO_READERS = new Set(["card_error", "validation_error"]);

/** The frame of the fields cannot read our variables, and knows colours only as the browser has computed them. */
function computedColour(variable) {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function appearance() {
  const { fontFamily } = getComputedStyle(document.body);
  const colours = Object.entries(COLOURS).map(([name, variable]) => [name, computedColour(variable)]);
  const line = `1px solid ${computedColour("--field")}`;
  return {
    theme: DARK.matches ? "night" : "stripe",
    variables: { ...Object.fromEntries(colours), fontFamily, fontSizeBase: "16px", borderRadius: "8px" },
    rules: { ".Input": { border: line, boxShadow: "none" } },
  };
}

class CardForm {
  constructor(form) {
    this.form = form;
    this.button = form.querySelector("button");
    this.field = form.elements.payment_method;
    this.notice = form.querySelector("#card-error");
    this.words = form.dataset;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.pay();
    });
    // Returning with the back button restores the page as it was left, with a payment method that is used up.
    addEventListener("pageshow", (event) => event.persisted && this.release());
    try {
      this.mount();
    } catch (error) {
      // A blocker or a broken connection has kept the processor's script away, or it does not take the key.
      console.error(error);
      this.fail(this.words.notLoaded);
    }
  }

  mount() {
    this.stripe = Stripe(this.words.publishableKey);
    this.elements = this.stripe.elements({
      mode: "payment",
      amount: Number(this.words.amount),
      currency: this.words.currency,
      captureMethod: "manual",
      paymentMethodCreation: "manual",
      paymentMethodTypes: ["card"],
      locale: document.documentElement.lang,
      appearance: appearance(),
    });
    const wallets = { applePay: "never", googlePay: "never", link: "never" };
    this.card = this.elements.create("payment", { layout: "tabs", wallets });
    this.card.on("ready", () => this.release());
    this.card.on("loaderror", () => this.fail(this.words.notLoaded));
    this.card.mount("#card-fields");
    DARK.addEventListener("change", () => this.elements.update({ appearance: appearance() }));
  }

  async pay() {
    if (this.button.disabled) return;
    this.say("");
    this.button.disabled = true;
    this.button.setAttribute("aria-busy", "true");
    const error = await this.makePaymentMethod();
    if (!error) return this.form.submit();
    this.release();
    this.say(SAID_TO_READERS.has(error.type) ? error.message : this.words.failed);
    if (error.type === "validation_error") this.card.focus();
    else this.notice.focus();
  }

  /** Put the name of a new payment method into the form, or return why there is none. */
  async makePaymentMethod() {
    try {
      const { error: invalid } = await this.elements.submit();
      if (invalid) return invalid;
      const { error, paymentMethod } = await this.stripe.createPaymentMethod({ elements: this.elements });
      if (!error) this.field.value = paymentMethod.id;
      return error;
    } catch (error) {
      console.error(error);
      return error;
    }
  }

  release() {
    this.field.value = "";
    this.button.disabled = false;
    this.button.removeAttribute("aria-busy");
    this.form.querySelector("#card-fields").removeAttribute("aria-busy");
  }

  say(text) {
    this.notice.hidden = !text;
    this.notice.querySelector("[data-text]").textContent = text;
  }

  fail(text) {
    this.form.querySelector("#card-fields").removeAttribute("aria-busy");
    this.say(text);
  }
}

for (const form of document.querySelectorAll("[data-card-form]")) new CardForm(form);
