/** Saves the conversation as a text file. Loaded when the visitor does so. */
import { ensureOk } from "../../../shared/http";
import type { WidgetApi } from "../api/widgetApi";

export async function downloadTranscript(api: WidgetApi, language: string): Promise<void> {
  const response = await ensureOk(await api.fetch("/chat/transcript", { lang: language }));
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = "chat.txt";
  link.click();
  URL.revokeObjectURL(url);
}
