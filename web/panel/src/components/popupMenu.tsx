/** A button that opens a menu below it. Escape and a click elsewhere close it. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { IconButton } from "./controls";
import type { IconName } from "./icon";

interface PopupMenuProps {
  icon: IconName;
  label: string;
  /** Added to the tooltip: its shortcut, which clicks the button by `id`. */
  hint?: string;
  id?: string;
  /** Above the button, for one at the end of the page. */
  upwards?: boolean;
  children: (close: () => void) => ComponentChildren;
}

export function PopupMenu({ icon, label, hint, id, upwards, children }: PopupMenuProps) {
  const open = useSignal(false);
  const element = useRef<HTMLDivElement>(null);
  const close = () => {
    open.value = false;
    element.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!open.value) return;
    element.current?.querySelector<HTMLElement>(".popup-menu button, .popup-menu input")?.focus();
    const onMouseDown = (event: Event) => {
      if (!element.current?.contains(event.target as Node)) open.value = false;
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      close();
    };
    addEventListener("mousedown", onMouseDown);
    addEventListener("keydown", onKeyDown, true);
    return () => {
      removeEventListener("mousedown", onMouseDown);
      removeEventListener("keydown", onKeyDown, true);
    };
  }, [open.value]);
  return (
    <div class="menu-anchor" ref={element} id={id}>
      <IconButton
        icon={icon}
        label={label}
        {...(hint && { hint })}
        onClick={() => {
          open.value = !open.value;
        }}
      />
      {open.value && (
        <section class={`popup-menu${upwards ? " upwards" : ""}`} aria-label={label}>
          {children(close)}
        </section>
      )}
    </div>
  );
}

/** Opens the menu with an id. */
export const openPopupMenu = (id: string): void =>
  document.querySelector<HTMLElement>(`#${id} > button`)?.click();
