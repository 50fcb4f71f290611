/** The English texts: `t` takes its keys from them. Written by `npm run texts reviewed`, one entry per file. */
import answerTests from "./en/pages/answerTests.json";
import archive from "./en/pages/archive.json";
import audit from "./en/pages/audit.json";
import cannedReplies from "./en/pages/cannedReplies.json";
import chatbot from "./en/pages/chatbot.json";
import corrections from "./en/pages/corrections.json";
import devices from "./en/pages/devices.json";
import engines from "./en/pages/engines.json";
import forms from "./en/pages/forms.json";
import gaps from "./en/pages/gaps.json";
import hours from "./en/pages/hours.json";
import knowledge from "./en/pages/knowledge.json";
import quickReplies from "./en/pages/quickReplies.json";
import ratings from "./en/pages/ratings.json";
import settings from "./en/pages/settings.json";
import sites from "./en/pages/sites.json";
import siteTexts from "./en/pages/siteTexts.json";
import sources from "./en/pages/sources.json";
import tools from "./en/pages/tools.json";
import transcript from "./en/pages/transcript.json";
import triggers from "./en/pages/triggers.json";

export const englishPages = {
  answerTests,
  archive,
  audit,
  cannedReplies,
  chatbot,
  corrections,
  devices,
  engines,
  forms,
  gaps,
  hours,
  knowledge,
  quickReplies,
  ratings,
  settings,
  sites,
  siteTexts,
  sources,
  tools,
  transcript,
  triggers,
};
