/** Where the panel begins. */
import { render } from "preact";
import "@fontsource-variable/inter/wght.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/chat.css";
import "./styles/pages.css";
import { App } from "./app";

const root = document.getElementById("app");
if (root) render(<App />, root);
