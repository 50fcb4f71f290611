/** Whether the model has seen the visitor's image before it replied: for operators only. */

import { t } from "../i18n/i18n";

const USES = ["seen", "off", "no_vision", "unreadable", "no_model"] as const;

/** `use`: that of the message. A later version's is not described. */
export function ImageNote({ use }: { use: string }) {
  const known = USES.find((one) => one === use);
  return known ? <p class="message-sources">{t(`engines.image_${known}`)}</p> : null;
}
