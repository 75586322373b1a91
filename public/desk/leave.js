// Going home: who still has chats is asked first, because their customers must not wait for somebody who has gone.
const form = document.getElementById("sign-out"), dialog = document.getElementById("leaving");

form.addEventListener("submit", (event) => {
  if (!document.querySelector("#mine .open")) return;
  event.preventDefault();
  dialog.showModal();
});
dialog.addEventListener("close", () => { if (dialog.returnValue === "go") form.submit(); });
