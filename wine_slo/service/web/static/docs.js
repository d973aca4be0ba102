"use strict";

document.querySelector("#origin").textContent = location.origin;
const attempt = document.querySelector("#try");
attempt.hidden = false;
attempt.querySelector("button").addEventListener("click", async () => {
  const answer = attempt.querySelector("#answer");
  const response = await fetch("/predict", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: attempt.querySelector("textarea").value,
  });
  const text = JSON.stringify(await response.json(), null, 2);
  answer.textContent = `${response.status} ${response.statusText}\n${text}`;
  answer.hidden = false;
});
