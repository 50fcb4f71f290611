/** The settings' card of canned replies: a list to edit, a form, and the import of those that this browser holds. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ACCEPTED_FILES } from "../../../shared/acceptedFiles";
import type { CannedReply } from "../../../shared/apiTypes";
import { ACCEPTED_IMAGES, MessageImage } from "../../../shared/components";
import { ApiError } from "../../../shared/http";
import { api, errorMessage } from "../api/client";
import { useRequest } from "../commands/registry";
import { Field, IconButton } from "../components/controls";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { confirmAction, runWithToast, showToast } from "../components/toasts";
import { PanelFile } from "../files/panelFile";
import { t, tx } from "../i18n/i18n";
import { QuickReplyEditor } from "../quickReplies/editor";
import { toQuickReplies, toRows } from "../quickReplies/rows";
import { LoggedOut, me } from "../session/session";
import { browserCannedReplies, hasBrowserCannedReplies } from "../settings/preferences";
import { getSiteName, hasPermission, managedSites } from "../sites/sites";
import { cannedReplies, loadCannedReplies } from "./store";
import { convertOldText } from "./text";

const EXAMPLES = ["hi", "moment", "more", "thanks", "bye"] as const;
const VARIABLES = "{{visitor.name|there}}, {{visitor.email}}, {{operator.name}}, {{site.name}}";

/** Who may use a reply, as one value of a select: "mine", "all", or the site's id. */
const audienceOf = (reply: CannedReply) => (reply.site_id === null ? reply.scope : String(reply.site_id));

function toScope(audience: string): Pick<CannedReply, "scope" | "site_id"> {
  if (audience === "mine" || audience === "all") return { scope: audience, site_id: null };
  return { scope: "site", site_id: Number(audience) };
}

function describeAudience(reply: CannedReply): string {
  if (reply.scope === "mine") return t("cannedReplies.onlyYou");
  return reply.site_id === null ? t("cannedReplies.wholeTeam") : getSiteName(reply.site_id);
}

function mayChange(reply: CannedReply): boolean {
  if (reply.scope === "mine" || me.value?.owner) return true;
  return reply.site_id !== null && hasPermission(reply.site_id, "can_manage");
}

export function CannedRepliesCard() {
  const editing = useSignal<CannedReply | "new" | null>(null);
  const error = useSignal("");
  useRequest("cannedReply.add", () => (editing.value = "new"));
  useEffect(() => {
    loadCannedReplies().catch((caught) => {
      if (!(caught instanceof LoggedOut)) error.value = errorMessage(caught);
    });
  }, []);
  const remove = async (reply: CannedReply) => {
    const title = t("cannedReplies.deleteTitle", { shortcut: reply.shortcut });
    const text = reply.scope === "mine" ? t("cannedReplies.deleteMine") : t("cannedReplies.deleteShared");
    if (!(await confirmAction({ title, text, confirmLabel: t("common.delete"), destructive: true }))) return;
    await runWithToast(async () => {
      await api.delete("/canned-replies/{id}", { path: { id: reply.id } });
      await loadCannedReplies();
    });
  };
  return (
    <section class="card stack" id="canned-replies">
      <h2>{t("cannedReplies.title")}</h2>
      <p class="muted">{tx("cannedReplies.hint", { key: <kbd>/</kbd> })}</p>
      {error.value && <p class="error-text">{error.value}</p>}
      <ul class="canned-replies">
        {cannedReplies.value.map((reply) => (
          <li key={reply.id}>
            <kbd>/{reply.shortcut}</kbd>
            <span class="canned-text" dir="auto">
              {reply.text}
            </span>
            {reply.image_url && <Icon name="image" size={14} />}
            {reply.file && <Icon name="clip" size={14} />}
            <span class="muted">
              {describeAudience(reply)} · {t("cannedReplies.used", { number: reply.use_count })}
            </span>
            {mayChange(reply) && (
              <>
                <IconButton
                  icon="pencil"
                  label={t("cannedReplies.edit", { shortcut: reply.shortcut })}
                  onClick={() => (editing.value = reply)}
                />
                <IconButton
                  icon="trash"
                  label={t("cannedReplies.delete", { shortcut: reply.shortcut })}
                  onClick={() => remove(reply)}
                />
              </>
            )}
          </li>
        ))}
      </ul>
      {editing.value ? (
        <CannedReplyForm key={editing.value === "new" ? 0 : editing.value.id} editing={editing} />
      ) : (
        <button type="button" class="text-button" onClick={() => (editing.value = "new")}>
          <Icon name="plus" size={14} /> {t("cannedReplies.add")}
        </button>
      )}
      <ImportButton />
    </section>
  );
}

