// The desk's page of pictures does without it, one form at a time.

const AT_ONCE = 3;
const TRIES = 3;
const THUMB_PX = 96;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What went wrong, in words for the reader; the other one leads to the same if tried again. */
class Refusal extends Error {}
class FinalRefusal extends Refusal {}

/** Post a form and tell of its progress, which fetch cannot. Resolves with the status, 0 for none. */
function send({ url, fields }, file, signal, onProgress) {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file);
    const request = new XMLHttpRequest();
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = request.onerror = () => resolve(request.status);
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort());
    request.open("POST", url);
    request.send(form);
  });
}

class PhotoUpload extends HTMLElement {
  connectedCallback() {
    this.words = this.dataset;
    this.isGallery = this.words.to === "gallery";
    this.waiting = [];
    this.running = 0;
    this.querySelector("form").hidden = true;
    const zone = this.querySelector(".drop-zone");
    zone.hidden = false;
    zone.addEventListener("drop", (event) => this.add(event.dataTransfer.files));
    this.input = this.querySelector("input[type=file]");
    this.input.multiple = this.isGallery;
    this.addChooser(".choose", this.input);
    const camera = this.input.cloneNode();
    camera.setAttribute("capture", this.isGallery ? "environment" : "user");
    this.addChooser(".camera", camera);
  }

