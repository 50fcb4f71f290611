/** Parts of the chat window that few visitors need: each is loaded when it is displayed first. */
import { signal } from "@preact/signals";
import type { FunctionComponent } from "preact";

/** A component that displays nothing until it is loaded. When that fails, it is tried again the next time it is drawn. */
export function lazyPart<Props extends object>(
  load: () => Promise<FunctionComponent<Props>>,
): FunctionComponent<Props> {
  const part = signal<FunctionComponent<Props> | null>(null);
  let isLoading = false;
  const start = async () => {
    isLoading = true;
    try {
      part.value = await load();
    } catch {
      isLoading = false;
    }
  };
  return (props) => {
    const Part = part.value;
    if (!Part && !isLoading) void start();
    return Part && <Part {...props} />;
  };
}