function CannedReplyForm({ editing }: { editing: Signal<CannedReply | "new" | null> }) {
  const before = editing.value === "new" ? null : editing.value;
  const shortcut = useSignal(before?.shortcut ?? "");
  const text = useSignal(before?.text ?? "");
  const audience = useSignal(before ? audienceOf(before) : "mine");
  const image = useSignal(before?.image_url ?? "");
  const file = useSignal(before?.file ?? null);
  const rows = useSignal(toRows(before?.quick_replies));
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    const save = async () => {
      const body = {
        shortcut: shortcut.value.trim().replace(/^\//, ""),
        text: text.value,
        ...toScope(audience.value),
        image_url: image.value || null,
        file_id: file.value?.id ?? null,
        quick_replies: toQuickReplies(rows.value),
      };
      if (before) await api.put("/canned-replies/{id}", { path: { id: before.id }, body });
      else await api.post("/canned-replies", { body });
      await loadCannedReplies();
    };
    if (await submitForm(busy, errors, save, t("cannedReplies.saved"))) editing.value = null;
  };
  const upload = (chosen: File | undefined) => {
    if (!chosen) return;
    busy.value = true;
    void runWithToast(async () => {
      if (chosen.type.startsWith("image/")) image.value = await api.uploadImage(chosen);
      // Without a site: the reply may be used on several.
      else file.value = await api.uploadFile(chosen, null);
    }).finally(() => (busy.value = false));
  };
  return (
    <form
      class="stack"
      onSubmit={submit}
      aria-label={before ? t("cannedReplies.editForm") : t("cannedReplies.newForm")}
    >
      <Field label={t("cannedReplies.shortcut")} error={errors.value["shortcut"]}>
        <input
          required
          maxLength={30}
          value={shortcut.value}
          onInput={(event) => (shortcut.value = event.currentTarget.value)}
        />
      </Field>
      <Field
        label={t("cannedReplies.text")}
        hint={t("cannedReplies.variables", { variables: VARIABLES, bar: "|" })}
        error={errors.value["text"]}
      >
        <textarea
          required
          rows={3}
          dir="auto"
          maxLength={4000}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
      </Field>
      <Field label={t("cannedReplies.for")} error={errors.value["site_id"] ?? errors.value["scope"]}>
        <select value={audience.value} onChange={(event) => (audience.value = event.currentTarget.value)}>
          <option value="mine">{t("cannedReplies.onlyMe")}</option>
          {managedSites.value.map((site) => (
            <option key={site.id} value={String(site.id)}>
              {t("cannedReplies.everyoneOn", { site: site.name })}
            </option>
          ))}
          {me.value?.owner && <option value="all">{t("cannedReplies.theWholeTeam")}</option>}
        </select>
      </Field>
      <QuickReplyEditor rows={rows.value} onChange={(changed) => (rows.value = changed)} />
      {image.value && (
        <div class="attachment">
          <MessageImage url={image.value} alt={t("cannedReplies.imageAlt")} />
          <IconButton icon="close" label={t("common.removeImage")} onClick={() => (image.value = "")} />
        </div>
      )}
      {file.value && (
        <div class="attachment">
          <PanelFile file={file.value} />
          <IconButton icon="close" label={t("files.remove")} onClick={() => (file.value = null)} />
        </div>
      )}
      <div class="form-row">
        <label class="button">
          <Icon name="clip" size={16} /> {t("cannedReplies.addFile")}
          <input
            class="visually-hidden"
            type="file"
            accept={`${ACCEPTED_IMAGES},${ACCEPTED_FILES}`}
            onChange={(event) => {
              upload(event.currentTarget.files?.[0]);
              event.currentTarget.value = "";
            }}
          />
        </label>
        <span class="grow" />
        <button type="button" class="button" onClick={() => (editing.value = null)}>
          {t("common.cancel")}
        </button>
        <button type="submit" class="button primary" disabled={busy.value}>
          {t("common.save")}
        </button>
      </div>
    </form>
  );
}

/** Copies the replies that earlier versions kept in this browser, or the examples, into the operator's own ones. */
function ImportButton() {
  const busy = useSignal(false);
  const stored = (browserCannedReplies.value ?? examples()).filter(
    (reply) => reply.short && reply.text.trim(),
  );
  if (!stored.length) return null;
  const importAll = async () => {
    busy.value = true;
    await runWithToast(async () => {
      for (const { short, text } of stored) await importOne(short, text);
      browserCannedReplies.value = [];
      await loadCannedReplies();
      showToast(t("cannedReplies.imported"));
    });
    busy.value = false;
  };
  return (
    <button type="button" class="text-button" disabled={busy.value} onClick={importAll}>
      {hasBrowserCannedReplies
        ? t("cannedReplies.import", { number: stored.length })
        : t("cannedReplies.addExamples", { number: stored.length })}
    </button>
  );
}

/** What an operator without canned replies may begin with. */
function examples(): { short: string; text: string }[] {
  const values = { name: "{{visitor.name}}", me: "{{operator.name}}" };
  return EXAMPLES.map((short) => ({ short, text: t(`cannedReplies.example_${short}`, values) }));
}

async function importOne(short: string, text: string): Promise<void> {
  const body = { shortcut: short, text: convertOldText(text), scope: "mine" as const };
  try {
    await api.post("/canned-replies", { body });
  } catch (error) {
    // Another browser of the operator has imported it already.
    if (!(error instanceof ApiError) || error.code !== "shortcut_taken") throw error;
  }
}
