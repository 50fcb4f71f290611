/** The copilot's button in the composer, with the menu of what it can write. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../components/icon";
import { type TextKey, t } from "../i18n/i18n";
import { type CopilotTask, runCopilot } from "./copilot";

const REWRITES: [CopilotTask, TextKey][] = [
  ["shorter", "copilot.shorter"],
  ["friendlier", "copilot.friendlier"],
  ["correct", "copilot.correct"],
  ["translate", "copilot.translate"],
];

interface CopilotMenuProps {
  conversation: number;
  /** What the operator has written. */
  draft: string;
  isNote: boolean;
}

export function CopilotMenu({ conversation, draft, isNote }: CopilotMenuProps) {
  const open = useSignal(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open.value) return undefined;
    root.current?.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus();
    const closeOutside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) open.value = false;
    };
    addEventListener("pointerdown", closeOutside);
    addEventListener("focusin", closeOutside);
    return () => {
      removeEventListener("pointerdown", closeOutside);
      removeEventListener("focusin", closeOutside);
    };
  }, [open.value]);

  const choose = (task: CopilotTask) => {
    open.value = false;
    button.current?.focus();
    void runCopilot(conversation, task, draft.trim());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!open.value) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (event.key === "Escape") {
      event.stopPropagation();
      open.value = false;
      button.current?.focus();
    } else if (step) {
      event.preventDefault();
      const items = [
        ...(root.current?.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)") ?? []),
      ];
      const index = items.indexOf(document.activeElement as HTMLElement);
      items[(index + step + items.length) % items.length]?.focus();
    }
  };
  const item = (task: CopilotTask, label: TextKey, disabled = false) => (
    <button
      key={task}
      type="button"
      role="menuitem"
      tabIndex={-1}
      disabled={disabled}
      onClick={() => choose(task)}
    >
      {t(label)}
    </button>
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys move within the menu.
    <div class="copilot-menu" ref={root} onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        class={`icon-button${open.value ? " active" : ""}`}
        aria-label={t("copilot.title")}
        title={t("copilot.title")}
        aria-haspopup="menu"
        aria-expanded={open.value}
        onClick={() => (open.value = !open.value)}
      >
        <Icon name="spark" />
      </button>
      {open.value && (
        <div class="copilot-menu-items" role="menu" aria-label={t("copilot.title")}>
          {!isNote && item("suggestion", "copilot.suggestion")}
          {item("summary", "copilot.summary")}
          {REWRITES.map(([task, label]) => item(task, label, !draft.trim()))}
        </div>
      )}
    </div>
  );
}
