/** The note that tells operators whether the model has seen the visitor's image. */
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import { MessageItem } from "../panel/src/conversation/messages";
import { loadPageTexts, showLanguage } from "../panel/src/i18n/i18n";
import { buildConversation, buildMessage } from "./builders";
import { settle } from "./fakeServer";
import { useRoot } from "./root";

const view = useRoot();
const NOTES = {
  seen: "Image seen by the model",
  off: "Image not sent to the model: this site does not want it",
  no_vision: "Image not sent to the model: the check of the endpoint has not found that it sees images",
  unreadable: "Image not sent to the model: it cannot be read",
  no_model: "Image not sent to a model: the built-in assistant replied",
};

afterEach(() => showLanguage("en"));

/** What a reply of the AI shows about the image before it. */
async function notesOf(image_use: string | null): Promise<string[]> {
  await Promise.all([loadPageTexts(), import("../panel/src/conversation/imageNote")]);
  const message = buildMessage(2, { role: "ai", image_use });
  const conversation = buildConversation();
  await act(async () => {
    render(h(MessageItem, { message, conversation, name: "Jane", isFollowUp: false }), view.root);
  });
  await settle();
  return [...view.root.querySelectorAll(".message-sources")].map((note) => note.textContent ?? "");
}

test.each(Object.entries(NOTES))("a reply after an image says what became of it: %s", async (use, note) => {
  expect(await notesOf(use)).toEqual([note]);
});

test("a reply without an image has no note, nor one whose note is of a later version", async () => {
  expect(await notesOf(null)).toEqual([]);
  expect(await notesOf("described_by_another_model")).toEqual([]);
});

test("the note is in the operator's language", async () => {
  await showLanguage("de");
  expect(await notesOf("seen")).toEqual(["Das Modell hat das Bild gesehen"]);
});
