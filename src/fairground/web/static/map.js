// Loaded when somebody opens a map. The list of results says the same; this shows how it lies.

// Pins nearer to each other than this, in pixels, would cover each other, and are one pin that says how many it stands for.
const PIN = { width: 92, height: 56 };
// A place is right to about a kilometre; closer up, a pin would promise more.
const ZOOM_MAX = 13;
// The outline of the land is right to some ten kilometres; closer up, it would put people into the sea.
const LAND_ZOOM_MAX = 5;

function loadStyle(href) {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.onload = link.onerror = resolve;
    document.head.append(link);
  });
}

/** Read a TopoJSON file of land: shared lines, each a start and steps, from which the rings of the coasts are made. */
async function loadLand(address) {
  const { arcs, objects, transform } = await (await fetch(address)).json();
  const lines = arcs.map((arc) => {
    let x = 0, y = 0;
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [y * transform.scale[1] + transform.translate[1], x * transform.scale[0] + transform.translate[0]];
    });
  });
  const polygons = objects.land.geometries.flatMap((geometry) => geometry.arcs);
  // Three worlds side by side, so that the map has no edge where somebody lives.
  return [-360, 0, 360].flatMap((turn) =>
    polygons.map((rings) => rings.map((ring) => unwound(ring.flatMap((number) => lines[number]), turn))),
  );
}

/** A coast that crosses the date line goes on behind it, instead of coming back from the other side of the map. */
function unwound(ring, turn) {
  return ring.map(([lat, lng], at) => {
    const step = at ? lng - ring[at - 1][1] : 0;
    if (Math.abs(step) > 180) turn -= 360 * Math.sign(step);
    return [lat, lng + turn];
  });
}

class PlaceMap extends HTMLElement {
  async connectedCallback() {
    const words = this.dataset;
    await Promise.all([import(words.leaflet), ...words.styles.split(" ").map(loadStyle)]);
    this.ground = this.querySelector(".map-ground");
    this.ground.hidden = false;
    this.places = [...this.querySelectorAll("li")];
    this.querySelector("ul").hidden = true;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const motion = { zoomAnimation: !isStill, fadeAnimation: !isStill, markerZoomAnimation: !isStill };
    // The wheel scrolls the page on, which a reader who passes by wants of it.
    this.map = L.map(this.ground, { ...motion, zoomControl: false, scrollWheelZoom: false, maxZoom: ZOOM_MAX });
    this.map.attributionControl.setPrefix(false);
    L.control.zoom({ zoomInTitle: words.zoomIn, zoomOutTitle: words.zoomOut }).addTo(this.map);
    L.control.scale({ imperial: false }).addTo(this.map);
    this.map.fitBounds(this.places.map((place) => this.whereIs(place)), { padding: [70, 50], maxZoom: 11 });
    this.addGround();
    this.pins = L.layerGroup().addTo(this.map);
    this.drawPins();
    this.map.on("zoomend", () => this.drawPins());
    this.addEventListener("keydown", (event) => this.onKey(event));
  }

  disconnectedCallback() {
    this.map?.remove();
  }

  whereIs(place) {
    return L.latLng(place.dataset.lat, place.dataset.lng);
  }

  /** An operator's map; or squares that move and grow with it, and the land as long as its outline is true. */
  async addGround() {
    const { tiles, attribution, land } = this.dataset;
    if (tiles) return L.tileLayer(tiles, { attribution, maxZoom: ZOOM_MAX }).addTo(this.map);
    const squares = L.gridLayer();
    squares.createTile = () => L.DomUtil.create("div", "map-square");
    squares.addTo(this.map);
    const outline = L.polygon(await loadLand(land), { className: "map-land", interactive: false });
    const show = () => (this.map.getZoom() > LAND_ZOOM_MAX ? outline.remove() : outline.addTo(this.map));
    show();
    this.map.on("zoomend", show);
  }

  drawPins() {
    this.pins.clearLayers();
    const named = new Set();
    for (const places of this.groups()) {
      const towns = [...new Set(places.map((place) => place.dataset.place))].filter((town) => !named.has(town));
      towns.forEach((town) => named.add(town));
      this.addPin(places, towns.length < 3 ? towns.join(", ") : "");
    }
  }

  groups() {
    const groups = [];
    for (const place of this.places) {
      const at = this.map.project(this.whereIs(place));
      const near = groups.find(
        (group) => Math.abs(group.at.x - at.x) < PIN.width && Math.abs(group.at.y - at.y) < PIN.height,
      );
      if (near) near.places.push(place);
      else groups.push({ at, places: [place] });
    }
    return groups.map((group) => group.places);
  }

  addPin(places, caption) {
    const links = places.map((place) => place.querySelector("a"));
    const text = places.length > 1 ? String(places.length) : places[0].dataset.price ?? links[0].textContent;
    const inside = document.createElement("div");
    inside.append(Object.assign(document.createElement("strong"), { textContent: text }));
    inside.append(Object.assign(document.createElement("span"), { textContent: caption }));
    const list = Object.assign(document.createElement("ul"), { className: "map-list" });
    list.append(...places.map((place) => place.cloneNode(true)));

    const middle = L.latLngBounds(places.map((place) => this.whereIs(place))).getCenter();
    const icon = L.divIcon({ className: "map-pin", iconSize: null, html: inside });
    const pin = L.marker(middle, { icon, autoPanOnFocus: false }).addTo(this.pins);
    pin.bindPopup(list, { closeButton: false, maxHeight: 200, minWidth: 200, offset: [0, -8] });
    const button = pin.getElement();
    button.setAttribute("aria-label", `${text}: ${links.map((link) => link.textContent).join(", ")}`);
    button.setAttribute("aria-expanded", "false");
    // For the keyboard alone: a map that moves under a pressed mouse button loses the click.
    button.addEventListener("focus", () => button.matches(":focus-visible") && this.map.panInside(middle, { padding: [90, 60] }));
    pin.on("popupopen", () => {
      this.opener = button;
      button.setAttribute("aria-expanded", "true");
      list.querySelector("a").focus({ preventScroll: true });
    });
    pin.on("popupclose", () => button.setAttribute("aria-expanded", "false"));
  }

  onKey(event) {
    if (event.key === "Escape" && this.opener?.getAttribute("aria-expanded") === "true") {
      this.map.closePopup();
      this.opener.focus({ preventScroll: true });
    } else if (event.key === " " && event.target.matches(".map-pin")) {
      event.preventDefault();
      event.target.click();
    }
  }
}

customElements.define("place-map", PlaceMap);
