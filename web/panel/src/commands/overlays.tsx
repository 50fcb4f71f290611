/** The command bar and the list of shortcuts, loaded when they are opened first. */
import { useEffect, useState } from "preact/hooks";
import { showToast } from "../components/toasts";
import { loadPageTexts, t } from "../i18n/i18n";
import { commandBarOpen, shortcutsOpen } from "./registry";

const load = async () => {
  const [{ CommandBar }, { ShortcutsDialog }] = await Promise.all([
    import("./commandBar"),
    import("./shortcutsDialog"),
    loadPageTexts(),
  ]);
  return { CommandBar, ShortcutsDialog };
};

type Overlays = Awaited<ReturnType<typeof load>>;

/** How long after the start the overlays are fetched, so that the first one opens without waiting. */
const PRELOAD_MS = 2000;

export function CommandOverlays() {
  const [overlays, setOverlays] = useState<Overlays | undefined>(undefined);
  const wanted = commandBarOpen.value || shortcutsOpen.value;
  useEffect(() => {
    if (overlays) return undefined;
    const fetchOverlays = () => {
      load().then(setOverlays, () => {
        if (!wanted) return;
        commandBarOpen.value = false;
        shortcutsOpen.value = false;
        showToast(t("commands.loadFailed"), "error");
      });
    };
    if (wanted) return fetchOverlays();
    const timer = setTimeout(fetchOverlays, PRELOAD_MS);
    return () => clearTimeout(timer);
  }, [wanted, overlays]);
  if (!overlays) return null;
  return (
    <>
      <overlays.CommandBar />
      <overlays.ShortcutsDialog />
    </>
  );
}