  addChooser(selector, input) {
    this.querySelector(selector).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.add(input.files);
      // So that choosing the same file again is a change.
      input.value = "";
    });
  }

  get isBusy() {
    return !this.isLeaving && this.running + this.waiting.length > 0;
  }

  /** The session has ended: the page leads to where one signs in. Never resolves. */
  leave() {
    this.isLeaving = true;
    location.reload();
    return new Promise(() => {});
  }

  add(files) {
    for (const file of this.isGallery ? files : [...files].slice(0, 1)) {
      const upload = this.addRow(file);
      const refusal = this.judge(file);
      if (refusal) this.fail(upload, new FinalRefusal(refusal));
      else this.queue(upload);
    }
  }

  /** Say what the server would. */
  judge(file) {
    if (/hei[cf]/i.test(file.type || file.name.split(".").pop())) return this.words.heic;
    if (!this.input.accept.split(",").includes(file.type)) return this.words.notAPicture;
    return file.size > this.words.maxBytes ? this.words.tooLarge : "";
  }

  addRow(file) {
    const row = this.querySelector("template").content.firstElementChild.cloneNode(true);
    const upload = { file, row, progress: row.querySelector("progress"), retry: row.querySelector(".retry") };
    row.querySelector(".name").textContent = upload.progress.ariaLabel = file.name;
    for (const label of row.querySelectorAll("button span")) label.textContent = ` ${file.name}`;
    upload.retry.addEventListener("click", () => this.queue(upload));
    row.querySelector(".cancel").addEventListener("click", () => this.drop(upload));
    this.querySelector(".uploads").append(row);
    this.drawThumb(row.querySelector("canvas"), file);
    return upload;
  }

  /** Drawn, for the page's policy lets in no `data:`. */
  async drawThumb(canvas, file) {
    if (file.size > this.words.maxBytes) return;
    try {
      const picture = await createImageBitmap(file);
      const { width, height } = picture;
      const side = Math.min(width, height);
      canvas.getContext("2d").drawImage(picture, (width - side) / 2, (height - side) / 2, side, side, 0, 0, THUMB_PX, THUMB_PX);
    } catch {
      // Unknown to the browser: it stays grey.
    }
  }

  queue(upload) {
    const hadFocus = document.activeElement === upload.retry;
    upload.row.classList.remove("bad");
    upload.retry.hidden = true;
    if (hadFocus) upload.row.querySelector(".cancel").focus();
    upload.ending = new AbortController();
    upload.before = this.last;
    this.last = new Promise((resolve) => (upload.settle = resolve));
    this.show(upload, 0, this.words.waiting);
    this.waiting.push(upload);
    this.work();
  }

  async work() {
    if (this.running >= AT_ONCE || !this.waiting.length) return;
    const upload = this.waiting.shift();
    this.running++;
    try {
      this.place(upload, await this.bring(upload));
    } catch (error) {
      if (upload.ending.signal.aborted) this.forget(upload);
      else this.fail(upload, error);
    }
    upload.settle();
    this.running--;
    this.work();
  }

  async bring(upload) {
    const { signal } = upload.ending;
    // Not broken off: an unheard form cannot be given back.
    upload.offer ??= await this.askForForm(upload.file);
    signal.throwIfAborted();
    if (!upload.isSent) await this.sendPatiently(upload);
    upload.isSent = true;
    this.show(upload, 1, this.words.looking);
    // They stand in the order in which they were chosen.
    await upload.before;
    signal.throwIfAborted();
    return this.complete(upload, signal);
  }

  async askForForm(file) {
    const body = JSON.stringify({ content_type: file.type });
    const request = { method: "POST", headers: { "Content-Type": "application/json" }, body };
    const answer = await this.ask("/api/v1/media/uploads", request);
    if (answer.status === 401) return this.leave();
    const told = answer.status < 500 ? await answer.json() : {};
    if (answer.ok) return told;
    throw new Refusal(told.detail ? `${told.detail} ${told.hint ?? ""}` : this.words.failed);
  }

  /** A form may be sent until a file has come by it. */
  async sendPatiently(upload) {
    const { signal } = upload.ending;
    for (let attempt = 1; ; attempt++) {
      const onProgress = (part) => this.show(upload, part, this.words.sending.replace("{percent}", Math.floor(100 * part)));
      const status = await send(upload.offer.form, upload.file, signal, onProgress);
      // 409: it had come.
      if ((status >= 200 && status < 300) || status === 409) return;
      if (status >= 400 && status < 500) {
        upload.offer = undefined;
        throw new Refusal(this.words.failed);
      }
      if (attempt === TRIES) throw new Refusal(this.words.broke);
      await wait(300 * 2 ** attempt);
      signal.throwIfAborted();
    }
  }

  /** The answer is a part of the page, or why not, in words. */
  async complete({ offer }, signal) {
    const answer = await this.ask(`/_f/pro/pictures/${offer.picture.id}/${this.dataset.to}`, { method: "POST", signal });
    if (answer.headers.has("HX-Redirect")) return this.leave();
    const part = document.createElement("template");
    part.innerHTML = await answer.text();
    if (answer.ok) return part.content.firstElementChild;
    throw new (answer.status < 500 ? FinalRefusal : Refusal)(part.content.textContent.trim());
  }

  async ask(address, request) {
    try {
      return await fetch(address, request);
    } catch {
      request.signal?.throwIfAborted();
      throw new Refusal(this.words.broke);
    }
  }

  place(upload, part) {
    upload.row.remove();
    if (this.isGallery) document.querySelector("own-gallery").append(part);
    else document.getElementById("portrait").replaceWith(part);
    htmx.process(part);
    this.say(this.words.done, upload);
  }

  fail(upload, error) {
    const words = error instanceof Refusal ? error.message : this.words.failed;
    upload.row.classList.add("bad");
    upload.retry.hidden = error instanceof FinalRefusal;
    this.show(upload, 0, words);
    this.say(`${this.words.refused} ${words}`, upload);
    if (!upload.retry.hidden) return;
    upload.row.querySelector(".cancel").firstChild.data = this.words.dismiss;
    this.forget(upload);
  }

  drop(upload) {
    upload.ending?.abort();
    upload.settle?.();
    this.waiting = this.waiting.filter((each) => each !== upload);
    upload.row.remove();
    this.forget(upload);
    this.querySelector(".choose").focus();
  }

  forget(upload) {
    if (upload.offer) fetch(`/api/v1/media/${upload.offer.picture.id}`, { method: "DELETE" }).catch(() => {});
    upload.offer = undefined;
  }

  show({ row, progress }, part, words) {
    progress.value = part;
    row.querySelector(".state").textContent = words;
  }

  say(words, { file }) {
    this.querySelector(".said").textContent = words.replace("{name}", file.name);
  }
}

