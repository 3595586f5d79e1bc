// The script of the timeline: of the file that make-metrics timeline writes, and of a run among the team's pages.
// It reads the data of the page, and nothing else.
// Names are only ever set as text, never as HTML.
"use strict";

(() => {
  // The team's pages show a plain picture and table until this runs.
  for (const part of document.querySelectorAll("[data-timeline]")) part.hidden = false;
  for (const part of document.querySelectorAll("[data-plain]")) part.hidden = true;

  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const canvas = byId("chart");
  const pen = canvas.getContext("2d");
  const GUTTER = 34; // pixels: numbers of lanes
  const RULER = 20;
  const GRAPH = 54;
  const ROW = 18;
  const GAP = 4;
  const TOP = RULER + GRAPH + GAP;
  const ROWS_SHOWN = 200; // of the table, until more are asked for
  const PREFIX = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

  // ---- The data: columns become targets, see report/run/timeline.py for what each holds.

  const names = [];
  for (const packed of data.names) {
    const before = names.length ? names[names.length - 1] : "";
    names.push(before.slice(0, PREFIX.indexOf(packed[0])) + packed.slice(1));
  }
  const onPath = new Set(data.path);
  const targets = readTargets();
  const total = Math.max(1, data.duration);

  function readTargets() {
    const columns = data.targets;
    const found = [];
    let start = 0;
    let fresh = 0;
    let lineAt = 0;
    for (let index = 0; index < columns.start.length; index++) {
      start += columns.start[index];
      const make = columns.make[index];
      const name = columns.name[index] ? names[columns.name[index] - 1] : names[fresh++];
      const directory = data.directories[data.makes[make][1]];
      const target = {
        index,
        make,
        name,
        label: directory && directory !== data.directories[data.makes[0][1]] ? `${name} (${directory})` : name,
        start,
        end: start + columns.duration[index],
        lane: columns.lane[index],
        depth: columns.depth[index],
        status: data.statuses[index] || 0,
        cpu: columns.cpu[index] < 0 ? null : columns.cpu[index],
        peak: columns.peak[index],
        lines: [],
      };
      if (columns.lines[index] < 0) target.lines.push({ start, end: target.end, status: target.status });
      let time = start;
      for (let count = columns.lines[index]; count > 0; count--, lineAt++) {
        const begin = time + data.lines.gap[lineAt];
        time = begin + data.lines.duration[lineAt];
        target.lines.push({ start: begin, end: time, status: data.lines.statuses[lineAt] || 0 });
      }
      found.push(target);
    }
    return found;
  }

  // How many jobs ran when. A target that waits for a make inside lends its slot: see analysis/running.py.
  function runningJobs() {
    const changes = [];
    for (const target of targets) {
      changes.push([target.start, 1, target.index], [target.end, -1, target.index]);
    }
    changes.sort((left, right) => left[0] - right[0] || left[1] - right[1]);
    const active = data.makes.map(() => 0);
    const lent = targets.map(() => 0);
    const runs = targets.map(() => false);
    const steps = [];
    let count = 0;
    for (const [time, change, index] of changes) {
      const make = targets[index].make;
      const holder = data.makes[make][0];
      const edge = change > 0 ? 1 : 0;
      runs[index] = change > 0;
      count += lent[index] ? 0 : change;
      active[make] += change;
      if (holder >= 0 && active[make] === edge) {
        lent[holder] += change;
        count -= runs[holder] && lent[holder] === edge ? change : 0;
      }
      if (steps.length && steps[steps.length - 1].time === time) steps[steps.length - 1].count = count;
      else steps.push({ time, count });
    }
    return steps;
  }

  // The rows of the picture: for each lane and depth its targets in the order of their starts.
  const lanes = [];
  for (const target of targets) {
    const lane = (lanes[target.lane] ||= { rows: [], top: 0 });
    (lane.rows[target.depth] ||= []).push(target);
  }
  let height = 0;
  for (const lane of lanes) {
    lane.top = height;
    height += lane.rows.length * ROW + GAP;
  }
  const running = runningJobs();
  const most = running.reduce((highest, step) => Math.max(highest, step.count), Math.max(1, data.jobs));

  // ---- What is shown: a part of the run's time, and how far the lanes are scrolled.

  const view = { from: 0, to: total, scroll: 0 };
  let selected = null;
  let hovered = null;
  let matches = null; // targets, null without a search
  let matchAt = -1;
  let drawn = false;

  const width = () => Math.max(50, canvas.clientWidth - GUTTER);
  const x = (time) => GUTTER + ((time - view.from) / (view.to - view.from)) * width();
  const timeAt = (pixel) => view.from + ((pixel - GUTTER) / width()) * (view.to - view.from);
  const room = () => canvas.clientHeight - TOP;

  function show(from, to) {
    const span = Math.min(Math.max(to - from, Math.min(total, 20)), total);
    view.from = Math.min(Math.max(0, from), total - span);
    view.to = view.from + span;
    redraw();
  }

  function zoom(factor, time) {
    show(time - (time - view.from) * factor, time + (view.to - time) * factor);
  }

  function pan(part) {
    const span = view.to - view.from;
    show(view.from + span * part, view.to + span * part);
  }

  function scroll(pixels) {
    view.scroll = Math.min(Math.max(0, view.scroll + pixels), Math.max(0, height - room()));
    redraw();
  }

  function showTarget(target) {
    const margin = Math.max((target.end - target.start) * 1.5, 10);
    const top = lanes[target.lane].top + target.depth * ROW;
    if (top < view.scroll || top + ROW > view.scroll + room()) view.scroll = Math.max(0, top - room() / 2);
    show(target.start - margin, target.end + margin);
  }

  // ---- Words.

  function duration(us) {
    const ms = Math.round(us / 1000);
    if (us < 1000) return us ? `${us}µs` : "0";
    if (ms < 1000) return `${ms}ms`;
    if (ms < 59995) return `${(ms / 1000).toFixed(2)}s`;
    const seconds = Math.round(ms / 1000);
    if (seconds < 3600) return `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, "0")}s`;
    const minutes = Math.round(seconds / 60);
    return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, "0")}m`;
  }

  const ending = (status) => (status < 0 ? `signal ${-status}` : status ? `status ${status}` : "passed");

  function shortened(text, most) {
    if (text.length <= most) return text;
    const back = Math.ceil((most - 1) / 2);
    return most < 3 ? "" : `${text.slice(0, most - 1 - back)}…${text.slice(text.length - back)}`;
  }

  function describe(target, limit) {
    const words = [shortened(target.label, limit)];
    words.push(`${duration(target.end - target.start)}, from ${duration(target.start)} to ${duration(target.end)}`);
    if (target.status) words.push(`failed: ${ending(target.status)}`);
    if (onPath.has(target.index)) words.push("on the critical path");
    if (data.makes[target.make][0] >= 0) {
      words.push(`inside ${shortened(targets[data.makes[target.make][0]].label, limit)}`);
    }
    if (target.cpu !== null) words.push(`${duration(target.cpu * 1000)} of processor time`);
    if (target.peak) words.push(`${Math.round(target.peak / 1024)} MiB of memory at most`);
    target.lines.forEach((line, number) => {
      const failed = line.status ? `, ${ending(line.status)}` : "";
      if (number < 12) words.push(`line ${number + 1}: ${duration(line.end - line.start)}${failed}`);
      else if (number === 12) words.push(`and ${target.lines.length - 12} more lines`);
    });
    return words.join("\n");
  }

  // ---- The picture.

  function redraw() {
    if (!drawn) requestAnimationFrame(draw);
    drawn = true;
  }

  function colours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(`--${name}`).trim();
    const of = {};
    for (const name of ["ground", "text", "faint", "grid", "accent", "failed", "graph", "limit", "match"]) {
      of[name] = read(name);
    }
    of.makes = [0, 1, 2, 3, 4, 5].map((number) => read(`make-${number}`));
    return of;
  }

  function draw() {
    const began = performance.now();
    drawn = false;
    const scale = window.devicePixelRatio || 1;
    canvas.style.height = `${Math.min(TOP + height + GAP, Math.max(240, window.innerHeight * 0.7))}px`;
    canvas.width = Math.round(canvas.clientWidth * scale);
    canvas.height = Math.round(canvas.clientHeight * scale);
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.direction = "ltr";
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    const colour = colours();
    pen.fillStyle = colour.ground;
    pen.fillRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    drawRuler(colour);
    drawGraph(colour);
    pen.save();
    pen.beginPath();
    pen.rect(0, TOP, canvas.clientWidth, room());
    pen.clip();
    lanes.forEach((lane, number) => drawLane(lane, number, colour));
    pen.restore();
    canvas.dataset.from = String(Math.round(view.from));
    canvas.dataset.to = String(Math.round(view.to));
    canvas.dataset.drawMs = (performance.now() - began).toFixed(1);
  }

  // Distances between two times on the ruler: 1, 2 and 5 up to 5 seconds, then parts of a minute, of an hour, of a day.
  const STEPS = [];
  for (let power = 1; power < 1e7; power *= 10) STEPS.push(power, 2 * power, 5 * power);
  for (const seconds of [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200]) STEPS.push(seconds * 1e6);

  function drawRuler(colour) {
    const rough = (view.to - view.from) / Math.max(2, width() / 110);
    const step = STEPS.find((size) => size >= rough) || STEPS[STEPS.length - 1] * Math.ceil(rough / STEPS[STEPS.length - 1]);
    pen.fillStyle = colour.faint;
    pen.strokeStyle = colour.grid;
    pen.textAlign = "left";
    pen.beginPath();
    for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) {
      const at = Math.round(x(time)) + 0.5;
      pen.moveTo(at, RULER - 6);
      pen.lineTo(at, canvas.clientHeight);
      pen.fillText(duration(Math.round(time)), at + 3, RULER / 2);
    }
    pen.stroke();
  }

  function drawGraph(colour) {
    const level = (count) => RULER + GRAPH - (count / most) * (GRAPH - 8);
    pen.fillStyle = colour.graph;
    let first = 0;
    let last = running.length;
    while (first < last) {
      const middle = (first + last) >> 1;
      if (running[middle].time < view.from) first = middle + 1;
      else last = middle;
    }
    // In each column of pixels the highest count of its steps is drawn.
    let column = -1;
    let highest = 0;
    for (let at = Math.max(0, first - 1); at < running.length - 1 && running[at].time <= view.to; at++) {
      const left = Math.max(GUTTER, x(running[at].time));
      const right = Math.min(canvas.clientWidth, x(running[at + 1].time));
      if (Math.floor(right) === column) {
        if (running[at].count <= highest) continue;
      } else {
        column = Math.floor(right);
        highest = 0;
      }
      highest = Math.max(highest, running[at].count);
      pen.fillRect(left, level(running[at].count), Math.max(0.5, right - left), RULER + GRAPH - level(running[at].count));
    }
    pen.textAlign = "right";
    pen.fillStyle = colour.faint;
    pen.fillText(String(most), GUTTER - 4, level(most) + 4);
    pen.fillText("0", GUTTER - 4, RULER + GRAPH - 4);
    if (data.jobs > 0) {
      pen.strokeStyle = colour.limit;
      pen.setLineDash([5, 4]);
      pen.beginPath();
      pen.moveTo(GUTTER, Math.round(level(data.jobs)) + 0.5);
      pen.lineTo(canvas.clientWidth, Math.round(level(data.jobs)) + 0.5);
      pen.stroke();
      pen.setLineDash([]);
      pen.fillText(`-j${data.jobs}`, canvas.clientWidth - 4, level(data.jobs) + 9);
    }
  }

  function drawLane(lane, number, colour) {
    const top = TOP + lane.top - view.scroll;
    if (top > canvas.clientHeight || top + lane.rows.length * ROW < TOP) return;
    pen.fillStyle = colour.faint;
    pen.textAlign = "right";
    pen.fillText(String(number + 1), GUTTER - 6, top + ROW / 2);
    lane.rows.forEach((row, depth) => drawRow(row, top + depth * ROW, colour));
  }

  function drawRow(row, top, colour) {
    let filled = GUTTER - 1; // up to here something is drawn already
    for (let at = firstIn(row); at < row.length && row[at].start <= view.to; at++) {
      const target = row[at];
      const left = Math.max(GUTTER, x(target.start));
      const right = Math.min(canvas.clientWidth, x(target.end));
      const special = target.status || onPath.has(target.index) || target === selected || matches?.has(target);
      if (right < GUTTER || (right <= filled + 0.4 && !special)) continue;
      drawTarget(target, left, Math.max(0.8, right - left), top, colour);
      filled = Math.max(filled, right);
    }
  }

  function drawTarget(target, left, wide, top, colour) {
    const tall = ROW - 2;
    pen.globalAlpha = matches && !matches.has(target) ? 0.25 : 1;
    pen.fillStyle = target.status ? colour.failed : colour.makes[target.make % colour.makes.length];
    pen.fillRect(left, top, wide, tall);
    if (wide > 24 && target.lines.length > 1) {
      pen.fillStyle = colour.ground;
      for (const line of target.lines.slice(1)) pen.fillRect(x(line.start), top + 3, 1, tall - 3);
      for (const line of target.lines) {
        pen.fillStyle = line.status ? colour.failed : colour.faint;
        pen.fillRect(Math.max(left, x(line.start)), top + tall - 2, Math.min(x(line.end), left + wide) - Math.max(left, x(line.start)) - 1, 2);
      }
    }
    if (onPath.has(target.index)) {
      pen.fillStyle = colour.accent;
      pen.fillRect(left, top, wide, 3);
    }
    if (wide > 30) {
      pen.textAlign = "left";
      pen.fillStyle = target.status ? colour.ground : colour.text;
      pen.fillText(shortened(target.name, Math.floor((wide - 8) / 6.6)), left + 4, top + tall / 2 + 1, wide - 6);
    }
    const outline = target === selected ? colour.text : matches?.has(target) ? colour.match : target === hovered ? colour.faint : "";
    if (outline) {
      pen.strokeStyle = outline;
      pen.lineWidth = 2;
      pen.strokeRect(left, top, Math.max(2, wide), tall);
      pen.lineWidth = 1;
    }
    pen.globalAlpha = 1;
  }

  // The first target of a row that ends after the view begins: in a row nothing overlaps.
  function firstIn(row) {
    let first = 0;
    let last = row.length;
    while (first < last) {
      const middle = (first + last) >> 1;
      if (row[middle].end < view.from) first = middle + 1;
      else last = middle;
    }
    return first;
  }

  function targetAt(event) {
    const box = canvas.getBoundingClientRect();
    const down = event.clientY - box.top - TOP + view.scroll;
    const time = timeAt(event.clientX - box.left);
    const slack = ((view.to - view.from) / width()) * 2;
    if (event.clientY - box.top < TOP || event.clientX - box.left < GUTTER) return null;
    const lane = lanes.find((each) => down >= each.top && down < each.top + each.rows.length * ROW);
    const row = lane?.rows[Math.floor((down - lane.top) / ROW)];
    return row?.find((target) => target.start - slack <= time && time <= target.end + slack) ?? null;
  }

  // ---- Mouse and keys.

  function select(target) {
    selected = target;
    byId("details").textContent = target ? describe(target, 2000) : "";
    redraw();
  }

  let grabbed = null;
  canvas.addEventListener("pointerdown", (event) => {
    grabbed = { x: event.clientX, y: event.clientY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (grabbed) {
      const right = event.clientX - grabbed.x;
      const down = event.clientY - grabbed.y;
      if (!grabbed.moved && Math.abs(right) + Math.abs(down) < 4) return;
      grabbed = { x: event.clientX, y: event.clientY, moved: true };
      pan(-right / width());
      scroll(-down);
      hover(null);
    } else {
      hover(targetAt(event), event);
    }
  });
  canvas.addEventListener("pointerup", (event) => {
    if (grabbed && !grabbed.moved) select(targetAt(event));
    grabbed = null;
  });
  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("dblclick", (event) => {
    const target = targetAt(event);
    if (target) showTarget(target);
    else show(0, total);
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      const box = canvas.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) zoom(1.002 ** event.deltaY, timeAt(event.clientX - box.left));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan((event.deltaX || event.deltaY) / width());
      else if (height > room()) scroll(event.deltaY);
      else return; // the page scrolls
      event.preventDefault();
    },
    { passive: false },
  );

  function hover(target, event) {
    const box = byId("hover");
    if (hovered !== target) redraw();
    hovered = target;
    box.hidden = !target;
    if (!target) return;
    box.textContent = describe(target, 300);
    box.style.left = `${Math.min(event.clientX + 14, Math.max(0, window.innerWidth - box.offsetWidth - 8))}px`;
    const below = event.clientY + 16;
    box.style.top = `${below + box.offsetHeight > window.innerHeight ? Math.max(0, event.clientY - box.offsetHeight - 10) : below}px`;
  }

  const middle = () => (view.from + view.to) / 2;
  const KEYS = {
    "+": () => zoom(0.7, middle()),
    "=": () => zoom(0.7, middle()),
    w: () => zoom(0.7, middle()),
    "-": () => zoom(1 / 0.7, middle()),
    s: () => zoom(1 / 0.7, middle()),
    0: () => show(0, total),
    ArrowLeft: () => pan(-0.2),
    a: () => pan(-0.2),
    ArrowRight: () => pan(0.2),
    d: () => pan(0.2),
    ArrowUp: () => scroll(-ROW * 3),
    ArrowDown: () => scroll(ROW * 3),
    Home: () => show(0, view.to - view.from),
    End: () => show(total - (view.to - view.from), total),
    Escape: () => select(null),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing) {
      byId("search").focus();
      event.preventDefault();
    } else if (KEYS[event.key] && !typing && (event.target === canvas || event.key.length === 1)) {
      KEYS[event.key]();
      event.preventDefault();
    }
  });

  byId("in").addEventListener("click", () => zoom(0.5, middle()));
  byId("out").addEventListener("click", () => zoom(2, middle()));
  byId("all").addEventListener("click", () => show(0, total));

  // ---- Search, in the picture and in the table.

  const search = byId("search");
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    matches = wanted ? new Set(targets.filter((target) => target.label.toLowerCase().includes(wanted))) : null;
    matchAt = -1;
    byId("matches").textContent = matches ? `${matches.size} of ${targets.length}` : "";
    rowsShown = ROWS_SHOWN;
    fillTable();
    redraw();
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      search.value = "";
      search.dispatchEvent(new Event("input"));
      canvas.focus();
    } else if (event.key === "Enter" && matches?.size) {
      const found = [...matches];
      matchAt = (matchAt + (event.shiftKey ? found.length - 1 : 1) + (matchAt < 0 && event.shiftKey ? 1 : 0)) % found.length;
      select(found[matchAt]);
      showTarget(found[matchAt]);
      byId("matches").textContent = `${matchAt + 1} of ${found.length}`;
    }
  });

  // ---- The table: the same for those who cannot see the picture, and for looking things up.

  const COLUMNS = [
    ["target", (target) => target.label, 1],
    ["start", (target) => target.start, 1],
    ["time", (target) => target.end - target.start, -1],
    ["processor", (target) => target.cpu ?? -1, -1],
    ["lines", (target) => target.lines.length, -1],
    ["ended", (target) => target.status, -1],
    ["critical path", (target) => Number(onPath.has(target.index)), -1],
  ];
  let sortedBy = 2;
  let direction = -1;
  let rowsShown = ROWS_SHOWN;

  function element(kind, text, className) {
    const made = document.createElement(kind);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function labelOf(target) {
    const label = element(data.link ? "a" : "span", target.label, "name");
    if (data.link) label.href = data.link + encodeURIComponent(target.name);
    return label;
  }

  function fillTable() {
    const value = COLUMNS[sortedBy][1];
    const rows = targets.filter((target) => !matches || matches.has(target));
    rows.sort((left, right) => {
      const [one, other] = [value(left), value(right)];
      return direction * (one < other ? -1 : one > other ? 1 : 0) || left.index - right.index;
    });
    const body = document.createElement("tbody");
    for (const target of rows.slice(0, rowsShown)) {
      const row = body.insertRow();
      row.insertCell().append(labelOf(target));
      row.insertCell().textContent = duration(target.start);
      row.insertCell().textContent = duration(target.end - target.start);
      row.insertCell().textContent = target.cpu === null ? "" : duration(target.cpu * 1000);
      row.insertCell().textContent = target.lines.length ? String(target.lines.length) : "";
      row.insertCell().append(element("span", ending(target.status), target.status ? "failed" : ""));
      row.insertCell().textContent = onPath.has(target.index) ? "yes" : "";
      row.addEventListener("click", () => {
        select(target);
        showTarget(target);
      });
    }
    byId("table").tBodies[0].replaceWith(body);
    byId("rows").textContent = `${Math.min(rowsShown, rows.length)} of ${rows.length} targets`;
    byId("more").hidden = rows.length <= rowsShown;
    [...byId("table").tHead.rows[0].cells].forEach((cell, column) => {
      if (column === sortedBy) cell.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    });
  }

  const heading = byId("table").tHead.insertRow();
  COLUMNS.forEach(([name, , first], column) => {
    const button = element("button", name);
    button.type = "button";
    button.addEventListener("click", () => {
      direction = sortedBy === column ? -direction : first;
      sortedBy = column;
      fillTable();
    });
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.append(button);
    heading.append(cell);
  });
  byId("more").addEventListener("click", () => {
    rowsShown += 5 * ROWS_SHOWN;
    fillTable();
  });

  // ---- The beginning.

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  window.addEventListener("resize", redraw);
  // On paper: the whole run, in light colours.
  window.addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    show(0, total);
    draw();
  });
  window.addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    redraw();
  });
  fillTable();
  draw();
})();
