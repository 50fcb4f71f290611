/** The list of keyboard shortcuts, from the registry of actions. */
import { Dialog } from "../components/dialog";
import { type TextKey, t } from "../i18n/i18n";
import { COMMANDS, type CommandGroup, GROUPS } from "./catalogue";
import { Keys } from "./commandBar";
import { shortcutsOpen } from "./registry";

/** What keys do in the text field of a chat, where the field handles them. */
const WHILE_TYPING: [keys: string, label: TextKey][] = [
  ["Enter", "commands.typingSend"],
  ["Shift+Enter", "commands.typingNewLine"],
  ["/", "commands.typingCannedReplies"],
  ["Mod+v", "commands.typingPaste"],
  ["Escape", "commands.typingLeave"],
];

interface ShortcutGroup {
  title: TextKey;
  shortcuts: { keys: readonly string[]; label: TextKey }[];
}

export function listShortcuts(): ShortcutGroup[] {
  const commands = Object.values(COMMANDS);
  const groups = (Object.keys(GROUPS) as CommandGroup[]).map((name) => ({
    title: GROUPS[name],
    shortcuts: commands.filter(({ group }) => group === name),
  }));
  const whileTyping = WHILE_TYPING.map(([keys, label]) => ({ keys: [keys], label }));
  return [...groups, { title: "commands.groupTyping" as const, shortcuts: whileTyping }];
}

export function ShortcutsDialog() {
  if (!shortcutsOpen.value) return null;
  return (
    <Dialog title={t("navigation.shortcuts")} onClose={() => (shortcutsOpen.value = false)} wide>
      <div class="shortcuts">
        {listShortcuts().map((group) => (
          <section key={group.title}>
            <h3>{t(group.title)}</h3>
            <dl>
              {group.shortcuts.map(({ keys, label }) => (
                <div key={label}>
                  <dt>
                    {keys.map((one) => (
                      <Keys key={one} keys={one} />
                    ))}
                  </dt>
                  <dd>{t(label)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
