"use strict";
const form = document.getElementById("filters");
const hosts = [...document.querySelectorAll(".host")];
const kinds = ["changed", "undecided", "failed"];

// An entry is shown where its kind is wanted, it is one of the open host's, and each of the words is
// in it or in its task's heading.
function filter() {
  const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const host = hosts.find((host) => host.open)?.dataset.host;
  let count = 0;
  for (const step of document.querySelectorAll(".step")) {
    const heading = step.querySelector("h2").textContent + " " + step.querySelector(".at").textContent;
    let any = false;
    for (const entry of step.querySelectorAll(".entry")) {
      const kind = kinds.find((kind) => entry.classList.contains(kind));
      const text = (heading + " " + entry.textContent).toLowerCase();
      const shown = form.elements[kind].checked && words.every((word) => text.includes(word))
        && (host === undefined || entry.dataset.hosts.split("\n").includes(host));
      entry.hidden = !shown;
      any = any || shown;
      count += shown ? 1 : 0;
    }
    step.hidden = !any;
  }
  document.getElementById("count").value = count + " shown" + (host === undefined ? "" : " of " + host);
}

form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
for (const [name, open] of [["fold", false], ["unfold", true]]) {
  form.elements[name].addEventListener("click", () => {
    for (const entry of document.querySelectorAll(".entry")) entry.open = open;
  });
}
// To open a host is to look at that host alone.
for (const host of hosts) {
  host.addEventListener("toggle", () => {
    if (host.open) for (const other of hosts) if (other !== host) other.open = false;
    filter();
  });
}
// `/` goes to the words, as it does elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== form.elements.words) {
    event.preventDefault();
    form.elements.words.focus();
  }
});
filter();
