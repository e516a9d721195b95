// A stand-in for Stripe.js: the calls of the Payment Element that Fairground makes, refused where Stripe refuses them.
// Like Stripe's, it shows the fields of a card in a frame of its own origin, from which no number leaves for the page.
// Sources: docs.stripe.com/js/elements_object/create_without_intent, /js/element, /js/payment_methods and
// docs.stripe.com/elements/appearance-api.
(() => {
  const ORIGIN = new URL(document.currentScript.src).origin;

  class IntegrationError extends Error {
    name = "IntegrationError";
  }

  const oneOf = (...words) => (value) => words.includes(value);
  const isText = (value) => typeof value === "string";
  const COLOURS = ["Primary", "Background", "Text", "Danger", "TextSecondary", "TextPlaceholder"].map((name) => `color${name}`);
  const VARIABLES = [...COLOURS, "fontFamily", "fontSizeBase", "spacingUnit", "borderRadius"];
  const APPEARANCE = {
    theme: oneOf("stripe", "night", "flat"),
    variables: (given) => checked("appearance.variables", given, Object.fromEntries(VARIABLES.map((name) => [name, isText]))),
    rules: (given) => Object.entries(given).every(([selector, rule]) => /^\.\w/.test(selector) && typeof rule === "object"),
    labels: oneOf("auto", "above", "floating"),
  };
  const ELEMENTS = {
    mode: oneOf("payment"),
    amount: (value) => Number.isInteger(value) && value > 0,
    currency: (value) => /^[a-z]{3}$/.test(value),
    captureMethod: oneOf("manual", "automatic", "automatic_async"),
    paymentMethodCreation: oneOf("manual"),
    paymentMethodTypes: (value) => Array.isArray(value) && value.every(oneOf("card")),
    locale: isText,
    appearance: (given) => checked("elements().appearance", given, APPEARANCE),
  };
  const OFFER = oneOf("auto", "never");
  const PAYMENT = {
    layout: oneOf("tabs", "accordion"),
    wallets: (given) => checked("create().wallets", given, { applePay: OFFER, googlePay: OFFER, link: OFFER }),
  };

  /** Returns true; throws for an option that is not known or has a value that it does not take. */
  function checked(call, given, rules) {
    for (const [name, value] of Object.entries(given)) {
      if (!(name in rules)) throw new IntegrationError(`Invalid ${call} parameter: ${name} is not an accepted parameter.`);
      if (!rules[name](value)) throw new IntegrationError(`Invalid value for ${call}: ${name} is ${JSON.stringify(value)}.`);
    }
    return true;
  }

  /** The frame with the fields, and questions to it. */
  class PaymentElement {
    constructor(key, options) {
      this.key = key;
      this.options = options;
      this.handlers = {};
      this.answers = new Map();
      addEventListener("message", (event) => event.source === this.frame?.contentWindow && this.hear(event.data));
    }

    mount(place) {
      const target = typeof place === "string" ? document.querySelector(place) : place;
      if (!target) throw new IntegrationError(`The selector you specified (${place}) applies to no DOM elements.`);
      this.frame = document.createElement("iframe");
      this.frame.src = `${ORIGIN}/elements/card`;
      this.frame.title = "Secure payment input frame";
      Object.assign(this.frame.style, { border: "0", inlineSize: "100%", display: "block" });
      target.replaceChildren(this.frame);
      this.frame.addEventListener("load", async () => {
        await this.ask("show", { appearance: this.options.appearance, locale: this.options.locale });
        this.tell("ready", { elementType: "payment" });
      });
    }

    on(name, handler) {
      if (!["ready", "change", "loaderror", "focus", "blur"].includes(name)) throw new IntegrationError(`No such event: ${name}.`);
      (this.handlers[name] ??= []).push(handler);
      return this;
    }

    focus() {
      this.frame.focus();
      this.ask("focus");
    }

    ask(call, values = {}) {
      if (!this.frame) throw new IntegrationError("The Payment Element is not mounted.");
      const id = crypto.randomUUID();
      this.frame.contentWindow.postMessage({ id, call, ...values }, ORIGIN);
      return new Promise((resolve) => this.answers.set(id, resolve));
    }

    hear({ id, height, ...answer }) {
      if (height) this.frame.style.blockSize = `${height}px`;
      if (answer.event) this.tell(answer.event, answer);
      this.answers.get(id)?.(answer);
      this.answers.delete(id);
    }

    tell(name, event) {
      if (name === "change") this.isSubmitted = false;
      for (const handler of this.handlers[name] ?? []) handler(event);
    }
  }

  class Elements {
    constructor(key, options) {
      checked("elements()", options, ELEMENTS);
      for (const name of ["mode", "amount", "currency"]) {
        if (!(name in options)) throw new IntegrationError(`elements() needs ${name} where there is no client secret.`);
      }
      this.key = key;
      this.options = options;
    }

    create(type, options = {}) {
      if (type !== "payment") throw new IntegrationError(`This stand-in has no ${type} Element.`);
      checked("create()", options, PAYMENT);
      this.payment = new PaymentElement(this.key, this.options);
      return this.payment;
    }

    update(options) {
      checked("elements.update()", options, ELEMENTS);
      Object.assign(this.options, options);
      if (options.appearance) this.payment.ask("show", { appearance: options.appearance, locale: this.options.locale });
    }

    async submit() {
      const { error } = await this.payment.ask("submit");
      this.payment.isSubmitted = !error;
      return error ? { error } : {};
    }
  }

  window.Stripe = function Stripe(key) {
    if (!/^pk_(test|live)_/.test(key)) throw new IntegrationError("Invalid value for Stripe(): it needs a publishable key.");
    return {
      elements: (options = {}) => new Elements(key, { ...options }),
      async createPaymentMethod({ elements, params = {} }) {
        checked("createPaymentMethod()", params, { billing_details: (value) => typeof value === "object" });
        if (elements.options.paymentMethodCreation !== "manual") {
          throw new IntegrationError("elements() must have paymentMethodCreation: 'manual'.");
        }
        if (!elements.payment?.isSubmitted) {
          throw new IntegrationError("elements.submit() must be called before stripe.createPaymentMethod().");
        }
        const { error, paymentMethod } = await elements.payment.ask("create", { key, params });
        return error ? { error } : { paymentMethod };
      },
    };
  };
  window.Stripe.version = "endive";
})();
