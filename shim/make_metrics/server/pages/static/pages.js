// The pages work without this. It applies filters at once, sorts tables, and has two keys.
"use strict";
for (const form of document.querySelectorAll("form[data-filters]"))
  for (const select of form.querySelectorAll("select"))
    select.addEventListener("change", () => form.requestSubmit());

for (const table of document.querySelectorAll("table[data-table]")) {
  const body = table.tBodies[0];
  for (const heading of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, body, heading));
  }
}

function sort(table, body, heading) {
  const column = heading.cellIndex;
  const isNumber = heading.classList.contains("number");
  const before = heading.getAttribute("aria-sort");
  const down = before ? before === "ascending" : isNumber;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const sign = down ? -1 : 1;
  const value = (row) => {
    const cell = row.cells[column];
    return isNumber ? Number(cell.dataset.value ?? "-Infinity") : cell.textContent;
  };
  const compare = (left, right) =>
    isNumber ? (left < right ? -1 : left > right ? 1 : 0) : left.localeCompare(right, "en");
  const rows = [...body.rows].map((row) => [value(row), row]);
  rows.sort(([left], [right]) => sign * compare(left, right));
  body.append(...rows.map(([, row]) => row));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === "/") {
    const field = document.querySelector("[data-search]") ?? document.querySelector("form[data-filters] select");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  } else if (/^[1-9]$/.test(event.key)) {
    const link = document.querySelectorAll("nav a")[Number(event.key) - 1];
    if (link) link.click();
  }
});
