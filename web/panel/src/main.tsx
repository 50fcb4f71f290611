/** Entry point of the panel. The order of the styles matters: later ones override. */
import { render } from "preact";
import "@fontsource-variable/inter/wght.css";
import "./styles/base.css";
import "./components/buttons.css";
import "./components/fields.css";
import "./components/badges.css";
import "./components/notices.css";
import "./components/dialogs.css";
import "./styles/layout.css";
import "./inbox/inbox.css";
import "./labels/labels.css";
import "./conversation/conversation.css";
import "./conversation/markdown.css";
import "./composer/composer.css";
import "./copilot/copilot.css";
import "./conversation/details.css";
import "./styles/narrowChats.css";
import "./styles/pages.css";
import "./components/lists.css";
import "./ratings/ratings.css";
import "./audit/audit.css";
import "./sites/hours.css";
import "./components/errorNotice.css";
import { App } from "./app";
import { startTranslation } from "./i18n/i18n";

const root = document.getElementById("app");
if (root) void startTranslation().then(() => render(<App />, root));
