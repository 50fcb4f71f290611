/**
 * Entry point of the widget's script. The widget lives in a shadow root with constructed style sheets, so that neither
 * the page's styles nor a strict Content Security Policy affect it.
 */
import { collectCalls, Page } from "./page";

const page = new Page();
collectCalls();
if (document.body) page.boot();
else document.addEventListener("DOMContentLoaded", () => page.boot());
