/** The English texts: `t` takes its keys from them. Written by `npm run texts reviewed`, one entry per file. */
import app from "./en/app.json";
import commands from "./en/commands.json";
import common from "./en/common.json";
import composer from "./en/composer.json";
import conversation from "./en/conversation.json";
import copilot from "./en/copilot.json";
import errors from "./en/errors.json";
import fieldErrors from "./en/fieldErrors.json";
import files from "./en/files.json";
import identity from "./en/identity.json";
import inbox from "./en/inbox.json";
import labels from "./en/labels.json";
import live from "./en/live.json";
import mentions from "./en/mentions.json";
import navigation from "./en/navigation.json";
import notifications from "./en/notifications.json";
import reports from "./en/reports.json";
import search from "./en/search.json";
import session from "./en/session.json";
import setup from "./en/setup.json";
import team from "./en/team.json";
import teams from "./en/teams.json";
import time from "./en/time.json";
import viewers from "./en/viewers.json";
import visitors from "./en/visitors.json";

export const english = {
  app,
  commands,
  common,
  composer,
  conversation,
  copilot,
  errors,
  fieldErrors,
  files,
  identity,
  inbox,
  labels,
  live,
  mentions,
  navigation,
  notifications,
  reports,
  search,
  session,
  setup,
  team,
  teams,
  time,
  viewers,
  visitors,
};
