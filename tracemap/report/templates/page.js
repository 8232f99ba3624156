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
    if (Array.isArray(value)) return value.join(", ");
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
  const breakable = (name) => {  /* long words, as names of operations are, may be broken at their parts */
    const made = element("bdi", "");
    name.split(/(?<=[/._])(?=[^/._])/).forEach((part, at) => made.append(...(at ? [element("wbr", ""), part] : [part])));
    return made;
  };
  const say = (text) => { document.getElementById("status").textContent = text; };

  const trace = (id) => {  /* a link where the report was given a template of one */
    const code = element("code", id);
    if (!page.traceUrl || !/^[0-9a-f]{1,32}$/.test(id)) return code;
    const link = element("a", "", { href: page.traceUrl.replaceAll("{trace_id}", id), rel: "noopener noreferrer" });
    link.append(code);
    return link;
  };

  /* Tables: sort, filter, show all, download. Cells are only ever set as text. */
  const cell = (value, kind, isFirst) => {
    const made = element(isFirst ? "th" : "td", "", isFirst ? { scope: "row" } : {});
    if (NUMERIC.has(kind) || kind === "sentence") made.className = kind === "sentence" ? kind : "number";
    if (isUnknown(value)) made.append(element("span", UNKNOWN, { class: "unknown", title: "unknown" }));
    else if (kind === "name") made.append(breakable(String(value)));
    else if (kind === "traces") value.forEach((one, at) => made.append(at ? " " : "", trace(one)));
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
    const shownAt = columns.map((column, at) => column.extra ? -1 : at).filter((at) => at >= 0);
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
        shownAt.forEach((at, place) => line.append(cell(row[at], columns[at].kind, place === 0)));
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
    [...head.children].forEach((heading, place) => {
      const at = shownAt[place];
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
    const extra = columns.length - shownAt.length;
    if (extra) tools.append(element("span", extra + (extra === 1 ? " more column" : " more columns") + " in the downloads", { class: "count" }));
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
  const proofHeight = proof ? proof.clientHeight : 0;
  const fit = () => {  /* the figure that proves the headline is seen without scrolling */
    if (!proof) return;
    const room = innerWidth < 640 ? proofHeight : innerHeight - proof.getBoundingClientRect().top - scrollY - 8;
    proof.style.height = Math.max(Math.min(FIRST_LEAST, proofHeight), Math.min(proofHeight, room)) + "px";
  };
  const views = {};  /* what is drawn in the place of a figure, by its id */
  const draw = (only) => {
    if (typeof Plotly === "undefined") return Promise.resolve();
    const drawn = Object.entries(page.figures).filter(([id]) => !only || id === only).map(([id, figure]) => {
      const { data, layout } = painted(views[id] || figure, "");
      layout.dragmode = false;
      if (document.getElementById(id).clientWidth < 520) {  /* no room for remarks in titles */
        for (const mark of layout.annotations || []) mark.text = mark.text.replace(/ <i>[^<]*<\/i>$/, "");
      }
      return Plotly.react(id, data, layout, { displayModeBar: false, scrollZoom: false, doubleClick: false });
    });
    return Promise.all(drawn);
  };

  /* Graphs: search for a node, and draw it with those it waits for and those that wait for it. */
  const NODES_DRAWN = 60;
  const safe = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const cut = (text, length) => {
    const tail = Math.floor((length - 1) / 3);
    return text.length <= length ? text : text.slice(0, length - 1 - tail) + "\u2026" + text.slice(text.length - tail);
  };
  const ms = (value) => value === null ? "unknown" : significant(value) + " ms";
  const reach = (links, from, forward, limit) => {  /* steps from a node to those beyond it, by node */
    const ahead = new Map();
    for (const link of links) {
      const [start, end] = forward ? link : [link[1], link[0]];
      if (!ahead.has(start)) ahead.set(start, []);
      ahead.get(start).push([end, link[4]]);
    }
    const found = new Map([[from, 0]]);
    for (const node of found.keys()) {
      if (found.get(node) === limit) break;
      const next = (ahead.get(node) || []).sort((one, other) => other[1] - one[1] || one[0] - other[0]);
      for (const [end] of next) if (!found.has(end)) found.set(end, found.get(node) + 1);
    }
    return found;
  };
  const surroundings = (graph, focus, mode) => {
    const steps = new Map();
    const limit = mode === "near" ? 1 : Infinity;
    const up = mode === "downstream" ? new Map() : reach(graph.links, focus, true, limit);
    const down = mode === "upstream" ? new Map() : reach(graph.links, focus, false, limit);
    for (const [node, far] of up) steps.set(node, far);
    for (const [node, far] of down) if (!steps.has(node)) steps.set(node, -far);
    const nearest = [...steps].sort((one, other) => Math.abs(one[1]) - Math.abs(other[1]) || one[0] - other[0]);
    const shown = new Map(nearest.slice(0, NODES_DRAWN));
    const links = graph.links.filter(([start, end]) => shown.has(start) && shown.has(end)
      && (mode === "near" ? start === focus || end === focus : true));
    return { shown, links, all: steps.size, up: up.size - 1, down: down.size - 1 };
  };
  const focused = (figure, graph, focus, mode) => {
    const { shown, links, all, up, down } = surroundings(graph, focus, mode);
    const columns = new Map();
    for (const [node, far] of shown) columns.set(far, [...(columns.get(far) || []), node]);
    const tallest = Math.max(...[...columns.values()].map((column) => column.length));
    const place = new Map();
    for (const [far, column] of columns) {
      column.forEach((node, at) => place.set(node, [far, (column.length - 1) / 2 - at + (far % 2 ? 0.12 : 0)]));
    }
    const data = links.map(([start, end, step, width]) => {
      const from = place.get(start), to = place.get(end);
      const route = start === end ? [from, [from[0] - 0.12, from[1] + 0.35], [from[0] + 0.12, from[1] + 0.35], to]
        : from[0] === to[0] ? [from, [from[0] + 0.3, (from[1] + to[1]) / 2], to] : [from, to];
      const color = graph.paints.at(step);
      return {
        type: "scatter", mode: "lines+markers", hoverinfo: "skip", showlegend: false,
        x: route.map((point) => point[0]), y: route.map((point) => point[1]),
        line: { color, width, shape: "spline", smoothing: 0.7 },
        marker: { symbol: "arrow", angleref: "previous", standoff: 8, color, size: [...route.slice(1).map(() => 0), 9 + width] },
      };
    });
    data.push({
      type: "scatter", mode: "markers", showlegend: false, marker: { size: 16, opacity: 0, color: "var(--ink)" },
      x: links.map(([start, end]) => (place.get(start)[0] + place.get(end)[0]) / 2),
      y: links.map(([start, end]) => (place.get(start)[1] + place.get(end)[1]) / 2),
      text: links.map(([start, end, , , calls, p95, before, during, errors]) =>
        safe(cut(graph.nodes[start][0], 60)) + " \u2192 " + safe(cut(graph.nodes[end][0], 60)) + "<br>" + fixed(calls, 0) + " calls, p95 " + ms(p95)
        + ", " + fixed(errors, 0) + " errors" + (before === null ? "" : "<br>p95 " + ms(before) + " before, " + ms(during) + " during")),
      hovertemplate: "%{text}<extra></extra>",
    });
    const nodes = [...shown.keys()];
    data.push({
      type: "scatter", mode: "markers", showlegend: false,
      x: nodes.map((node) => place.get(node)[0]), y: nodes.map((node) => place.get(node)[1]),
      customdata: nodes.map((node) => {
        const [name, , , owner] = graph.nodes[node];
        return [safe(cut(name, 60)), node, owner ? "<br>owner " + safe(cut(owner, 60)) : ""];
      }),
      hovertemplate: "%{customdata[0]}%{customdata[2]}<extra></extra>",
      marker: {
        symbol: nodes.map((node) => graph.nodes[node][1]), size: nodes.map((node) => node === focus ? 22 : 17),
        color: nodes.map((node) => graph.nodes[node][2]), opacity: 1,
        line: { color: nodes.map((node) => node === focus ? "var(--ink)" : "var(--surface)"), width: 2 },
      },
    });
    const [first, last] = [Math.min(...columns.keys()), Math.max(...columns.keys())];
    const { xaxis, yaxis, annotations, ...rest } = figure.layout;
    const label = (annotations && annotations[0]) || {};
    const layout = {
      ...rest, xaxis: { ...xaxis, range: [first - 0.45, last + 0.45] },
      yaxis: { ...yaxis, range: [-tallest / 2 - 0.3, tallest / 2 + 0.2] },
      annotations: nodes.map((node) => ({ ...label, text: safe(cut(graph.nodes[node][0], 28)), x: place.get(node)[0], y: place.get(node)[1] })),
    };
    return { view: { data: [...data, ...figure.data.filter((trace) => trace.showlegend !== false)], layout }, rows: tallest, all, drawn: nodes.length, up, down };
  };
  const explorer = (id) => {
    const graph = page.graphs[id], place = document.getElementById(id), height = place.clientHeight;
    const numbers = new Map(graph.nodes.map(([name], at) => [name, at]));
    const list = element("datalist", "", { id: id + "-names" });
    graph.nodes.forEach(([name]) => list.append(element("option", "", { value: name })));
    const find = element("input", "", { type: "search", list: id + "-names", autocomplete: "off", spellcheck: "false" });
    const mode = element("select");
    for (const [value, words] of [["near", "its neighbours"], ["upstream", "all upstream of it"], ["downstream", "all downstream of it"]]) {
      mode.append(element("option", words, { value }));
    }
    const whole = element("button", "Whole graph", { type: "button" });
    const said = element("span", "", { class: "count" });
    let focus = null;
    const show = () => {
      if (focus === null) {
        delete views[id];
        place.style.height = height + "px";
        said.textContent = "";
      } else {
        const made = focused(page.figures[id], graph, focus, mode.value);
        views[id] = made.view;
        place.style.height = Math.max(240, 110 + 48 * made.rows) + "px";
        const parts = [];
        if (mode.value !== "upstream") parts.push(fixed(made.down, 0) + " downstream");
        if (mode.value !== "downstream") parts.push(fixed(made.up, 0) + " upstream");
        said.textContent = cut(graph.nodes[focus][0], 60) + ": " + parts.join(", ")
          + (made.drawn < made.all ? "; the nearest " + made.drawn + " are drawn" : "");
      }
      whole.hidden = focus === null;
      say(said.textContent || "The whole graph");
      return draw(id).then(() => Plotly.Plots.resize(id));
    };
    const choose = (node) => { focus = node; find.value = node === null ? "" : graph.nodes[node][0]; show(); };
    const nearest = (words) => {
      const wanted = words.toLowerCase();
      if (numbers.has(words)) return numbers.get(words);
      const begins = graph.nodes.findIndex(([name]) => name.toLowerCase().startsWith(wanted));
      return begins >= 0 ? begins : graph.nodes.findIndex(([name]) => name.toLowerCase().includes(wanted));
    };
    const search = () => {
      const words = find.value.trim();
      const node = words ? nearest(words) : -1;
      if (node >= 0) { if (node !== focus) choose(node); }
      else if (words) { said.textContent = "No node is called so."; say(said.textContent); }
      else if (focus !== null) choose(null);
    };
    find.addEventListener("change", search);
    find.addEventListener("input", () => { if (numbers.has(find.value) || !find.value) search(); });
    find.addEventListener("keydown", (event) => { if (event.key === "Enter") search(); });
    mode.addEventListener("change", () => { if (focus !== null) show(); });
    whole.addEventListener("click", () => { choose(null); find.focus(); });
    whole.hidden = true;
    const named = (words, control) => { const made = element("label", words); made.append(" ", control); return made; };
    const tools = element("div", "", { class: "tools explore" });
    tools.append(named("Find", find), named("and show", mode), whole, said, list);
    place.parentElement.before(tools);
    place.on("plotly_click", (event) => {
      const node = event.points.map((point) => point.customdata).find((data) => Array.isArray(data));
      if (node) choose(node[1]);
    });
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
  let width = innerWidth, pause = 0;
  addEventListener("resize", () => {  /* a phone that hides its address bar stays as wide: nothing to do */
    if (innerWidth === width) return;
    clearTimeout(pause);
    pause = setTimeout(() => {
      width = innerWidth;
      fit();
      draw().then(() => Promise.all(Object.keys(page.figures).map((id) => Plotly.Plots.resize(id))))
        .then(() => { root.dataset.ready = ""; });
    }, 100);
  });

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
  fit();
  draw().then(() => {
    Object.keys(page.graphs).forEach(explorer);
    root.dataset.ready = "";
  });
  Object.keys(page.figures).forEach(picture);
  reveal();
})();
