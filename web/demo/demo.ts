/** Puts the widget on the demo page, for the site that the address names, or the one that is typed in. */

const form = document.querySelector<HTMLFormElement>("#ask");
const key = new URLSearchParams(location.search).get("site_key");

if (key) {
  const script = document.createElement("script");
  script.async = true;
  script.src = new URL("/widget.js", location.href).href;
  script.dataset["siteKey"] = key;
  document.head.append(script);
} else if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = String(new FormData(form).get("site_key") ?? "").trim();
    if (typed) location.search = new URLSearchParams({ site_key: typed }).toString();
  });
}
