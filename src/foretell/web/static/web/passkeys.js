// A form with data-passkey="create" or "get" asks the device before it is sent; what to ask stands in #passkey-options.
"use strict";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const trouble = form.querySelector("[data-passkey-trouble]");
    trouble.hidden = true;
    try {
      const credential = await asked(form);
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch (error) {
      console.warn(error);
      trouble.hidden = false;
    }
  });
}

function asked(form) {
  const options = JSON.parse(document.getElementById("passkey-options").textContent);
  if (form.dataset.passkey === "get") return webauthnJSON.get(options.request_options);
  const wanted = options.creation_options;
  const isAlone = form.elements.passwordless?.checked ?? false;
  const selection = wanted.publicKey.authenticatorSelection;
  selection.residentKey = isAlone ? "required" : "discouraged";
  selection.requireResidentKey = isAlone;
  if (isAlone) selection.userVerification = "required";
  return webauthnJSON.create(wanted);
}
