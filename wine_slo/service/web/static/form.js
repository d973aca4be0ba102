// What the page does without this file, it does with it too; this only saves reloading, and spreads a pasted row.
"use strict";

async function show(response) {
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const outcome = page.querySelector("[autofocus]");
  outcome?.removeAttribute("autofocus"); // works only while a page loads
  document.title = page.title;
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  outcome?.focus();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    await show(await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { Accept: "text/html" },
    }));
  } catch {
    form.submit(); // the browser says better than we what is wrong with the network
  }
});

document.addEventListener("paste", (event) => {
  const row = event.clipboardData.getData("text").trim();
  const numbers = row.split(/[;\t]/.test(row) ? /\s*[;\t]\s*/ : /,\s*|\s+/); // between tabs a comma is of a number
  const fields = document.querySelectorAll(".fields input");
  if (numbers.length === fields.length && [...fields].includes(event.target)) {
    event.preventDefault();
    fields.forEach((field, place) => { field.value = numbers[place]; });
  }
});
