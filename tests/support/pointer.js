// Measures how a mouse or a finger meets a page. One call measures the page as it stands and with each of its menus,
// dialogs and details open, in each of the fonts, and returns one sentence for each fault.
async ({ fonts }) => {
  const CONTROLS =
    "a[href], button, input:not([type=hidden]), select, textarea, summary, label, [contenteditable=true], " +
    "[role=button], [role=link], [role=checkbox], [role=radio], [role=switch], [role=tab], [role=menuitem], [role=option]";
  // The middle and four inner points. A corner of a round button is no part of it.
  const POINTS = [[0.5, 0.5], [0.2, 0.2], [0.8, 0.2], [0.2, 0.8], [0.8, 0.8]];
  const NATIVE_TEXT = "select, input[type=date], input[type=time], input[type=datetime-local], input[type=month], input[type=file]";
  // The longest text that a field of this type shows.
  const LONGEST = { date: "2028-12-28", time: "22:58", "datetime-local": "2028-12-28T22:58", month: "2028-09" };
  const TARGET_PX = 24; // WCAG 2.2, 2.5.8
  const HEADER_GAP_PX = 4;
  const ALIKE_MAX = 5;

  const faults = new Set();
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const report = (state, rule, element, detail = "") => faults.add(`${state}: ${rule}: ${name(element)}${detail && " " + detail}`);

  function name(element) {
    if (!element) return "nothing";
    const words = (element.getAttribute("aria-label") || element.innerText || element.name || "").trim();
    const classes = typeof element.className === "string" && element.className ? "." + element.className.trim().replace(/\s+/g, ".") : "";
    return `<${element.localName}${element.id && "#" + element.id}${classes}> “${words.replace(/\s+/g, " ").slice(0, 40)}”`;
  }

  function isShown(element) {
    if (!element.checkVisibility({ visibilityProperty: true })) return false;
    const box = element.getBoundingClientRect();
    // Content for screen readers alone is a pixel large; the skip link waits above the page until it has the focus.
    return box.width > 1 && box.height > 1 && box.bottom + scrollY > 0;
  }

  const isInline = (element) => getComputedStyle(element).display === "inline";
  /** A link within text is as many boxes as it has lines. */
  const boxesOf = (element) =>
    (isInline(element) ? [...element.getClientRects()] : [element.getBoundingClientRect()]).filter((box) => box.width > 1 && box.height > 1);
  const isPart = (control, hit) =>
    hit !== null && (control.contains(hit) || (control.control ?? control) === hit || hit.closest("label")?.control === control);

  function controlsIn(root) {
    return [...root.querySelectorAll(CONTROLS)].filter((element) => isShown(element) && (element.localName !== "label" || element.control));
  }

  /** The part of a box that scrolling and clipping elements let through, from the innermost one on. */
  function clipped(first, box) {
    let { left, top, right, bottom } = box;
    for (let at = first; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const outer = at.getBoundingClientRect();
      [left, top] = [Math.max(left, outer.left), Math.max(top, outer.top)];
      [right, bottom] = [Math.min(right, outer.right), Math.min(bottom, outer.bottom)];
    }
    return { left, top, right, bottom };
  }

  const overlap = (one, other) => ({
    width: Math.min(one.right, other.right) - Math.max(one.left, other.left),
    height: Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top),
  });

  function hitAt(control, fragment, [across, down]) {
    const point = () => {
      const box = boxesOf(control)[fragment];
      return box ? [box.left + box.width * across, box.top + box.height * down] : [-1, -1];
    };
    let [x, y] = point();
    if (y < 0 || y >= innerHeight) {
      scrollBy(0, y - innerHeight / 2);
      [x, y] = point();
    }
    return document.elementFromPoint(x, y);
  }

  /** Where a control is not hit, each with what is hit instead. */
  function missesOf(control) {
    const misses = [];
    for (let fragment = 0; fragment < boxesOf(control).length; fragment++) {
      for (const point of POINTS) {
        const hit = hitAt(control, fragment, point);
        if (!isPart(control, hit)) misses.push(`at ${point} by ${name(hit)}`);
      }
    }
    return misses;
  }

  async function checkClicks(state, controls) {
    for (const control of controls) {
      // As it stands, which a reader sees first; else in the middle of the screen, and away from a sticky header.
      if (!missesOf(control).length) continue;
      control.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
      // What is rendered only near the screen is there one frame later.
      await frame();
      for (const miss of missesOf(control)) report(state, "covered", control, miss);
    }
  }

  const isClipping = (value) => value === "hidden" || value === "clip";
  const isScrolling = (value) => value === "auto" || value === "scroll";

  function textsIn(root) {
    const texts = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (!node.data.trim() || !parent.checkVisibility({ visibilityProperty: true }) || parent.closest(".visually-hidden, option, svg, [aria-hidden=true]")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      texts.push({ node, parent, boxes: [...range.getClientRects()].filter((box) => box.width > 1) });
    }
    return texts;
  }

  function checkTextOfControl(state, control) {
    for (const { parent, boxes } of textsIn(control)) {
      for (let at = parent; at && at !== document.body; at = at.parentElement) {
        const { overflowX, textOverflow } = getComputedStyle(at);
        if (isScrolling(overflowX)) break;
        const outer = at.getBoundingClientRect();
        const isOutside = boxes.some((box) => box.left < outer.left - 1 || box.right > outer.right + 1);
        const isShortened = textOverflow === "ellipsis" && at.scrollWidth > at.clientWidth + 1;
        if (isClipping(overflowX) && (isShortened || isOutside)) report(state, "text is cut", control, `by ${name(at)}`);
        else if (at === control && !isInline(at) && isOutside) report(state, "text leaves its control", control);
      }
    }
  }

  /** How much wider a field would be if its text decided. */
  function checkNativeText(state, field) {
    const clone = field.cloneNode(true);
    clone.removeAttribute("id");
    if (LONGEST[field.type]) clone.value = LONGEST[field.type];
    // A closed list shows its choice, and takes room for the longest.
    if (field.localName === "select") clone.replaceChildren(...[...field.selectedOptions].map((option) => option.cloneNode(true)));
    const free = { position: "absolute", visibility: "hidden", "inline-size": "max-content", "min-inline-size": "0", "max-inline-size": "none" };
    for (const [property, value] of Object.entries(free)) clone.style.setProperty(property, value, "important");
    field.after(clone);
    const missing = clone.getBoundingClientRect().width - field.getBoundingClientRect().width;
    clone.remove();
    if (missing > 1) report(state, "text is cut", field, `for want of ${Math.ceil(missing)} px`);
  }

  function checkPlaceholder(state, field) {
    const style = getComputedStyle(field);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = style.font;
    pen.letterSpacing = style.letterSpacing === "normal" ? "0px" : style.letterSpacing;
    const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const missing = pen.measureText(field.placeholder).width - room;
    if (missing > 1) report(state, "placeholder is cut", field, `for want of ${Math.ceil(missing)} px`);
  }

  function checkOverlaps(state, controls) {
    const boxes = controls.flatMap((control) => boxesOf(control).map((box) => [control, clipped(control.parentElement, box)]));
    boxes.forEach(([one, box], at) => {
      for (const [other, otherBox] of boxes.slice(at + 1)) {
        const { width, height } = overlap(box, otherBox);
        if (width <= 1 || height <= 1 || one.contains(other) || other.contains(one)) continue;
        if (one.control === other || other.control === one) continue;
        report(state, "controls overlap", one, `and ${name(other)}`);
      }
    });
  }

  function checkTextCollisions(state, root) {
    const lines = textsIn(root).filter(({ parent }) => !parent.closest(".map-ground")).flatMap(({ node, parent, boxes }) =>
      boxes.map((box) => ({ node, parent, box: clipped(parent, box), isHeader: !!parent.closest("header.site-header, nav") })));
    lines.sort((one, other) => one.box.top - other.box.top);
    lines.forEach((one, at) => {
      for (const other of lines.slice(at + 1)) {
        if (other.box.top >= one.box.bottom) break;
        if (one.node === other.node) continue;
        const gap = one.isHeader && other.isHeader && one.parent !== other.parent && !one.parent.contains(other.parent) && !other.parent.contains(one.parent) ? HEADER_GAP_PX : -2;
        const { width, height } = overlap(one.box, other.box);
        // Content areas of lines that are set tightly overlap by a few pixels.
        const least = Math.min(one.box.bottom - one.box.top, other.box.bottom - other.box.top);
        if (width > -gap && height > least / 2) report(state, "text runs into text", one.parent, `and ${name(other.parent)}`);
      }
    });
  }

  function checkSize(state, control) {
    if (isInline(control) || control.localName === "label") return;
    const boxes = [control, ...(control.labels ?? [])].map((element) => element.getBoundingClientRect());
    const width = Math.max(...boxes.map((box) => box.width));
    const height = Math.max(...boxes.map((box) => box.height));
    if (width < TARGET_PX || height < TARGET_PX) report(state, "smaller than 24 px", control, `${width.toFixed(1)} × ${height.toFixed(1)}`);
  }

  async function measure(state, root) {
    const controls = controlsIn(root);
    scrollTo(0, 0);
    checkOverlaps(state, controls);
    checkTextCollisions(state, root);
    for (const control of controls) {
      checkTextOfControl(state, control);
      checkSize(state, control);
      if (control.matches(NATIVE_TEXT)) checkNativeText(state, control);
      if (control.placeholder) checkPlaceholder(state, control);
    }
    const page = document.scrollingElement;
    if (page.scrollWidth > page.clientWidth) report(state, "page is wider than the screen", page, `by ${page.scrollWidth - page.clientWidth} px`);
    await checkClicks(state, controls);
    return controls.length;
  }

  /** Of elements of one class, which are laid out alike, those with the most text: the page of the API has a hundred. */
  function longestOfEach(elements) {
    const sorted = elements.toSorted((one, other) => other.textContent.length - one.textContent.length);
    return [...Map.groupBy(sorted, (element) => element.className).values()].flatMap((alike) => alike.slice(0, ALIKE_MAX));
  }

  async function measureAll(font) {
    // Behind a modal dialog nothing can be clicked, nor should it be.
    const modal = document.querySelector("dialog:modal");
    if (modal) return measure(font, modal);
    let count = await measure(font, document.body);
    const closed = longestOfEach([...document.querySelectorAll("details:not(.menu, .map-drawer, [open])")].filter(isShown));
    for (const details of closed) details.open = true;
    for (const details of closed) await measure(`${font}, details open`, details);
    for (const details of closed) details.open = false;
    for (const menu of [...document.querySelectorAll("details.menu")].filter(isShown)) {
      menu.open = true;
      count += await measure(`${font}, menu open`, menu);
      menu.open = false;
    }
    for (const dialog of document.querySelectorAll("dialog:not([open]):has(button)")) {
      dialog.showModal();
      count += await measure(`${font}, dialog open`, dialog);
      dialog.close();
    }
    const skip = document.querySelector(".skip-link");
    if (skip) {
      scrollTo(0, 0);
      skip.focus();
      await checkClicks(`${font}, skip link focused`, [skip]);
      checkTextOfControl(`${font}, skip link focused`, skip);
      skip.blur();
    }
    return count;
  }

  let count = 0;
  for (const [font, style] of Object.entries(fonts)) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    document.adoptedStyleSheets.push(sheet);
    await Promise.all(["400", "700"].map((weight) => document.fonts.load(`${weight} 16px Wider`)));
    await frame();
    count += await measureAll(font);
    document.adoptedStyleSheets.pop();
  }
  scrollTo(0, 0);
  return { count, faults: [...faults] };
}
