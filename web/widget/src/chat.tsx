/** Entry point of the chat window, which the launcher loads when somebody needs it. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { loadStrings } from "./i18n/i18n";
import type { Chat, Launcher } from "./launcher/chatInterface";
import { windowStyles } from "./styles/windowStyles";
import { Widget } from "./widget";
import { WidgetStore } from "./widgetStore";

const sheet = new CSSStyleSheet();
sheet.replaceSync(windowStyles);

export async function mount(launcher: Launcher): Promise<Chat> {
  const { embed, root, element, endSession } = launcher;
  await loadStrings(embed.origin);
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  const store = new WidgetStore(embed, endSession);
  const stopEffects = [
    effect(() => launcher.update({ isOpen: store.open.value, unread: store.unread.value })),
    effect(() => {
      const colours = store.config.value?.colours;
      if (colours) launcher.setColours(colours);
    }),
  ];
  const markRead = () => store.markRead();
  document.addEventListener("visibilitychange", markRead);
  render(<Widget store={store} />, element);
  return {
    show: () => store.show(),
    hide: () => store.hide(),
    receive: (messages) => store.receive(messages),
    close() {
      document.removeEventListener("visibilitychange", markRead);
      for (const stop of stopEffects) stop();
      store.close();
      render(null, element);
    },
  };
}
