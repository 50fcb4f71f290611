/** Entry point of the chat window, which the launcher loads when somebody needs it. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { MAX_CHARACTERS } from "./composer/composer";
import { loadStrings, locale, plural, strings } from "./i18n/i18n";
import { browserLanguage } from "./i18n/language";
import type { Chat, ChatCommand, Launcher } from "./launcher/chatInterface";
import { windowStyles } from "./styles/windowStyles";
import { Widget } from "./widget";
import { type VisitorAction, WidgetStore } from "./widgetStore";

const sheet = new CSSStyleSheet();
sheet.replaceSync(windowStyles);

export async function mount(launcher: Launcher): Promise<Chat> {
  const { embed, root, element, endSession } = launcher;
  // A launcher of an earlier version knows no language.
  embed.language ??= browserLanguage;
  await loadStrings(embed.origin, embed.language);
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
  const store = new WidgetStore(embed, endSession, (name, detail) => launcher.emit?.(name, detail));
  // In another language everything is drawn again.
  const draw = () => render(<Widget key={locale.language} store={store} />, element);
  const updateButton = () => {
    const [isOpen, unread] = [store.open.value, store.unread.value];
    launcher.update({ isOpen, unread, label: buttonLabel(isOpen, unread) });
  };
  const commands: Record<Exclude<ChatCommand, "repeat">, (text: string) => void> = {
    prefill: (text) => store.prefill(text.slice(0, MAX_CHARACTERS)),
    send: (text) => void store.sendForPage(text.slice(0, MAX_CHARACTERS)),
    setLanguage: (tag) =>
      void loadStrings(embed.origin, tag).then(() => {
        draw();
        updateButton();
        void store.loadConfig();
      }),
  };
  const stopEffects = [
    effect(updateButton),
    effect(() => {
      const colours = store.config.value?.colours;
      if (colours) launcher.setColours(colours);
    }),
  ];
  const markRead = () => store.markRead();
  document.addEventListener("visibilitychange", markRead);
  draw();
  return {
    show: () => store.show(),
    hide: () => store.hide(),
    receive: (messages) => store.receive(messages),
    run: (command, argument) =>
      command === "repeat"
        ? void store.begin(argument as VisitorAction)
        : commands[command]?.(String(argument ?? "")),
    unfinished: () => store.unfinished.map((action) => ["repeat", action]),
    close() {
      document.removeEventListener("visibilitychange", markRead);
      for (const stop of stopEffects) stop();
      store.close();
      render(null, element);
    },
  };
}

function buttonLabel(isOpen: boolean, unread: number): string {
  if (isOpen) return strings.closeChat;
  return unread ? `${strings.openChat}, ${plural("unread", unread)}` : strings.openChat;
}
