/** Adds the widget to the demo page, for the site in the URL or the one entered in the form. */

const form = document.querySelector<HTMLFormElement>("#site-form");
const siteKey = new URLSearchParams(location.search).get("site_key");

if (siteKey) {
  const script = document.createElement("script");
  script.async = true;
  script.src = new URL("/widget.js", location.href).href;
  script.dataset["siteKey"] = siteKey;
  document.head.append(script);
} else if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const entered = String(new FormData(form).get("site_key") ?? "").trim();
    if (entered) location.search = new URLSearchParams({ site_key: entered }).toString();
  });
}
