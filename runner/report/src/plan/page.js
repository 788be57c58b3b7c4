"use strict";
const form = document.getElementById("filters");

// An entry is shown where its kind is wanted and the words are in it, its task's name or its hosts.
function filter() {
  const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const step of document.querySelectorAll(".step")) {
    const name = step.querySelector("h2").textContent + " " + step.querySelector(".at").textContent;
    let any = false;
    for (const entry of step.querySelectorAll(".entry")) {
      const kind = ["changed", "undecided", "failed"].find((k) => entry.classList.contains(k));
      const text = (name + " " + entry.querySelector("summary").textContent).toLowerCase();
      const shown = form.elements[kind].checked && words.every((word) => text.includes(word));
      entry.hidden = !shown;
      any = any || shown;
      count += shown ? 1 : 0;
    }
    step.hidden = !any;
  }
  document.getElementById("count").value = count + " shown";
}

form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
// To open a host is to look at that host.
for (const host of document.querySelectorAll(".host")) {
  host.addEventListener("toggle", () => {
    if (host.open) {
      for (const other of document.querySelectorAll(".host")) other.open = other === host;
      form.elements.words.value = host.dataset.host;
    } else if (form.elements.words.value === host.dataset.host) {
      form.elements.words.value = "";
    }
    filter();
  });
}
filter();
