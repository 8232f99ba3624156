"use strict";
(() => {
  const page = JSON.parse(document.getElementById("page-data").textContent);
  const root = document.documentElement;
  const UNKNOWN = "\u2013";
  const NUMERIC = new Set(["count", "number", "ms", "ratio", "share", "bytes", "range"]);
  const ROWS = 30;
  const ALL_ROWS = 500;

  /* Numbers: the same rules as words.py, so that sorting never changes a digit. */
  const grouped = (text) => {
    const [whole, places] = text.split(".");
    const parts = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    return places ? parts + "." + places : parts;
  };
  const fixed = (value, places) => {
    const text = value.toFixed(places);
    return grouped(Number(text) === 0 ? text.replace("-", "") : text);
  };
  const significant = (value) => {
    const size = Math.abs(value);
    return value === 0 ? "0" : fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
  };
  const bytes = (value) => {
    const units = ["B", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
    return (unit === 0 ? String(value) : significant(value)) + " " + units[unit];
  };
  const shown = (value, kind) => {
    if (typeof value === "string") return kind === "time" ? value.replace("T", " ").replace(/Z$/, "") : value;
    if (typeof value !== "number") return String(value);
    if (kind === "count") return fixed(value, 0);
    if (kind === "share") return value > 0 && value < 0.01 ? "< 1 %" : fixed(100 * value, 0) + " %";
    if (kind === "bytes") return bytes(value);
    return significant(value);
  };
  const isUnknown = (value) => value === null || value === "" || (Array.isArray(value) && !value.length);
  const element = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    if (text) made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const say = (text) => { document.getElementById("status").textContent = text; };

  /* Tables: sort, filter, show all, download. Cells are only ever set as text. */
  const cell = (value, kind, isFirst) => {
    const made = element(isFirst ? "th" : "td", "", isFirst ? { scope: "row" } : {});
    if (NUMERIC.has(kind)) made.className = "number";
    if (isUnknown(value)) made.append(element("span", UNKNOWN, { class: "unknown", title: "unknown" }));
    else if (kind === "name") made.append(element("bdi", String(value)));
    else if (kind === "ids") value.forEach((one, at) => made.append(at ? " " : "", element("code", one)));
    else if (kind === "id") made.append(element("code", value));
    else if (kind === "verdict") made.append(element("span", value, { class: "verdict", "data-verdict": value }));
    else if (kind === "time") made.append(element("time", shown(value, kind), { datetime: value }));
    else made.textContent = shown(value, kind);
    return made;
  };
  const compare = (one, other) => {
    if (typeof one === "number" && typeof other === "number") return one - other;
    const [left, right] = [String(one), String(other)];
    return left < right ? -1 : left > right ? 1 : 0;
  };
  const formulaSafe = (text) => (/^[=+\-@\t\r]/.test(text) ? "'" + text : text);
  const quoted = (value) => {
    if (isUnknown(value)) return "";
    if (typeof value === "number") return String(value);
    return '"' + formulaSafe(Array.isArray(value) ? value.join(" ") : String(value)).replace(/"/g, '""') + '"';
  };
  const save = (name, type, text) => {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const link = element("a", "", { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  };
  const equip = (frame) => {
    const id = frame.dataset.table;
    const { columns, rows } = page.tables[id];
    const head = frame.querySelector("thead tr");
    const body = frame.querySelector("tbody");
    const caption = frame.querySelector("caption").textContent;
    const count = element("span", "", { class: "count" });
    let order = null, down = false, limit = ROWS, words = "";
    const chosen = () => {
      const wanted = words.toLowerCase();
      const kept = wanted
        ? rows.filter((row) => row.some((value) => value !== null && String(value).toLowerCase().includes(wanted)))
        : rows.slice();
      if (order !== null) kept.sort((one, other) => {
        const [left, right] = [one[order], other[order]];
        if (isUnknown(left) || isUnknown(right)) return isUnknown(left) - isUnknown(right);
        return (down ? -1 : 1) * compare(left, right);
      });
      return kept;
    };
    const draw = () => {
      const kept = chosen();
      body.replaceChildren(...kept.slice(0, limit).map((row) => {
        const line = element("tr");
        row.forEach((value, at) => line.append(cell(value, columns[at].kind, at === 0)));
        return line;
      }));
      const visible = Math.min(limit, kept.length);
      count.textContent = visible === rows.length
        ? grouped(String(rows.length)) + (rows.length === 1 ? " row" : " rows")
        : grouped(String(visible)) + " of " + grouped(String(kept.length)) + " rows" + (words ? " that match" : "");
      more.hidden = kept.length <= ROWS;
      more.textContent = limit > ROWS ? "Show fewer" : "Show " + (kept.length > ALL_ROWS ? grouped(String(ALL_ROWS)) : "all");
    };
    const more = element("button", "", { type: "button" });
    more.addEventListener("click", () => { limit = limit > ROWS ? ROWS : ALL_ROWS; draw(); say(count.textContent); });
    [...head.children].forEach((heading, at) => {
      const sort = element("button", "\u2195", { type: "button", class: "sort", "aria-label": "Sort by " + columns[at].title });
      sort.addEventListener("click", () => {
        down = order === at ? !down : NUMERIC.has(columns[at].kind);
        order = at;
        [...head.children].forEach((other) => { other.removeAttribute("aria-sort"); other.querySelector(".sort").textContent = "\u2195"; });
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort.textContent = down ? "\u2193" : "\u2191";
        draw();
        say("Sorted by " + columns[at].title + (down ? ", largest first" : ", smallest first"));
      });
      heading.append(" ", sort);
    });
    const tools = element("div", "", { class: "tools" });
    tools.append(count);
    if (rows.length > 12) {
      const filter = element("input", "", { type: "search", placeholder: "Filter rows", "aria-label": "Filter rows of: " + caption });
      filter.addEventListener("input", () => { words = filter.value; draw(); say(count.textContent); });
      tools.append(filter);
    }
    const csv = element("button", "CSV", { type: "button", "aria-label": "Download as CSV: " + caption });
    csv.addEventListener("click", () => {
      const lines = [columns.map((column) => quoted(column.key)), ...chosen().map((row) => row.map(quoted))];
      save(id + ".csv", "text/csv", "\ufeff" + lines.map((line) => line.join(",")).join("\r\n") + "\r\n");
    });
    const json = element("button", "JSON", { type: "button", "aria-label": "Download as JSON: " + caption });
    json.addEventListener("click", () => {
      const items = chosen().map((row) => Object.fromEntries(columns.map((column, at) => [column.key, row[at]])));
      save(id + ".json", "application/json", JSON.stringify(items, null, 1) + "\n");
    });
    tools.append(more, csv, json);
    const cut = frame.querySelector(".cut");
    if (cut) cut.remove();
    frame.append(tools);
    draw();
  };

  /* Figures: colours are names of the stylesheet, looked up for the theme in force. */
  const COLOUR = /^var\((--[\w-]+)\)$/;
  const painted = (value, key) => {
    if (Array.isArray(value)) return value.map((item) => painted(item, key));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, painted(item, name)]));
    }
    const match = typeof value === "string" && /color(scale)?$/.test(key) ? COLOUR.exec(value) : null;
    return match ? getComputedStyle(root).getPropertyValue(match[1]).trim() : value;
  };
  const FIRST_LEAST = 380;
  const proof = document.querySelector(".proof .plot");
  if (proof && innerWidth >= 640) {  /* the figure that proves the headline is seen without scrolling */
    const room = innerHeight - proof.getBoundingClientRect().top - scrollY - 8;
    proof.style.height = Math.max(Math.min(FIRST_LEAST, proof.clientHeight), Math.min(proof.clientHeight, room)) + "px";
  }
  const draw = () => {
    if (typeof Plotly === "undefined") return Promise.resolve();
    const drawn = [];
    for (const [id, figure] of Object.entries(page.figures)) {
      const { data, layout } = painted(figure, "");
      layout.dragmode = false;
      if (document.getElementById(id).clientWidth < 520) {  /* no room for remarks in titles */
        for (const mark of layout.annotations || []) mark.text = mark.text.replace(/ <i>[^<]*<\/i>$/, "");
      }
      drawn.push(Plotly.newPlot(id, data, layout, { responsive: true, displayModeBar: false, scrollZoom: false, doubleClick: false }));
    }
    return Promise.all(drawn);
  };
  const picture = (id) => {
    const button = element("button", "Save as SVG", { type: "button", "aria-label": "Save as SVG: " + document.getElementById(id + "-title").textContent });
    button.addEventListener("click", () => Plotly.downloadImage(id, { format: "svg", filename: id }));
    const tools = element("div", "", { class: "tools" });
    tools.append(button);
    document.getElementById(id).parentElement.after(tools);
  };

  /* Theme: as the system says, unless chosen here. */
  const THEMES = ["auto", "light", "dark"];
  const toggle = document.getElementById("theme");
  const remembered = () => { try { return localStorage.getItem("tracemap-theme"); } catch { return null; } };
  const remember = (theme) => { try { localStorage.setItem("tracemap-theme", theme); } catch { /* private window */ } };
  let theme = THEMES.includes(remembered()) ? remembered() : "auto";
  const dress = (name) => {
    if (name === "auto") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", name);
    toggle.textContent = "Theme: " + theme;
  };
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    remember(theme);
    dress(theme);
    draw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (theme === "auto") draw(); });
  const folded = document.querySelectorAll("#definitions details:not([open])");  /* paper has no links */
  addEventListener("beforeprint", () => { dress("light"); draw(); folded.forEach((one) => { one.open = true; }); });
  addEventListener("afterprint", () => { dress(theme); draw(); folded.forEach((one) => { one.open = false; }); });

  const reveal = () => {
    const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    if (target && target.tagName === "DETAILS") { target.open = true; target.scrollIntoView({ block: "center" }); }
  };
  addEventListener("hashchange", reveal);

  const links = new Map([...document.querySelectorAll("nav ol a")].map((link) => [link.getAttribute("href").slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) {
      links.forEach((link) => link.removeAttribute("aria-current"));
      const link = links.get(entry.target.id);
      if (link) link.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "0px 0px -70% 0px" });
  document.querySelectorAll("main > section").forEach((section) => seen.observe(section));

  dress(theme);
  document.querySelectorAll("[data-table]").forEach(equip);
  draw().then(() => { root.dataset.ready = ""; });
  Object.keys(page.figures).forEach(picture);
  reveal();
})();
