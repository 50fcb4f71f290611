/** Parts of the chat window that few visitors need: each is loaded when it is displayed first. */
import { signal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { strings } from "./i18n/i18n";

/** A component that displays nothing until it is loaded. When that fails, the visitor can try it again. */
export function lazyPart<Props extends object>(
  load: () => Promise<FunctionComponent<Props>>,
): FunctionComponent<Props> {
  const part = signal<FunctionComponent<Props> | null>(null);
  const failed = signal(false);
  let isLoading = false;
  const start = async () => {
    if (isLoading) return;
    isLoading = true;
    failed.value = false;
    try {
      part.value = await load();
    } catch {
      failed.value = true;
      isLoading = false;
    }
  };
  return (props) => {
    useEffect(() => void start(), []);
    const Part = part.value;
    if (Part) return <Part {...props} />;
    return failed.value ? (
      <p class="notice" role="alert">
        {strings.requestFailed}{" "}
        <button type="button" class="text-button" onClick={start}>
          {strings.tryAgain}
        </button>
      </p>
    ) : null;
  };
}
