/** A list that renders only the rows on the screen: thousands of rows cost no more than twenty. */
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/** Rows above and below the screen that are rendered too, so that scrolling shows no gaps. */
const OVERSCAN = 6;
const INITIAL_HEIGHT_PX = 800;

interface VirtualListProps<Item> {
  items: readonly Item[];
  /** Every row is exactly as high. */
  rowHeightPx: number;
  renderRow: (item: Item) => ComponentChildren;
  /** The row that is kept on the screen when it changes; negative for none. */
  selectedIndex: number;
  id: string;
  class: string;
  label: string;
  role: "tabpanel" | "list";
}

export function VirtualList<Item>(props: VirtualListProps<Item>) {
  const { items, rowHeightPx, renderRow, selectedIndex } = props;
  const element = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(INITIAL_HEIGHT_PX);
  useLayoutEffect(() => {
    const list = element.current;
    if (!list) return;
    const observer = new ResizeObserver(() => {
      height.value = list.clientHeight;
    });
    observer.observe(list);
    return () => observer.disconnect();
  }, []);
  const selected = items[selectedIndex];
  useLayoutEffect(() => {
    const list = element.current;
    if (!list || selectedIndex < 0) return;
    const [start, end] = [selectedIndex * rowHeightPx, (selectedIndex + 1) * rowHeightPx];
    if (start < list.scrollTop) list.scrollTop = start;
    else if (end > list.scrollTop + list.clientHeight) list.scrollTop = end - list.clientHeight;
  }, [selected === undefined, selectedIndex]);
  const first = Math.max(0, Math.floor(top.value / rowHeightPx) - OVERSCAN);
  const last = Math.ceil((top.value + height.value) / rowHeightPx) + OVERSCAN;
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: both roles take a label.
    <div
      ref={element}
      class={props.class}
      id={props.id}
      role={props.role}
      aria-label={props.label}
      onScroll={(event) => {
        top.value = event.currentTarget.scrollTop;
      }}
    >
      <div style={{ height: `${items.length * rowHeightPx}px`, flex: "none" }}>
        <div style={{ transform: `translateY(${first * rowHeightPx}px)` }}>
          {items.slice(first, last).map(renderRow)}
        </div>
      </div>
    </div>
  );
}
