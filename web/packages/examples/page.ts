/** What pages write, as TypeScript checks it. */
import type { ParleyMessage } from "@parley/widget";

parley("open");
parley("prefill", "I have a question about my order");
parley("setTheme", "auto");
parley("on", "message", ({ role, text }) => document.title.concat(role, text));
parley("on", "unread", ({ count }) => count.toFixed());
const onMessage = (message: ParleyMessage) => message.at;
parley("off", "message", onMessage);
parley("off", "message");
parley("boot", { siteKey: "pk_1" });

// @ts-expect-error There is no such command.
parley("dance");
// @ts-expect-error A text is needed.
parley("send");
// @ts-expect-error There is no such theme.
parley("setTheme", "blue");
// @ts-expect-error There is no such event.
parley("on", "sneeze", () => undefined);
// @ts-expect-error A rating has no text.
parley("on", "rating", ({ text }) => text);
