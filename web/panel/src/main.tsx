/** Entry point of the panel. */
import { render } from "preact";
import "@fontsource-variable/inter/wght.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/chats.css";
import "./styles/pages.css";
import { App } from "./app";

const root = document.getElementById("app");
if (root) render(<App />, root);
