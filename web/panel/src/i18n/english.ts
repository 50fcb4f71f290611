/** The English texts: `t` takes its keys from them. Written by `npm run texts reviewed`, one entry per file. */
import app from "./en/app.json";
import archive from "./en/archive.json";
import cannedReplies from "./en/cannedReplies.json";
import commands from "./en/commands.json";
import common from "./en/common.json";
import composer from "./en/composer.json";
import conversation from "./en/conversation.json";
import copilot from "./en/copilot.json";
import devices from "./en/devices.json";
import errors from "./en/errors.json";
import inbox from "./en/inbox.json";
import live from "./en/live.json";
import navigation from "./en/navigation.json";
import notifications from "./en/notifications.json";
import ratings from "./en/ratings.json";
import session from "./en/session.json";
import settings from "./en/settings.json";
import time from "./en/time.json";
import visitors from "./en/visitors.json";

export const english = {
  app,
  archive,
  cannedReplies,
  commands,
  common,
  composer,
  conversation,
  copilot,
  devices,
  errors,
  inbox,
  live,
  navigation,
  notifications,
  ratings,
  session,
  settings,
  time,
  visitors,
};
