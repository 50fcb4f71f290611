/** A site's name, domains and language: the settings form, and the dialog that adds a site. */

import { type Signal, useSignal } from "@preact/signals";
import type { SiteFields as ApiSiteFields } from "../../../shared/apiTypes";
import { randomId } from "../../../shared/storage";
import { api } from "../api/client";
import { Field, Switch } from "../components/controls";
import { Dialog, DialogActions } from "../components/dialog";
import { submitForm } from "../components/forms";
import { Icon } from "../components/icon";
import { confirmAction } from "../components/toasts";
import { t } from "../i18n/i18n";
import { navigate } from "../navigation/route";
import { useUnsavedChanges } from "../navigation/unsavedChanges";
import { me } from "../session/session";
import { loadSites, type Site, sites } from "./sites";

interface SiteFields {
  name: string;
  /** One per line. */
  domains: string;
  anyOrigin: boolean;
  language: string;
  pageTracking: boolean;
  sound: boolean;
  readReceipts: boolean;
  transcriptEmail: boolean;
  /** Names of query parameters, separated by commas or spaces. */
  pageParameters: string;
}

const EMPTY: SiteFields = {
  name: "",
  domains: "",
  anyOrigin: false,
  language: "en",
  pageTracking: true,
  sound: true,
  readReceipts: true,
  transcriptEmail: true,
  pageParameters: "",
};

const splitList = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

const toFields = (site: ApiSiteFields): SiteFields => ({
  name: site.name,
  domains: site.domains.join("\n"),
  anyOrigin: site.any_origin,
  language: site.language,
  pageTracking: site.page_tracking,
  sound: site.sound,
  readReceipts: site.read_receipts,
  transcriptEmail: site.transcript_email,
  pageParameters: site.page_parameters.join(", "),
});

const toBody = (fields: SiteFields) => ({
  name: fields.name.trim(),
  domains: splitList(fields.domains),
  any_origin: fields.anyOrigin,
  language: fields.language.trim() || "en",
  page_tracking: fields.pageTracking,
  sound: fields.sound,
  read_receipts: fields.readReceipts,
  transcript_email: fields.transcriptEmail,
  page_parameters: splitList(fields.pageParameters),
});

interface SiteFieldsetProps {
  fields: Signal<SiteFields>;
  errors: Record<string, string>;
  /** Whether the installation sends mail. */
  sendsMail: boolean;
}

function SiteFieldset({ fields, errors, sendsMail }: SiteFieldsetProps) {
  const { name, domains, anyOrigin, language, pageTracking, pageParameters, sound, readReceipts } =
    fields.value;
  const { transcriptEmail } = fields.value;
  const change = (changed: Partial<SiteFields>) => {
    fields.value = { ...fields.value, ...changed };
  };
  return (
    <>
      <Field label={t("common.name")} error={errors["name"]}>
        <input
          required
          maxLength={100}
          dir="auto"
          value={name}
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
      </Field>
      <Field label={t("sites.domains")} hint={t("sites.domainsHint")} error={errors["domains"]}>
        <textarea
          rows={3}
          dir="ltr"
          placeholder={"example.com\n*.example.com"}
          value={domains}
          onInput={(event) => change({ domains: event.currentTarget.value })}
        />
      </Field>
      <Switch on={anyOrigin} label={t("sites.anyDomain")} onChange={(on) => change({ anyOrigin: on })} />
      <Field label={t("common.language")} hint={t("sites.languageHint")} error={errors["language"]}>
        <input
          class="short"
          maxLength={35}
          value={language}
          onInput={(event) => change({ language: event.currentTarget.value })}
        />
      </Field>
      <Switch on={sound} label={t("sites.sound")} onChange={(on) => change({ sound: on })} />
      <Switch
        on={readReceipts}
        label={t("sites.readReceipts")}
        onChange={(on) => change({ readReceipts: on })}
      />
      {sendsMail && (
        <Switch
          on={transcriptEmail}
          label={t("sites.transcriptEmail")}
          onChange={(on) => change({ transcriptEmail: on })}
        />
      )}
      <Switch
        on={pageTracking}
        label={t("sites.pageTracking")}
        onChange={(on) => change({ pageTracking: on })}
      />
      {pageTracking && (
        <Field
          label={t("sites.parameters")}
          hint={t("sites.parametersHint")}
          error={errors["page_parameters"]}
        >
          <input
            maxLength={1300}
            spellcheck={false}
            value={pageParameters}
            onInput={(event) => change({ pageParameters: event.currentTarget.value })}
          />
        </Field>
      )}
    </>
  );
}

export function SiteForm({ site }: { site: Site }) {
  const path = { site_id: site.id };
  const fields = useSignal(toFields(site));
  const isChanged = JSON.stringify(toBody(fields.value)) !== JSON.stringify(toBody(toFields(site)));
  useUnsavedChanges(isChanged);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const save = async () => {
      const saved = await api.put("/sites/{site_id}", { path, body: toBody(fields.value) });
      await loadSites();
      fields.value = toFields(saved.site);
    };
    void submitForm(busy, errors, save, t("common.saved"));
  };
  const remove = async () => {
    const text = t("sites.deleteText", { site: site.name });
    const confirmed = await confirmAction({
      title: t("sites.deleteTitle"),
      text,
      confirmLabel: t("common.delete"),
      destructive: true,
    });
    if (!confirmed) return;
    const save = async () => {
      await api.delete("/sites/{site_id}", { path });
      await loadSites();
      navigate("sites");
    };
    void submitForm(busy, errors, save, t("sites.deleted"));
  };
  return (
    <form class="stack form" onSubmit={submit}>
      <SiteFieldset fields={fields} errors={errors.value} sendsMail={site.sends_mail} />
      <div class="form-actions">
        {me.value?.owner && (
          <button type="button" class="button danger-quiet" onClick={remove}>
            <Icon name="trash" size={16} /> {t("sites.delete")}
          </button>
        )}
        <span class="grow" />
        <button type="submit" class="button primary" disabled={busy.value}>
          {t("common.save")}
        </button>
      </div>
    </form>
  );
}

export function NewSiteDialog({ onClose }: { onClose: () => void }) {
  const fields = useSignal<SiteFields>(EMPTY);
  const errors = useSignal<Record<string, string>>({});
  const busy = useSignal(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const save = async () => {
      const body = toBody(fields.value);
      const { site } = await api.post("/sites", { body, idempotencyKey: randomId() });
      await loadSites();
      onClose();
      navigate("sites", site.id);
    };
    void submitForm(busy, errors, save, t("sites.added"));
  };
  return (
    <Dialog title={t("sites.add")} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <SiteFieldset
          fields={fields}
          errors={errors.value}
          sendsMail={sites.value.some((site) => site.sends_mail)}
        />
        <DialogActions onCancel={onClose}>
          <button type="submit" class="button primary" disabled={busy.value}>
            {t("sites.add")}
          </button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
