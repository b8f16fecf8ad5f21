"use strict";
// Everything can be read without this script: it filters, opens what a link points at, and opens all to print.
(() => {
  const resources = [...document.querySelectorAll("details.resource")];
  const rows = [...document.querySelectorAll("tr[data-for]")];
  const facts = [...document.querySelectorAll("tr[data-row]")];
  const tools = document.querySelector(".tools");
  const openTarget = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", openTarget);
  openTarget();
  addEventListener("beforeprint", () => resources.forEach((resource) => { resource.open = true; }));
  if (!tools) return;
  tools.hidden = false;
  const search = tools.querySelector("input");
  const shown = tools.querySelector("output");
  const haystacks = new Map(resources.map((resource) => [resource.id, resource.textContent.toLowerCase()]));
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const resource of resources) {
      const text = haystacks.get(resource.id);
      resource.hidden = !words.every((word) => text.includes(word));
      if (!resource.hidden) count += 1;
    }
    for (const row of facts) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
    for (const row of rows) row.hidden = document.getElementById(row.dataset.for)?.hidden ?? false;
    shown.textContent = words.length ? `${count} of ${resources.length} shown` : "";
  });
  tools.querySelector("[data-open]").addEventListener("click", () => resources.forEach((r) => { r.open = true; }));
  tools.querySelector("[data-close]").addEventListener("click", () => resources.forEach((r) => { r.open = false; }));
})();
