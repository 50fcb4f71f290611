/** The English texts. The other languages are checked against them, and the keys of `t` are taken from them. */
import copilot from "./en/copilot.json";
import ratings from "./en/ratings.json";
import settings from "./en/settings.json";
import time from "./en/time.json";

/** One entry per file in `en/`; its name is the first part of the keys. */
export const english = { copilot, ratings, settings, time };