/** Words are saved and pictures move without loading the page anew. */
class OwnGallery extends HTMLElement {
  connectedCallback() {
    this.classList.add("is-scripted");
    this.said = this.querySelector(":scope > .said");
    this.saving = Promise.resolve();
    this.addEventListener("submit", (event) => this.onSubmit(event));
    this.addEventListener("change", ({ target }) => target.name === "alt" && this.save(target.form));
    this.addEventListener("pointerdown", ({ target }) => this.allowDrag(target));
    this.addEventListener("dragstart", ({ target }) => this.carry(target));
    this.addEventListener("dragover", (event) => this.carryOver(event));
    this.addEventListener("dragend", () => this.letGo());
  }

  get pictures() {
    return [...this.querySelector(".own-pictures").children];
  }

  append(picture) {
    this.querySelector(".own-pictures").append(picture);
    const count = document.getElementById("gallery-count");
    count.textContent = count.dataset.words.replace("{count}", this.pictures.length);
  }

  onSubmit(event) {
    const form = event.target;
    if (form.matches(".move")) this.move(form.closest("li"), Number(form.elements.by.value));
    else if (!form.matches(".describe")) return;
    event.preventDefault();
  }

  move(picture, by) {
    const button = document.activeElement;
    this.put(picture, this.pictures[this.pictures.indexOf(picture) + by]);
    button.focus();
    // Unseen at an end.
    if (document.activeElement !== button) picture.querySelector(by < 0 ? ".later" : ".earlier").focus();
    this.keepMove(picture, by);
  }

  /** Put a picture where another is. */
  put(picture, other) {
    if (other.compareDocumentPosition(picture) & Node.DOCUMENT_POSITION_FOLLOWING) other.before(picture);
    else other.after(picture);
  }

  keepMove(picture, by) {
    const form = picture.querySelector(".move");
    this.post(form.action, { by });
    const [place, count] = [this.pictures.indexOf(picture) + 1, this.pictures.length];
    this.said.textContent = this.dataset.moved.replace("{place}", place).replace("{count}", count);
  }

  save(form) {
    this.post(form.action, new FormData(form), form);
    this.said.textContent = this.dataset.saved;
  }

  /** One after another. What is refused is sent once more as a form, whose page says why. */
  post(address, fields, form) {
    this.saving = this.saving.then(async () => {
      const request = { method: "POST", body: new URLSearchParams(fields), redirect: "manual" };
      const answer = await fetch(address, request).catch(() => null);
      if (answer?.type === "opaqueredirect") return;
      if (form) form.submit();
      else location.reload();
    });
  }

  /** By the picture alone: a field's text must stay selectable. */
  allowDrag(target) {
    for (const picture of this.pictures) picture.draggable = picture.contains(target.closest(".frame"));
  }

  carry(picture) {
    // Selected words are dragged as well.
    if (!this.pictures.includes(picture)) return;
    this.carried = picture;
    this.from = this.pictures.indexOf(picture);
    picture.classList.add("is-carried");
  }

  carryOver(event) {
    const below = event.target.closest("li");
    if (!this.carried || !below) return;
    event.preventDefault();
    if (below !== this.carried) this.put(this.carried, below);
  }

  letGo() {
    if (!this.carried) return;
    const by = this.pictures.indexOf(this.carried) - this.from;
    this.carried.classList.remove("is-carried");
    if (by) this.keepMove(this.carried, by);
    this.carried = undefined;
  }
}

/** A file that is let go beside its zone would take the place of the page. */
for (const type of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(type, (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.toggle("is-dragging", type === "dragover");
  });
}
document.addEventListener("paste", (event) => {
  const { files } = event.clipboardData;
  const near = event.target.closest?.("photo-upload") ?? document.querySelector("photo-upload[data-to=gallery]");
  if (!files.length || !near) return;
  event.preventDefault();
  near.add(files);
});
addEventListener("beforeunload", (event) => {
  if ([...document.querySelectorAll("photo-upload")].some((each) => each.isBusy)) event.preventDefault();
});

customElements.define("photo-upload", PhotoUpload);
customElements.define("own-gallery", OwnGallery);
